"""Opening a set without knowing its kind, and counting the openings of its test part."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.crops.make import make_crops
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.training_sets.kinds import open_training_set


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    labels = np.zeros((10, 40, 40), np.uint16)
    labels[:, 15:25, 15:25] = 1
    folder = tmp_path_factory.mktemp("sets") / "square"
    for _ in make_crops([(Stack(labels, "TYX"), Stack(labels, "TYX"))], folder, CropSettings(size=16, box_px=16)):
        pass
    return folder


def test_the_kind_is_found(made: Path) -> None:
    assert type(open_training_set(made)) is TrainingSet
    assert open_training_set(str(made)).hash == TrainingSet.open(made).hash


@pytest.mark.parametrize("change", [{"kind": "holograms"}, {"kind": None}, {"kind": ["crops"]}, {"format": 99}])
def test_what_is_not_known_is_refused(made: Path, tmp_path: Path, change: dict[str, object]) -> None:
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    record = json.loads((copy / "dataset.json").read_text())
    (copy / "dataset.json").write_text(json.dumps(record | change))
    with pytest.raises(BadInput, match="which this version does not know"):
        open_training_set(copy)


def test_a_record_that_lacks_something_is_refused_in_one_line(made: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    record = json.loads((copy / "dataset.json").read_text())
    for key in ("counts", "size"):
        (copy / "dataset.json").write_text(json.dumps({k: v for k, v in record.items() if k != key}))
        with pytest.raises(BadInput, match="damaged"):
            open_training_set(copy)


def test_each_opening_of_the_test_part_is_counted(made: Path, tmp_path: Path) -> None:
    data = TrainingSet.open(shutil.copytree(made, tmp_path / "copy"))
    assert data.times_test_opened() == 0
    np.testing.assert_array_equal(data.open_test("the figure"), data.indices("test"))
    data.open_test("again")
    assert data.times_test_opened() == 2
    assert TrainingSet.open(data.path).times_test_opened() == 2
    assert data.indices("test").size and data.times_test_opened() == 2

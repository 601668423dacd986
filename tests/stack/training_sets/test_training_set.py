"""A training set on disk: what was written is what training reads, and what is broken is refused in one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.crops.make import make_crops
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.stack import Stack


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Squares whose brightness is ten times their frame, plus their label."""
    labels = np.zeros((10, 60, 90), np.uint16)
    for n in range(3):
        labels[:, 20:30, 20 + 25 * n : 30 + 25 * n] = n + 1
    image = (labels + (labels > 0) * 10 * np.arange(10)[:, None, None]).astype(np.uint16)
    folder = tmp_path_factory.mktemp("sets") / "squares"
    recording = Stack(image, "TYX", name="squares"), Stack(labels, "TYX")
    for _ in make_crops([recording], folder, CropSettings(size=16, box_px=16, modality="fluorescence")):
        pass
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def test_what_it_says_of_itself(made: Path) -> None:
    data = TrainingSet.open(made)
    assert (data.kind, data.size, data.dtype, data.modality) == ("crops", 16, np.uint16, "fluorescence")
    assert data.pixel_size is None
    assert data.count("train") == len(data.indices("train")) == 18
    assert data.summary() == ("squares, box 16 px → 16 px: 18 training, 3 tuning, 3 test crops, 3 different cells")
    assert "\n" not in data.summary()
    assert data.report.text().startswith("24 crops of 3 different cells, from 30 outlines.")


def test_images_masks_and_cells_belong_together(made: Path) -> None:
    data = TrainingSet.open(str(made))
    indices = data.indices("train")[[5, 0, 5, 17]]
    images, masks, cells = data.images(indices), data.masks(indices), data.cells(indices)
    for image, mask, cell, i in zip(images, masks, cells, indices, strict=True):
        row = data.table[i]
        assert set(image[mask == 1]) == {int(row["label"]) + 10 * int(row["t"])}
        assert set(image[mask == 0]) == {0}
        assert cell == int(row["label"])
    np.testing.assert_array_equal(images[0], images[2])


def test_nothing_is_read_until_asked_for(made: Path) -> None:
    data = TrainingSet.open(made)
    assert isinstance(data._images, np.memmap)
    assert isinstance(data._masks, np.memmap)
    assert data.images([]).shape == (0, 16, 16)


def test_the_range_is_of_the_training_crops(made: Path) -> None:
    data = TrainingSet.open(made)
    train = data.images(data.indices("train"))
    assert data.scaling.high == train.max() < data.images(data.indices("test")).max()
    np.testing.assert_array_equal(data.scaling.from_model(data.scaling.to_model(train)), train)


def test_parts_that_do_not_exist(made: Path) -> None:
    with pytest.raises(BadInput, match="train, validation, test"):
        TrainingSet.open(made).indices("training")


def test_a_set_of_64_bit_integers_comes_back_as_it_was(tmp_path: Path) -> None:
    labels = np.zeros((5, 40, 40), np.int64)
    labels[:, 15:25, 15:25] = 7
    recording = Stack(labels * 1000, "TYX"), Stack(labels, "TYX")
    for _ in make_crops([recording], tmp_path / "d", CropSettings(size=16, box_px=16)):
        pass
    data = TrainingSet.open(tmp_path / "d")
    assert data.images([0]).dtype == np.int64
    assert data.images([0]).max() == 7000


def test_a_compressed_set_is_read_all_the_same(copy: Path) -> None:
    before = TrainingSet.open(copy).images([3])
    tifffile.imwrite(copy / "masks.tif", tifffile.imread(copy / "masks.tif"), compression="zlib")
    pixels = tifffile.imread(copy / "crops.ome.tif")
    (copy / "crops.ome.tif").unlink()
    tifffile.imwrite(copy / "crops.ome.tif", pixels, compression="zlib")
    np.testing.assert_array_equal(TrainingSet.open(copy).images([3]), before)


@pytest.mark.parametrize("broken", ["no folder", "no json", "no table", "cut tiff", "other kind", "rows gone", "text"])
def test_what_is_no_training_set_is_refused(copy: Path, broken: str) -> None:
    record = json.loads((copy / "dataset.json").read_text())
    if broken == "no folder":
        shutil.rmtree(copy)
    elif broken == "no json":
        (copy / "dataset.json").unlink()
    elif broken == "no table":
        (copy / "crops.csv").unlink()
    elif broken == "cut tiff":
        (copy / "crops.ome.tif").write_bytes((copy / "crops.ome.tif").read_bytes()[:3000])
    elif broken == "other kind":
        (copy / "dataset.json").write_text(json.dumps(record | {"kind": "holograms"}))
    elif broken == "rows gone":
        rows = (copy / "crops.csv").read_text().splitlines()
        (copy / "crops.csv").write_text("\n".join(rows[:-1]))
    elif broken == "text":
        (copy / "dataset.json").write_text("[1, 2")
    with pytest.raises(BadInput) as refused:
        TrainingSet.open(copy)
    assert "\n" not in str(refused.value)


def test_a_file_instead_of_a_folder(made: Path) -> None:
    with pytest.raises(BadInput, match="no training set"):
        TrainingSet.open(made / "crops.ome.tif")


def test_the_class_is_found_where_scripts_know_it() -> None:
    from napari_cellsynth.stack.training_sets import training_set

    assert training_set.TrainingSet is TrainingSet
    with pytest.raises(AttributeError, match="TrainingSets"):
        _ = training_set.TrainingSets

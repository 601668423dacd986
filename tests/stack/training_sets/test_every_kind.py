"""One suite over every kind of training set, from its first day."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.split import SPLITS
from napari_cellsynth.stack.training_sets.base import map_tiff
from napari_cellsynth.stack.training_sets.kinds import KINDS, open_training_set

every_kind = pytest.mark.parametrize("kind", KINDS)
SetOf = Callable[[str], Path]
Making = Callable[[str, Path], Iterator[Any]]


@pytest.fixture
def copy_of(set_of: SetOf, tmp_path: Path) -> SetOf:
    """A copy that may be broken."""
    return lambda kind: Path(shutil.copytree(set_of(kind), tmp_path / "copy"))


@every_kind
def test_opens_by_its_kind_and_says_what_it_is(kind: str, set_of: SetOf) -> None:
    data = open_training_set(set_of(kind))
    assert data.kind == kind == data.record["kind"]
    assert data.modality == "fluorescence" and data.dtype == np.uint16
    assert data.scaling.dtype == "uint16" and data.scaling.low < data.scaling.high
    assert data.summary().startswith("drawn") and "\n" not in data.summary()
    assert len(data.hash) == 64


@every_kind
def test_parts_are_disjoint_and_counted(kind: str, set_of: SetOf) -> None:
    data = open_training_set(set_of(kind))
    parts = {part: set(data.indices(part).tolist()) for part in SPLITS}
    assert {part: len(found) for part, found in parts.items()} == {part: data.count(part) for part in SPLITS}
    assert sorted(i for found in parts.values() for i in found) == list(range(len(data.table)))
    assert data.count("train") and (data.count("test") or kind == "traps")
    with pytest.raises(BadInput, match="train, validation, test"):
        data.indices("training")


SHOWN = {"crops": "crops.ome.tif", "clips": "clips.ome.tif", "pairs": "high.ome.tif", "traps": "traps.ome.tif"}
"""File of the pictures that stand for a kind's items."""


@every_kind
def test_items_are_shown_by_a_picture_each(kind: str, set_of: SetOf) -> None:
    data = open_training_set(set_of(kind))
    chosen = data.indices("train")[[1, 0]]
    shown = data.examples(chosen)
    stored = np.asarray(map_tiff(data.path / SHOWN[kind]))
    whole = stored.reshape(len(data.table), -1, *stored.shape[-2:])
    np.testing.assert_array_equal(shown, whole[chosen, 0])
    assert shown.dtype == np.uint16 and shown.dtype.isnative


@every_kind
def test_the_report_comes_back_and_speaks(kind: str, set_of: SetOf) -> None:
    data: Any = open_training_set(set_of(kind))
    assert data.report.to_json() == type(data.report).from_json(data.record["report"]).to_json()
    assert data.report.text() == type(data.report).from_json(json.loads(json.dumps(data.record["report"]))).text()


@every_kind
def test_every_image_is_mapped_and_opens_as_a_recording(kind: str, set_of: SetOf) -> None:
    images = list(set_of(kind).glob("*.tif"))
    assert images
    for path in images:
        assert isinstance(map_tiff(path), np.memmap)
        assert read_stack(path).provenance is not None


@every_kind
def test_what_it_was_made_from_is_kept(kind: str, set_of: SetOf) -> None:
    record = open_training_set(set_of(kind)).record
    for source in record["sources"]:
        assert source["name"] == "drawn" and len(source["hash"]) == 64
        assert {"train", "validation", "test", "gap"} <= set(source["split"])
    assert record["provenance"]["made_by"] == f"prepare {kind}"
    assert record["provenance"]["synthetic"] is False


@every_kind
@pytest.mark.parametrize("broken", ["no table", "rows gone", "images cut", "format", "counts", "report"])
def test_what_is_broken_is_refused_in_one_line(kind: str, broken: str, copy_of: SetOf) -> None:
    folder = copy_of(kind)
    data = open_training_set(folder)
    table, images = folder / data.TABLE, sorted(folder.glob("*.tif"))[0]
    record = data.record
    if broken == "no table":
        table.unlink()
    elif broken == "rows gone":
        table.write_text("\n".join(table.read_text(encoding="utf-8").splitlines()[:-1]), encoding="utf-8")
    elif broken == "images cut":
        images.write_bytes(images.read_bytes()[:2000])
    elif broken == "format":
        (folder / "dataset.json").write_text(json.dumps(record | {"format": 99}))
    elif broken == "counts":
        (folder / "dataset.json").write_text(json.dumps({k: v for k, v in record.items() if k != "counts"}))
    elif broken == "report":
        more = {part: count + 1 for part, count in record["counts"].items()}
        (folder / "dataset.json").write_text(json.dumps(record | {"counts": more}))
    with pytest.raises(BadInput) as refused:
        open_training_set(folder)
    assert "\n" not in str(refused.value)


@every_kind
def test_cancelling_at_any_time_leaves_nothing(kind: str, making: Making, tmp_path: Path) -> None:
    count = sum(1 for _ in making(kind, tmp_path / "whole"))
    for stop in sorted({1, count // 3, count // 2, count - 3}):
        half = making(kind, tmp_path / "new" / "set")
        for _ in range(stop):
            next(half)
        half.close()
        assert [path.name for path in tmp_path.iterdir()] == ["whole"]


@every_kind
def test_a_folder_with_something_in_it_is_not_touched(kind: str, making: Making, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine.txt").write_text("keep")
    with pytest.raises(BadInput, match="exists"):
        list(making(kind, tmp_path / "set"))
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["mine.txt"]


@every_kind
def test_the_same_makes_the_same(kind: str, set_of: SetOf, making: Making, tmp_path: Path) -> None:
    list(making(kind, tmp_path / "again"))
    for path in set_of(kind).iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


@every_kind
def test_a_disk_that_is_too_full_is_said_before(
    kind: str, making: Making, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**6, 10**6 - 1000, 1000))
    with pytest.raises(BadInput, match=r"needs .*, and .* has 1 kB free"):
        list(making(kind, tmp_path / "set"))
    assert list(tmp_path.iterdir()) == []


@every_kind
@pytest.mark.skipif(sys.platform == "win32", reason="permissions are others there")
def test_openings_of_the_test_part_are_counted(kind: str, copy_of: SetOf) -> None:
    data = open_training_set(copy_of(kind))
    if not data.count("test"):
        with pytest.raises(BadInput, match="no test part"):
            data.open_test("to see")
        return
    np.testing.assert_array_equal(data.open_test("to see"), data.indices("test"))
    assert data.times_test_opened() == 1
    assert open_training_set(data.path).times_test_opened() == 1

"""The common writer: all of a set or nothing, whatever happens meanwhile."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput, RunFailed
from napari_cellsynth.stack.files import replacing
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.training_sets import write
from napari_cellsynth.stack.training_sets.base import map_tiff
from napari_cellsynth.stack.training_sets.planes import PlaneFile
from napari_cellsynth.stack.training_sets.write import SetWriter


def test_planes_written_in_any_order_lie_where_they_belong(tmp_path: Path) -> None:
    wanted = np.random.default_rng(0).integers(0, 60000, (3, 4, 5, 6)).astype(np.uint16)
    scale = {"pixel_size": (0.5, 0.25), "frame_interval": 10.0, "name": "clips"}
    file = PlaneFile.create(tmp_path / "a.ome.tif", "QTYX", wanted.shape, wanted.dtype, **scale)
    for place in reversed(list(np.ndindex(3, 4))):
        file.write(place, wanted[place])
    np.testing.assert_array_equal(file.array(), wanted)
    np.testing.assert_array_equal(file.read((2, 1)), wanted[2, 1])
    file.close()
    np.testing.assert_array_equal(map_tiff(tmp_path / "a.ome.tif"), wanted)
    assert isinstance(map_tiff(tmp_path / "a.ome.tif"), np.memmap)
    stack = read_stack(tmp_path / "a.ome.tif")
    assert (stack.axes, stack.pixel_size, stack.frame_interval) == ("QTYX", (0.5, 0.25), 10.0)
    np.testing.assert_array_equal(np.asarray(stack.data), wanted)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64", ">u2"])
def test_types_come_back(tmp_path: Path, dtype: str) -> None:
    wanted = np.arange(24).reshape(2, 1, 3, 4).astype(dtype)
    file = PlaneFile.create(tmp_path / "a.ome.tif", "QTYX", wanted.shape, dtype)
    for n in range(2):
        file.write((n, 0), wanted[n, 0])
    file.close()
    np.testing.assert_array_equal(map_tiff(tmp_path / "a.ome.tif").reshape(wanted.shape), wanted)


@pytest.mark.parametrize("dtype", ["int64", "bool", "complex64", "float16"])
def test_types_that_a_set_does_not_hold(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(BadInput, match="pixels of type"):
        PlaneFile.create(tmp_path / "a.ome.tif", "QTYX", (1, 1, 3, 4), dtype)


def make(out: Path) -> Iterator[int]:
    """A small set, made as generators make them."""
    with SetWriter(out, needed=100) as writer:
        images = writer.planes("clips.ome.tif", "QTYX", (2, 1, 3, 4), np.uint8)
        yield 1
        images.write((1, 0), np.full((3, 4), 7, np.uint8))
        writer.table("clips.csv", ("id", "split"), [{"id": 0, "split": "train"}, {"id": 1, "split": "test"}])
        yield 2
        writer.finish({"kind": "clips", "format": 1, "counts": {"train": np.int64(1)}})
    yield 3


def test_a_finished_set_is_there_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "new" / "set"
    assert list(make(out)) == [1, 2, 3]
    assert sorted(p.name for p in out.iterdir()) == ["clips.csv", "clips.ome.tif", "dataset.json"]
    assert [p.name for p in out.parent.iterdir()] == ["set"]
    assert len(json.loads((out / "dataset.json").read_text())["hash"]) == 64


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_closing_leaves_nothing(tmp_path: Path, steps: int) -> None:
    making = make(tmp_path / "new" / "deep" / "set")
    for _ in range(steps):
        next(making)
    making.close()
    assert list(tmp_path.iterdir()) == []


def test_the_hash_follows_pixels_and_table(tmp_path: Path) -> None:
    def one(name: str, value: int, split: str) -> str:
        with SetWriter(tmp_path / name) as writer:
            writer.planes("p.ome.tif", "QTYX", (1, 1, 2, 2), np.uint8).write((0, 0), np.full((2, 2), value, np.uint8))
            writer.table("p.csv", ("split",), [{"split": split}])
            writer.finish({})
        return str(json.loads((tmp_path / name / "dataset.json").read_text())["hash"])

    assert one("a", 1, "train") == one("b", 1, "train")
    assert len({one("c", 1, "train"), one("d", 2, "train"), one("e", 1, "test")}) == 3


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine.txt").write_text("keep")
    with pytest.raises(BadInput, match="exists"):
        list(make(tmp_path / "set"))
    assert (tmp_path / "set" / "mine.txt").read_text() == "keep"
    (tmp_path / "empty").mkdir()
    list(make(tmp_path / "empty"))


def test_too_little_room_is_said_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write.shutil, "disk_usage", lambda _: SimpleNamespace(free=2_000_000))
    with pytest.raises(BadInput, match=r"set needs 3 GB, and .* has 2 MB free; make room"):
        SetWriter(tmp_path / "new" / "set", needed=3_000_000_000).__enter__()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut_short", [False, True])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_disk_that_fills_meanwhile_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrapped: bool, cut_short: bool
) -> None:
    full = OSError("2304 requested and 1424 written") if cut_short else OSError(errno.ENOSPC, "No space left on device")
    if cut_short:
        monkeypatch.setattr(write, "check_room", lambda *_: None)
        monkeypatch.setattr(write.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))

    def fill() -> None:
        with SetWriter(tmp_path / "set", needed=100):
            if wrapped:
                raise RunFailed("x cannot be written") from full
            raise full

    with pytest.raises(RunFailed, match=r"the disk became full: it needs 100 bytes, .* are free in"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_held_for_a_moment_is_put_in_its_place_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where a scanner for viruses looks at new files."""
    tries: list[int] = []
    rename = os.replace

    def held(source: Path, target: Path) -> None:
        if source.is_dir():
            tries.append(1)
        if source.is_dir() and len(tries) < 3:
            raise PermissionError(errno.EACCES, "Access is denied")
        rename(source, target)

    monkeypatch.setattr(os, "replace", held)
    assert list(make(tmp_path / "set")) == [1, 2, 3]
    assert len(tries) == 3


def test_a_folder_that_is_held_for_good_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = os.replace

    def held(source: Path, target: Path) -> None:
        if source.is_dir():
            raise PermissionError(errno.EACCES, "Access is denied")
        rename(source, target)

    monkeypatch.setattr(replacing, "PATIENCE", 0.05)
    monkeypatch.setattr(os, "replace", held)
    with pytest.raises(RunFailed, match="Access is denied"):
        list(make(tmp_path / "set"))
    assert list(tmp_path.iterdir()) == []


def test_a_set_may_fill_the_folder_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with SetWriter(Path(".")) as writer:
        assert writer.folder.parent == tmp_path
    assert here.is_dir()

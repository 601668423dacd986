"""OME-Zarr that we write: read back by us, and by the zarr library alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files import write_zarr
from napari_cellsynth.stack.files.outputs import beside, image_path, refuse_others
from napari_cellsynth.stack.files.pyramid import halved, sizes
from napari_cellsynth.stack.files.read import read_levels, read_stack
from napari_cellsynth.stack.files.write import write_stack
from napari_cellsynth.stack.files.write_zarr import write_ome_zarr
from napari_cellsynth.stack.hashing import content_hash
from napari_cellsynth.stack.provenance import NAMESPACE
from napari_cellsynth.stack.stack import AXES, Stack

ROUND = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
DTYPES = "bool uint8 uint16 uint32 uint64 int8 int16 int32 int64 float16 float32 float64"  # all that Zarr and we know


def noise(*shape: int, dtype: str = "uint16") -> np.ndarray:
    return np.random.default_rng(0).integers(0, 60_000, shape).astype(dtype)


# -- what is written comes back ----------------------------------------------------------------------------------


@ROUND
@given(data=st.data(), present=st.sets(st.sampled_from("QTCZ")), dtype=st.sampled_from(DTYPES.split()))
def test_every_dtype_and_all_axes_come_back(tmp_path, data: st.DataObject, present: set[str], dtype: str) -> None:
    axes = "".join(a for a in AXES if a in present or a in "YX")
    shape = tuple(data.draw(st.integers(1, 3)) for _ in axes)
    array = data.draw(nps.arrays(dtype, shape, elements=None if dtype != "float16" else {"allow_nan": False}))
    stack = Stack(
        array,
        axes,
        pixel_size=(0.2, 0.19),
        z_step=0.7 if "Z" in axes else None,
        frame_interval=90.0 if "T" in axes else None,
        channels=tuple("abc"[: shape[axes.index("C")]]) if "C" in axes else (),
        provenance={"synthetic": True, "seed": 7},
    )
    back = read_stack(write_stack(tmp_path / "a.ome.zarr", stack))
    assert (back.axes, back.shape, back.dtype, back.scale) == (stack.axes, stack.shape, stack.dtype, stack.scale)
    np.testing.assert_array_equal(np.asarray(back.data), array)
    assert (back.channels, back.provenance, back.notes) == (stack.channels, stack.provenance, ())
    assert content_hash(back) == content_hash(stack)


def test_what_is_not_known_stays_unknown(tmp_path) -> None:
    back = read_stack(write_stack(tmp_path / "a.zarr", Stack(noise(3, 8, 9), "TYX", name="cells")))
    assert (back.scale, back.channels, back.provenance, back.name) == ((None,) * 3, (), None, "a")


def test_the_extremes_of_64_bits(tmp_path) -> None:
    for dtype in ("int64", "uint64"):
        limits = np.iinfo(dtype)
        array = np.array([[limits.min, limits.max], [limits.max, 1]], dtype)
        back = read_stack(write_ome_zarr(tmp_path / "a.zarr", Stack(array, "YX"), smallest=1))
        np.testing.assert_array_equal(np.asarray(back.data), array)


# -- by the zarr library alone -----------------------------------------------------------------------------------


def check_ngff(path: Path) -> dict[str, Any]:
    """What version 0.5 of the specification demands of an image; returns its description."""
    group = zarr.open_group(path, mode="r", zarr_format=3)
    ome = group.attrs["ome"]
    assert ome["version"] == "0.5"
    (image,) = ome["multiscales"]
    kinds = [axis.get("type") for axis in image["axes"]]
    names = [axis["name"] for axis in image["axes"]]
    assert 2 <= len(names) <= 5
    assert len(set(names)) == len(names)
    assert 2 <= kinds.count("space") <= 3
    assert kinds.count("time") <= 1
    other = [kind for kind in kinds if kind not in ("time", "space")]
    assert len(other) <= 1  # one of channel or a type of one's own
    order = {"time": 0, "space": 2}
    assert [order.get(kind, 1) for kind in kinds] == sorted(order.get(kind, 1) for kind in kinds)
    assert names[-2:] == ["y", "x"]
    shapes = []
    for dataset in image["datasets"]:
        scale, *rest = dataset["coordinateTransformations"]
        assert scale["type"] == "scale"
        assert len(scale["scale"]) == len(names)
        assert [one["type"] for one in rest] in ([], ["translation"])
        array = group[dataset["path"]]
        assert array.ndim == len(names)
        assert list(array.metadata.dimension_names) == names
        shapes.append(array.shape)
    assert shapes == sorted(shapes, reverse=True)
    for channel in ome.get("omero", {}).get("channels", []):
        assert len(channel["color"]) == 6
        assert set(channel["window"]) == {"min", "max", "start", "end"}
    return ome


def test_the_description_is_valid_and_complete(tmp_path) -> None:
    data = noise(2, 3, 70, 90)
    stack = Stack(data, "TCYX", pixel_size=(0.2, 0.1), frame_interval=60.0, channels=("DIC", "GFP", "RFP"), name="c")
    ome = check_ngff(write_ome_zarr(tmp_path / "a.ome.zarr", stack, smallest=32))
    assert [axis.get("unit") for axis in ome["multiscales"][0]["axes"]] == ["second", None, "micrometer", "micrometer"]
    scales = [one["coordinateTransformations"][0]["scale"] for one in ome["multiscales"][0]["datasets"]]
    assert scales == [[60, 1, 0.2, 0.1], [60, 1, 0.4, 0.2], [60, 1, 0.8, 0.4]]
    moved = ome["multiscales"][0]["datasets"][2]["coordinateTransformations"][1]["translation"]
    assert moved == pytest.approx([0, 0, 0.3, 0.15])  # the centre of four pixels
    window = ome["omero"]["channels"][1]["window"]
    assert (window["start"], window["end"]) == (data[:, 1].min(), data[:, 1].max())
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "a.ome.zarr" / "0", mode="r")[...], data)
    assert json.loads((tmp_path / "a.ome.zarr" / "zarr.json").read_text())["attributes"][NAMESPACE]


@pytest.mark.parametrize("axes", ["YX", "QYX", "TYX", "QTYX", "QCYX", "TCZYX", "QTCZYX", "QTZYX", "CZYX"])
def test_axes_with_samples_are_valid_ones(tmp_path, axes: str) -> None:
    shape = tuple({"Q": 3, "T": 2, "C": 2, "Z": 2}.get(a, 5) for a in axes)
    path = write_ome_zarr(tmp_path / "a.zarr", Stack(noise(*shape), axes))
    check_ngff(path)
    first = zarr.open_array(path / "0", mode="r")
    if axes == "QTYX":
        assert first.metadata.dimension_names == ("t", "q", "y", "x")
        np.testing.assert_array_equal(first[...], noise(*shape).swapaxes(0, 1))
    if axes == "QTCZYX":
        assert first.shape == (6, 2, 2, 5, 5)


# -- resolutions -------------------------------------------------------------------------------------------------


def test_resolutions_halve_until_they_are_small() -> None:
    assert sizes(2048, 1000) == [(2048, 1000), (1024, 500), (512, 250), (256, 125)]
    assert sizes(256, 256) == [(256, 256)]
    assert sizes(5, 3, smallest=1) == [(5, 3), (3, 2), (2, 1), (1, 1)]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint64", "int64", "float16", "float64"])
def test_means_of_four_keep_the_type_and_the_range(dtype: str) -> None:
    kind = np.dtype(dtype)
    top = np.finfo(kind).max if kind.kind == "f" else np.iinfo(kind).max
    planes = np.full((2, 5, 4), top, kind)
    planes[0] = np.arange(20).reshape(5, 4)
    half = halved(planes, blend=True)
    assert (half.dtype, half.shape) == (kind, (2, 3, 2))
    assert (half[1] == top).all()
    expected = np.array([[2.5, 4.5], [10.5, 12.5], [16.5, 18.5]])  # a last odd row counts twice
    assert np.abs(half[0].astype(float) - expected).max() <= (0 if kind.kind == "f" else 1)


def test_labels_are_not_blended() -> None:
    labels = np.array([[1, 1, 0, 9], [1, 5, 9, 9], [7, 8, 2, 3], [8, 9, 4, 6]], np.int32)
    np.testing.assert_array_equal(halved(labels, blend=False), [[1, 9], [8, 2]])
    mask = np.array([[True, False], [True, True]])
    assert halved(mask, blend=True).tolist() == [[True]]


def test_resolutions_of_labels_hold_no_new_numbers(tmp_path) -> None:
    cells = (noise(3, 90, 70) % 5).astype(np.int64) * 1000
    path = write_stack(tmp_path / "cells.zarr", Stack(cells, "TYX"), kind="labels")
    small = write_ome_zarr(tmp_path / "small.zarr", Stack(cells, "TYX"), kind="labels", smallest=16)
    assert len(read_levels(path, read_stack(path))) == 1
    levels = read_levels(small, read_stack(small))
    assert [level.shape for level in levels] == [(3, 90, 70), (3, 45, 35), (3, 23, 18), (3, 12, 9)]
    for level in levels:
        assert set(np.unique(np.asarray(level))) <= set(np.unique(cells))
    assert check_ngff(small)["image-label"] == {}


def test_levels_follow_the_axes_of_the_stack(tmp_path) -> None:
    samples = noise(4, 2, 40, 30)
    path = write_ome_zarr(tmp_path / "a.zarr", Stack(samples, "QTYX"), smallest=16)
    levels = read_levels(path, read_stack(path))
    assert [level.shape for level in levels] == [(4, 2, 40, 30), (4, 2, 20, 15), (4, 2, 10, 8)]
    np.testing.assert_array_equal(np.asarray(levels[1]), halved(samples, blend=True))


# -- a whole store or none, a plane at a time --------------------------------------------------------------------


class Planes:
    """A long recording that remembers how many planes were asked for at once."""

    shape, ndim, dtype = (40, 64, 64), 3, np.dtype("uint16")

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def __getitem__(self, key: Any) -> np.ndarray:
        self.asked.append(key)
        return np.full((64, 64), key[0], np.uint16)


def test_planes_are_read_once_and_one_by_one(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_zarr, "_CHUNK", 3 * 64 * 64 * 2)
    planes, done = Planes(), []
    path = write_ome_zarr(tmp_path / "a.zarr", Stack(planes, "TYX"), progress=lambda *said: done.append(said))
    assert planes.asked == [(0,), *((t,) for t in range(40))]
    assert done == [(t, 40) for t in range(1, 41)]
    assert zarr.open_array(path / "0", mode="r").chunks == (3, 64, 64)
    stack = read_stack(path)
    assert [int(stack.frame(t)[5, 5]) for t in range(40)] == list(range(40))


def test_what_was_there_stays_when_writing_ends_early(tmp_path) -> None:
    path = write_stack(tmp_path / "a.ome.zarr", Stack(noise(3, 8, 9), "TYX"))

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_stack(path, Stack(np.zeros((3, 4, 4), np.uint8), "TYX"), progress=stop)
    np.testing.assert_array_equal(np.asarray(read_stack(path).data), noise(3, 8, 9))
    assert [p.name for p in tmp_path.iterdir()] == ["a.ome.zarr"]


def test_what_was_there_comes_back_when_the_new_one_cannot_take_its_place(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_stack(tmp_path / "a.ome.zarr", Stack(noise(3, 8, 9), "TYX"))

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("napari_cellsynth.stack.files.replacing.replace", refuse)
    with pytest.raises(BadInput, match="cannot be written"):
        write_stack(path, Stack(np.zeros((3, 4, 4), np.uint8), "TYX"))
    assert read_stack(path).shape == (3, 8, 9)
    assert [p.name for p in tmp_path.iterdir()] == ["a.ome.zarr"]


def test_a_recording_can_be_written_over_itself(tmp_path) -> None:
    path = write_stack(tmp_path / "a.zarr", Stack(noise(3, 8, 9), "TYX"))
    write_stack(path, read_stack(path).with_(pixel_size=(0.5, 0.5)))
    assert read_stack(path).pixel_size == (0.5, 0.5)
    np.testing.assert_array_equal(np.asarray(read_stack(path).data), noise(3, 8, 9))
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]


def test_a_folder_or_store_of_others_is_not_written_over(tmp_path) -> None:
    zarr.create_array(tmp_path / "theirs.zarr", shape=(4, 4), dtype="u1")
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr" / "thesis.txt").write_text("all of it")
    for name in ("theirs.zarr", "mine.zarr"):
        with pytest.raises(BadInput, match="not made by CellSynth"):
            write_stack(tmp_path / name, Stack(noise(8, 9), "YX"))
        with pytest.raises(BadInput, match="not made by CellSynth"):
            refuse_others(tmp_path / name)
    assert (tmp_path / "mine.zarr" / "thesis.txt").read_text() == "all of it"


def test_what_cannot_be_written(tmp_path) -> None:
    for array in (np.zeros((0, 3, 3)), np.zeros((3, 3), complex)):
        with pytest.raises(BadInput):
            write_ome_zarr(tmp_path / "a.zarr", Stack(array, "TYX"[-array.ndim :]))
    with pytest.raises(BadInput, match=r"ends with \.ome\.zarr"):
        write_ome_zarr(tmp_path / "a.tif", Stack(noise(8, 9), "YX"))
    with pytest.raises(BadInput, match="does not exist"):
        write_ome_zarr(tmp_path / "none" / "a.zarr", Stack(noise(8, 9), "YX"))
    assert list(tmp_path.iterdir()) == []


def test_names_of_results_by_their_ending(tmp_path) -> None:
    for name, written in (("a", "a.ome.tif"), ("a.ome.zarr", "a.ome.zarr"), ("a.zarr", "a.zarr"), ("a.tif", "a.tif")):
        path = image_path(tmp_path / name)
        assert path.name == written
        assert beside(path, "labels.tif").name == "a.labels.tif"
        assert write_stack(path, Stack(noise(8, 9), "YX")) == path
        refuse_others(path)
    with pytest.raises(BadInput, match=r"OME-TIFF or OME-Zarr"):
        image_path(tmp_path / ".zarr")


def test_what_an_earlier_writing_could_not_remove_is_in_nobodys_way(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows a reader may hold what was moved aside: it stays, and must not stop the next writing."""
    monkeypatch.setattr("napari_cellsynth.stack.files.write_zarr.shutil.rmtree", lambda *_, **__: None)
    for frames in (2, 3, 4):
        path = write_ome_zarr(tmp_path / "a.ome.zarr", Stack(noise(frames, 8, 8), "TYX"))
        assert read_stack(path).shape == (frames, 8, 8)

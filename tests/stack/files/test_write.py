"""What is written comes back as it was."""

import errno
import json
import os
import tracemalloc

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from napari_cellsynth.errors import BadInput, RunFailed
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.files.write import read_plain_tiff, write_ome_tiff, write_plain_tiff
from napari_cellsynth.stack.provenance import NAMESPACE, provenance_block
from napari_cellsynth.stack.stack import Stack

DTYPES = ["bool", "uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64", "int64", "uint64"]
AXES = ["YX", "TYX", "CYX", "ZYX", "QYX", "TCYX", "TZYX", "QTYX", "QCYX", "QZYX", "TCZYX", "QTCYX", "QTCZYX"]
ROUND = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

jsons = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
lengths = st.none() | st.floats(1e-3, 1e3)


@st.composite
def stacks(draw: st.DrawFn) -> Stack:
    axes = draw(st.sampled_from(AXES))
    shape = tuple(draw(st.integers(1, 3)) for _ in axes)
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    values = {"i": {"min_value": -(2**31), "max_value": 2**31 - 1}, "u": {"max_value": 2**32 - 1}}
    bounds = values.get(dtype.kind, {}) if dtype.itemsize == 8 else {}
    elements = nps.from_dtype(dtype, **bounds, **({"allow_nan": False} if dtype.kind == "f" else {}))
    pixel, step = draw(lengths), draw(lengths)
    names = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1)
    return Stack(
        draw(nps.arrays(dtype, shape, elements=elements)),
        axes,
        pixel_size=None if pixel is None else (pixel, draw(st.floats(1e-3, 1e3))),
        z_step=step if "Z" in axes else None,
        frame_interval=draw(lengths),
        channels=tuple(draw(names) for _ in range(shape[axes.index("C")])) if "C" in axes else (),
        provenance=draw(st.none() | st.dictionaries(st.text("abc_", min_size=1, max_size=5), jsons, min_size=1)),
    )


@ROUND
@given(stack=stacks())
def test_round_trip(tmp_path, stack: Stack) -> None:
    back = read_stack(write_ome_tiff(tmp_path / "a.ome.tif", stack))
    assert (back.axes, back.shape, back.dtype) == (stack.axes, stack.shape, stack.dtype)
    np.testing.assert_array_equal(np.asarray(back.data), stack.data)
    assert (back.pixel_size, back.z_step, back.frame_interval) == (stack.pixel_size, stack.z_step, stack.frame_interval)
    assert back.channels == stack.channels
    assert back.provenance == stack.provenance


def test_samples_of_one_frame_are_n_y_x_for_everyone(tmp_path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (5, 1, 64, 64)).astype(np.uint8)
    path = write_ome_tiff(tmp_path / "s.ome.tif", Stack(images, "QTYX", pixel_size=(0.4, 0.4)))
    np.testing.assert_array_equal(tifffile.imread(path), images[:, 0])
    clips = np.random.default_rng(0).integers(0, 255, (5, 3, 64, 64)).astype(np.uint8)
    np.testing.assert_array_equal(tifffile.imread(write_ome_tiff(path, Stack(clips, "QTYX"))), clips)


def test_others_find_axes_and_units_as_ome_says(tmp_path) -> None:
    stack = Stack(np.zeros((3, 8, 9), np.uint16), "TYX", pixel_size=(0.19, 0.2), frame_interval=600.0)
    with tifffile.TiffFile(write_ome_tiff(tmp_path / "a.ome.tif", stack)) as tif:
        assert tif.is_ome
        assert tif.series[0].axes == "TYX"
        pixels = tifffile.xml2dict(tif.ome_metadata)["OME"]["Image"]["Pixels"]
    assert (pixels["PhysicalSizeX"], pixels["PhysicalSizeY"], pixels["TimeIncrement"]) == (0.2, 0.19, 600)
    assert pixels["PhysicalSizeXUnit"] == "\u00b5m"
    assert "PhysicalSizeZ" not in pixels


def test_what_is_not_known_stays_not_known(tmp_path) -> None:
    back = read_stack(write_ome_tiff(tmp_path / "a.ome.tif", Stack(np.zeros((3, 8, 9), np.uint16), "TYX")))
    assert back.pixel_size is back.frame_interval is back.provenance is None
    assert back.scale == (None, None, None)
    assert back.notes == ()


def test_labels_of_napari_go_into_the_smallest_type(tmp_path) -> None:
    labels = np.array([[[0, 70_000]]], np.int64)
    path = write_ome_tiff(tmp_path / "l.ome.tif", Stack(labels, "TYX"))
    assert tifffile.imread(path).dtype == np.uint32
    path = write_ome_tiff(path, Stack(labels // 1000, "TYX"))
    assert tifffile.imread(path).dtype == np.uint8
    assert read_stack(path).dtype == np.int64


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 2), np.float16),
        np.zeros((2, 2), np.complex64),
        np.array([[2**32]], np.uint64),
        np.array([[-1, 2**31]], np.int64),
    ],
    ids=lambda array: array.dtype.name,
)
def test_what_ome_tiff_cannot_hold_is_refused_and_ome_zarr_named(tmp_path, array: np.ndarray) -> None:
    with pytest.raises(BadInput, match="OME-Zarr"):
        write_ome_tiff(tmp_path / "a.ome.tif", Stack(array, "YX"))
    assert list(tmp_path.iterdir()) == []


def test_provenance_says_synthetic_and_overrides(tmp_path) -> None:
    block = provenance_block(made_by="dcgan", synthetic=True, run="r", weights_hash="ab", seed=7, settings={"z": 100})
    stack = Stack(np.zeros((2, 2), np.uint8), "YX", provenance={"made_by": "older"})
    path = write_ome_tiff(tmp_path / "a.ome.tif", stack, provenance=block)
    assert read_stack(path).provenance == block
    assert block["synthetic"] is True
    assert block["version"] == 1
    with tifffile.TiffFile(path) as tif:
        assert f'Namespace="{NAMESPACE}"' in tif.ome_metadata
        assert '<M K="synthetic">true</M>' in tif.ome_metadata


def test_the_same_stack_gives_the_same_bytes(tmp_path) -> None:
    random = np.random.default_rng(0).integers(0, 99, (3, 40, 50)).astype(np.uint8)
    first = write_ome_tiff(tmp_path / "a.ome.tif", Stack(random, "TYX")).read_bytes()
    assert write_ome_tiff(tmp_path / "b.ome.tif", Stack(random, "TYX")).read_bytes() == first
    assert write_ome_tiff(tmp_path / "c.ome.tif", Stack(random + 1, "TYX")).read_bytes() != first


def test_a_recording_is_never_whole_in_memory(tmp_path) -> None:
    import dask.array as da

    def make(block_id: tuple[int, ...] = (0, 0, 0)) -> np.ndarray:
        return np.full((1, 256, 256), block_id[0], np.int64)

    data = da.map_blocks(make, chunks=((1,) * 80, (256,), (256,)), dtype=np.int64, meta=np.empty((0, 0, 0), np.int64))
    tracemalloc.start()
    try:
        path = write_ome_tiff(tmp_path / "a.ome.tif", Stack(data, "TYX"))
        stack = read_stack(path)
        assert [int(stack.frame(t).max()) for t in (0, 40, 79)] == [0, 40, 79]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.25 * data.nbytes, f"{peak / 1e6:.0f} MB for a recording of {data.nbytes / 1e6:.0f} MB"


def test_a_failure_leaves_what_was_there(tmp_path) -> None:
    path = write_ome_tiff(tmp_path / "a.ome.tif", Stack(np.ones((3, 4, 4), np.uint8), "TYX"))
    before = path.read_bytes()

    def stop(done: int, total: int) -> None:
        assert total == 3
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_ome_tiff(path, Stack(np.zeros((3, 4, 4), np.uint8), "TYX"), progress=stop)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.ome.tif"]


def test_a_recording_can_be_written_over_itself(tmp_path) -> None:
    array = np.random.default_rng(0).integers(0, 99, (3, 40, 50)).astype(np.uint8)
    path = write_ome_tiff(tmp_path / "a.ome.tif", Stack(array, "TYX"))
    stack = read_stack(path)
    write_ome_tiff(path, stack.with_(pixel_size=(0.5, 0.5)))
    np.testing.assert_array_equal(np.asarray(read_stack(path).data), array)
    with pytest.raises(BadInput, match="changed since"):
        stack.frame(1)  # not the bytes of another file


@pytest.mark.parametrize("name", ["a.png", "a", "a.ome.zarr"])
def test_other_endings_are_refused(tmp_path, name: str) -> None:
    with pytest.raises(BadInput, match=r"\.ome\.tif"):
        write_ome_tiff(tmp_path / name, Stack(np.ones((4, 4)), "YX"))


def test_a_missing_folder_and_a_full_one(tmp_path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        write_ome_tiff(tmp_path / "none" / "a.ome.tif", Stack(np.ones((4, 4)), "YX"))
    (tmp_path / "dir.ome.tif").mkdir()
    with pytest.raises(BadInput, match="folder of that name"):
        write_ome_tiff(tmp_path / "dir.ome.tif", Stack(np.ones((4, 4)), "YX"))
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(os.name == "nt", reason="names with control characters")
def test_odd_names_do_not_break_the_xml(tmp_path) -> None:
    stack = Stack(np.ones((2, 4, 4), np.uint8), "CYX", channels=("a<b>&\"'", "b\x07"), name="x\x00\udc80\u00e4")
    back = read_stack(write_ome_tiff(tmp_path / "caf\u00e9 \u00b5m.ome.tif", stack))
    assert back.channels == ("a<b>&\"'", "b")
    assert back.name == "caf\u00e9 \u00b5m"


def test_big_files_are_bigtiff(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_cellsynth.stack.files.write._BIG", 100)
    array = np.random.default_rng(0).integers(0, 99, (3, 40, 50)).astype(np.uint8)
    path = write_ome_tiff(tmp_path / "a.ome.tif", Stack(array, "TYX"))
    with tifffile.TiffFile(path) as tif:
        assert tif.is_bigtiff
    np.testing.assert_array_equal(np.asarray(read_stack(path).data), array)


@ROUND
@given(
    array=nps.arrays(
        st.sampled_from([*DTYPES, "float16"]), nps.array_shapes(min_dims=2, max_dims=5, max_side=4), elements=None
    ),
    description=st.dictionaries(st.text(), jsons, max_size=3),
)
def test_side_files_have_exactly_the_stated_shape(tmp_path, array: np.ndarray, description: dict) -> None:
    assume(array.size > 1)  # tifffile 2026.3 cannot read back a single pixel of five axes
    path = write_plain_tiff(tmp_path / "a.tif", array, description)
    back, said = read_plain_tiff(path)
    assert (back.shape, back.dtype, said) == (array.shape, array.dtype, description)
    np.testing.assert_array_equal(back, array)
    assert tifffile.imread(path).shape == array.shape


def test_flow_keeps_nan_and_its_json_is_readable(tmp_path) -> None:
    flow = np.full((3, 2, 8, 9), np.nan, np.float32)
    flow[1] = 2.5
    path = write_plain_tiff(tmp_path / "a.flow.tif", flow, {"channels": ["dx", "dy"], "count": np.int64(3)})
    np.testing.assert_array_equal(tifffile.imread(path), flow)
    with tifffile.TiffFile(path) as tif:
        said = json.loads(tif.pages[0].description)
    assert said["shape"] == [3, 2, 8, 9]
    assert said[NAMESPACE] == {"channels": ["dx", "dy"], "count": 3}


def test_side_files_open_as_stacks_where_they_say_their_axes(tmp_path) -> None:
    labels = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    said = {"axes": "TYX", "pixel_size": (0.2, 0.3), "frame_interval": 60, "synthetic": True}
    path = write_plain_tiff(tmp_path / "a.labels.tif", labels, said)
    stack = read_stack(path)
    assert (stack.axes, stack.scale) == ("TYX", (60, 0.2, 0.3))
    assert stack.provenance == {**said, "pixel_size": [0.2, 0.3]}
    assert read_plain_tiff(path)[1] == stack.provenance


def test_a_full_disk_is_a_failure_and_not_the_users_input(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tifffile.TiffWriter, "write", full)
    with pytest.raises(RunFailed, match="No space left"):
        write_ome_tiff(tmp_path / "a.ome.tif", Stack(np.ones((4, 4), np.uint8), "YX"))
    assert list(tmp_path.iterdir()) == []


def test_side_files_refuse_what_tiff_cannot_hold(tmp_path) -> None:
    for array in (np.zeros((0, 3, 3)), np.zeros(4), np.array([["a", "b"]])):
        with pytest.raises(BadInput):
            write_plain_tiff(tmp_path / "a.tif", array, {})
    assert list(tmp_path.iterdir()) == []

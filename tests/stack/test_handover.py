"""What another process reads of a stack that was handed over is the stack, found by path or written."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import tifffile

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.files.write import write_ome_tiff, write_stack
from napari_cellsynth.stack.find_in_file import plain, where_in
from napari_cellsynth.stack.handover import HandedOver, NeedsRoom, Written, hand_over, hand_over_outlines, in_steps
from napari_cellsynth.stack.hashing import content_hash
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.row import Row
from napari_cellsynth.stack.recordings.table import Table
from napari_cellsynth.stack.stack import Stack

SHAPES = {"TYX": (6, 24, 30), "TCYX": (5, 3, 24, 30), "TZYX": (4, 3, 24, 30)}


def noise(axes: str = "TYX", dtype: str = "uint16") -> np.ndarray:
    return np.random.default_rng(1).integers(0, 200, SHAPES[axes]).astype(dtype)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return saved(tmp_path / "movie.ome.tif", noise())


def saved(path: Path, values: np.ndarray, axes: str = "TYX", **known: Any) -> Path:
    return write_ome_tiff(path, Stack(values, axes, **known))


def handed(stack: Stack, folder: Path, **wishes: Any) -> HandedOver:
    going = hand_over(stack, folder / "data", **wishes)
    while True:
        try:
            next(going)
        except StopIteration as end:
            over: HandedOver = end.value
            assert content_hash(over.read()) == content_hash(plain(stack))
            return over


def test_what_its_file_holds_goes_by_path(file: Path, tmp_path: Path) -> None:
    over = handed(read_stack(file), tmp_path)
    assert (over.path, over.written) == (file, False)
    assert over.columns() == {"file": file}
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("place", [(0, 3, 3), (3, 12, 7), (5, 23, 29)])
def test_one_painted_pixel_is_written(file: Path, tmp_path: Path, place: tuple[int, ...]) -> None:
    values = np.asarray(read_stack(file).data).copy()
    values[place] += 1
    assert handed(Stack(values, "TYX", path=file), tmp_path).written


def test_an_unchanged_array_in_memory_goes_by_path(file: Path, tmp_path: Path) -> None:
    values = np.asarray(read_stack(file).data)
    assert not handed(Stack(values, "TYX", path=file), tmp_path).written


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        (np.s_[2:], {"frames": "2-5"}),
        (np.s_[:4], {"frames": "0-3"}),
        (np.s_[3:4], {"frames": "3-3"}),
        (np.s_[:, 4:20, 5:25], {"region": "4:20,5:25"}),
        (np.s_[1:5, :, 10:], {"frames": "1-4", "region": "0:24,10:30"}),
    ],
)
def test_a_trimmed_array_goes_by_path_and_place(file: Path, tmp_path: Path, cut: Any, said: dict[str, str]) -> None:
    whole = read_stack(file)
    for data in (whole.data[cut], np.asarray(whole.data)[cut]):
        over = handed(whole.with_(data=data), tmp_path)
        assert over.columns() == {"file": file, **said}


def test_every_second_frame_is_no_range_and_is_written(file: Path, tmp_path: Path) -> None:
    whole = read_stack(file)
    assert handed(whole.with_(data=whole.data[::2]), tmp_path).written


@pytest.mark.parametrize("dtype", ["int64", "uint16", "float32", "bool", "float16"])
def test_what_no_file_holds_is_written_with_its_numbers(tmp_path: Path, dtype: str) -> None:
    stack = Stack(noise(dtype=dtype), "TYX", pixel_size=(0.2, 0.3), frame_interval=60.0, name='a/b: "c"')
    over = handed(stack, tmp_path)
    there = over.read()
    assert over.written
    assert (there.dtype, there.pixel_size, there.frame_interval) == (stack.dtype, (0.2, 0.3), 60.0)
    assert over.columns() == {"file": over.path}


def test_names_of_written_files_do_not_clash(tmp_path: Path) -> None:
    first, second = (handed(Stack(noise() + n, "TYX", name="m"), tmp_path) for n in (0, 1))
    assert first.path != second.path


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_one_channel_of_three_goes_by_path_and_channel(tmp_path: Path, channel: int) -> None:
    path = saved(tmp_path / "three.ome.tif", noise("TCYX"), "TCYX", channels=("a", "b", "c"))
    whole = read_stack(path)
    over = handed(whole.with_(data=whole.data[:, channel], axes="TYX", channels=("x",)), tmp_path)
    assert over.columns() == {"file": path, "channel": channel}


def test_one_plane_of_a_z_stack(tmp_path: Path) -> None:
    path = saved(tmp_path / "deep.ome.tif", noise("TZYX"), "TZYX")
    whole = read_stack(path)
    assert handed(whole.with_(data=whole.data[:, 1], axes="TYX"), tmp_path).columns() == {"file": path, "z": 1}


def test_a_scene_of_several(tmp_path: Path) -> None:
    path = tmp_path / "scenes.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tif:
        for scene in range(3):
            tif.write(noise() + scene, photometric="minisblack", metadata={"axes": "TYX"})
    over = handed(Stack(noise() + 2, "TYX", path=path), tmp_path)
    assert over.columns() == {"file": path, "scene": 2}


def test_the_first_scene_of_several_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scenes.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tif:
        for scene in range(2):
            tif.write(noise() + scene, photometric="minisblack", metadata={"axes": "TYX"})
    assert handed(Stack(noise(), "TYX", path=path), tmp_path).columns() == {"file": path, "scene": 0}


def test_numbers_beyond_32_bits_are_kept(tmp_path: Path) -> None:
    over = handed(Stack(noise(dtype="int64") * 2**40, "TYX"), tmp_path)
    assert over.path.name.endswith(".ome.zarr")


def test_what_the_user_said_goes_along(tmp_path: Path) -> None:
    path = tmp_path / "bare.tif"
    tifffile.imwrite(path, noise(), photometric="minisblack")
    stack = Stack(noise(), "TYX", pixel_size=(0.5, 0.25), frame_interval=90.0, path=path)
    over = handed(stack, tmp_path, letters="TYX")
    assert over.columns() == {"file": path, "axes": "TYX", "pixel_size": "0.5um,0.25um", "interval": "90s"}
    assert over.read().pixel_size == (0.5, 0.25)


def test_a_z_stack_that_is_a_movie_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "as_z.tif"
    tifffile.imwrite(path, noise(), imagej=True, metadata={"axes": "ZYX"})
    over = handed(Stack(noise(), "TYX", path=path), tmp_path, letters="TYX")
    assert over.columns()["axes"] == "TYX"


def test_another_type_or_shape_is_another_array(file: Path, tmp_path: Path) -> None:
    whole = read_stack(file)
    assert handed(whole.with_(data=whole.data.astype("float32")), tmp_path).written
    assert handed(whole.with_(data=whole.data[:, ::2, ::2]), tmp_path).written
    assert handed(whole.with_(data=da.concatenate([whole.data, whole.data])), tmp_path).written


def test_a_file_that_is_no_recording_is_passed_by(tmp_path: Path) -> None:
    path = tmp_path / "movie.xyz"
    path.write_bytes(b"of a microscope that nobody knows")
    assert handed(Stack(noise(), "TYX", path=path), tmp_path).written


def test_nothing_large_is_written_unasked(tmp_path: Path) -> None:
    stack = Stack(noise(), "TYX", name="big")
    with pytest.raises(NeedsRoom, match="big is not what its file holds") as refusal:
        handed(stack, tmp_path, ask_above=1000)
    assert refusal.value.bytes == noise().nbytes
    assert not (tmp_path / "data").exists()
    assert handed(stack, tmp_path, ask_above=float("inf")).written


# -- a recording and its outlines ------------------------------------------------------------------------------------


def outlines(values: np.ndarray, path: Path | None = None) -> Stack:
    return Stack((values > 100).astype("int64") * 7, "TYX", name="outlines", path=path)


def row_reads(movie: Stack, labels: Stack, folder: Path) -> tuple[Stack, Stack, Path]:
    """Movie and outlines as a row of the table reads them."""
    over = result_of(hand_over(movie, folder / "data"))
    path = result_of(hand_over_outlines(labels, over, folder / "data"))
    row = Row.model_validate({**over.columns(), "labels": path, "split": "train"})
    (recording,) = Table((row,), folder).recordings(HoldOut(validation_fraction=0, test_fraction=0))
    assert recording.labels is not None
    assert content_hash(recording.stack) == content_hash(plain(movie))
    assert content_hash(recording.labels) == content_hash(plain(labels))
    return recording.stack, recording.labels, path


def result_of(going: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(going)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("cut", [np.s_[:], np.s_[1:5], np.s_[:, 4:20, 5:25]])
def test_outlines_cut_as_the_movie_go_by_path(file: Path, tmp_path: Path, cut: Any) -> None:
    masks = write_ome_tiff(tmp_path / "masks.ome.tif", outlines(noise()))
    movie, labels = read_stack(file), read_stack(masks)
    *_, path = row_reads(movie.with_(data=movie.data[cut]), labels.with_(data=labels.data[cut]), tmp_path)
    assert path == masks


@pytest.mark.parametrize("cut", [np.s_[:], np.s_[1:5], np.s_[:, 4:20, 5:25]])
def test_painted_or_differently_cut_outlines_are_written(file: Path, tmp_path: Path, cut: Any) -> None:
    masks = write_ome_tiff(tmp_path / "masks.ome.tif", outlines(noise()))
    movie = read_stack(file)
    painted = np.asarray(read_stack(masks).data)[cut].copy()
    painted[2, 5, 5] += 3
    *_, path = row_reads(movie.with_(data=movie.data[cut]), outlines(noise()).with_(data=painted, path=masks), tmp_path)
    assert path != masks
    if cut != np.s_[:]:
        shifted = np.roll(np.asarray(read_stack(masks).data), 1, axis=0)[cut]
        row_reads(movie.with_(data=movie.data[cut]), outlines(noise()).with_(data=shifted, path=masks), tmp_path)


def test_outlines_beside_a_channel(tmp_path: Path) -> None:
    three = saved(tmp_path / "three.ome.tif", noise("TCYX"), "TCYX")
    masks = write_ome_tiff(tmp_path / "masks.ome.tif", outlines(noise("TCYX")[:, 1]))
    whole = read_stack(three)
    *_, path = row_reads(whole.with_(data=whole.data[:, 1], axes="TYX"), read_stack(masks), tmp_path)
    assert path == masks


def test_giving_up_leaves_nothing(tmp_path: Path) -> None:
    going = hand_over(Stack(noise(), "TYX"), tmp_path)
    for _ in range(3):
        assert isinstance(next(going), Written)
    going.close()
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_fails_says_why() -> None:
    def fails(progress: Any) -> None:
        progress(1, 2)
        raise BadInput("no room")

    going: Generator[Written, None, None] = in_steps(fails, "writing")
    assert next(going).done == 1
    with pytest.raises(BadInput, match="no room"):
        next(going)


def test_small_images_are_found_in_large_ones() -> None:
    plane = np.random.default_rng(2).integers(0, 4, (60, 70))
    assert where_in(plane, plane[11:40, 23:60]) == [(11, 23)]
    assert where_in(plane, plane[11:40, 23:60] + 4) == []
    assert (0, 0) in where_in(np.zeros((9, 9)), np.zeros((4, 4)))


def test_the_grey_of_a_tint_goes_by_path(tmp_path: Path) -> None:
    grey = noise(dtype="uint8")
    green = np.stack([np.zeros_like(grey), grey, grey // 2], axis=-1)
    tifffile.imwrite(tmp_path / "a.tif", green, photometric="rgb", metadata={"axes": "TYXS"})
    over = handed(read_stack(tmp_path / "a.tif", axes="TYX"), tmp_path)
    assert over.columns() == {"file": tmp_path / "a.tif", "axes": "TYX"}


def test_a_store_and_a_series_of_a_folder_go_by_path(tmp_path: Path) -> None:
    path = write_stack(tmp_path / "a.ome.zarr", Stack(noise("TCYX"), "TCYX"))
    stack = read_stack(path)
    one = stack.with_(data=stack.data[:, 1], axes="TYX", channels=())
    assert handed(one, tmp_path).columns() == {"file": path, "channel": 1}
    (tmp_path / "frames").mkdir()
    for name in "ab":
        for t, frame in enumerate(noise() + ord(name)):
            tifffile.imwrite(tmp_path / "frames" / f"{name}_{t}.tif", frame)
    over = handed(read_stack(tmp_path / "frames", scene=0), tmp_path)
    assert over.columns() == {"file": tmp_path / "frames", "scene": 0}


def test_a_map_that_was_painted_in_memory_alone_is_written(tmp_path: Path) -> None:
    """Copy on write: the file keeps its pixels, whatever is painted on the map."""
    path = tmp_path / "movie.ome.tif"
    write_ome_tiff(path, Stack(noise(), "TYX"), compress=False)
    mapped = tifffile.memmap(path, mode="c")
    mapped[1, 3, 3] = 777
    assert handed(Stack(mapped, "TYX", path=path), tmp_path).written

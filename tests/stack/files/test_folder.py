"""A folder of numbered frames."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.numbered import ScenesUnknown
from napari_cellsynth.stack.files.read import AxesUnknown, describe_file, read_stack, scenes_in

FRAMES = np.random.default_rng(0).integers(0, 999, (12, 8, 9)).astype(np.uint16)


def write(folder: Path, names: list[str], frames: np.ndarray = FRAMES, **said: object) -> Path:
    folder.mkdir(exist_ok=True)
    for name, frame in zip(names, frames, strict=False):
        tifffile.imwrite(folder / name, frame, metadata=None, **said)
    return folder


def test_frames_come_in_the_order_of_their_numbers(tmp_path) -> None:
    folder = write(tmp_path / "cells 3", [f"img_{i}.tif" for i in range(12)])  # img_10 sorts before img_2 as text
    (folder / "notes.txt").write_text("not a frame")
    (folder / "._img_0.tif").write_bytes(b"what macOS leaves on shares")
    stack = read_stack(folder)
    assert (stack.axes, stack.shape, stack.name, stack.path) == ("TYX", FRAMES.shape, "cells 3", folder)
    assert stack.data.chunks[0] == (1,) * 12
    np.testing.assert_array_equal(np.asarray(stack.data), FRAMES)
    np.testing.assert_array_equal(stack.frame(10), FRAMES[10])
    np.testing.assert_array_equal(np.asarray(stack.data[2:9:3, 1:4]), FRAMES[2:9:3, 1:4])


def test_the_number_that_varies_counts(tmp_path) -> None:
    folder = write(tmp_path / "a", [f"W0002--P001--T{i:05d}--Z000--C.TIF" for i in range(12)])
    np.testing.assert_array_equal(np.asarray(read_stack(folder).data), FRAMES)


def test_a_gap_is_noted(tmp_path) -> None:
    folder = write(tmp_path / "a", [f"t{i}.tif" for i in (0, 1, 2, 5, 6)])
    stack = read_stack(folder)
    assert stack.shape[0] == 5
    assert "jump after 2" in stack.notes[0]
    assert read_stack(write(tmp_path / "b", [f"t{i}.tif" for i in range(0, 50, 10)])).notes == ()


def test_two_numbers_whose_letters_say_what_they_count(tmp_path) -> None:
    folder = write(tmp_path / "a", [f"cells_c{c}_t{t:03d}.tif" for c in range(2) for t in range(6)])
    stack = read_stack(folder)
    assert stack.axes == "TCYX"
    np.testing.assert_array_equal(np.asarray(stack.data), FRAMES.reshape(2, 6, 8, 9).swapaxes(0, 1))


def test_two_numbers_without_letters_are_asked_for(tmp_path) -> None:
    folder = write(tmp_path / "a", [f"{c}_{t}.tif" for c in range(2) for t in range(6)])
    with pytest.raises(AxesUnknown, match=r"\(2, 6, 8, 9\)"):
        read_stack(folder)
    assert describe_file(folder).axes is None
    assert read_stack(folder, axes="CTYX").shape == (6, 2, 8, 9)


def test_files_that_are_not_one_series(tmp_path) -> None:
    with pytest.raises(BadInput, match="different names"):
        read_stack(write(tmp_path / "a", ["img_1.tif", "img_2.tif", "mask_1.tif"]))
    with pytest.raises(BadInput, match="missing"):
        read_stack(write(tmp_path / "b", ["c0_t0.tif", "c0_t1.tif", "c1_t0.tif"]))
    with pytest.raises(BadInput, match="different names"):
        read_stack(write(tmp_path / "c", ["t1.tif", "t01.tif"]))
    (tmp_path / "d").mkdir()
    with pytest.raises(BadInput, match="no TIFF files"):
        read_stack(tmp_path / "d")
    with pytest.raises(BadInput, match=r"give one of the folders in it \(a, b, c\)"):
        read_stack(tmp_path)


def test_frames_of_another_shape_are_found(tmp_path) -> None:
    folder = write(tmp_path / "a", [f"t{i}.tif" for i in range(5)])
    tifffile.imwrite(folder / "t4.tif", FRAMES[0, :4])
    with pytest.raises(BadInput, match=r"t4.tif is uint16 of shape \(4, 9\)"):
        read_stack(folder)
    write(folder, ["t4.tif"], FRAMES[4:])
    tifffile.imwrite(folder / "t3.tif", FRAMES[0].astype(np.uint8))  # neither first, middle nor last
    stack = read_stack(folder)
    with pytest.raises(BadInput, match=r"t3.tif is uint8"):
        stack.frame(3)


def test_files_of_several_frames_are_refused(tmp_path) -> None:
    folder = write(tmp_path / "a", ["t0.tif", "t1.tif"], np.zeros((2, 5, 8, 9), np.uint8))
    with pytest.raises(BadInput, match="each file holds one"):
        read_stack(folder)


def test_one_file_is_one_frame_and_the_scale_is_the_first_files(tmp_path) -> None:
    folder = write(tmp_path / "a", ["t7.tif"], resolution=(50_000, 50_000), resolutionunit="CENTIMETER")
    stack = read_stack(folder)
    assert stack.shape == (1, 8, 9)
    assert stack.pixel_size == pytest.approx((0.2, 0.2))


# -- several series in one folder --------------------------------------------------------------------------------


def test_series_with_different_names_are_named_and_can_be_chosen(tmp_path) -> None:
    folder = write(tmp_path / "a", [f"{name}_{i}.tif" for name in ("day1", "day2", "mask") for i in range(4)])
    with pytest.raises(ScenesUnknown, match=r"3 series.*\(day1_#, day2_#, mask_#\).*--scene 0 to 2") as caught:
        read_stack(folder)
    assert "\n" not in str(caught.value)
    assert scenes_in(folder) == ("day1_#", "day2_#", "mask_#")
    assert pickle.loads(pickle.dumps(caught.value)).names == scenes_in(folder)
    for scene in (1, "1", "day2_#"):
        stack = read_stack(folder, scene=scene)
        np.testing.assert_array_equal(np.asarray(stack.data), FRAMES[4:8])
        assert (stack.scene, len(stack.scenes)) == (1, 3)


@pytest.mark.parametrize(
    "pattern", ["W0002--P{p:03d}--T{t:05d}--Z000.tif", "img_pos{p}_t{t}.tif", "a_xy{p:02d}t{t}.tif", "a_s{p}_t{t}.tif"]
)
def test_positions_are_recordings_of_their_own(tmp_path, pattern: str) -> None:
    folder = write(tmp_path / "a", [pattern.format(p=p, t=t) for p in (1, 2) for t in range(6)])
    assert len(scenes_in(folder)) == 2
    stack = read_stack(folder, scene=1)
    assert stack.axes == "TYX"
    np.testing.assert_array_equal(np.asarray(stack.data), FRAMES[6:])
    assert "2" in stack.scenes[1]


@pytest.mark.parametrize(
    ("pattern", "axes"),
    [
        ("img_channel{a:03d}_position000_time{b:09d}_z000.tif", "TCYX"),
        ("exp_w{a}_t{b}.TIF", "TCYX"),
        ("e_C{a:02d}_T{b}.tif", "TCYX"),
        ("e_t{a}_z{b}.tif", "TZYX"),
    ],
)
def test_names_of_common_programs(tmp_path, pattern: str, axes: str) -> None:
    folder = write(tmp_path / "a", [pattern.format(a=a, b=b) for a in range(2) for b in range(6)])
    stack = read_stack(folder)
    assert stack.axes == axes
    grid = FRAMES.reshape(2, 6, 8, 9)
    np.testing.assert_array_equal(np.asarray(stack.data), grid if axes == "TZYX" else grid.swapaxes(0, 1))


def test_a_z_stack_alone_is_one(tmp_path) -> None:
    assert read_stack(write(tmp_path / "a", [f"a_z{i:02d}.tif" for i in range(12)])).axes == "ZYX"


def test_frames_as_pictures(tmp_path) -> None:
    from PIL import Image

    (tmp_path / "a").mkdir()
    for i, frame in enumerate(FRAMES.astype(np.uint8)):
        picture = Image.fromarray(frame if i % 2 else np.stack([frame] * 3, axis=-1))  # grey and grey as colours
        picture.save(tmp_path / "a" / f"frame_{i}.png")
    stack = read_stack(tmp_path / "a")
    assert stack.axes == "TYX"
    np.testing.assert_array_equal(np.asarray(stack.data), FRAMES.astype(np.uint8))
    colours = np.random.default_rng(1).integers(0, 255, (8, 9, 3)).astype(np.uint8)
    Image.fromarray(colours).save(tmp_path / "a" / "frame_3.png")
    with pytest.raises(BadInput, match=r"frame_3\.png is a colour image"):
        stack.frame(3)


def test_pictures_beside_tiff_frames_do_not_count(tmp_path) -> None:
    folder = write(tmp_path / "a", [f"t{i}.tif" for i in range(5)])
    (folder / "preview.png").write_bytes(b"\x89PNG")
    assert read_stack(folder).shape == (5, 8, 9)


def test_recordings_of_several_frames_side_by_side(tmp_path) -> None:
    folder = tmp_path / "day 1"
    folder.mkdir()
    for name, frames in (("movie", FRAMES), ("masks", FRAMES[:, :4])):
        tifffile.imwrite(folder / f"{name}.tif", frames, metadata={"axes": "TYX"})
    assert scenes_in(folder) == ("masks", "movie")
    stack = read_stack(folder, scene="movie")
    assert (stack.axes, stack.name, stack.path, stack.scene) == ("TYX", "movie", folder, 1)
    np.testing.assert_array_equal(np.asarray(stack.data), FRAMES)
    assert "the folder holds 2 series" in stack.notes[-1]
    (folder / "masks.tif").unlink()
    alone = read_stack(folder)
    assert (alone.shape, alone.name, alone.scenes) == (FRAMES.shape, "day 1", ())

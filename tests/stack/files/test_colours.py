"""Grey that is stored as colours, in TIFF and in pictures; PNG, JPEG, BMP and GIF."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.read import AxesUnknown, describe_file, read_stack
from napari_cellsynth.stack.info import info_text

GREY = np.random.default_rng(0).integers(0, 255, (9, 20, 30)).astype(np.uint8)


def rgb(path: Path, frames: np.ndarray, axes: str = "TYXS", **more: object) -> Path:
    tifffile.imwrite(path, frames, photometric="rgb", metadata={"axes": axes}, **more)
    return path


def as_colours(grey: np.ndarray, count: int = 3) -> np.ndarray:
    return np.stack([grey] * count, axis=-1)


# -- equal colours -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_equal_colours_are_read_as_grey(tmp_path, planar: str) -> None:
    frames = as_colours(GREY)
    if planar == "separate":
        path = rgb(tmp_path / "a.tif", np.moveaxis(frames, -1, 1), "TSYX", planarconfig="separate")
    else:
        path = rgb(tmp_path / "a.tif", frames)
    stack = read_stack(path)
    assert (stack.axes, stack.shape, stack.notes) == ("TYX", GREY.shape, ())
    np.testing.assert_array_equal(np.asarray(stack.data), GREY)
    np.testing.assert_array_equal(np.asarray(stack.data[2:7:2, 5, 3:9]), GREY[2:7:2, 5, 3:9])
    assert describe_file(path).grey
    assert "TYX: 9 frames" in info_text(stack)


def test_colours_can_be_asked_for(tmp_path) -> None:
    stack = read_stack(rgb(tmp_path / "a.tif", as_colours(GREY)), axes="TYXC")
    assert (stack.axes, stack.shape) == ("TCYX", (9, 3, 20, 30))


def test_a_frame_that_turns_out_coloured_is_named_when_it_is_read(tmp_path) -> None:
    frames = as_colours(GREY)
    frames[3, 10, 10] = (255, 0, 0)  # neither the first, the middle, nor the last
    stack = read_stack(rgb(tmp_path / "a.tif", frames))
    np.testing.assert_array_equal(stack.frame(2), GREY[2])
    with pytest.raises(BadInput, match="frame 3 is coloured"):
        stack.frame(3)


def test_real_colours_are_refused(tmp_path) -> None:
    frames = np.random.default_rng(1).integers(0, 255, (9, 20, 30, 3)).astype(np.uint8)
    with pytest.raises(AxesUnknown, match=r"RGB.*--axes TYXC$"):
        read_stack(rgb(tmp_path / "a.tif", frames))


def test_a_constant_opacity_does_not_count(tmp_path) -> None:
    frames = as_colours(GREY, 4)
    frames[..., 3] = 255
    path = rgb(tmp_path / "a.tif", frames, extrasamples=["unassalpha"])
    np.testing.assert_array_equal(np.asarray(read_stack(path).data), GREY)
    frames[4, 0, 0, 3] = 0
    assert describe_file(rgb(tmp_path / "b.tif", frames, extrasamples=["unassalpha"])).colour


def test_grey_of_unknown_axes_is_asked_for_without_its_colours(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", as_colours(GREY), photometric="rgb", metadata=None)
    with pytest.raises(AxesUnknown, match=r"\(9, 20, 30\).*--axes TYX$"):
        read_stack(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_stack(tmp_path / "a.tif", axes="TYX").frame(3), GREY[3])


def test_grey_colours_travel_to_other_processes_and_threads(tmp_path) -> None:
    stack = pickle.loads(pickle.dumps(read_stack(rgb(tmp_path / "a.tif", as_colours(GREY)))))
    np.testing.assert_array_equal(stack.data.compute(scheduler="threads", num_workers=4), GREY)


# -- a tint ------------------------------------------------------------------------------------------------------


def test_a_tint_of_one_grey_image_is_offered_not_taken(tmp_path) -> None:
    table = np.stack([np.zeros(256), np.arange(256), np.arange(256) * 0.6], axis=-1)
    noise = np.random.default_rng(1).normal(0, 2, (*GREY.shape, 3))
    frames = np.clip(table[GREY] + noise, 0, 255).astype(np.uint8)  # a green look-up table, packed with loss
    path = rgb(tmp_path / "a.tif", frames)
    with pytest.raises(AxesUnknown, match="--axes TYX reads the green one, --axes TYXC all"):
        read_stack(path)
    stack = read_stack(path, axes="TYX")
    np.testing.assert_array_equal(np.asarray(stack.data), frames[..., 1])
    assert "green" in stack.notes[0]
    assert describe_file(path).tinted == ("TYX", True)
    assert read_stack(path, axes="TYXC").shape == (9, 3, 20, 30)


# -- pictures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["png", "bmp", "gif", "jpg"])
def test_pictures_of_one_grey_image(tmp_path, ending: str) -> None:
    smooth = np.add.outer(np.arange(20) * 3, np.arange(30) * 5).astype(np.uint8)
    Image.fromarray(smooth).save(tmp_path / f"a b.{ending}")
    stack = read_stack(tmp_path / f"a b.{ending}")
    assert (stack.axes, stack.shape, stack.name) == ("YX", (20, 30), "a b")
    assert np.abs(stack.frame().astype(int) - smooth).max() <= (3 if ending == "jpg" else 0)
    assert any("JPEG" in note for note in stack.notes) == (ending == "jpg")
    assert read_stack(tmp_path / f"a b.{ending}", axes="TYX").shape == (1, 20, 30)


def test_png_of_16_bits_grey_and_colour(tmp_path) -> None:
    deep = GREY[0].astype(np.uint16) * 251
    Image.fromarray(deep).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(imagecodecs.png_encode(as_colours(deep)))
    for name in "ab":
        stack = read_stack(tmp_path / f"{name}.png")
        assert stack.dtype == np.uint16
        np.testing.assert_array_equal(stack.frame(), deep)


def test_numbers_of_label_pictures_are_kept(tmp_path) -> None:
    labels = (GREY[0] % 4).astype(np.uint8)
    picture = Image.fromarray(labels)
    picture = picture.convert("P")
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    picture.save(tmp_path / "a.png")
    stack = read_stack(tmp_path / "a.png")
    np.testing.assert_array_equal(stack.frame(), labels)
    assert "palette" in stack.notes[0]


def test_an_animation_is_a_recording_without_an_interval(tmp_path) -> None:
    first, *others = [Image.fromarray(frame) for frame in GREY]
    first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=100)
    stack = read_stack(tmp_path / "a.gif")
    assert (stack.axes, stack.shape, stack.frame_interval) == ("TYX", GREY.shape, None)
    for t in (7, 0, 8, 3):
        np.testing.assert_array_equal(stack.frame(t), GREY[t])


def test_bits_are_a_mask(tmp_path) -> None:
    Image.fromarray(GREY[0] > 100).save(tmp_path / "a.png")
    stack = read_stack(tmp_path / "a.png")
    assert stack.dtype == np.bool_
    np.testing.assert_array_equal(stack.frame(), GREY[0] > 100)


def test_colour_pictures_are_refused(tmp_path) -> None:
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (20, 30, 3)).astype(np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(AxesUnknown, match="--axes YXC"):
        read_stack(tmp_path / "a.png")
    assert read_stack(tmp_path / "a.png", axes="YXC").axes == "CYX"


@pytest.mark.parametrize("ending", ["png", "bmp", "gif", "jpg"])
def test_damaged_pictures_are_one_line(tmp_path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    Image.fromarray(GREY[0]).save(path)
    whole = path.read_bytes()
    for kept in (6, 40, len(whole) // 2):
        path.write_bytes(whole[:kept])
        with pytest.raises(BadInput) as caught:
            np.asarray(read_stack(path).data)
        assert "\n" not in str(caught.value)
        assert path.name in str(caught.value)


def test_a_picture_that_claims_to_be_huge_is_not_decoded(tmp_path) -> None:
    path = tmp_path / "a.bmp"
    Image.fromarray(GREY[0]).save(path)
    whole = bytearray(path.read_bytes())
    whole[18:26] = (60_000).to_bytes(4, "little") * 2
    path.write_bytes(whole)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(BadInput, match="claims more than"):
            read_stack(path)


def test_a_picture_that_was_replaced_is_not_taken_for_the_old_one(tmp_path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(GREY[0]).save(path)
    stack = read_stack(path)
    Image.fromarray(GREY[1][:7]).save(path)
    with pytest.raises(BadInput, match="has changed"):
        stack.frame()

"""Folders with a mask file for each frame: Cellpose, and the Cell Tracking Challenge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.labels import read_labels
from napari_cellsynth.stack.stack import Stack

LABELS = np.random.default_rng(0).integers(0, 9, (4, 8, 9)).astype(np.uint16)
MOVIE = Stack(np.zeros((4, 8, 9), np.uint8), "TYX", pixel_size=(0.2, 0.2), frame_interval=60.0, name="movie")


def test_masks_of_cellpose_lie_among_the_images(tmp_path: Path) -> None:
    for t, labels in enumerate(LABELS):
        tifffile.imwrite(tmp_path / f"im_{t + 8}.tif", np.zeros((8, 9), np.uint8))
        Image.fromarray(labels).save(tmp_path / f"im_{t + 8}_cp_masks.png")
        (tmp_path / f"im_{t + 8}_seg.npy").write_bytes(b"a pickle")
    found = read_labels(tmp_path, MOVIE)
    assert (found.axes, found.dtype, found.scale) == ("TYX", np.uint16, MOVIE.scale)
    np.testing.assert_array_equal(np.asarray(found.data), LABELS)  # 8, 9, 10, 11: not by the alphabet


def test_masks_beside_the_recordings_own_files_go_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "movie").mkdir()
    for t in range(4):
        tifffile.imwrite(tmp_path / "movie" / f"im_{t + 8}.tif", np.zeros((8, 9), np.uint8))
    (tmp_path / "masks").mkdir()
    for t in (0, 3):
        tifffile.imwrite(tmp_path / "masks" / f"im_{t + 8}_masks.tif", LABELS[t])
    found = read_labels(tmp_path / "masks", read_stack(tmp_path / "movie"))
    np.testing.assert_array_equal(np.asarray(found.data), np.where(np.array([1, 0, 0, 1])[:, None, None], LABELS, 0))
    assert found.notes == ("2 of 4 frames have no file and so no outlines",)


def test_too_few_masks_are_not_dealt_out_by_guess(tmp_path: Path) -> None:
    for t in range(3):
        tifffile.imwrite(tmp_path / f"a{t}_cp_masks.tif", LABELS[t])
    with pytest.raises(BadInput, match="3 mask file"):
        read_labels(tmp_path, MOVIE)


def test_the_number_in_a_name_of_the_challenge_is_the_frame(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "man_seg002.tif", LABELS[2])
    found = read_labels(tmp_path, MOVIE)
    assert not np.asarray(found.data[[0, 1, 3]]).any()
    np.testing.assert_array_equal(found.frame(2), LABELS[2])
    assert found.notes == ("3 of 4 frames have no file and so no outlines",)


@pytest.mark.parametrize("name", ["man_track00{}.tif", "mask00{}.tif"])
def test_results_and_tracking_marks_of_the_challenge(tmp_path: Path, name: str) -> None:
    for t, labels in enumerate(LABELS):
        tifffile.imwrite(tmp_path / name.format(t), labels)
    (tmp_path / "man_track.txt").write_text("1 0 3 0\n")
    (tmp_path / "res_track.txt").write_text("1 0 3 0\n")
    found = read_labels(tmp_path, MOVIE)
    np.testing.assert_array_equal(np.asarray(found.data), LABELS)
    assert len(found.notes) == name.startswith("man_track")


def test_slices_of_a_volume_are_its_planes(tmp_path: Path) -> None:
    volume = Stack(np.zeros((2, 3, 8, 9), np.uint8), "TZYX", name="volume")
    tifffile.imwrite(tmp_path / "man_seg_001_002.tif", LABELS[0])
    found = np.asarray(read_labels(tmp_path, volume).data)
    np.testing.assert_array_equal(found[1, 2], LABELS[0])
    assert np.count_nonzero(found) == np.count_nonzero(LABELS[0])


def test_a_file_with_all_planes_of_its_frame(tmp_path: Path) -> None:
    volume = Stack(np.zeros((2, 4, 8, 9), np.uint8), "TZYX", name="volume")
    tifffile.imwrite(tmp_path / "man_track000.tif", LABELS, photometric="minisblack")
    tifffile.imwrite(tmp_path / "man_track001.tif", LABELS[::-1], photometric="minisblack")
    found = np.asarray(read_labels(tmp_path, volume).data)
    np.testing.assert_array_equal(found, [LABELS, LABELS[::-1]])


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["man_seg009.tif"], "does not have"),
        (["man_seg000.tif", "man_track000.tif"], "several kinds"),
    ],
)
def test_what_does_not_belong_to_the_recording_is_refused(tmp_path: Path, names: list[str], why: str) -> None:
    for name in names:
        tifffile.imwrite(tmp_path / name, LABELS[0])
    with pytest.raises(BadInput, match=why):
        read_labels(tmp_path, MOVIE)


def test_the_folder_of_both_truths_asks_for_one(tmp_path: Path) -> None:
    for kind in ("SEG", "TRA"):
        (tmp_path / kind).mkdir()
    with pytest.raises(BadInput, match="give one of them"):
        read_labels(tmp_path, MOVIE)


def test_masks_of_another_size_and_pictures_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "mask000.tif", LABELS[0, :4])
    with pytest.raises(BadInput, match="shape"):
        read_labels(tmp_path, MOVIE).frame(0)
    Image.fromarray(np.zeros((8, 9, 3), np.uint8)).save(tmp_path / "a_cp_masks.png")
    (tmp_path / "mask000.tif").unlink()
    with pytest.raises(BadInput, match="colour"):
        read_labels(tmp_path, Stack(np.zeros((8, 9), np.uint8), "YX"))


def test_a_mask_folder_of_a_single_image(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "cells_cp_masks.tif", LABELS[0])
    found = read_labels(tmp_path, Stack(np.zeros((8, 9), np.uint8), "YX"))
    np.testing.assert_array_equal(np.asarray(found.data), LABELS[0])


def test_a_png_with_labels(tmp_path: Path) -> None:
    Image.fromarray(LABELS[0]).save(tmp_path / "cells_cp_masks.png")
    found = read_labels(tmp_path / "cells_cp_masks.png", Stack(np.zeros((1, 8, 9), np.uint8), "TYX"))
    np.testing.assert_array_equal(np.asarray(found.data)[0], LABELS[0])


def test_more_than_65535_cells(tmp_path: Path) -> None:
    many = np.arange(300 * 300, dtype=np.uint32).reshape(300, 300)
    tifffile.imwrite(tmp_path / "mask000.tif", np.repeat(np.repeat(many, 2, 0), 2, 1))
    found = read_labels(tmp_path, Stack(np.zeros((1, 600, 600), np.uint8), "TYX"))
    assert int(found.frame(0).max()) == 89_999


def test_real_masks_of_the_challenge(real_data: Callable[[str], Path]) -> None:
    folder = real_data("ctc_gowt1")
    movie = read_stack(folder / "02")
    seg, marks = read_labels(folder / "02_GT" / "SEG", movie), read_labels(folder / "02_GT" / "TRA", movie)
    assert len(np.unique(seg.frame(1))) - 1 == 22
    assert not seg.frame(0).any()
    assert len(np.unique(marks.frame(0))) - 1 == 24
    with pytest.raises(BadInput, match="SEG and TRA"):
        read_labels(folder / "02_GT", movie)


def test_marks_for_tracking_are_said_to_be_marks(tmp_path: Path) -> None:
    """Marks are often smaller than the cells: crops by them would cut cells off."""
    like = Stack(np.zeros((2, 16, 16), np.uint8), "TYX", name="movie")
    for name in ("man_track", "man_seg"):
        folder = tmp_path / name
        folder.mkdir()
        for t in range(2):
            tifffile.imwrite(folder / f"{name}{t:03}.tif", np.eye(16, dtype=np.uint16))
    assert any("marks for tracking" in note for note in read_labels(tmp_path / "man_track", like).notes)
    assert read_labels(tmp_path / "man_seg", like).notes == ()

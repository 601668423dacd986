"""Outlines that must fit their recording."""

import numpy as np
import pytest
import tifffile

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.write import write_ome_tiff, write_plain_tiff
from napari_cellsynth.stack.labels import read_labels
from napari_cellsynth.stack.stack import Stack

LABELS = np.random.default_rng(0).integers(0, 9, (4, 8, 9)).astype(np.uint16)
MOVIE = Stack(np.zeros((4, 8, 9), np.uint8), "TYX", pixel_size=(0.2, 0.2), frame_interval=60.0, name="movie")


def test_labels_take_the_scale_of_the_recording(tmp_path) -> None:
    labels = read_labels(write_plain_tiff(tmp_path / "l.tif", LABELS, {}), MOVIE)
    assert labels.axes == "TYX"
    assert labels.scale == MOVIE.scale
    np.testing.assert_array_equal(np.asarray(labels.data), LABELS)


def test_int64_labels_of_napari_come_back(tmp_path) -> None:
    path = write_ome_tiff(tmp_path / "l.ome.tif", Stack(LABELS.astype(np.int64), "TYX"))
    assert read_labels(path, MOVIE).dtype == np.int64


@pytest.mark.parametrize("metadata", [None, {"axes": "ZYX"}])
def test_axes_without_a_name_or_with_a_wrong_one_are_told_by_the_shape(tmp_path, metadata: dict | None) -> None:
    tifffile.imwrite(tmp_path / "l.tif", LABELS, metadata=metadata, imagej=metadata is not None)
    labels = read_labels(tmp_path / "l.tif", MOVIE)
    assert (labels.axes, labels.notes) == ("TYX", ())


def test_one_labels_movie_serves_all_channels(tmp_path) -> None:
    two = Stack(np.zeros((4, 2, 8, 9), np.uint8), "TCYX")
    assert read_labels(write_plain_tiff(tmp_path / "l.tif", LABELS, {}), two).axes == "TYX"


def test_a_single_frame(tmp_path) -> None:
    path = write_plain_tiff(tmp_path / "l.tif", LABELS[0], {})
    image = Stack(np.zeros((8, 9)), "YX")
    assert read_labels(path, image).shape == (8, 9)
    labels = read_labels(path, Stack(np.zeros((1, 8, 9)), "TYX"))
    assert (labels.axes, labels.shape) == ("TYX", (1, 8, 9))
    np.testing.assert_array_equal(np.asarray(labels.data)[0], LABELS[0])


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (LABELS[:3], "does not fit"),
        (LABELS[:, :4], "does not fit"),
        (LABELS[:, :, :4], "does not fit"),
        (LABELS[0], "same T"),
        (LABELS.astype(np.float32), "integers"),
        (LABELS > 0, "yes/no"),
        (np.where(LABELS == 3, -1, LABELS.astype(np.int16)), "numbers below 0 .*set borders"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, array: np.ndarray, why: str) -> None:
    path = write_plain_tiff(tmp_path / "l.tif", array, {})
    with pytest.raises(BadInput, match=why):
        read_labels(path, MOVIE)


def test_a_file_that_names_its_axes_is_told_which_do_not_fit(tmp_path) -> None:
    with pytest.raises(BadInput, match="same T, X"):
        read_labels(write_ome_tiff(tmp_path / "l.ome.tif", Stack(LABELS[:3, :, :4], "TYX")), MOVIE)


def test_labels_of_other_planes_are_refused(tmp_path) -> None:
    path = write_ome_tiff(tmp_path / "l.ome.tif", Stack(LABELS, "ZYX"))
    with pytest.raises(BadInput, match="same Z"):
        read_labels(path, Stack(np.zeros((5, 8, 9), np.uint8), "ZYX"))


@pytest.mark.parametrize(
    ("name", "advice"),
    [("m_seg.npy", "_cp_masks"), ("m.npz", "TIFF"), ("RoiSet.zip", "ROIs"), ("one.roi", "ROI Manager"), ("m.png", "m")],
)
def test_what_holds_no_labels_is_refused_kindly(tmp_path, name: str, advice: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(BadInput, match=advice):
        read_labels(tmp_path / name, MOVIE)


def test_a_picture_is_not_taken_for_outlines(tmp_path) -> None:
    grey = np.random.default_rng(1).poisson(300, (1, 96, 80)).astype(np.uint16)
    movie = Stack(np.zeros((1, 96, 80), np.uint16), "TYX")
    with pytest.raises(BadInput, match="look like a picture"):
        read_labels(write_plain_tiff(tmp_path / "grey.tif", grey, {}), movie)


def test_small_and_thin_outlines_are_no_picture(tmp_path) -> None:
    movie = Stack(np.zeros((1, 96, 80), np.uint16), "TYX")
    y, x = np.mgrid[:96, :80]
    squares = (y // 3 * 40 + x // 3 + 1).astype(np.uint16)[None]
    columns = (x + 1).astype(np.uint16)[None]
    for name, labels in (("squares", squares), ("columns", columns)):
        assert read_labels(write_plain_tiff(tmp_path / f"{name}.tif", labels, {}), movie).shape == (1, 96, 80)

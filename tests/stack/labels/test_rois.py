"""Fiji's regions drawn as labels: shapes with known pixels, positions, and archives that mean no good."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from roifile import ROI_TYPE, ImagejRoi

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.labels import read_labels
from napari_cellsynth.stack.labels.rois import Drawn, RoiPlanes
from napari_cellsynth.stack.stack import Stack

MOVIE = Stack(np.zeros((5, 40, 50), np.uint8), "TYX", pixel_size=(0.2, 0.2), name="movie")
SQUARE = [[10, 5], [20, 5], [20, 15], [10, 15]]  # x, y as Fiji has them


def polygon(points: Any = SQUARE, **where: int) -> ImagejRoi:
    roi = ImagejRoi.frompoints(np.asarray(points, np.float32))
    roi.roitype = ROI_TYPE.POLYGON
    for name, value in where.items():
        setattr(roi, name, value)
    return roi


def box(kind: ROI_TYPE, top: int, left: int, bottom: int, right: int, **where: int) -> ImagejRoi:
    roi = ImagejRoi(roitype=kind, top=top, left=left, bottom=bottom, right=right)
    for name, value in where.items():
        setattr(roi, name, value)
    return roi


def archive(path: Path, *rois: ImagejRoi) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for i, roi in enumerate(rois):
            file.writestr(f"{i:04d}.roi", roi.tobytes())
    return path


def pixels(labels: Stack, t: int = 0) -> np.ndarray:
    return labels.frame(t)


def test_a_polygon_has_the_pixels_whose_middle_is_inside(tmp_path: Path) -> None:
    labels = read_labels(archive(tmp_path / "r.zip", polygon(position=1)), MOVIE)
    expected = np.zeros((40, 50), np.uint16)
    expected[5:15, 10:20] = 1
    np.testing.assert_array_equal(pixels(labels), expected)
    assert (labels.axes, labels.dtype, labels.pixel_size) == ("TYX", np.uint16, (0.2, 0.2))


def test_rectangles_and_ovals(tmp_path: Path) -> None:
    rois = (box(ROI_TYPE.RECT, 2, 3, 12, 9, position=1), box(ROI_TYPE.OVAL, 20, 20, 34, 40, position=1))
    plane = pixels(read_labels(archive(tmp_path / "r.zip", *rois), MOVIE))
    expected = np.zeros((40, 50), bool)
    expected[2:12, 3:9] = True
    np.testing.assert_array_equal(plane == 1, expected)
    y, x = np.mgrid[:40, :50] + 0.5
    inside = ((y - 27) / 7) ** 2 + ((x - 30) / 10) ** 2 < 1
    np.testing.assert_array_equal(plane == 2, inside)


def test_a_composite_keeps_its_hole(tmp_path: Path) -> None:
    path = []
    for low, high in ((5, 25), (10, 15)):
        path += [0, low, low, 1, high, low, 1, high, high, 1, low, high, 4]
    roi = box(ROI_TYPE.RECT, 5, 5, 25, 25, position=1)
    roi.multi_coordinates = np.asarray(path, np.float32)
    roi.shape_roi_size = len(path)
    plane = pixels(read_labels(archive(tmp_path / "r.zip", roi), MOVIE))
    assert np.count_nonzero(plane) == 20 * 20 - 5 * 5
    assert plane[12, 12] == 0 and plane[6, 6] == 1


def test_the_first_of_two_that_overlap_keeps_its_pixels(tmp_path: Path) -> None:
    one, two = box(ROI_TYPE.RECT, 0, 0, 10, 10, position=1), box(ROI_TYPE.RECT, 5, 5, 15, 15, position=1)
    plane = pixels(read_labels(archive(tmp_path / "r.zip", one, two), MOVIE))
    assert (np.count_nonzero(plane == 1), np.count_nonzero(plane == 2)) == (100, 75)


@pytest.mark.parametrize("where", [{"position": 4}, {"t_position": 4}, {"t_position": 1, "z_position": 4}])
def test_a_region_is_in_the_frame_it_was_drawn_on(tmp_path: Path, where: dict[str, int]) -> None:
    labels = read_labels(archive(tmp_path / "r.zip", polygon(**where)), MOVIE)
    assert [bool(pixels(labels, t).any()) for t in range(5)] == [False, False, False, True, False]


def test_a_region_without_a_position_is_in_every_frame_as_in_fiji(tmp_path: Path) -> None:
    labels = read_labels(archive(tmp_path / "r.zip", polygon()), MOVIE)
    assert np.asarray(labels.data).any((1, 2)).all()


def test_slices_count_channels_then_planes_then_frames(tmp_path: Path) -> None:
    movie = Stack(np.zeros((3, 2, 4, 40, 50), np.uint8), "TCZYX", name="movie")
    position = 1 + 1 + 2 * (3 + 4 * 2)  # channel 1, plane 3, frame 2, all from 0
    labels = np.asarray(read_labels(archive(tmp_path / "r.zip", polygon(position=position)), movie).data)
    assert labels.shape == (3, 4, 40, 50)
    assert np.argwhere(labels.any((2, 3))).tolist() == [[2, 3]]


def test_a_single_roi_file_and_lines_that_outline_nothing(tmp_path: Path) -> None:
    polygon(position=1).tofile(tmp_path / "one.roi")
    assert np.count_nonzero(pixels(read_labels(tmp_path / "one.roi", MOVIE))) == 100
    line = box(ROI_TYPE.LINE, 0, 0, 5, 5)
    labels = read_labels(archive(tmp_path / "r.zip", polygon(position=1), line), MOVIE)
    assert labels.notes == ("1 lines or points among the ROIs outline nothing",)
    with pytest.raises(BadInput, match="no Fiji ROIs that outline an area"):
        read_labels(archive(tmp_path / "l.zip", line), MOVIE)


def test_regions_beyond_the_recording_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="slice 9"):
        read_labels(archive(tmp_path / "r.zip", polygon(position=9)), MOVIE)
    with pytest.raises(BadInput, match="lie outside"):
        read_labels(archive(tmp_path / "o.zip", polygon(np.array(SQUARE) + 1000, position=1)), MOVIE)


def test_more_regions_than_16_bits_count() -> None:
    corners = np.array([[2, 2], [2, 6], [6, 6], [6, 2]], float)
    planes = RoiPlanes({(0, 0): [Drawn(70_000, "last", (corners,))]}, 70_000, (1, 1, 10, 10))
    assert planes[0, 0].max() == 70_000


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.roi", b"Iout" + bytes(40 * 2**20))
    assert (tmp_path / "bomb.zip").stat().st_size < 2**20
    with pytest.raises(BadInput, match="unpacks to more"):
        read_labels(tmp_path / "bomb.zip", MOVIE)


def test_a_size_that_is_a_lie_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "lie.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.roi", b"Iout" + bytes(40 * 2**20))
    size = (4 + 40 * 2**20).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (100).to_bytes(4, "little")))
    with pytest.raises(BadInput):
        read_labels(path, MOVIE)


def test_paths_in_an_archive_write_nothing(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    with zipfile.ZipFile(tmp_path / "inner" / "r.zip", "w") as file:
        file.writestr("../../escaped.roi", polygon(position=1).tobytes())
    assert pixels(read_labels(tmp_path / "inner" / "r.zip", MOVIE)).any()
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["inner", "r.zip"]


@pytest.mark.parametrize("seed", range(40))
def test_damaged_regions_are_refused_or_read_never_worse(tmp_path: Path, seed: int) -> None:
    draws = np.random.default_rng(seed)
    data = bytearray(polygon(position=1).tobytes())
    for place in draws.integers(0, len(data), 6):
        data[place] = draws.integers(0, 256)
    (tmp_path / "one.roi").write_bytes(bytes(data[: draws.integers(10, len(data))] if seed % 2 else data))
    with suppress(BadInput):
        read_labels(tmp_path / "one.roi", MOVIE).frame(0)

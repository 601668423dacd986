"""Outlines of a recording as it was filmed, on the steady one: moved where they say whose they are, else doubted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_cellsynth import api
from napari_cellsynth.stack.files.write import write_ome_tiff, write_plain_tiff
from napari_cellsynth.stack.recordings.table import Table
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.steady.drift import Drift
from napari_cellsynth.stack.steady.moved_along import MOVED, UNKNOWN, follows, labels_for, moved_along
from napari_cellsynth.stack.steady.stabilise import Border, stabilise

PATH = np.array([(0, 0), (4, -3), (-5, 4), (1, 6), (-4, -3), (2, 4), (0, -5), (5, 0)])
"""dy, dx of each frame: what lies at p in the steady recording lies at p + offset in the frame."""
SIDE, MARGIN = 96, 12
KNOWN = {"pixel_size": (0.5, 0.5), "frame_interval": 60.0}


def field(seed: int = 0, speed: float = 0.7) -> np.ndarray:
    """Labels (T, Y, X) of nine discs that each go their own way, on a stage that stands still; wider by a margin."""
    random, wide = np.random.default_rng(seed), SIDE + 2 * MARGIN
    y, x = np.mgrid[:wide, :wide]
    places = np.array([(cy, cx) for cy in (30, 60, 90) for cx in (30, 60, 90)], float)
    ways = random.normal(0, speed, places.shape)
    labels = np.zeros((len(PATH), wide, wide), np.uint16)
    for t in range(len(PATH)):
        for number, (cy, cx) in enumerate(places + t * ways, start=1):
            labels[t][(y - cy) ** 2 + (x - cx) ** 2 < 64] = number
    return labels


def filmed(steady: np.ndarray) -> np.ndarray:
    """The same as a stage films it that shakes by PATH."""
    return np.stack(
        [
            frame[MARGIN - dy : MARGIN - dy + SIDE, MARGIN - dx : MARGIN - dx + SIDE]
            for frame, (dy, dx) in zip(steady, PATH, strict=True)
        ]
    )


@pytest.fixture
def labels() -> Stack:
    """As filmed."""
    return Stack(filmed(field()), "TYX", name="masks", **KNOWN)


def steady_movie(labels: Stack, border: Border = "edge") -> Stack:
    pixels = (np.asarray(labels.data) > 0) * np.uint16(1000) + np.uint16(100)
    return stabilise(Stack(pixels, "TYX", name="movie", **KNOWN), Drift(PATH.astype(float)), border=border)


def inside(stack: Stack, t: int) -> np.ndarray:
    """Where every frame shows something."""
    return np.asarray(stack.frame(t))[MARGIN:-MARGIN, MARGIN:-MARGIN] > 0


def test_outlines_say_by_their_own_motion_whose_they_are(labels: Stack) -> None:
    movie = steady_movie(labels)
    assert follows(labels, Drift(PATH.astype(float))) is True
    moved = moved_along(labels, movie)
    assert any(MOVED in note for note in moved.notes)
    lit = Stack(np.asarray(movie.data), "TYX")
    for t in range(len(PATH)):
        assert np.array_equal(inside(moved, t), inside(lit, t) & (np.asarray(lit.frame(t))[12:-12, 12:-12] > 500))
    again = moved_along(moved, movie)
    assert again is moved, "nobody moves them once more"


def test_outlines_of_the_steady_recording_stay_and_are_not_doubted(labels: Stack) -> None:
    movie = steady_movie(labels)
    drawn = Stack(field()[:, MARGIN:-MARGIN, MARGIN:-MARGIN], "TYX", name="drawn", **KNOWN)
    kept = moved_along(drawn, movie)
    assert kept.notes == () and kept.data is drawn.data
    assert (kept.provenance or {})["made_on"]


@pytest.mark.parametrize("what", ["empty", "every other frame", "all over the place"])
def test_outlines_that_do_not_say_it_are_doubted(labels: Stack, what: str) -> None:
    values = np.array(labels.data)
    if what == "empty":
        values[:] = 0
    elif what == "every other frame":
        values[1::2] = 0
    else:
        values = np.random.default_rng(1).integers(0, 2, values.shape).astype(np.uint16)
    doubted = moved_along(labels.with_(data=values), steady_movie(labels))
    assert [UNKNOWN in note for note in doubted.notes] == [True]
    assert doubted.data is values


def test_of_the_size_of_the_cropped_recording_they_are_of_that(labels: Stack) -> None:
    movie = steady_movie(labels, "crop")
    drawn = Stack(np.ones(movie.shape, np.uint16), "TYX", name="drawn", **KNOWN)
    assert moved_along(drawn, movie).notes == ()


def test_two_frames_with_one_jump_are_enough_where_it_is_large(labels: Stack) -> None:
    values = np.zeros((2, 60, 60), np.uint16)
    values[0, 20:30, 20:30] = values[1, 32:42, 20:30] = 1
    assert follows(Stack(values, "TYX"), Drift([[0, 0], [12, 0]])) is True
    assert follows(Stack(values, "TYX"), Drift([[0, 0], [1, 0]])) is None


# -- wherever masks are read -------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path, labels: Stack) -> Path:
    write_ome_tiff(tmp_path / "steady.ome.tif", steady_movie(labels))
    write_ome_tiff(tmp_path / "cropped.ome.tif", steady_movie(labels, "crop"))
    write_plain_tiff(tmp_path / "masks.tif", np.asarray(labels.data), {"kind": "labels", "axes": "TYX", **KNOWN})
    return tmp_path


@pytest.mark.parametrize("name", ["steady", "cropped"])
def test_a_table_moves_them_before_frames_are_chosen(files: Path, name: str) -> None:
    line = f"file;labels;frames\n{name}.ome.tif;masks.tif;2-7\n"
    (one,) = Table.parse(line, files).recordings()
    assert one.labels is not None and any(MOVED in note for note in one.labels.notes)
    for t in range(6):
        lit = np.asarray(one.stack.frame(t)) > 500
        mine = np.asarray(one.labels.frame(t)) > 0
        edge = MARGIN if name == "steady" else 0
        middle = slice(edge, -edge or None)
        assert np.array_equal(mine[middle, middle], lit[middle, middle])


def test_a_check_compares_them_where_they_belong(files: Path, labels: Stack) -> None:
    movie = steady_movie(labels)
    trusted = labels_for(files / "masks.tif", movie)
    *_, by_path = api.check_outlines(files / "masks.tif", trusted, movie)
    *_, by_stack = api.check_outlines(labels, trusted, movie)
    for check in (by_path, by_stack):
        assert check.total.f1 == 1.0
        assert any(MOVED in note for note in check.notes())

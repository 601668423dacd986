"""Masks of a movie as it was filmed, on the movie without the stage's motion, however they come."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from pytestqt.qtbot import QtBot

from napari_cellsynth.gui.cells import CellsSection
from napari_cellsynth.gui.dock import show_dock
from napari_cellsynth.gui.layers import add_stack
from napari_cellsynth.gui.steady_layers import add_stabilised, ground_of
from napari_cellsynth.gui.table_section import open_layers
from napari_cellsynth.stack.files.write import write_ome_tiff
from napari_cellsynth.stack.fitness.fitness import Fitness
from napari_cellsynth.stack.recordings.row import Row
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.steady.drift import Drift
from napari_cellsynth.stack.steady.stabilise import stabilise

PATIENCE = 20_000
PATH = np.array([(0, 0), (4, -3), (-5, 4), (1, 6), (-4, -3)])
KNOWN = {"pixel_size": (0.5, 0.5), "frame_interval": 60.0}
CELLS = ((30, 30), (30, 60), (60, 45))


def filmed(path: np.ndarray = PATH) -> np.ndarray:
    """Three discs on a stage that goes along the path."""
    y, x = np.mgrid[:90, :90]
    labels = np.zeros((len(path), 90, 90), np.uint16)
    for t, (dy, dx) in enumerate(path):
        for number, (cy, cx) in enumerate(CELLS, start=1):
            labels[t][(y - cy - dy) ** 2 + (x - cx - dx) ** 2 < 49] = number
    return labels


def movie() -> Stack:
    return Stack((filmed() > 0) * np.uint16(900) + np.uint16(100), "TYX", name="movie", **KNOWN)


@pytest.fixture
def viewer(plugins: Any, make_napari_viewer: Callable[..., Any]) -> Any:
    return make_napari_viewer(show=True)


@pytest.fixture
def cells(viewer: Any) -> CellsSection:
    """The section Cells, with the steady movie chosen."""
    dock = show_dock(viewer, "movies")
    steady = add_stabilised(viewer, add_stack(viewer, movie()), Drift(PATH.astype(float)))
    dock.session.movie = steady
    return dock.tab("movies").cells


def lies_on_the_cells(outlines: Any, steady: Any) -> bool:
    inner = (slice(None), slice(8, -8), slice(8, -8))
    lit = np.stack([np.asarray(steady.data[t]) for t in range(len(PATH))]) > 500
    return bool(np.array_equal(np.asarray(outlines.data)[inner] > 0, lit[inner]))


def test_a_mask_file_is_moved_along_and_that_is_said(qtbot: QtBot, cells: CellsSection, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "masks.tif", filmed())
    layer = cells.open_file(tmp_path / "masks.tif")
    qtbot.waitUntil(lambda: cells.count is not None, timeout=PATIENCE)
    assert cells.session.outlines is layer and lies_on_the_cells(layer, cells.session.movie)
    assert "were moved along" in cells.says.text() and not cells.along.isVisible()


def test_a_layer_that_was_dropped_on_napari_is_moved_along(qtbot: QtBot, viewer: Any, cells: CellsSection) -> None:
    dropped = viewer.add_labels(filmed(), name="dropped", metadata={"napari-cellsynth": {}})
    cells.session.outlines = dropped
    qtbot.waitUntil(lambda: cells.count is not None, timeout=PATIENCE)
    outlines = cells.session.outlines
    assert outlines.name == "dropped moved along" and lies_on_the_cells(outlines, cells.session.movie)
    assert ground_of(outlines) == ground_of(cells.session.movie)
    assert not dropped.visible and "were moved along" in cells.says.text()


def test_a_layer_drawn_on_the_steady_movie_stays(qtbot: QtBot, viewer: Any, cells: CellsSection) -> None:
    drawn = viewer.add_labels(filmed(0 * PATH), name="drawn", metadata={"napari-cellsynth": {}})
    cells.session.outlines = drawn
    qtbot.waitUntil(lambda: cells.count is not None, timeout=PATIENCE)
    assert cells.session.outlines is drawn
    assert cells.says.text() == "15 outlines, 3 different cells"
    assert ground_of(drawn) == ground_of(cells.session.movie), "and can be moved back"


def test_where_nobody_can_tell_the_user_says_it(qtbot: QtBot, viewer: Any, cells: CellsSection) -> None:
    sparse = filmed()
    sparse[1::2] = 0
    layer = viewer.add_labels(sparse, name="sparse", metadata={"napari-cellsynth": {}})
    cells.session.outlines = layer
    qtbot.waitUntil(lambda: cells.count is not None, timeout=PATIENCE)
    assert cells.session.outlines is layer
    assert "drawn before or after" in cells.says.text() and "cellsynth stabilise" not in cells.says.text()
    qtbot.waitUntil(cells.along.isVisible, timeout=PATIENCE)
    cells.along.click()
    qtbot.waitUntil(lambda: cells.session.outlines.name == "sparse moved along", timeout=PATIENCE)
    moved = np.asarray(cells.session.outlines.data)
    assert np.array_equal(moved[0, 8:-8, 8:-8], moved[2, 8:-8, 8:-8]) and moved[0].any()
    assert not cells.along.isVisible()


def test_outlines_of_the_movie_come_along_when_it_is_made_steady(qtbot: QtBot, viewer: Any) -> None:
    dock = show_dock(viewer, "movies")
    filmed_movie = add_stack(viewer, movie())
    dock.session.movie = filmed_movie
    mine = viewer.add_labels(filmed()[:, ::1], name="mine")
    dock.session.outlines = mine
    fitness = dock.tab("movies").fitness
    qtbot.waitUntil(lambda: fitness.fitness is not None, timeout=PATIENCE)
    fitness.fitness = _with_offsets(fitness.fitness)
    steady = fitness.stabilise()
    qtbot.waitUntil(lambda: dock.session.outlines is not None, timeout=PATIENCE)
    assert dock.session.outlines.name == "mine moved along" and lies_on_the_cells(dock.session.outlines, steady)
    assert not mine.visible


def _with_offsets(fitness: Fitness) -> Any:
    class Known:
        offsets = PATH.astype(float)

    return Known()


def test_the_table_opens_masks_as_they_lie_on_the_steady_movie(tmp_path: Path) -> None:
    write_ome_tiff(tmp_path / "steady.ome.tif", stabilise(movie(), Drift(PATH.astype(float))))
    tifffile.imwrite(tmp_path / "masks.tif", filmed())
    row = Row(file=tmp_path / "steady.ome.tif", labels=tmp_path / "masks.tif")
    (image, _, _), (labels, about, kind) = open_layers(row)
    assert kind == "labels" and any(
        "moved along" in note for note in about["metadata"]["napari-cellsynth"]["recording"]["notes"]
    )
    lit = np.stack([np.asarray(image[t]) for t in range(len(PATH))]) > 500
    assert np.array_equal(np.asarray(labels)[:, 8:-8, 8:-8] > 0, lit[:, 8:-8, 8:-8])

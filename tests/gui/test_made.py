"""Saving what a model made: names, and what is never written over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.layers import complete
from napari_cellsynth.gui.made import Made, write
from napari_cellsynth.gui.state import Session
from napari_cellsynth.stack.stack import Stack

CELLS = Stack(np.zeros((2, 1, 8, 8), np.uint16), "QTYX", name="cells")


def test_saved_under_any_ending_and_again(tmp_path: Path) -> None:
    for name in ("a", "a.tif", "a.ome.tif"):
        assert [path.name for path in write(tmp_path / name, CELLS, CELLS)] == ["a.ome.tif", "a.labels.tif"]


@pytest.mark.parametrize("name", ["a.ome.tif", "a.labels.tif"])
def test_what_others_made_stays(tmp_path: Path, name: str) -> None:
    tifffile.imwrite(tmp_path / name, np.ones((3, 4), np.uint8))
    with pytest.raises(BadInput, match="not made by CellSynth"):
        write(tmp_path / "a.tif", CELLS, CELLS)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert tifffile.imread(tmp_path / name).shape == (3, 4)


def test_beside_a_movie_in_pixels_sizes_are_said_not_to_compare(make_napari_viewer, qtbot) -> None:
    viewer = make_napari_viewer()
    session = Session.of(viewer)
    made = Made(session)
    qtbot.addWidget(made)
    cells = CELLS.with_(pixel_size=(0.2, 0.2))
    made.take((cells, None), "cells")
    assert "compare" not in made.said.text()
    session.movie = viewer.add_image(np.zeros((4, 20, 24)))
    made.take((cells, None), "cells")
    assert "do not compare" in made.said.text()
    complete(session.movie, axes="TYX", pixel_size=(0.2, 0.2), frame_interval=1.0)
    made.take((cells, None), "cells")
    assert "compare" not in made.said.text()

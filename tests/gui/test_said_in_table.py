"""What is typed into the table about a movie that is open holds for its layers, too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_cellsynth.gui.layers import facts_of
from napari_cellsynth.gui.opening import open_path
from napari_cellsynth.gui.state import Session
from napari_cellsynth.stack.recordings.table import Table


@pytest.fixture
def session(plugins: Any, make_napari_viewer: Callable[..., Any], tmp_path: Path) -> Session:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 20, 24), np.uint8), metadata={"axes": "TYX"})
    session = Session.of(make_napari_viewer())
    open_path(session.viewer, tmp_path / "a.tif")
    return session


def test_a_pixel_size_in_the_table_is_that_of_the_open_movie(session: Session) -> None:
    heard: list[Any] = []
    session.movie_facts_changed.connect(heard.append)
    session.study.set(0, "pixel_size", "0.2um")
    session.study.set(0, "interval", "5 min")
    session.study.set(0, "modality", "dic")
    facts = facts_of(session.movie)
    assert (facts.pixel_size, facts.frame_interval, facts.modality) == ((0.2, 0.2), 300.0, "dic")
    assert len(heard) == 3
    session.study.set(0, "pixel_size", "0.2um,0.1um")
    assert facts_of(session.movie).pixel_size == (0.2, 0.1)
    session.study.set(0, "condition", "control")
    assert len(heard) == 4, "which no layer says"


def test_pasted_cells_and_tables_say_it_as_well(session: Session) -> None:
    session.study.fill(0, ["pixel_size", "interval"], [["200 nm", "2 min"]])
    assert facts_of(session.movie).pixel_size == pytest.approx((0.2, 0.2))
    session.study.add(Table.parse("file;interval\na.tif;90 s\n", session.study.folder))
    assert facts_of(session.movie).frame_interval == 90.0
    assert session.study.rows[0].interval == 90.0 or session.study.whole_row(0).interval == "90 s"

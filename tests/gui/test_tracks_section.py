"""Tracks in the tab Movies, driven as a user would, in a real viewer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from napari_cellsynth.gui import tracks_layers
from napari_cellsynth.gui.dock import show_dock
from napari_cellsynth.gui.facts import BLOCK
from napari_cellsynth.gui.layers import add_stack, facts_of
from napari_cellsynth.gui.tracks_section import HOW, NEEDS, TracksSection
from napari_cellsynth.motion.tracks.files import read_tracks
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.stack.stack import Stack

PATIENCE = 30_000
KNOWN: dict[str, Any] = {"pixel_size": (0.5, 0.5), "frame_interval": 60.0}
FRAMES = 6


def outlines() -> Stack:
    """A cell that walks, one that divides in frame 3, and other numbers in every frame."""
    y, x = np.mgrid[:96, :96]
    labels = np.zeros((FRAMES, 96, 96), np.int32)
    for t in range(FRAMES):
        small = 8 / 2**0.5
        cells = [(20.0, 20.0 + 2 * t, 8.0)]
        cells += [(64, 48, 8.0)] if t < 3 else [(64, 41 - 2 * (t - 3), small), (64, 55 + 2 * (t - 3), small)]
        numbers = np.random.default_rng(t).permutation(len(cells)) + 1
        for (cy, cx, radius), number in zip(cells, numbers, strict=True):
            labels[t][(y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = number
    return Stack(labels, "TYX", name="masks", **KNOWN)


def movie() -> Stack:
    image = (np.asarray(outlines().data) > 0) * 100 + np.random.default_rng(0).integers(40, 60, (FRAMES, 96, 96))
    return Stack(image.astype(np.uint16), "TYX", name="cells", **KNOWN)


@pytest.fixture
def viewer(plugins: Any, make_napari_viewer: Callable[..., Any]) -> Any:
    return make_napari_viewer(show=True)


@pytest.fixture
def empty(viewer: Any) -> TracksSection:
    """The section, with a movie and no outlines."""
    dock = show_dock(viewer, "movies")
    add_stack(viewer, movie())
    section: TracksSection = dock.tab("movies").tracks
    return section


@pytest.fixture
def section(empty: TracksSection, viewer: Any) -> TracksSection:
    add_stack(viewer, outlines(), kind="labels", like=empty.session.movie)
    return empty


def track(qtbot: QtBot, section: TracksSection) -> None:
    qtbot.mouseClick(section.track, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: section._worker is None, timeout=PATIENCE)


def layer_of(viewer: Any, kind: str) -> Any:
    found = [layer for layer in viewer.layers if type(layer).__name__ == kind]
    return found[-1] if found else None


def test_without_outlines_it_says_what_is_missing_and_goes_there(
    qtbot: QtBot, viewer: Any, empty: TracksSection
) -> None:
    assert empty.says.text() == NEEDS
    assert empty.find.isVisible() and not empty.track.isVisible() and not empty.track.isEnabled()
    with qtbot.waitSignal(empty.cells_wanted):
        empty.start()  # from a script, say
    assert empty.says.text() == NEEDS
    tab = show_dock(viewer, "movies").tab("movies")
    empty.find.click()
    assert tab.cells.find.isChecked() and tab.cells.find_cells.isVisible()


def test_tracks_and_numbered_outlines_become_layers(qtbot: QtBot, viewer: Any, section: TracksSection) -> None:
    before = section.session.outlines
    with qtbot.waitSignal(section.made, timeout=PATIENCE):
        qtbot.mouseClick(section.track, Qt.MouseButton.LeftButton)
    lines = layer_of(viewer, "Tracks")
    assert section.says.text() == (
        "4 tracks of 15 outlines in 6 frames; 1 in all frames, half in 3 or more; 1 division."
    )
    assert lines.data.shape == (15, 4) and len(np.unique(lines.data[:, 0])) == 4
    ((a, mother), (b, other)) = lines.graph.items()
    assert mother == other and a != b
    assert tuple(lines.scale) == (60.0, 0.5, 0.5)
    assert [str(unit) for unit in lines.units] == ["second", "micrometer", "micrometer"]
    assert tuple(lines.axis_labels) == ("t", "y", "x")
    assert {"parent", "speed (µm/s)", "area (µm²)"} <= set(lines.features.columns)
    walker = lines.features[lines.data[:, 0] == lines.data[np.argmin(lines.data[:, 2] + lines.data[:, 1]), 0]]
    assert walker["speed (µm/s)"].to_numpy() == pytest.approx([0, *[2 * 0.5 / 60] * 5])
    assert lines.metadata[BLOCK]["made_by"] == "track"
    assert viewer.layers.units is not None, "no layer without units among them"
    labels = section.session.outlines
    assert labels is not before and labels.name == "cells: cells tracked"
    assert not before.visible and isinstance(labels.data, np.ndarray), "so that it can be painted on"
    for number, t, y, x in lines.data:
        rows, columns = np.nonzero(labels.data[int(t)] == number)
        assert (rows.mean(), columns.mean()) == pytest.approx((y, x))
    assert facts_of(labels).pixel_size == (0.5, 0.5)
    tab = show_dock(viewer, "movies").tab("movies")
    qtbot.waitUntil(lambda: tab.cells.count is not None, timeout=PATIENCE)
    assert tab.cells.count.tracked and tab.cells.count.cells == 4


def test_the_condition_is_that_of_the_study(qtbot: QtBot, section: TracksSection, tmp_path: Path) -> None:
    study = section.session.study
    study.movies[0].row = study.movies[0].row.model_copy(update={"condition": "treated"})
    track(qtbot, section)
    assert section.result is not None and section.result.tracks.condition == "treated"
    section.save_to(tmp_path / "x.csv", "csv")
    qtbot.waitUntil(lambda: section._worker is None, timeout=PATIENCE)
    assert read_tracks(tmp_path / "x.csv").condition == "treated"


def test_tracked_once_more_replaces_what_was_there(qtbot: QtBot, viewer: Any, section: TracksSection) -> None:
    section.more.head.click()
    assert section.form is not None
    assert set(section.form.rows) == {"max_distance_um", "max_distance_px", "gap", "common_motion", "shortest"}
    assert section.settings().multiply == "division"
    section.how.choose(HOW[3][1])
    assert section.settings().numbered and section.settings().gap == 2
    section.how.choose(HOW[0][1])
    track(qtbot, section)
    tree = section.result.tracks.parents
    section.how.choose(HOW[3][1])
    track(qtbot, section)
    assert tree and section.result.tracks.parents == tree, "numbers that are kept keep their family tree"
    lines = layer_of(viewer, "Tracks")
    assert lines.graph
    section.how.choose(HOW[2][1])
    track(qtbot, section)
    # Not another layer: napari may crash where one with a graph was removed.
    assert layer_of(viewer, "Tracks") == lines and len(lines.features) == len(lines.data)
    kinds = [type(layer).__name__ for layer in viewer.layers]
    assert sorted(kinds) == ["Image", "Labels", "Labels", "Tracks"]
    assert layer_of(viewer, "Tracks").graph == {}
    assert "division" not in section.says.text()


def test_a_line_for_each_track_leads_to_it(qtbot: QtBot, viewer: Any, section: TracksSection) -> None:
    track(qtbot, section)
    section.lines.head.click()
    table = section.table
    assert table is not None and table.model().rowCount() == 4
    heads = [table.model().headerData(i, Qt.Orientation.Horizontal) for i in range(table.model().columnCount())]
    assert heads[:4] == ["track", "from", "µm/min", "net µm"]
    speeds = {row.track: row.speed for row in table.lines.rows}
    table.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    first = int(table.model().index(0, 0).data())
    assert speeds[first] == max(speeds.values())
    daughter = next(row for row in table.lines.rows if row.parent)
    places = [int(table.model().index(i, 0).data()) for i in range(4)]
    viewer.dims.set_current_step(0, 0)
    table.selectRow(places.index(daughter.track))
    assert viewer.dims.current_step[0] == 3
    assert section.session.outlines.selected_label == daughter.track


def test_saved_and_opened(qtbot: QtBot, viewer: Any, section: TracksSection, tmp_path: Path) -> None:
    track(qtbot, section)
    made = section.result
    assert made is not None
    for kind, name in (("csv", "x.csv"), ("trackmate", "x.xml"), ("ctc", "01_RES")):
        section.save_to(tmp_path / name, kind)
        qtbot.waitUntil(lambda: section._worker is None, timeout=PATIENCE)
        assert section.says.text().startswith(f"Saved as {name}")
        found = read_tracks(tmp_path / name)
        assert found.parents == made.tracks.parents
        np.testing.assert_allclose(found.y, made.tracks.y, atol=1e-5)
    for name in ("x.xml", "01_RES"):
        section.open_file(tmp_path / name)
        qtbot.waitUntil(lambda: section._worker is None, timeout=PATIENCE)
        assert layer_of(viewer, "Tracks").name == f"cells: {name}"
        assert section.says.text().startswith("4 tracks")


def test_a_file_that_cannot_be_opened_is_said(qtbot: QtBot, section: TracksSection, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    section.open_file(tmp_path / "x.csv")
    qtbot.waitUntil(lambda: section._worker is None, timeout=PATIENCE)
    assert "has no column id" in section.says.text()
    (tmp_path / "y.csv").write_text("id,t,y,x\n1,99,2,2\n")
    section.open_file(tmp_path / "y.csv")
    qtbot.waitUntil(lambda: section._worker is None, timeout=PATIENCE)
    assert "it is of another" in section.says.text()
    (tmp_path / "z.csv").write_text("id,t,y,x\n1,0,2,2\n")
    section.result = tracks_layers.told(Tracks.from_points([(1, 0, 2.0, 2.0, 0)]))
    section.save_to(tmp_path / "z.csv", "csv")
    qtbot.waitUntil(lambda: section._worker is None, timeout=PATIENCE)
    assert "was not written by cellsynth track" in section.says.text()


def test_empty_outlines_are_refused_in_words(qtbot: QtBot, section: TracksSection) -> None:
    section.session.outlines.data = np.zeros((FRAMES, 96, 96), np.int32)
    track(qtbot, section)
    assert "no outline in any of its 6 frames" in section.says.text()
    assert section.result is None and not section.save.isVisible()


def test_cancel_keeps_nothing(qtbot: QtBot, viewer: Any, section: TracksSection, monkeypatch: Any) -> None:
    import threading

    gate = threading.Event()

    def slow(*given: Any) -> Any:
        from napari_cellsynth.stack.progress import SetProgress

        for t in range(1000):
            gate.wait(0.01)
            yield SetProgress(t, 1000, "linking")

    monkeypatch.setattr("napari_cellsynth.gui.tracks_section.followed", slow)
    section.track.click()
    qtbot.waitUntil(lambda: section.bar.share > 0, timeout=PATIENCE)
    assert section.cancel.isVisible() and not section.track.isEnabled()
    section.cancel.click()
    assert section.says.text() == "Cancelled; nothing was kept."
    assert section.track.isEnabled() and not section.cancel.isVisible()
    qtbot.wait(200)
    assert layer_of(viewer, "Tracks") is None and section.result is None


def test_closed_outlines_and_a_closed_result(qtbot: QtBot, viewer: Any, section: TracksSection) -> None:
    track(qtbot, section)
    for kind in ("Tracks", "Labels"):
        viewer.layers.remove(layer_of(viewer, kind))
    assert section.result is None and not section.lines.isVisible() and not section.save.isVisible()
    source = section.session.outlines or layer_of(viewer, "Labels")
    section.session.outlines = source
    section.track.click()
    viewer.layers.remove(source)
    qtbot.waitUntil(lambda: section._worker is None, timeout=PATIENCE)
    assert section.says.text() == "The outlines were closed; their tracks were not kept."
    assert layer_of(viewer, "Tracks") is None

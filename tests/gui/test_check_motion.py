"""Do they move alike?  Tracks of layers and tables in the Check tab: chosen, compared, shown, saved, forgotten."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from looks import cut, nameless, too_wide

from napari_cellsynth.gui import motion_states
from napari_cellsynth.gui.check_motion import DONE, NO_TRACKS
from napari_cellsynth.gui.dock import show_dock
from napari_cellsynth.gui.layers import SHOWN
from napari_cellsynth.gui.motion_sources import FIRST, SECOND, UNUSED
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.theme import THEME
from napari_cellsynth.motion.tracks.files import write_csv
from napari_cellsynth.motion.tracks.tracks import Tracks

SOON = 100_000
CELLS, FRAMES = 12, 20


def rows(seed: int = 0) -> np.ndarray:
    """(N, 4) as napari has tracks."""
    paths = 50 + np.cumsum(np.random.default_rng(seed).normal(size=(CELLS, FRAMES, 2)), axis=1)
    ids, t = np.repeat(np.arange(1, CELLS + 1), FRAMES), np.tile(np.arange(FRAMES), CELLS)
    return np.stack([ids, t, paths[..., 0].ravel(), paths[..., 1].ravel()], axis=1)


def table(path: Path, seed: int, condition: str | None) -> Path:
    ids, t, y, x = rows(seed).T
    known = {"pixel_size": (0.5, 0.5), "frame_interval": 2.0, "condition": condition}
    write_csv(path, Tracks(ids.astype(int), t.astype(int), y, x, **known))
    return path


@pytest.fixture
def moves(make_napari_viewer):
    dock = show_dock(make_napari_viewer(), "check")
    dock.setFixedSize(380, 700)
    section = dock.tab("check").sections["moves"]
    for name, value in (("max_q", 3), ("max_d", 2), ("window", 3)):
        section.form.numbers[name].setValue(value)
    return dock, section


def test_without_tracks_it_says_what_it_needs(moves) -> None:
    dock, section = moves
    asked: list[str] = []
    dock.session.tab_requested.disconnect()
    dock.session.tab_requested.connect(asked.append)
    assert section.lacking.text() == NO_TRACKS and section.main is section.go
    assert section.sources.open.isVisibleTo(dock) and not section.sources.names[0].isVisibleTo(dock)
    section.main.click()
    assert asked == ["movies"]


def test_two_tables_are_compared_shown_and_saved(moves, qtbot, tmp_path, make_napari_viewer, monkeypatch) -> None:
    dock, section = moves
    section.sources.open_files([table(tmp_path / "a.csv", 0, "control"), table(tmp_path / "b.csv", 1, "drug")])
    assert [name.text() for name in section.sources.names] == ["control", "drug"]
    section.main.click()
    qtbot.waitUntil(lambda: section.check is not None, timeout=SOON)
    check = section.check
    assert [one.name for one in check.conditions] == ["control", "drug"]
    assert section.sentence.text() == check.sentence() and "too few for a test" in section.sentence.text()
    assert Recorder.of(dock.session).record.actions[-1].words == DONE.format("control and drug", check.sentence())
    assert section.figure.isVisibleTo(dock) and section.tables[2][0].text() == "drug beside control"
    dock.session.viewer.window._qt_window.show()
    section.advanced.head.setChecked(True)
    qtbot.wait(100)
    assert not too_wide(dock) and not cut(dock) and not nameless(dock)
    section.report.save_to(tmp_path / "report")
    qtbot.waitUntil(lambda: section.report.says.text() == "Saved in report.", timeout=SOON)
    assert (tmp_path / "report" / "states.svg").exists()
    other = make_napari_viewer()
    monkeypatch.setattr(motion_states, "new_viewer", lambda: other)
    section.show_state.click()
    control, drug = section.states.layers
    assert section.states.dims.ndisplay == 3 and control.data.shape[1] == drug.data.shape[1] == 5
    # The third, second and first dimension of the state, as napari's z, y and x.
    np.testing.assert_allclose(control.data[0, 2:], check.conditions[0].states[0][0, 2::-1], atol=1e-6)
    assert [str(unit) for unit in control.units] == ["second", *["micrometer"] * 3]
    before = section.figure.pixmap().toImage()
    THEME.take("light")
    qtbot.waitUntil(lambda: section.figure.pixmap().toImage() != before, timeout=SOON)
    THEME.take("dark")
    section.form.numbers["seed"].setValue(3)
    assert section.check is None and not section.show_state.isVisibleTo(dock) and not section.sentence.text()


def test_layers_come_and_go(moves, qtbot) -> None:
    dock, section = moves
    viewer = dock.session.viewer
    units = {"scale": (2.0, 0.5, 0.5), "units": ("second", "micrometer", "micrometer")}
    one = viewer.add_tracks(rows(), name="mine", **units)
    viewer.add_tracks(rows(1), name="state", metadata={"napari-cellsynth": {"preview": True}})
    assert [(source.name, source.side) for source in section.sources.sources] == [("mine", FIRST)]
    tracks = section.sources.chosen()["mine"][0]
    assert (tracks.pixel_size, tracks.frame_interval, len(tracks)) == ((0.5, 0.5), 2.0, CELLS * FRAMES)
    simulated = viewer.add_tracks(rows(4), name="simulated", metadata={"napari-cellsynth": {SHOWN: True}}, **units)
    assert section.sources.sources[-1].side is UNUSED, "simulated tracks are no condition unless the user says so"
    viewer.layers.remove(simulated)
    viewer.add_tracks(rows(2), name="second", **units)
    viewer.add_tracks(rows(3), name="third", **units)
    assert [source.side for source in section.sources.sources] == [FIRST, SECOND, UNUSED]
    choice = section.sources.grid.itemAtPosition(0, 1).widget()
    choice.picked.emit(UNUSED)
    assert list(section.sources.chosen()) == ["second"]
    viewer.layers.remove(one)
    assert [source.name for source in section.sources.sources] == ["second", "third"]


def test_a_shake_is_said_where_it_was_taken_out(moves, qtbot, tmp_path) -> None:
    _, section = moves
    ids, t, y, x = rows().T
    places, stage = (
        np.random.default_rng(7).uniform(0, 200, (CELLS + 1, 2)),
        np.random.default_rng(8).normal(size=(FRAMES, 2)),
    )
    y, x = (column + places[ids.astype(int), n] + 4 * stage[t.astype(int), n] for n, column in enumerate((y, x)))
    write_csv(tmp_path / "a.csv", Tracks(ids.astype(int), t.astype(int), y, x, pixel_size=(0.5, 0.5)))
    section.sources.open_files([tmp_path / "a.csv"])
    section.main.click()
    qtbot.waitUntil(lambda: section.check is not None, timeout=SOON)
    assert "The whole field shook" in section.notes.text() and "\u00b5m a frame" in section.notes.text()
    section.form.shared.setCurrentIndex(1)
    section.form.shared.activated.emit(1)
    assert section.check is None and section.form.settings().shared_motion == "keep"


def test_what_cannot_be_used_is_said(moves, qtbot, tmp_path) -> None:
    _, section = moves
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    section.sources.open_files([tmp_path / "bad.csv"])
    assert "no column" in section.sources.says.text() and not section.sources.sources
    short = table(tmp_path / "a.csv", 0, None)
    section.sources.open_files([short])
    section.form.numbers["max_d"].setValue(30)
    section.main.click()
    qtbot.waitUntil(lambda: "frames given" in section.says.text(), timeout=SOON)
    # The worker says what was wrong before it has ended.
    qtbot.waitUntil(section.work.begin.isEnabled, timeout=SOON)
    assert section.check is None


def test_conditions_are_not_mixed_and_names_go_with_their_tracks(moves, qtbot, tmp_path) -> None:
    _, section = moves
    sources = section.sources
    sources.open_files([table(tmp_path / "a.csv", 0, "control"), table(tmp_path / "b.csv", 1, "drug")])
    sources.grid.itemAtPosition(1, 1).widget().picked.emit(FIRST)
    section.main.click()
    qtbot.waitUntil(lambda: "holds several conditions" in section.says.text(), timeout=SOON)
    assert "'control'" in section.says.text() and "--" not in section.says.text()
    for line in (0, 1):
        sources.grid.itemAtPosition(line, 1).widget().picked.emit(UNUSED)
    assert [name.text() for name in sources.names] == ["", ""]
    sources.grid.itemAtPosition(1, 1).widget().picked.emit(FIRST)
    assert list(sources.chosen()) == ["drug"]
    sources.names[0].setText("mine")
    sources.grid.itemAtPosition(1, 1).widget().picked.emit(UNUSED)
    assert sources.names[0].text() == "mine", "what the user wrote stays"

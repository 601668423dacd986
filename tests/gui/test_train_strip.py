"""The strip of jobs: what it counts, lists and does."""

from __future__ import annotations

from pathlib import Path

import pytest
from qtpy.QtWidgets import QPushButton
from trainings import new_run, trained

from napari_cellsynth.gui import job_view
from napari_cellsynth.gui.job_view import JobRow, JobStrip
from napari_cellsynth.gui.jobs import TrainingProcess
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.train_tab import TrainTab

SOON = 60_000


@pytest.fixture
def strip(make_napari_viewer, cellsynth_home):
    viewer = make_napari_viewer()
    strip = JobStrip(Session.of(viewer))
    viewer.window.add_dock_widget(strip, name="Jobs")
    return strip


def test_jobs_are_counted_and_listed(strip, qtbot, cellsynth_home):
    assert strip.line.text() == "Jobs: none yet"
    trained(cellsynth_home)
    new_run(cellsynth_home, "waiting")
    strip._watch.look_now()
    qtbot.waitUntil(lambda: strip.line.text() == "Jobs: 1 starting · 1 done", timeout=SOON)
    strip.line.setChecked(True)
    assert len(strip._jobs) == 2
    lines = list(strip._jobs)
    rows = [{**row, "step": 7, "bytes": 9_000_000} for row in strip._watch.rows]
    strip._show(rows)
    # The same widgets, so that no button goes away under the mouse.
    assert strip._jobs == lines
    assert "9 MB" in lines[0]._numbers.text()


def test_wishes_of_a_row(strip, qtbot, cellsynth_home, monkeypatch):
    run = trained(cellsynth_home)
    session, asked = strip._session, []
    session.tab_requested.connect(asked.append)
    strip.use(run)
    assert (session.run, asked) == (run, ["use"])
    strip.show_job(run)
    assert asked == ["use", "train"]
    bin_ = []
    monkeypatch.setattr("send2trash.send2trash", lambda path: bin_.append(Path(path)))
    monkeypatch.setattr(job_view, "sure", lambda *_: False)
    strip.delete(run, live=False)
    monkeypatch.setattr(job_view, "sure", lambda *_: True)
    strip.delete(run, live=False)
    qtbot.waitUntil(lambda: bin_ == [run], timeout=SOON)
    qtbot.waitUntil(lambda: session.run is None, timeout=SOON)


def test_a_training_taken_up_from_the_strip_is_followed(strip, qtbot, cellsynth_home):
    run = new_run(cellsynth_home, steps=1_000_000)
    first = TrainingProcess(run)
    first.start()
    qtbot.waitUntil(lambda: first.folder.latest_weights() is not None, timeout=SOON)
    first.ask("stop")
    qtbot.waitUntil(lambda: not first.alive(), timeout=SOON)
    tab = TrainTab(strip._session)
    strip._session.viewer.window.add_dock_widget(tab, name="Train")
    try:
        strip.go_on(run)
        qtbot.waitUntil(lambda: tab.live.state is not None and tab.live.state.state == "running", timeout=SOON)
        assert tab.live.run == run
    finally:
        TrainingProcess(run).cancel()


def test_each_state_offers_what_can_be_done(strip):
    job = {"path": "/x/a", "name": "a", "step": 3, "steps": 9, "since": None, "because": "", "bytes": 1, "weights": "w"}
    offered = {}
    for state in ("running", "paused", "interrupted", "finished", "stopped", "failed", "cancelled", "new"):
        line = JobRow({**job, "state": state}, strip)
        offered[state] = [button.text() for button in line.findChildren(QPushButton)]
    assert {state for state, words in offered.items() if "Go on" in words} == {"interrupted", "stopped", "failed"}
    assert all(("Show" in words) != ("Go on" in words) for words in offered.values())
    assert all({"Use", "Delete…"} <= set(words) for words in offered.values())
    without = JobRow({**job, "state": "running", "weights": None}, strip)
    assert "Use" not in [button.text() for button in without.findChildren(QPushButton)]

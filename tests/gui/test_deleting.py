"""A training is deleted in the same way wherever that is asked for: also one that is at work."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QWidget
from strip_jobs import job
from trainings import new_run, state, trained, until

from napari_cellsynth.engine.control import read_wish
from napari_cellsynth.engine.events import CancelledByUser, Started
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.errors import RunFailed
from napari_cellsynth.gui import deleting, jobs
from napari_cellsynth.gui.deleting import ENDING, Unwanted, end_and_bin, under_way
from napari_cellsynth.gui.job_view import JobStrip
from napari_cellsynth.gui.jobs import Child, TrainingProcess
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.strip_deeds import unwanted
from napari_cellsynth.gui.train_tab import TrainTab

SOON = 120_000
FOREVER = 1_000_000


@pytest.fixture
def session():
    model = ViewerModel()
    session = Session.of(model)
    session.model = model  # kept alive: a session holds its viewer weakly
    return session


@pytest.fixture
def asked(monkeypatch):
    """The questions, all of which are answered with yes."""
    questions = []
    monkeypatch.setattr(deleting, "sure", lambda owner, title, question, do: questions.append(question) or True)
    return questions


@pytest.fixture
def thrown(monkeypatch):
    """What went to the bin; it stays where it is."""
    thrown = []
    monkeypatch.setattr("send2trash.send2trash", lambda path: thrown.append(Path(path)))
    return thrown


@pytest.fixture
def running(cellsynth_home, monkeypatch):
    """A training that is at work."""
    monkeypatch.setattr(jobs, "give_way", lambda pid: None)
    process = TrainingProcess(new_run(cellsynth_home, steps=FOREVER))
    process.start()
    until(lambda: process.folder.state().step > 0, 120)
    yield process
    process.cancel()


def both(session, qtbot, run):
    """The Train tab and the list of jobs, which follow the same training."""
    tab, strip = TrainTab(session), JobStrip(session)
    for widget in (tab, strip):
        qtbot.addWidget(widget)
        widget.show()
    strip.line.setChecked(True)
    session.run = run
    qtbot.waitUntil(lambda: tab.live.state is not None and tab.live.state.state == "running", timeout=SOON)
    qtbot.waitUntil(lambda: [row["state"] for row in strip._watch.jobs] == ["running"], timeout=SOON)
    return tab, strip


@pytest.mark.parametrize("where", ["the Train tab", "the list of jobs"])
def test_a_training_at_work_is_ended_and_goes_to_the_bin(running, session, qtbot, asked, thrown, where):
    run = running.folder.path
    tab, strip = both(session, qtbot, run)
    button = tab.live.delete if where == "the Train tab" else strip.pane.buttons["delete"]
    button.click()
    assert tab.live.health.text() == ENDING or where == "the list of jobs"
    assert under_way(run) == ENDING and not button.isEnabled(), "the window goes on while the process ends"
    qtbot.waitUntil(lambda: session.run is None, timeout=SOON)
    assert asked[0].endswith("to the bin? It is running, and will be ended first.")
    assert thrown == [run] and len(asked) == 1
    assert state(run) == "cancelled"
    until(lambda: not running.starting(), 10)  # its last threads may take a moment
    assert tab.live.run is None and tab.live.isHidden()
    assert not under_way(run)


def test_no_means_no(running, session, qtbot, thrown, monkeypatch):
    tab, strip = both(session, qtbot, running.folder.path)
    monkeypatch.setattr(deleting, "sure", lambda *_: False)
    tab.live.delete.click()
    strip.pane.buttons["delete"].click()
    assert running.alive() and not thrown


def test_one_that_was_taken_up_meanwhile_is_asked_about_once_more(running, session, qtbot, asked, thrown):
    """The list is some seconds old: nothing is ended that was not said to be."""
    owner, said = QWidget(), []
    qtbot.addWidget(owner)
    listed = job("blobs-1", "stopped", path=str(running.folder.path))
    deleting.delete(unwanted(listed), session, owner, turned=lambda: None, said=said.append, failed=said.append)
    qtbot.waitUntil(lambda: bool(said), timeout=SOON)
    assert ["ended first" in question for question in asked] == [False, True]
    assert said == ["blobs-1 is in the bin."]
    until(lambda: not running.alive(), 10)


def test_questions():
    room = unwanted(job("HeLa-1", "finished", bytes=9_000_000)).question()
    assert room == "Move the training HeLa-1 (9 MB) to the bin?"
    there = unwanted(job("HeLa-1", "paused", here=False, host="gpu-2", bytes=None)).question()
    assert there == "Move the training HeLa-1 to the bin? It is paused on gpu-2, and will be ended first."


def test_a_process_that_does_not_end_is_said_and_nothing_is_moved(cellsynth_home, thrown, monkeypatch):
    run = new_run(cellsynth_home)
    hangs = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    monkeypatch.setitem(jobs._CHILDREN, run.resolve(), Child(hangs, time.time()))
    monkeypatch.setattr(jobs, "kill_tree", lambda process: None)
    monkeypatch.setattr(jobs, "POLITE_S", 0.1)
    monkeypatch.setattr(jobs, "CANCEL_S", 0.2)
    monkeypatch.setattr(deleting, "ENDS_S", 0.3)
    try:
        with pytest.raises(RunFailed, match=rf"blobs-1 does not end \(process {hangs.pid}\)"):
            end_and_bin(Unwanted(run, "blobs-1", at_work="running"))
    finally:
        hangs.kill()
        hangs.wait()
    assert not thrown


def elsewhere(home):
    """A training on another computer, which was heard of just now."""
    folder = RunFolder(new_run(home))
    sign = {"host": "gpu-2", "pid": 1, "created": 1.0, "since": time.time() - 60, "step": 7, "time": time.time()}
    folder.append(Started(step=0, steps=60, device="cpu"))
    (folder.path / "alive.json").write_text(json.dumps({**sign, "machine": "other"}))
    assert folder.state().state == "running"
    return folder


def test_one_on_another_computer_is_asked_and_waited_for(cellsynth_home, thrown, monkeypatch):
    folder = elsewhere(cellsynth_home)
    monkeypatch.setattr(deleting, "ENDS_S", 0.5)
    job = Unwanted(folder.path, "blobs-1", at_work="running", host="gpu-2")
    with pytest.raises(RunFailed, match="runs on gpu-2; it was asked to end and will do so soon"):
        end_and_bin(job)
    assert read_wish(folder.path / "control.json").ask == "cancel" and not thrown
    monkeypatch.setattr(deleting, "ENDS_S", 60.0)
    monkeypatch.setattr(jobs.time, "sleep", lambda _: folder.append(CancelledByUser(step=7)))  # it answers
    end_and_bin(job)
    assert thrown == [folder.path]


def test_what_was_ended_and_cannot_be_moved_is_said_to_be_ended(running, monkeypatch):
    def no_bin(path):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("send2trash.send2trash", no_bin)
    with pytest.raises(RunFailed, match=r"blobs-1 was ended, but .* could not be moved to a bin"):
        end_and_bin(Unwanted(running.folder.path, "blobs-1", at_work="running"))
    assert state(running.folder.path) == "cancelled"


def test_the_layer_of_what_is_deleted_goes_too(session, qtbot, cellsynth_home, asked, thrown):
    run = trained(cellsynth_home)
    tab, strip = TrainTab(session), JobStrip(session)
    for widget in (tab, strip):
        qtbot.addWidget(widget)
    session.run = run
    tab.live.watch_in_viewer()
    qtbot.waitUntil(lambda: len(session.viewer.layers) == 1, timeout=SOON)
    strip.deeds.delete(job("blobs-1", "finished", path=str(run)))
    qtbot.waitUntil(lambda: session.run is None, timeout=SOON)
    assert thrown == [run] and len(session.viewer.layers) == 0

"""The Train tab with a real napari and a real training: begin, watch, pause, stop, delete, and find it again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from trainings import SMALL, new_run, training_set, until

from napari_cellsynth.api import RUNS
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui import deleting, jobs, live_view, parts
from napari_cellsynth.gui.forms import SettingsForm
from napari_cellsynth.gui.jobs import TrainingProcess
from napari_cellsynth.gui.live_view import LiveView
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.train_tab import TrainTab
from napari_cellsynth.gui.train_wish import clean_name, free_name
from napari_cellsynth.models import registry
from napari_cellsynth.models.registry import FAMILIES
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.training_sets import kinds

SOON = 120_000


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    """Trainings do not give way: other tests may be at work beside this one."""
    monkeypatch.setattr(jobs, "give_way", lambda pid: None)


@pytest.fixture
def tab(make_napari_viewer, qtbot, cellsynth_home):
    """A Train tab beside a viewer; trainings that it began are ended afterwards."""
    viewer = make_napari_viewer(show=True)
    tab = TrainTab(Session.of(viewer))
    viewer.window.add_dock_widget(tab, name="Train")
    tab.setup.show()
    yield tab
    for run in sorted((cellsynth_home / RUNS).glob("*")):
        TrainingProcess(run).cancel()


def wish_for(tab, steps):
    """Set the form to a training of so many small steps."""
    tab.setup.presets.choose("tiny")
    tab.setup.advanced.head.setChecked(True)
    form = tab.setup.advanced.content
    assert isinstance(form, SettingsForm)
    for name, value in {**SMALL, "steps": steps}.items():
        form.rows[name].line.setText(str(value))


def in_state(tab, state):
    return lambda: tab.live.state is not None and tab.live.state.state == state


def test_without_a_training_set_the_tab_says_what_is_missing(tab, qtbot):
    qtbot.waitUntil(lambda: "no training set" in tab.setup.estimate.text(), timeout=SOON)
    assert not tab.setup.train.isEnabled()
    asked = []
    tab._session.tab_requested.connect(asked.append)
    tab.setup.go_to_movies.click()
    assert asked == ["movies"]


def test_a_set_of_another_kind_says_which_method_takes_it(tab, qtbot, cellsynth_home, monkeypatch):
    other = training_set(cellsynth_home, "others")
    monkeypatch.setattr(kinds, "KINDS", {**kinds.KINDS, "pairs": kinds.KINDS["crops"]})
    monkeypatch.setattr(TrainingSet, "kind", property(lambda data: "pairs"))
    tab._session.training_set = other
    says = tab.setup.summary
    qtbot.waitUntil(lambda: "no method here learns from" in says.text(), timeout=SOON)
    assert "a model that makes new cells learns from single cells" in says.text()
    assert not tab.setup.train.isEnabled()
    twin = replace(FAMILIES["dcgan"], name="twin", data="pairs", task="makes new movies")
    monkeypatch.setattr(registry, "FAMILIES", {**FAMILIES, "twin": twin})
    tab.setup._another_task()
    qtbot.waitUntil(lambda: "choose “makes new movies" in says.text(), timeout=SOON)


def test_without_a_gpu_the_smaller_recommendation_is_chosen_unless_the_user_chose(tab):
    gpu, cpu = ({"device": name, "name": name, "memory": None, "free": None} for name in ("cuda:0", "cpu"))
    setup = tab.setup
    setup.where.show_computer({"devices": [gpu, cpu]})
    setup.device.choose("cuda:0")
    setup.where._another()
    assert setup.presets.chosen().name == "fast"
    setup.device.choose("cpu")
    setup.where._another()
    assert setup.presets.chosen().name == "small"
    setup.where.away.setChecked(True)
    assert setup.presets.chosen().name == "fast", "the other computer may have one"
    setup.where.here.setChecked(True)
    assert setup.presets.chosen().name == "small"
    setup.presets.choose("fast")
    setup.where._another()
    assert setup.presets.chosen().name == "fast", "the user wants it"


def test_a_training_from_the_button_to_the_bin(tab, qtbot, cellsynth_home, monkeypatch):
    session, live = tab._session, tab.live
    viewer = session.viewer
    session.training_set = training_set(cellsynth_home)
    qtbot.waitUntil(lambda: "different cells" in tab.setup.summary.text(), timeout=SOON)
    wish_for(tab, steps=100_000)
    qtbot.waitUntil(lambda: tab.setup.estimate.text().startswith("About "), timeout=SOON)
    assert tab.setup.name.text() == "blobs-1"

    tab.setup.train.click()
    qtbot.waitUntil(lambda: live.pictures.layer is not None, timeout=SOON)
    assert session.run == cellsynth_home / RUNS / "blobs-1"
    (layer,) = viewer.layers
    assert layer.metadata["napari-cellsynth"]["synthetic"] is True
    assert [str(unit) for unit in layer.units] == ["micrometer", "micrometer"]
    first = layer.data.copy()
    qtbot.waitUntil(lambda: (layer.data != first).any(), timeout=SOON)
    assert len(viewer.layers) == 1
    assert live.health.text()
    assert "left" in live.progress_words.text()
    live.curves.head.setChecked(True)
    live.curves.content.draw()
    assert set(live.curves.content._plots) >= {"loss"}

    live.pause.click()
    assert live.health.text() == "Pausing…"
    qtbot.waitUntil(in_state(tab, "paused"), timeout=SOON)
    assert live.go_on.isVisibleTo(live)
    live.go_on.click()
    qtbot.waitUntil(in_state(tab, "running"), timeout=SOON)
    live.stop.click()
    qtbot.waitUntil(in_state(tab, "stopped"), timeout=SOON)
    assert "is kept" in live.health.text()
    asked = []
    session.tab_requested.connect(asked.append)
    live.use.click()
    assert asked == ["use"]

    bin_ = []
    monkeypatch.setattr("send2trash.send2trash", lambda path: bin_.append(Path(path)))
    monkeypatch.setattr(deleting, "sure", lambda *_: False)
    live.delete.click()
    assert bin_ == []
    monkeypatch.setattr(deleting, "sure", lambda *_: True)
    live.delete.click()
    qtbot.waitUntil(lambda: bool(bin_), timeout=SOON)
    assert bin_ == [cellsynth_home / RUNS / "blobs-1"]
    qtbot.waitUntil(lambda: session.run is None, timeout=SOON)
    assert len(viewer.layers) == 0


def test_a_layer_that_the_user_deleted_stays_deleted(tab, qtbot, cellsynth_home):
    run = new_run(cellsynth_home, steps=100_000)
    tab._begin(run)
    qtbot.waitUntil(lambda: tab.live.pictures.layer is not None, timeout=SOON)
    viewer = tab._session.viewer
    viewer.layers.clear()
    qtbot.waitUntil(lambda: not tab.live.pictures.in_viewer.isChecked(), timeout=SOON)
    assert len(viewer.layers) == 0
    tab.live.pictures.in_viewer.click()
    assert len(viewer.layers) == 1


def test_a_training_that_cannot_be_is_refused_in_words(tab, qtbot, cellsynth_home):
    tab._session.training_set = training_set(cellsynth_home)
    qtbot.waitUntil(lambda: tab.setup.train.isEnabled(), timeout=SOON)
    wish_for(tab, steps=0)
    assert not tab.setup.train.isEnabled()
    wish_for(tab, steps=10)
    assert tab.setup.train.isEnabled()
    tab.setup.name.setText(" . ")
    tab.setup.train.click()
    assert "name" in tab.setup._note.text()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_napari_is_killed_and_the_next_one_finds_the_training(tab, qtbot, cellsynth_home):
    run = new_run(cellsynth_home, steps=1_000_000)
    script = f"""
        from pathlib import Path
        import napari
        from qtpy.QtCore import QTimer
        from napari_cellsynth.gui import jobs
        from napari_cellsynth.gui.state import Session
        from napari_cellsynth.gui.train_tab import TrainTab
        jobs.give_way = lambda pid: None
        viewer = napari.Viewer()
        tab = TrainTab(Session.of(viewer))
        viewer.window.add_dock_widget(tab)
        tab._begin(Path({str(run)!r}))
        def look():
            if tab.live.state is not None and tab.live.state.state == "running":
                print("running", flush=True)
        timer = QTimer()
        timer.timeout.connect(look)
        timer.start(100)
        napari.run()
    """
    a = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    assert a.stdout.readline() == "running\n"
    a.send_signal(signal.SIGKILL)
    a.wait()
    assert RunFolder(run).state().state == "running"
    qtbot.waitUntil(in_state(tab, "running"), timeout=SOON)
    assert tab._session.run == run
    tab.live.pause.click()
    qtbot.waitUntil(in_state(tab, "paused"), timeout=SOON)
    tab.live.stop.click()
    qtbot.waitUntil(in_state(tab, "stopped"), timeout=SOON)
    until(lambda: not TrainingProcess(run).alive(), 20)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_killed_training_reads_interrupted_and_goes_on(tab, qtbot, cellsynth_home):
    run = new_run(cellsynth_home, steps=100_000)
    tab._begin(run)
    qtbot.waitUntil(lambda: tab.live._usable, timeout=SOON)
    os.kill(RunFolder(run).state().pid, signal.SIGKILL)
    qtbot.waitUntil(in_state(tab, "interrupted"), timeout=SOON)
    assert "Interrupted since" in tab.live.health.text()
    assert tab.live.use.isVisibleTo(tab.live)
    tab.live.go_on.click()
    qtbot.waitUntil(in_state(tab, "running"), timeout=SOON)


def test_a_training_of_an_example_that_is_over_is_not_taken_up(tab, cellsynth_home, tmp_path):
    session, example = tab._session, tmp_path / "example"
    session.lend_home(example)
    theirs = {"path": str(example / RUNS / "blobs-1"), "state": "running"}
    mine = {"path": str(cellsynth_home / RUNS / "blobs-2"), "state": "running"}
    session.lend_home(None)
    tab._attach([theirs])
    assert session.run is None
    begun = []
    tab.setup.wanted.connect(begun.append)
    tab.setup._created(Path(theirs["path"]))  # written while the example was stopped
    assert begun == []
    tab._attach([theirs, mine])
    assert session.run == Path(mine["path"])


def test_names_of_runs(tmp_path):
    assert free_name(tmp_path / "none", "HeLa") == "HeLa-1"
    (tmp_path / "HeLa-1").mkdir()
    assert free_name(tmp_path, "HeLa") == "HeLa-2"
    assert clean_name(' a/b:c "ü" . ') == "a-b-c -ü-"
    with pytest.raises(BadInput, match="name"):
        clean_name(" . ")


def test_a_foldout_is_made_when_it_is_opened(qtbot):
    made = []
    fold = parts.Foldout("Advanced", lambda: made.append(1) or parts.Sentence("inside"))
    qtbot.addWidget(fold)
    assert made == []
    fold.head.setChecked(True)
    assert made == [1]
    fold.head.setChecked(False)
    fold.clear()
    assert made == [1]
    fold.head.setChecked(True)
    assert made == [1, 1]


def test_a_name_that_was_typed_stays(tab, qtbot, cellsynth_home):
    tab._session.training_set = training_set(cellsynth_home)
    qtbot.waitUntil(lambda: tab.setup.name.text() == "blobs-1", timeout=SOON)
    tab.setup.name.setText("mine")
    tab.setup.refresh()
    qtbot.wait(300)
    assert tab.setup.name.text() == "mine"


def test_no_estimate_disturbs_a_training_that_is_just_starting(tab, cellsynth_home, monkeypatch):
    monkeypatch.setattr(LiveView, "_follow", lambda view, process: None)
    monkeypatch.setattr(live_view, "opened", lambda run, begin, resume: None)
    tab._begin(new_run(cellsynth_home))
    assert tab.setup.estimate.busy
    tab._attach([{"path": "elsewhere", "state": "new"}])
    assert tab.setup.estimate.busy
    tab.live._complain(OSError("it could not begin"))
    tab._attach([])
    assert not tab.setup.estimate.busy


def test_no_estimate_disturbs_a_training_unasked(tab, qtbot, cellsynth_home):
    tab.setup.set_busy(True)
    tab._session.training_set = training_set(cellsynth_home)
    qtbot.waitUntil(lambda: "Try anyway" in tab.setup.estimate.text(), timeout=SOON)
    qtbot.wait(1000)
    assert tab.setup.estimate.worker is None
    tab.setup.estimate.linkActivated.emit("try")
    assert tab.setup.estimate.worker is not None
    tab.setup.estimate.stop()

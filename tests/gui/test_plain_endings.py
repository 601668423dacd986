"""What is said of trainings that were tests, were killed early, or have gone on since; which layer stays."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from napari.components import ViewerModel
from strip_jobs import job
from test_train_words import story

from napari_cellsynth.engine.history import History
from napari_cellsynth.engine.run_folder import RunState
from napari_cellsynth.engine.words import Things
from napari_cellsynth.gui import strip_words
from napari_cellsynth.gui.job_view import JobStrip
from napari_cellsynth.gui.jobs import News
from napari_cellsynth.gui.live_view import LiveView, Plan
from napari_cellsynth.gui.live_words import verdict
from napari_cellsynth.gui.morph_pane import MorphPane
from napari_cellsynth.gui.runs_watch import RunsWatch
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.strip_endings import Ending
from napari_cellsynth.gui.strip_offers import buttons, tip
from napari_cellsynth.gui.train_tab import TrainTab
from napari_cellsynth.gui.use_tab import about
from napari_cellsynth.gui.where import Where


@pytest.fixture
def model():
    return ViewerModel()


@pytest.fixture
def live(qtbot, model):
    """A view that follows a training which was only told of."""
    view = LiveView(Session.of(model))
    qtbot.addWidget(view)
    view.process = SimpleNamespace(ask=lambda what: None, folder=SimpleNamespace(name="a", path=None))
    return view


def look(view, state, usable=False):
    view._news(News((), RunState(state, 10, 100), usable=usable))


def test_a_quick_test_does_not_look_like_a_success():
    learned = story([9, 6, 4], [0.9, 0.9, 0.9])
    short = verdict(RunState("finished", 200, 200), learned, True, "tiny")
    assert short.level == "quiet"
    assert "not for results" in short.sentence and "could not be judged" in short.sentence
    test = verdict(RunState("finished", 1000, 1000), learned, True, "tiny")
    assert "not for results" in test.sentence and "judged" not in test.sentence
    assert verdict(RunState("finished", 1000, 1000), learned, True, "paper").level == "good"
    assert about(job(state="finished")).endswith("Quick test: not for results.")
    assert "test" not in about(job(state="finished", preset="paper"))


def test_the_preset_is_known_to_the_view_that_follows(live):
    look(live, "finished", usable=True)
    live._know(Plan(25, "tiny", Things("cell", "cells")))
    assert "not for results" in live.health.text()
    assert live.use.text() == "Use it"


def test_what_had_not_been_saved_starts_from_0(live):
    gone = RunState("interrupted", 40, 100, because="it was killed")
    assert "Resume starts from 0: nothing had been saved yet." in verdict(gone, History(), usable=False).sentence
    look(live, "interrupted")
    assert live.go_on.text() == "Resume" and "starts from 0" in live.go_on.toolTip()
    look(live, "interrupted", usable=True)
    assert "saved last" in live.go_on.toolTip() and live.use.text() == "Use as it is"
    never = job(state="interrupted", because="it was killed", weights=None, weights_step=0, kept=None)
    assert "Resume starts from 0" in strip_words.sentence(never) and "starts from 0" in tip("take_up", never)
    saved = job(state="interrupted", because="it was killed")
    assert "Last saved " in strip_words.sentence(saved) and "from step 300" in strip_words.sentence(saved)
    assert "from step 300" in tip("take_up", saved)


def test_one_deed_has_one_name(live):
    look(live, "paused")
    assert live.go_on.text() == "Resume"
    assert "use_done" in buttons(job(state="finished")) and "use" in buttons(job(state="stopped"))


def test_each_end_is_counted_by_its_name():
    ends = [job("a", "finished"), job("b", "stopped"), job("c", "stopped")]
    assert strip_words.summary(ends) == "Jobs: 1 finished · 2 stopped"


def test_an_end_is_said_no_more_once_it_went_on(live):
    said, withdrawn = [], []
    live._session.message.connect(said.append)
    live._session.message_withdrawn.connect(withdrawn.append)
    live.title.setText("a")
    for state in ("running", "interrupted"):
        look(live, state)
    assert said == ["a: interrupted."] and withdrawn == []
    look(live, "running")
    assert withdrawn == ["a: interrupted."]


def test_the_note_of_what_ended_while_closed_goes_when_it_goes_on(qtbot, model, monkeypatch):
    monkeypatch.setattr(RunsWatch, "_seen", lambda self, seen: None)
    strip = JobStrip(Session.of(model))
    qtbot.addWidget(strip)
    broken = job(state="interrupted")
    strip._tell([Ending(broken, while_closed=True)])
    strip._list([broken])
    assert strip.note.text().startswith("Interrupted while napari was closed")
    strip._list([job(state="running")])
    assert strip.note.text() == ""


def test_after_reopening_the_one_that_runs_is_shown(qtbot, model, monkeypatch):
    monkeypatch.setattr(RunsWatch, "_seen", lambda self, seen: None)
    monkeypatch.setattr(TrainTab, "_show", lambda self, run: None)
    tab = TrainTab(Session.of(model))
    qtbot.addWidget(tab)
    tab._attach([job("waits", "paused"), job("works", "running")])
    assert tab._session.run == Path(job("works")["path"])


def test_the_devices_are_looked_for_in_words(qtbot):
    where = Where()
    qtbot.addWidget(where)
    assert where.device.currentText() == "looking…" and where.device.value == "auto"
    where.show_unknown(OSError())
    assert where.device.currentText() == "the best device" and where.device.value == "auto"


def test_a_morph_stays_when_another_model_is_chosen(qtbot, model):
    import numpy as np

    from napari_cellsynth.gui.preview_layer import PreviewLayer

    pane = MorphPane(Session.of(model), None)
    qtbot.addWidget(pane)
    pane.set_run(Path("one"))
    pane._layer = PreviewLayer(model, "morph · one (synthetic)")
    pane._layer.show(np.zeros((1, 8, 8), np.float32))
    pane.set_run(Path("two"))
    assert [layer.name for layer in model.layers] == ["morph · one (synthetic)"]
    assert "morph · one (synthetic)” stays" in pane.note.text()
    pane.set_run(Path("two"))
    assert "stays" in pane.note.text(), "said as long as nothing else is"

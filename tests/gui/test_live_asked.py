"""What a training was asked in the Train tab, and has not answered yet."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from napari.components import ViewerModel

from napari_cellsynth.engine.run_folder import RunState
from napari_cellsynth.gui import deleting, live_view
from napari_cellsynth.gui.jobs import News
from napari_cellsynth.gui.live_view import LiveView
from napari_cellsynth.gui.state import Session


@pytest.fixture
def live(qtbot):
    """A view that follows a running training, whose process hears what it is asked and says nothing."""
    model = ViewerModel()
    view = LiveView(Session.of(model))
    qtbot.addWidget(view)
    view.model = model  # kept alive: a session holds its viewer weakly
    view.process = SimpleNamespace(ask=lambda what: None, folder=SimpleNamespace(name="a", path=None))
    look(view, "running")
    return view


def look(view, state, usable=False):
    view._news(News((), RunState(state, 10, 100, seconds_left=7200.0), usable=usable))


def test_the_first_saved_state_is_no_answer(live):
    live._stop()
    look(live, "running", usable=True)
    assert live.health.text().startswith("Stopping") and not live.stop.isEnabled()
    look(live, "stopped", usable=True)
    assert "kept" in live.health.text()


def test_where_no_answer_comes_one_may_ask_again(live, monkeypatch):
    live._ask("pause", "Pausing…")
    look(live, "running")
    assert not live.pause.isEnabled()
    monkeypatch.setattr(live_view, "PATIENCE_S", 0.0)
    monkeypatch.setattr(live_view, "DRAW_S", -1.0)
    look(live, "running")
    assert live.pause.isEnabled() and live.health.text() != "Pausing…"


def test_what_goes_to_the_bin_is_not_offered_to_go_on(live, monkeypatch):
    live._run = Path("a")
    monkeypatch.setattr(deleting, "_UNDER_WAY", {Path("a"): deleting.ENDING})
    look(live, "cancelled", usable=True)
    assert live.health.text() == deleting.ENDING
    assert not live.go_on.isEnabled() and not live.delete.isEnabled()


def test_the_time_left_is_that_of_the_list_of_jobs(live):
    assert live.progress_words.text().endswith("2 h left")

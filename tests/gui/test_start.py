"""The Start tab: tasks that play on an example and can be stopped, recent jobs, this computer, the home asked once."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog
from test_dock_look import FOUND, job
from trainings import SMALL, blobs, new_run

from napari_cellsynth import api
from napari_cellsynth.engine.journey import Journey as OfFamily
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.gui import journey_steps, start_computer, state, this_computer
from napari_cellsynth.gui.dock import show_dock
from napari_cellsynth.gui.home_question import HomeQuestion
from napari_cellsynth.gui.journeys import Journey, Step, conditions
from napari_cellsynth.gui.layers import layers_for
from napari_cellsynth.gui.runs_watch import RunsWatch
from napari_cellsynth.gui.start_recent import in_words
from napari_cellsynth.models import registry

SOON = 60_000


def example() -> list[Any]:
    """A movie and its outlines, as examples come."""
    movie, labels = blobs()
    return [*layers_for(movie.with_(name="example movie, discs")), *layers_for(labels, kind="labels")]


@pytest.fixture
def dock(make_napari_viewer, monkeypatch):
    """The dock at Start, with an example that takes no time."""
    monkeypatch.setattr(this_computer, "_HERE", this_computer.Computer(FOUND))
    monkeypatch.setitem(journey_steps.EXAMPLES, "neutrophils_normal", (example, "discs that drift"))
    monkeypatch.setattr("napari_cellsynth.gui.journeys.LOOK", 0.0)
    return show_dock(make_napari_viewer(show=True), "start")


def task(dock: Any, words: str) -> Any:
    return next(row for row in dock.tab("start").tasks.rows if row.journey.task == words)


def played(dock: Any, qtbot: Any, row: Any, timeout: int = 10 * SOON) -> tuple[list[str], list[tuple[str, str]]]:
    """Sentences and the end of a journey that is played to its end."""
    told: list[str] = []
    ended: list[tuple[str, str]] = []
    dock.player.told.connect(lambda words, *_: told.append(words))
    dock.player.ended.connect(lambda *how: ended.append(how))
    row.show_me.click()
    assert dock.player.playing and dock.journey_bar.isVisibleTo(dock)
    qtbot.waitUntil(lambda: bool(ended), timeout=timeout)
    return told, ended


# -- journeys --------------------------------------------------------------------------------------------------------


def test_tasks_are_those_of_the_families_and_those_without_training(dock):
    tasks = [row.journey.task for row in dock.tab("start").tasks.rows]
    assert tasks == [
        "Make new cells",
        "Morph between cells",
        "Simulate a labelled movie",
        "Find cells with no training",
        "Is a movie fit for use?",
    ]


def test_a_later_family_brings_its_journey_itself(dock, monkeypatch):
    brings = OfFamily("Predict next frames", "What comes next.", "sample", "honest", "yeast_calm", quick={"steps": 3})
    later = replace(registry.FAMILIES["dcgan"], name="later", title="Later", data="clips", journeys=(brings,))
    monkeypatch.setattr(registry, "FAMILIES", {**registry.FAMILIES, "later": later})
    found = {journey.task: journey for journey in journey_steps.journeys()}
    assert "Predict next frames" in found
    stage = journey_steps.Stage(dock, Path(), {})
    words = journey_steps.words_of(found["Predict next frames"].steps(stage))
    assert words[0].startswith("An example movie: budding yeast")
    assert words[1].startswith("Short clips") and "Later, 3 steps" in words[2]


def test_every_step_of_every_journey_has_words_or_follows_one_that_has(dock):
    stage = journey_steps.Stage(dock, Path(), {})
    for journey in journey_steps.journeys():
        steps = journey.steps(stage)
        assert steps[0].words
        assert all(words[0].isupper() and not words.endswith(".") for words in journey_steps.words_of(steps))


def test_steps_are_played_in_order_each_waiting_for_the_one_before():
    done: list[str] = []
    there = {"ready": False, "until": False}
    steps = [
        Step("One", partial(done.append, "one"), lambda: there["until"], lambda: there["ready"], 0.0, "first"),
        Step("", partial(done.append, "two"), look=0.0),
    ]
    told: list[Any] = []
    looked: list[str] = []
    script = conditions(steps, lambda *what: told.append(what), looked.append)
    ready = next(script)
    assert told == [("One", 1, 1)] and not done and not ready()
    until = next(script)
    assert done == ["one"] and not until()
    next(script)
    next(script)
    assert looked == ["first"]
    next(script)
    assert done == ["one", "two"]


@pytest.mark.timeout(600)
def test_cells_are_found_on_the_example_and_the_viewer_is_given_back(dock, qtbot):
    session, viewer = dock.session, dock.session.viewer
    own = viewer.add_image(np.zeros((2, 8, 8)), name="mine")
    session.movie = own
    home = session.home
    told, ended = played(dock, qtbot, task(dock, "Find cells with no training"))
    assert ended[0][0] == "end" and "errors" in ended[0][1]
    assert len(told) == 3
    assert "cells found" in session.outlines.name and session.home == home
    # Opened, and chosen, before the button is pressed: no example has made these.
    later = viewer.add_image(np.zeros((3, 8, 8)), name="mine, too")
    session.movie = later
    session.training_set = home / "my set"
    dock.journey_bar.now.click()
    assert [layer.name for layer in viewer.layers] == ["mine", "mine, too"]
    assert session.movie is later and session.training_set == home / "my set"
    assert dock.shown == "movies" and not dock.journey_bar.isVisibleTo(dock)


def test_what_was_worked_on_before_an_example_is_worked_on_again(dock, monkeypatch):
    session, viewer = dock.session, dock.session.viewer
    for name in ("first", "mine"):
        viewer.add_image(np.zeros((2, 8, 8)), name=name)
    session.movie = viewer.layers["mine"]
    row = task(dock, "Find cells with no training")
    dock.player.play(replace(row.journey, steps=lambda stage: [journey_steps.Step("", lambda: None, look=60.0)]))
    example = viewer.add_image(np.zeros((2, 8, 8)), name="example")
    session.movie = example
    dock.player.stop()
    dock.player.clear_away()
    assert [layer.name for layer in viewer.layers] == ["first", "mine"]
    assert session.movie.name == "mine"


@pytest.mark.timeout(600)
def test_a_moving_stage_is_found_and_steadied(dock, qtbot):
    _, ended = played(dock, qtbot, task(dock, "Is a movie fit for use?"))
    assert ended[0][0] == "end"
    assert "stabilised" in dock.session.movie.name
    assert not list(dock.session.home.rglob("*")), "an example writes nothing to the user's folder"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_new_cells_and_a_morph_are_shown_with_a_small_model(dock, qtbot, monkeypatch, cellsynth_home):
    quick = {**SMALL, "steps": 20}
    known = registry.FAMILIES["dcgan"]
    shown = tuple(replace(journey, quick=quick) for journey in known.journeys)
    monkeypatch.setattr(registry, "FAMILIES", {"dcgan": replace(known, journeys=shown)})
    dock.tab("start").tasks.rows[0].journey = journey_steps.journeys()[0]
    first, morph = journey_steps.journeys()[:2]
    for journey, layer in ((first, "generated"), (morph, "morph")):
        ended: list[Any] = []
        dock.player.ended.connect(lambda *how, ended=ended: ended.append(how))
        dock.session.journey_requested.emit(journey)
        qtbot.waitUntil(lambda ended=ended: bool(ended), timeout=6 * SOON)
        assert ended[0][0] == "end", ended
        assert any(layer in found.name for found in dock.session.viewer.layers)
    assert not (cellsynth_home / api.RUNS).exists(), "an example writes nothing to the user's folder"
    run = dock.session.run
    assert run is not None and RunFolder(run).state().state == "finished"


@pytest.mark.timeout(600)
def test_a_journey_can_be_stopped_at_any_time(dock, qtbot):
    ended: list[Any] = []
    dock.player.ended.connect(lambda *how: ended.append(how))
    home = dock.session.home
    row = task(dock, "Find cells with no training")
    for wait in (0, 120, 700):
        ended.clear()
        row.show_me.click()
        assert dock.session.home != home
        qtbot.wait(wait)
        dock.journey_bar.stop.click()
        assert ended == [("stopped", "Stopped.")] and not dock.player.playing
        assert dock.session.home == home
    qtbot.wait(300)
    dock.session.viewer.add_image(np.zeros((4, 4)))  # napari goes on


def test_a_step_that_fails_is_said(dock, qtbot):
    def broken() -> None:
        raise ValueError("the example broke")

    failing = Journey("Break", "", lambda stage: [Step("It breaks", broken)], "never")
    ended: list[Any] = []
    dock.player.ended.connect(lambda *how: ended.append(how))
    dock.session.journey_requested.emit(failing)
    qtbot.waitUntil(lambda: bool(ended), timeout=SOON)
    assert ended[0][0] == "failed" and "the example broke" in dock.journey_bar.says.text()
    assert dock.journey_bar.close_it.isVisibleTo(dock)


# -- recent ----------------------------------------------------------------------------------------------------------


def test_recent_jobs_open_where_they_are_followed_or_used(dock, monkeypatch, tmp_path):
    rows = [job(tmp_path, "a", state="finished"), job(tmp_path, "b", weights=None, state="failed")]
    recent = dock.tab("start").recent
    recent._show(rows)
    assert recent.lines[0].isVisibleTo(dock) and not recent.lines[2].isVisibleTo(dock)
    asked: list[str] = []
    dock.session.tab_requested.connect(asked.append)
    dock.session.tab_requested.disconnect(dock.show_tab)
    recent.lines[0].click()
    recent.lines[1].click()
    assert asked == ["use", "train"] and dock.session.run == Path(rows[1]["path"])
    recent._show([])
    assert recent.nothing.isVisibleTo(dock)


def test_recent_jobs_are_in_words(tmp_path):
    assert in_words(job(tmp_path, "HeLa-1")) == "● HeLa-1 · training, 10 %"
    assert in_words(job(tmp_path, "HeLa-1", state="finished", since=None)) == "✓ HeLa-1 · finished"


def test_the_watch_sees_what_an_example_trains_and_what_the_user_has(dock, tmp_path):
    dock.session.lend_home(tmp_path)
    assert dock.session.home == tmp_path and len(dock.session.homes) == 2
    assert RunsWatch.of(dock.session, dock) is not None
    dock.session.lend_home(None)
    assert dock.session.homes == (dock.session.home,)


# -- this computer ---------------------------------------------------------------------------------------------------


def test_this_computer_is_said_in_a_sentence_and_asked_of_a_process(dock, qtbot, monkeypatch):
    assert start_computer.computer(FOUND).endswith("40 of 64 GB memory free")
    monkeypatch.setattr(this_computer, "_HERE", this_computer.Computer())

    def look() -> Any:
        yield None
        return dict(FOUND)

    monkeypatch.setattr(this_computer, "look", look)
    computer = start_computer.ThisComputer(dock.session)
    dock.tab("start").rows.addWidget(computer)
    computer._soon.setInterval(1)
    assert computer.device.text() == "Looking at this computer…"
    computer.show()
    qtbot.waitUntil(lambda: computer.device.text().startswith("Trains on: "), timeout=SOON)
    assert "CPU build" in computer.advice.text()
    computer.details.head.click()
    assert "torch 2.9+cpu" in computer.details.content.text()


def test_room_is_that_of_the_disk_of_a_folder_that_is_not_there_yet(tmp_path):
    assert start_computer.room(tmp_path / "a" / "b") == pytest.approx(start_computer.room(tmp_path), rel=0.05)


def test_the_variable_goes_before_a_choice(dock, monkeypatch):
    computer = dock.tab("start").computer
    computer._say_home()
    assert not computer.change.isEnabled()
    monkeypatch.delenv("CELLSYNTH_HOME")
    computer._say_home()
    assert computer.change.isEnabled()


# -- the home, asked once --------------------------------------------------------------------------------------------


@pytest.fixture
def nobody_said(monkeypatch, tmp_path):
    monkeypatch.delenv("CELLSYNTH_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    preferences = SimpleNamespace(folders=SimpleNamespace(home=""))
    monkeypatch.setattr(state, "plugin_settings", lambda: preferences)
    return tmp_path


def test_the_home_is_asked_for_once_and_what_waits_goes_on(dock, qtbot, nobody_said):
    done: list[str] = []
    question = HomeQuestion(dock.session)
    qtbot.addWidget(question)
    question.before(lambda: done.append("first"))
    assert not done and not question.isHidden()
    assert "~/CellSynth" in question.says.text()
    question.keep.click()
    assert done == ["first"] and question.isHidden()
    assert api.home_is_chosen() and api.home() == nobody_said / "CellSynth"
    question.before(lambda: done.append("second"))
    assert done == ["first", "second"]
    assert state.plugin_settings().folders.home == str(nobody_said / "CellSynth"), "napari's preferences know, too"


def test_what_stands_in_naparis_preferences_is_kept_for_the_shell(dock, nobody_said):
    state.plugin_settings().folders.home = str(nobody_said / "told napari")
    assert dock.session.home == nobody_said / "told napari" == api.home()
    assert dock.session.home_is_chosen
    state._preference_changed(SimpleNamespace(value=str(nobody_said / "another")))
    assert api.home() == dock.session.home == nobody_said / "another"


def test_another_home_is_chosen_for_the_shell_too(dock, qtbot, nobody_said, monkeypatch):
    question = HomeQuestion(dock.session)
    qtbot.addWidget(question)
    done: list[Path] = []
    question.before(lambda: done.append(dock.session.home))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    question.change.click()
    assert not done, "the user took it back"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(nobody_said / "disk"))
    question.change.click()
    assert done == [nobody_said / "disk"] == [api.home()]


def test_train_and_movies_ask_before_they_write(dock, qtbot, nobody_said, monkeypatch):
    maker = dock.tab("movies").training_set.maker
    wanted: list[bool] = []
    maker.wanted.disconnect()
    maker.wanted.connect(lambda: wanted.append(True))
    maker.make.setEnabled(True)
    maker.make.click()
    assert not wanted and not maker.home_question.isHidden()
    setup = dock.tab("train").setup
    setup.train.setEnabled(True)
    setup.train.click()
    assert not setup.home_question.isHidden()
    maker.home_question.keep.click()
    assert wanted == [True]


# -- the live view ---------------------------------------------------------------------------------------------------


def test_a_training_without_saved_weights_says_from_when_on_it_can_be_used(dock, qtbot):
    live = dock.tab("train").live
    live.show_run(new_run(dock.session.home, checkpoint_every=25))
    qtbot.waitUntil(lambda: live.state is not None and live._first_saved == 25, timeout=SOON)
    live.state = replace(live.state, state="running")
    live._buttons()
    assert "from step 25 on" in live.later.text() and live.use.isHidden()
    live._usable = True
    live._buttons()
    assert not live.later.text() and not live.use.isHidden()

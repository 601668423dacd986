"""What the section says before anything is made: one plan at a time, cells of the whole study, looks as made."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dask.array as da
import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, QRect
from qtpy.QtWidgets import QLabel, QPushButton, QWidget

from napari_cellsynth.errors import RunFailed
from napari_cellsynth.gui import jobs, planning, preparing, set_maker
from napari_cellsynth.gui.dock import CellSynthDock, holder_of, show_dock
from napari_cellsynth.gui.hand_over import Given, held
from napari_cellsynth.gui.kind_panes import ClipsPane, Examples
from napari_cellsynth.gui.layers import add_stack
from napari_cellsynth.gui.parts import Sentence
from napari_cellsynth.gui.planning import key_of
from napari_cellsynth.gui.preparing import JOBS, PreparingJob
from napari_cellsynth.gui.set_maker import Order, SetMaker
from napari_cellsynth.gui.state import Session
from napari_cellsynth.stack.clips.make import make_clips
from napari_cellsynth.stack.clips.settings import ClipSettings
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.recording import recordings_of
from napari_cellsynth.stack.recordings.row import Row
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.training_sets.fit import Looked, look_through
from napari_cellsynth.stack.training_sets.kinds import open_training_set

PATIENCE = 60_000


@pytest.fixture
def viewer(plugins: Any, make_napari_viewer_proxy: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(jobs, "NICE", 0)  # beside other tests it would wait for them all
    return make_napari_viewer_proxy()


@pytest.fixture
def dock(viewer: Any) -> CellSynthDock:
    return show_dock(viewer)


def discs(name: str, frames: int = 20) -> tuple[Stack, Stack]:
    """Four discs; one of them only in the frame before the last two, one at the border."""
    y, x = np.mgrid[:96, :96]
    labels = np.zeros((frames, 96, 96), np.uint16)
    for number, (cy, cx) in enumerate([(24, 24), (24, 72), (72, 24), (72, 90)], start=1):
        labels[:, (y - cy) ** 2 + (x - cx) ** 2 < 9**2] = number
    noise = np.random.default_rng(len(name)).integers(0, 50, labels.shape)
    known: dict[str, Any] = {"pixel_size": (0.2, 0.2), "frame_interval": 60.0}
    movie = Stack((100 * (labels > 0) + noise).astype(np.uint16), "TYX", name=name, **known)
    return movie, movie.with_(data=labels, name=f"cells of {name}")


def study_of(viewer: Any, dock: CellSynthDock, *names: str) -> Any:
    for name in names:
        movie, labels = discs(name)
        dock.session.movie = add_stack(viewer, movie)
        dock.session.outlines = add_stack(viewer, labels, kind="labels")
    return dock.tab("movies").training_set


def counted(qtbot: QtBot, section: Any) -> Any:
    qtbot.waitUntil(lambda: section.settled and section.enough.census is not None, timeout=PATIENCE)
    return section.enough.census


# -- enough? ---------------------------------------------------------------------------------------------------------


def test_enough_counts_all_movies_of_the_study(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    section = study_of(viewer, dock, "a", "bb", "ccc")
    for number, role in enumerate(("train", "train", "test")):
        dock.session.study.set(number, "split", role)
    qtbot.waitUntil(lambda: counted(qtbot, section).recordings == 3, timeout=PATIENCE)
    qtbot.waitUntil(lambda: section.enough.words.text().startswith("Enough?  6 different cells"), timeout=PATIENCE)
    assert section.enough.fewer.text() == (
        "12 different cells are outlined in 3 movies, 9 will be in the set: 3 refused (touches the border of the"
        " image); 6 of them to learn from."
    )
    section.maker.make.click()
    qtbot.waitUntil(lambda: section.maker.then.isVisibleTo(section), timeout=PATIENCE)
    assert open_training_set(dock.session.training_set).record["report"]["cells"] == 9
    qtbot.waitUntil(lambda: "9 are in the set" in section.enough.fewer.text(), timeout=PATIENCE)
    assert "6 different cells" in section.maker.says.text().partition("Enough?")[2]


def test_why_is_for_whoever_knows_cells_and_the_numbers_are_one_click_further(
    qtbot: QtBot, viewer: Any, dock: CellSynthDock
) -> None:
    section = study_of(viewer, dock, "a")
    counted(qtbot, section)
    assert not section.enough.why.isVisibleTo(section) and not section.enough.ask_numbers.isVisibleTo(section)
    section.enough.ask_why.click()
    assert section.enough.why.isVisibleTo(section) and not section.enough.numbers.isVisibleTo(section)
    why = section.enough.why.text()
    assert "DCGAN" not in why and "3 cells are fewer than any we tried" in why
    section.enough.ask_numbers.click()
    assert section.enough.numbers.isVisibleTo(section) and "DCGAN" in section.enough.numbers.text()
    section.enough.ask_why.click()
    assert not section.enough.why.isVisibleTo(section) and not section.enough.numbers.isVisibleTo(section)


def test_painted_cells_are_counted_anew(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    section = study_of(viewer, dock, "a")
    assert counted(qtbot, section).outlined == 4
    dock.session.outlines.data[:, 40:52, 44:54] = 9
    dock.session.outlines.events.paint(value=[])
    qtbot.waitUntil(lambda: section.enough.census is not None and section.enough.census.outlined == 5, timeout=PATIENCE)


# -- plans -----------------------------------------------------------------------------------------------------------


def test_plans_are_worked_out_one_at_a_time_the_newest_last(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    section = study_of(viewer, dock, "a")
    counted(qtbot, section)
    plan, go, at_work, begun = section.pane.plan, threading.Event(), [0], []

    def slow(recordings: Any, settings: Any) -> Any:
        at_work[0] += 1
        begun.append((settings.box_px, at_work[0]))
        go.wait(20)
        at_work[0] -= 1
        return plan(recordings, settings)

    section.pane.plan = slow
    section.pane.unit.choose("px")
    for box in (21, 22, 23, 24):
        section.pane.box.setText(str(box))
        section.replan()
        qtbot.wait(30)
    assert begun == [(21, 1)] and not section._settle.isActive()
    go.set()
    qtbot.waitUntil(lambda: section.plan is not None and section.plan.settings.box_px == 24, timeout=PATIENCE)
    assert begun == [(21, 1), (24, 1)]


def test_files_are_not_opened_again_for_another_box(
    qtbot: QtBot, viewer: Any, dock: CellSynthDock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a layer whose axes stand in another order a new view is made each time."""
    movie, labels = discs("a")
    turned = viewer.add_image(np.moveaxis(movie.data, 0, -1), name="turned", axis_labels=("y", "x", "t"))
    outlines = viewer.add_labels(np.moveaxis(labels.data, 0, -1), axis_labels=("y", "x", "t"))
    dock.session.movie, dock.session.outlines = turned, outlines
    section = dock.tab("movies").training_set
    counted(qtbot, section)
    qtbot.wait(1200)  # the cells of the movie are counted
    counted(qtbot, section)
    opened, open_them = [], planning.recordings_here
    monkeypatch.setattr(planning, "recordings_here", lambda *given: opened.append(1) or open_them(*given))
    for box in (24, 26):
        section.pane.unit.choose("px")
        section.pane.box.setText(str(box))
        section.replan()
        qtbot.waitUntil(
            lambda box=box: section.plan is not None and section.plan.settings.box_px == box, timeout=PATIENCE
        )
    assert opened == []
    section.gap.setValue(2)
    qtbot.waitUntil(lambda: bool(opened), timeout=PATIENCE)


def test_what_a_layer_is_known_by(viewer: Any, tmp_path: Path) -> None:
    def key(layer: Any) -> Any:
        return key_of(Given(None, held(layer)))

    values = np.zeros((20, 24, 5), np.uint8)
    turned = add_stack(viewer, Stack(np.zeros((5, 20, 24), np.uint8), "TYX", name="a"))
    before = key(turned)
    assert key(turned) == before
    turned.data = np.ones((5, 20, 24), np.uint8)
    assert key(turned) != before
    lazy = viewer.add_image(da.from_array(values), axis_labels=("y", "x", "t"))
    before = key(lazy)
    assert key(lazy) == before
    lazy.data = lazy.data + 1
    assert key(lazy) != before
    file = tmp_path / "m.tif"
    file.write_bytes(b"1")
    given = Given(Row.model_validate({"file": file}))
    before = key_of(given)
    assert key_of(given) == before
    os.utime(file, ns=(1, 1))
    assert key_of(given) != before


def test_what_was_said_of_another_plan_is_not_shown(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    section = study_of(viewer, dock, "a")
    pane = section.pane
    counted(qtbot, section)
    assert pane.becomes.text() and pane.box.placeholderText()[0].isdigit()
    pane.unit.setCurrentIndex(1 - pane.unit.currentIndex())
    pane.unit.picked.emit(pane.unit.value)
    assert (pane.box.placeholderText(), pane.becomes.text()) == ("fits", "")
    counted(qtbot, section)
    assert pane.becomes.text()
    pane.box.setText("wide")
    section.replan()
    assert (pane.box.placeholderText(), pane.becomes.text(), section.enough.words.text()) == ("fits", "", "")
    section.choose("clips")
    for name, value in {"frames": 3, "size": 32}.items():
        section.pane.form.rows[name].line.setText(str(value))
    qtbot.waitUntil(lambda: "possible" in section.pane.says.text(), timeout=PATIENCE)
    section.pane.changed.emit()
    assert "possible" not in section.pane.says.text()


# -- looks -----------------------------------------------------------------------------------------------------------


def test_clips_are_looked_at_as_they_are_made(qtbot: QtBot, tmp_path: Path) -> None:
    """Without frames that the report on fitness calls unfit."""
    movie, _ = discs("a", 40)
    values = np.asarray(movie.data).copy()
    values[12] = 0
    by_time = HoldOut(by="time", validation_fraction=0.0, test_fraction=0.2, gap=3)
    recordings = recordings_of([movie.with_(data=values)], by_time)
    settings = ClipSettings(frames=3, size=32, min_content=0)
    pane = ClipsPane()
    qtbot.addWidget(pane)
    assert any(clip.t0 <= 12 < clip.t0 + 3 for clip in pane.plan(recordings, settings).clips)
    *news, shown = pane.examples(recordings, settings, 0)
    assert shown.is_sheet and any("of" in each for each in news)
    clips = pane.plan(recordings, settings).clips
    assert not any(clip.t0 <= 12 < clip.t0 + 3 for clip in clips)
    (looked,) = (one for one in look_through(recordings) if isinstance(one, Looked))
    *_, report = make_clips(looked.recordings, tmp_path / "set", settings)
    assert f"{len(clips)} clips are possible" in shown.words
    assert report.made == len(clips)
    assert len(list(pane.examples(recordings, settings, 1))) < len(news)  # they are not looked through again


# -- closing, and failing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_the_cross", [False, True])
def test_a_set_is_made_though_the_dock_closes_while_pixels_are_written(
    qtbot: QtBot, viewer: Any, dock: CellSynthDock, monkeypatch: pytest.MonkeyPatch, by_the_cross: bool
) -> None:
    """Before the process begins, and with a dock that is opened again meanwhile."""
    go, hand_over = threading.Event(), set_maker.hand_over_movies

    def slow(*given: Any, **more: Any) -> Iterator[Any]:
        while not go.wait(0.05):
            yield SimpleNamespace(done=0, total=1, message="writing")
        return (yield from hand_over(*given, **more))

    monkeypatch.setattr(set_maker, "hand_over_movies", slow)
    section = study_of(viewer, dock, "a")
    counted(qtbot, section)
    out = section.maker.out()
    section.maker.make.click()
    says = section.maker.says
    qtbot.waitUntil(lambda: "Writing" in says.text(), timeout=PATIENCE)
    if by_the_cross:
        holder_of(dock).destroyOnClose()
    else:
        viewer.window.remove_dock_widget(dock)
    dock.deleteLater()
    del dock, section  # nobody holds it
    qtbot.wait(300)
    again = show_dock(viewer).tab("movies").training_set.maker
    qtbot.waitUntil(lambda: again.busy, timeout=PATIENCE)
    assert not again.make.isVisibleTo(again)
    go.set()
    qtbot.waitUntil(lambda: again.then.isVisibleTo(again), timeout=PATIENCE)
    assert open_training_set(out).count("train") > 0
    assert again.session.training_set == out
    assert not list((out.parent.parent / JOBS).iterdir())


def test_why_one_failed_is_still_said_when_the_next_is_followed(
    qtbot: QtBot, viewer: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    session = Session.of(viewer)
    first, second = (PreparingJob.create(session.home, tmp_path / name, "crops") for name in ("mine", "yours"))

    def follow(job: PreparingJob) -> Iterator[preparing.Making]:
        yield preparing.Making("making", 1, 9, "cutting")
        job.forget()
        if job.folder == first.folder:
            raise RunFailed("the disk is full; make room")
        yield preparing.Making("made", 1, 1, "12 crops.")

    monkeypatch.setattr(set_maker, "follow", follow)
    maker = SetMaker(session)
    qtbot.addWidget(maker)
    qtbot.waitUntil(lambda: "12 crops" in maker.says.text(), timeout=PATIENCE)
    assert maker.before.text() == "mine was not made: the disk is full; make room"
    time.sleep(0.05)
    assert second.out == session.training_set
    monkeypatch.setattr(set_maker, "begin_in_child", lambda *_: iter(()))
    maker.start(Order("crops", (), ()))
    assert maker.before.text() == ""


def test_after_a_cancel_the_next_one_is_followed(
    qtbot: QtBot, viewer: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    session = Session.of(viewer)
    first, second = (PreparingJob.create(session.home, tmp_path / name, "crops") for name in ("mine", "yours"))

    def follow(job: PreparingJob) -> Iterator[preparing.Making]:
        while job.folder == first.folder:
            yield preparing.Making("making", 1, 9, "cutting")
            time.sleep(0.02)
        job.forget()
        yield preparing.Making("made", 1, 1, "12 crops.")

    def cancel(job: PreparingJob) -> bool:
        job.forget()
        return True

    monkeypatch.setattr(set_maker, "follow", follow)
    monkeypatch.setattr(PreparingJob, "cancel", cancel)
    maker = SetMaker(session)
    qtbot.addWidget(maker)
    qtbot.waitUntil(lambda: "Cutting" in maker.says.text(), timeout=PATIENCE)
    maker.stop()
    qtbot.waitUntil(lambda: "12 crops" in maker.says.text(), timeout=PATIENCE)
    assert maker.before.text() == "Cancelled; nothing was kept."
    assert session.training_set == second.out


def test_a_home_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a file in its place")
    begin = set_maker.begin_in_child(Order("crops", (), ()), home, home / "training sets" / "a", lambda job: None)
    with pytest.raises(RunFailed, match="home cannot be written to"):
        list(begin)


def test_what_is_unwanted_at_the_last_moment_does_not_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hand_over(movies: Any, folder: Path, **_: Any) -> Iterator[Any]:
        yield SimpleNamespace(done=0, total=1, message="writing")
        preparing._UNWANTED.add(folder.resolve())  # after the last look
        return SimpleNamespace(write=lambda path: pytest.fail("it was cancelled"))

    monkeypatch.setattr(set_maker, "hand_over_movies", hand_over)
    begun: list[Any] = []
    begin = set_maker.begin_in_child(Order("crops", (), ()), tmp_path, tmp_path / "training sets" / "a", begun.append)
    assert [news.state for news in begin] == ["handing over"]
    assert not begun
    assert not list((tmp_path / JOBS).iterdir())


def test_closed_movies_are_let_go_when_the_set_is_there(
    qtbot: QtBot, viewer: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def follow(job: PreparingJob) -> Iterator[preparing.Making]:
        yield preparing.Making("made", 1, 1, "12 crops.")

    def begin(order: Order, home: Path, out: Path, started: Any, ask_above: float) -> Iterator[preparing.Making]:
        started(PreparingJob.create(home, out, order.kind))
        return iter(())

    monkeypatch.setattr(set_maker, "follow", follow)
    monkeypatch.setattr(set_maker, "begin_in_child", begin)
    maker = SetMaker(Session.of(viewer))
    qtbot.addWidget(maker)
    movie = Given(labels=None)
    held_by_it = weakref.ref(movie)
    maker.start(Order("crops", (movie,), ()))
    del movie
    qtbot.waitUntil(lambda: "12 crops" in maker.says.text() and not maker.busy, timeout=PATIENCE)
    gc.collect()
    assert held_by_it() is None


def test_the_last_movie_that_is_closed_is_let_go(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    section = dock.tab("movies").training_set
    study_of(viewer, dock, "one")
    qtbot.waitUntil(lambda: bool(section.recordings) and section._planning is None, timeout=PATIENCE)
    assert section._opened[1]
    section.replan()
    viewer.layers.clear()  # while that is under way
    qtbot.waitUntil(lambda: section._planning is None, timeout=PATIENCE)
    assert section._opened == (None, (), ())


# -- looks of the panel ------------------------------------------------------------------------------------------------


def in_each_other(section: Any) -> list[str]:
    """Sentences, pictures and buttons of which one lies on the other, or that are cut."""
    seen = [each for each in section.findChildren(QWidget) if isinstance(each, QLabel | QPushButton)]
    placed = [(each, QRect(each.mapTo(section, QPoint(0, 0)), each.size())) for each in seen if each.isVisible()]
    low = [each.text() for each, _ in placed if isinstance(each, Sentence) and each.height() < tall(each)]
    return low + [
        f"{a.text()} | {b.text()}"
        for at, (a, here) in enumerate(placed)
        for b, there in placed[at + 1 :]
        if min(here.intersected(there).width(), here.intersected(there).height()) > 2
    ]


def tall(sentence: Sentence) -> int:
    return sentence.heightForWidth(sentence.width())


def test_nothing_lies_on_each_other_when_a_set_is_ready(
    qtbot: QtBot, plugins: Any, make_napari_viewer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even before Qt has told all layouts, which on a busy machine takes a while to be seen."""
    monkeypatch.setattr(jobs, "NICE", 0)
    viewer = make_napari_viewer(show=True)
    dock = show_dock(viewer)
    dock.show_tab("movies")
    section = study_of(viewer, dock, "a")
    counted(qtbot, section)
    qtbot.wait(100)
    before: list[str] = []
    section.made.connect(lambda: before.extend(in_each_other(section)))
    section.maker.make.click()
    qtbot.waitUntil(lambda: section.maker.then.isVisible(), timeout=PATIENCE)
    drawn = Examples(np.zeros((300, 300, 3), np.uint8), "18 pairs are possible; 16 of 16 would be kept.")
    section.examples.show_examples(section.pane, drawn)
    assert section.examples.sheet.isVisible() and in_each_other(section) == []
    section.enough.ask_why.click()
    assert section.enough.why.isVisible() and in_each_other(section) == []
    assert before == []


def test_the_traps_fit_into_380_pixels(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    """In the dock, whose letters are larger, with all rows that a review has."""
    add_stack(viewer, discs("a movie with a name that is rather long")[0])
    tab = dock.tab("movies")
    tab.training_set.choose("traps")
    pane = tab.training_set.pane
    for each in (pane.elsewhere, pane.cancel, pane.table, pane.save, pane.load):
        each.setVisible(True)
    pane.boxed.setText("152 x 156 px, frame 100, plane 10")
    qtbot.wait(50)
    assert tab.widget().minimumSizeHint().width() + tab.verticalScrollBar().sizeHint().width() <= 380


def test_examples_are_offered_once_it_is_known_of_what(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    section = dock.tab("movies").training_set
    study_of(viewer, dock, "one")
    assert not section.examples.ask.isEnabled()
    assert not section.maker.make.isEnabled()
    qtbot.waitUntil(section.examples.ask.isEnabled, timeout=30_000)
    assert section.recordings

"""The strip of jobs, with jobs that are only told: words, what is offered, the list, keys, looks, speed, notices."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from looks import cut, nameless, too_wide
from napari.components import ViewerModel
from qtpy.QtCore import QEventLoop, Qt, QTimer
from qtpy.QtWidgets import QSystemTrayIcon, QWidget
from strip_jobs import job, making, place

from napari_cellsynth.gui import strip_deeds, strip_notices
from napari_cellsynth.gui import strip_words as words
from napari_cellsynth.gui.job_view import JobStrip
from napari_cellsynth.gui.replay import ScriptDialog
from napari_cellsynth.gui.runs_watch import RunsWatch
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.strip_dialogs import WhyDialog
from napari_cellsynth.gui.strip_endings import Ending
from napari_cellsynth.gui.strip_offers import OFFERS, buttons, rarer

STATES = (
    "new", "running", "paused", "waiting", "interrupted", "stopped", "finished", "failed", "cancelled", "away",
)  # fmt: skip
LONG = "HeLa-DIC-position-12-of-the-second-day-with-a-very-long-name-0512"


@pytest.fixture
def model():
    """A viewer without a window, which takes a second to make."""
    return ViewerModel()


@pytest.fixture
def strip(model, qtbot, monkeypatch):
    """A strip, 380 wide, whose watch does not look."""
    monkeypatch.setattr(RunsWatch, "_seen", lambda self, seen: None)
    strip = JobStrip(Session.of(model))
    qtbot.addWidget(strip)
    strip.setFixedWidth(380)
    strip.show()
    return strip


@pytest.fixture
def in_napari(make_napari_viewer, monkeypatch):
    """The same in napari's window, and as napari looks."""
    monkeypatch.setattr(RunsWatch, "_seen", lambda self, seen: None)
    viewer = make_napari_viewer(show=True)
    strip = JobStrip(Session.of(viewer))
    viewer.window.add_dock_widget(strip, name="Jobs")
    strip.setFixedWidth(380)
    return strip


def show(strip, *jobs):
    strip._watch.jobs = list(jobs)
    strip._watch.listed.emit(list(jobs))
    strip.line.setChecked(True)


def shown(strip):
    return [key for key, made in strip.pane.buttons.items() if made.isVisible()]


# -- words and offers ------------------------------------------------------------------------------------------------


def test_a_job_is_told_in_two_lines():
    running = job(host="here")
    assert words.numbers(running) == "37 % · 25 min left"
    assert words.about(running).startswith("training · this PC · running since ")
    broken = job(state="interrupted", host="GPU-WS2", here=False, because="the disk is full (0.1 GB free)")
    assert "GPU-WS2 · interrupted since" in words.about(broken)
    assert words.about(broken).endswith(", because the disk is full (0.1 GB free)")
    assert words.sentence(broken).startswith("Interrupted since ") and " Last saved " in words.sentence(broken)
    done = job(state="finished", step=1000, own=False, place="/mnt/lab", host="GPU-WS2", here=False)
    assert words.numbers(done) == "9 MB"
    assert "training · lab · finished " in words.about(done) and "since" not in words.about(done)
    waits = job(state="waiting", because="GPU 0 has 2 of 24 GB free")
    assert "GPU 0 has 2 of 24 GB free" in words.about(waits)
    assert words.about(job(state="new")).endswith("not started")
    assert words.about(job(state="new", created=time.time())).endswith("starting")
    assert "training set · this PC · running" in words.about(making())


def test_the_line_counts_folders_that_are_away():
    assert words.summary([job(), job("b", "finished"), place()]) == "Jobs: 1 running · 1 finished · 1 folder away"


def test_a_verdict_of_the_training_is_said():
    warned = job(health={"state": "warning", "code": "copies", "words": "It copies\nits training images.", "step": 3})
    assert (words.sentence(warned), words.level(warned)) == ("It copies its training images.", "warning")


def test_each_state_offers_what_can_be_done():
    offered = {state: buttons(job(state=state)) for state in STATES}
    assert offered["running"] == ("pause", "stop", "use", "delete")
    assert offered["paused"] == ("resume", "stop", "use", "delete")
    assert offered["interrupted"] == offered["failed"] == ("take_up", "use", "why", "delete")
    assert offered["finished"] == ("use_done", "delete")
    assert {state for state in STATES if "delete" in offered[state]} == set(STATES) - {"away"}
    assert {state for state in STATES if "pack" in rarer(job(state=state))} == {
        "new", "interrupted", "stopped", "failed", "cancelled",
    }  # fmt: skip
    assert "use" not in buttons(job(weights=None))
    assert buttons(making()) == ("cancel",)
    assert buttons(making(state="failed")) == ("why", "delete")
    assert buttons(place()) == ("look", "forget")
    # A kind of which nobody knows yet can be asked, too, where it is a run folder.
    assert buttons(job(kind="enhancing", weights=None)) == ("pause", "stop", "delete")
    assert all(key in OFFERS for state in STATES for key in (*offered[state], *rarer(job(state=state))))


# -- the list --------------------------------------------------------------------------------------------------------


def test_numbers_change_and_the_chosen_job_stays_chosen(strip):
    show(strip, job("a"), job("b", "paused"), job("c", "finished"))
    strip.list.choose("/home/me/trainings/b")
    assert shown(strip) == ["resume", "stop", "use", "delete"]
    button = strip.pane.buttons["resume"]
    show(strip, job("new one"), job("c", "finished"), job("b", "paused", step=500), job("a"))
    assert strip.list.job["name"] == "b"
    assert strip.pane.job["step"] == 500
    assert strip.pane.buttons["resume"] is button and button.isVisible()
    show(strip, job("a"))
    assert strip.list.job["name"] == "a"
    show(strip)
    assert strip.list.job is None and not shown(strip)
    assert strip.line.text() == "Jobs: none yet"


def test_what_asks_for_something_is_chosen_first(strip):
    show(strip, job("a"), job("b", "interrupted", because="the computer was restarted"))
    assert strip.list.job["name"] == "b"
    assert "the computer was restarted" in strip.pane.words.text()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_state_fits_and_is_named(in_napari, qtbot, theme):
    strip = in_napari
    strip._session.viewer.theme = theme
    long = "its process is gone and left no reason, in another session of this computer, most likely for memory"
    rows = [job(f"{state}-{LONG}", state, because=long, host="GPU-WS2", here=False) for state in STATES]
    show(strip, *rows, making(LONG), making("failed-" + LONG, "failed"), place(LONG))
    wrong = []
    for row in strip._watch.jobs:
        strip.list.choose(row["path"])
        qtbot.wait(10)
        for check in (too_wide, cut, nameless):
            wrong += [f"{row['state']}: {check.__name__}: {what}" for what in check(strip)]
        assert strip.minimumSizeHint().width() <= 380, (row["state"], strip.minimumSizeHint().width())
    assert not wrong, "\n".join(["", *wrong])
    for made in (*strip.pane.buttons.values(), strip.pane.more, strip.line, strip.list):
        assert made.focusPolicy() & Qt.FocusPolicy.TabFocus
    index = strip.list.jobs.index(0)
    assert LONG in index.data(Qt.ItemDataRole.ToolTipRole)
    assert LONG in index.data(Qt.ItemDataRole.AccessibleTextRole)


def test_the_list_is_worked_with_keys(strip, qtbot, monkeypatch):
    asked, did = [], []
    strip._session.tab_requested.connect(asked.append)
    monkeypatch.setattr(strip.deeds, "delete", lambda job: did.append(job["name"]))
    show(strip, making("a"), job("b", "finished"))
    qtbot.keyClick(strip.list, Qt.Key.Key_Delete)
    assert did == []
    show(strip, job("a"), job("b", "finished"))
    qtbot.keyClick(strip.list, Qt.Key.Key_Delete)
    assert did == ["a"]
    qtbot.keyClick(strip.list, Qt.Key.Key_Return)
    assert asked == ["train"]
    qtbot.keyClick(strip.list, Qt.Key.Key_Down)
    assert strip.list.job["name"] == "b"
    qtbot.keyClick(strip.list, Qt.Key.Key_Return)
    qtbot.keyClick(strip.list, Qt.Key.Key_Delete)
    assert asked == ["train", "use"] and did == ["a", "b"]


def test_two_hundred_jobs_cost_the_window_no_gap(in_napari, qtbot):
    """What the window's own thread works between two ticks; others on the machine do not count."""
    strip = in_napari
    work: list[float] = []
    last = [time.thread_time()]

    def tick() -> None:
        now = time.thread_time()
        work.append(now - last[0])
        last[0] = now

    rows = [job(f"job-{number}", STATES[number % len(STATES)]) for number in range(200)]
    show(strip, *rows[:3])  # fonts and styles are loaded
    qtbot.wait(300)
    timer, bar = QTimer(), strip.list.verticalScrollBar()
    timer.timeout.connect(tick)
    last[0] = time.thread_time()
    timer.start(0)
    for turn in range(12):
        changed = [{**row, "step": row["step"] + turn} for row in rows]
        # A new job on top in every third turn: all others move.
        listed = [job(f"new-{turn}"), *changed] if turn % 3 == 0 else changed
        QTimer.singleShot(0, lambda listed=listed: show(strip, *listed))
        QTimer.singleShot(20, lambda: bar.triggerAction(bar.SliderAction.SliderPageStepAdd))
        loop = QEventLoop()
        QTimer.singleShot(60, loop.quit)
        loop.exec()
    timer.stop()
    assert len(strip.list.jobs.rows) == 200
    assert max(work) < 0.05, f"{1000 * max(work):.0f} ms"


# -- wishes ----------------------------------------------------------------------------------------------------------


def test_an_error_nobody_foresaw_is_said_in_the_strip_and_in_napari(strip, qtbot, monkeypatch):
    said = []
    monkeypatch.setattr(strip_notices, "in_napari", lambda words, bad: said.append((words, bad)))

    class Broken:
        def __init__(self, path):
            raise RuntimeError("CUDA error: unspecified launch failure\nmore")

    monkeypatch.setattr(strip_deeds, "RunFolder", Broken)
    show(strip, job("a"))
    strip.pane.buttons["pause"].click()
    assert strip.pane.words.text() == "Pausing…" and not strip.pane.buttons["pause"].isEnabled()
    qtbot.waitUntil(lambda: said == [("CUDA error: unspecified launch failure", True)], timeout=10_000)
    assert "unspecified launch failure" in strip.note.text()
    assert strip.pane.buttons["pause"].isEnabled()


def test_a_look_that_breaks_is_said_and_looking_goes_on(model, qtbot, monkeypatch):
    from napari_cellsynth.gui import runs_watch

    said, looks = [], []

    def look(*_):
        looks.append(1)
        if len(looks) < 3:
            raise RuntimeError("the share went mad")
        return [job("a")]

    monkeypatch.setattr(strip_notices, "in_napari", lambda words, bad: said.append(words))
    monkeypatch.setattr(runs_watch, "look", look)
    monkeypatch.setattr(runs_watch, "AGAIN_MS", 200)
    strip = JobStrip(Session.of(model))
    qtbot.addWidget(strip)
    qtbot.waitUntil(lambda: said == ["the share went mad"], timeout=10_000)
    assert strip.note.text() == "the share went mad"
    qtbot.waitUntil(lambda: strip.line.text() == "Jobs: 1 running", timeout=10_000)
    assert len(said) == 1


def test_one_worker_looks_however_many_ask_after_a_look_that_broke(model, qtbot, monkeypatch):
    from napari_cellsynth.gui import runs_watch

    begun = []
    monkeypatch.setattr(runs_watch, "AGAIN_MS", 0)
    monkeypatch.setattr(RunsWatch, "_looks", lambda self: iter(()))
    monkeypatch.setattr(runs_watch, "start", lambda *_, **__: begun.append(1) or SimpleNamespace(abort_requested=False))
    watch = RunsWatch(Session.of(model))
    first, second = QWidget(), QWidget()
    for widget in (first, second):
        qtbot.addWidget(widget)
    watch._add(first)
    assert len(begun) == 1
    watch._failed(RuntimeError("gone"))
    watch._add(second)
    assert len(begun) == 2
    qtbot.wait(50)
    assert len(begun) == 2


def test_nothing_changing_is_looked_at_less_and_less_often(model, qtbot, monkeypatch):
    from napari_cellsynth.gui import runs_watch

    at = []
    monkeypatch.setattr(runs_watch, "look", lambda *_: at.append(time.monotonic()) or [])
    monkeypatch.setattr(runs_watch, "EVERY_S", 0.2)
    monkeypatch.setattr(runs_watch, "SELDOM_S", 0.8)
    strip = JobStrip(Session.of(model))
    qtbot.addWidget(strip)
    qtbot.waitUntil(lambda: len(at) >= 6, timeout=20_000)
    assert at[5] - at[4] > 1.5 * (at[1] - at[0]) or at[5] - at[4] >= 0.8
    count = len(at)
    strip._watch.look_now()
    qtbot.waitUntil(lambda: len(at) > count, timeout=5_000)


def test_why_can_be_copied(strip, qtbot):
    from qtpy.QtWidgets import QApplication, QPushButton

    dialog = WhyDialog(job(state="failed", because="the loss was not a number", last_lines=["step 3", "nan"]), strip)
    dialog.show()
    next(made for made in dialog.findChildren(QPushButton) if made.text() == "Copy").click()
    copied = QApplication.clipboard().text()
    assert "Failed at step 370" in copied and "the loss was not a number" in copied and copied.endswith("step 3\nnan")
    dialog.close()


def test_the_command_is_that_of_the_state():
    assert strip_deeds.command(job(path="/a b/c")) == "cellsynth train --resume '/a b/c'" or strip_deeds.os.name == "nt"
    assert "--run" in strip_deeds.command(job(state="new"))
    assert "sample" in strip_deeds.command(job(state="finished"))


# -- notices ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def heard(strip, monkeypatch):
    found = []
    monkeypatch.setattr(strip.notices, "tell", lambda title, words, job=None, bad=False: found.append((title, words)))
    return found


def test_an_end_is_told_unless_it_is_looked_at_or_not_wished(strip, heard, monkeypatch):
    done = job("a", "finished")
    strip._watch.ended.emit((Ending(done, False),))
    assert heard == [("Training finished", "a")]
    monkeypatch.setattr(type(strip.window()), "isActiveWindow", lambda self: True)
    show(strip, done)
    strip._watch.ended.emit((Ending(done, False),))
    assert len(heard) == 1
    strip._watch.ended.emit((Ending(job("b", "failed", because="no room"), False),))
    assert heard[1] == ("Training failed", "b (no room)")
    strip_notices.want(False)
    strip._watch.ended.emit((Ending(job("c", "finished"), False),))
    assert len(heard) == 2


def test_what_ended_while_napari_was_closed_is_told_in_one(strip, heard):
    ends = [Ending(job(name, "finished"), True) for name in "ab"]
    ends.append(Ending(making("set", "failed", because="the disk is full"), True))
    strip._watch.ended.emit(tuple(ends))
    said = "Finished while napari was closed: a and b. Failed while napari was closed: set (the disk is full)."
    assert heard == [("CellSynth", said)] and strip.note.text() == said


def test_without_a_tray_napari_says_it(strip, monkeypatch):
    said = []
    monkeypatch.setattr(strip_notices, "in_napari", lambda words, bad: said.append((words, bad)))
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: False))
    strip.notices.tell("Training failed", "a (no room)", bad=True)
    assert said == [("Training failed: a (no room)", True)]


def test_with_a_tray_the_desktop_says_it_and_a_click_leads_to_the_job(strip, monkeypatch):
    said = []
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: True))
    monkeypatch.setattr(QSystemTrayIcon, "supportsMessages", staticmethod(lambda: True))
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda self, *words: said.append(words[:2]))
    show(strip, job("b"), job("a", "finished"))
    strip.line.setChecked(False)
    strip.notices.tell("Training finished", "a", job("a", "finished"))
    assert said == [("Training finished", "a")]
    strip.notices._tray.messageClicked.emit()
    assert strip.line.isChecked() and strip.list.job["name"] == "a"


def test_the_setting_stands_in_the_menu(strip):
    show(strip, job("a", "stopped"))
    menu = {action.text(): action for action in strip.pane.menu().actions()}
    assert {"Copy command", "Show folder", "Pack for another computer…", "Add a shared folder…"} <= set(menu)
    assert "Write what was done…" in menu
    tell = menu["Tell me when a job ends"]
    assert tell.isChecked()
    tell.setChecked(False)
    assert not strip_notices.wanted()


def test_what_was_done_is_written_from_the_menu_with_no_job_at_all(strip, qtbot):
    menu = {action.text(): action for action in strip.pane.menu().actions()}
    menu["Write what was done…"].trigger()
    dialog = strip.findChild(ScriptDialog)
    assert dialog is not None and dialog.isVisible()
    qtbot.waitUntil(lambda: dialog.replay is not None, timeout=20_000)
    dialog.close()


def test_a_dialog_says_what_broke(strip, qtbot, monkeypatch):
    from napari_cellsynth.gui.strip_dialogs import PackDialog

    dialog = PackDialog(job("a", "stopped", path="/not/there"), strip)
    dialog.show()
    dialog.write.click()
    qtbot.waitUntil(lambda: "/not/there" in dialog.words.text(), timeout=20_000)
    qtbot.waitUntil(dialog.write.isEnabled, timeout=5_000)
    dialog.close()

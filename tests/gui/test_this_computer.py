"""One process says to all panels what this computer has."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from qtpy.QtWidgets import QWidget

from napari_cellsynth.errors import RunFailed
from napari_cellsynth.gui import jobs, this_computer
from napari_cellsynth.gui.dock import show_dock
from napari_cellsynth.gui.this_computer import Computer

SOON = 30_000
SAID = {"devices": [{"device": "cpu", "name": "processor", "memory": None, "free": None}], "advice": []}


@pytest.fixture
def children(monkeypatch):
    """``all`` are the processes that were started, each of which runs ``says``."""
    started = []

    def spawn(arguments, **streams):
        assert list(arguments) == ["check", "--json"]
        started.append(subprocess.Popen([sys.executable, "-c", spawn.says], **streams))
        return started[-1]

    spawn.says = f"import time; time.sleep(0.3); print({json.dumps(SAID)!r})"
    monkeypatch.setattr(jobs, "spawn", spawn)
    monkeypatch.setattr(this_computer, "_HERE", Computer())
    spawn.all = started
    return spawn


@pytest.mark.parametrize(("first", "then"), [("start", "train"), ("train", "start")])
def test_opening_the_dock_starts_one_process_at_most(make_napari_viewer, qtbot, children, first, then):
    dock = show_dock(make_napari_viewer(show=True), first)
    dock.show_tab(then)
    here = dock.tab("start").computer
    here._soon.setInterval(1)
    dock.show_tab("start")
    qtbot.waitUntil(lambda: here.device.text().startswith("Trains on: processor"), timeout=SOON)
    device = dock.tab("train").setup.device
    qtbot.waitUntil(lambda: device.currentText().startswith("processor"), timeout=SOON)
    for tab in ("train", "start", "movies", "train"):
        dock.show_tab(tab)
    qtbot.wait(200)
    assert len(children.all) == 1


def test_who_asks_while_somebody_does_hears_the_same_and_later_it_is_asked_anew(qtbot, children):
    computer, owner, heard = Computer(), QWidget(), []
    qtbot.addWidget(owner)
    for _ in range(3):
        computer.ask(owner, returned=heard.append, failed=heard.append)
    qtbot.waitUntil(lambda: len(heard) == 3, timeout=SOON)
    assert heard[0] is heard[2] and heard[0]["devices"] == SAID["devices"] and heard[0]["memory_free"] > 0
    computer.ask(owner, returned=heard.append, failed=heard.append, within=1000)
    assert len(heard) == 4 and len(children.all) == 1
    computer.ask(owner, returned=heard.append, failed=heard.append, within=0)
    qtbot.waitUntil(lambda: len(heard) == 5, timeout=SOON)
    assert len(children.all) == 2


def test_a_failure_is_told_to_all_and_not_tried_again_at_once(qtbot, children):
    children.says = "raise SystemExit('cellsynth: no torch')"
    computer, owner, heard = Computer(), QWidget(), []
    qtbot.addWidget(owner)
    for _ in range(2):
        computer.ask(owner, returned=print, failed=heard.append)
    qtbot.waitUntil(lambda: len(heard) == 2, timeout=SOON)
    computer.ask(owner, returned=print, failed=heard.append)
    assert [str(error) for error in heard] == ["no torch"] * 3 and isinstance(heard[0], RunFailed)
    assert len(children.all) == 1


def test_the_process_ends_when_nobody_waits_any_more(qtbot, children):
    children.says = "import time; time.sleep(1000)"
    computer, stays, goes, heard = Computer(), QWidget(), QWidget(), []
    for owner in (stays, goes):
        computer.ask(owner, returned=heard.append, failed=heard.append)
    qtbot.waitUntil(lambda: bool(children.all), timeout=SOON)
    goes.deleteLater()
    qtbot.wait(300)
    assert children.all[0].poll() is None
    stays.deleteLater()
    qtbot.waitUntil(lambda: children.all[0].poll() is not None, timeout=SOON)
    assert not heard


def test_who_was_torn_down_without_a_word_is_not_told(qtbot, children, monkeypatch):
    """As where a window goes with all that is in it: Qt's object is gone, and its signal was never heard."""
    computer, stays, goes, heard = Computer(), QWidget(), QWidget(), []
    qtbot.addWidget(stays)
    monkeypatch.setattr(computer, "_leave", lambda number: None)
    computer.ask(goes, returned=lambda _: heard.append("gone"), failed=heard.append)
    computer.ask(stays, returned=lambda _: heard.append("there"), failed=heard.append)
    goes.deleteLater()
    qtbot.waitUntil(lambda: bool(heard), timeout=SOON)
    assert heard == ["there"]

"""The line over the tabs while an example plays, and where things are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from napari_cellsynth.gui.dock import show_dock
from napari_cellsynth.gui.journeys import Journey, Step
from napari_cellsynth.gui.parts import Sentence
from napari_cellsynth.gui.start_computer import ThisComputer
from napari_cellsynth.gui.state import Session

LONG = "An example movie of cells that crawl about under the microscope (simulated), and the outlines of its cells"


def test_no_sentence_is_painted_in_less_room_than_it_needs(
    qtbot: QtBot, plugins: Any, make_napari_viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dock = show_dock(make_napari_viewer(show=True), "start")
    dock.resize(380, 700)
    qtbot.wait(100)
    says, painted = dock.journey_bar.says, []
    paint = Sentence.paintEvent

    def noted(self: Sentence, event: Any) -> None:
        if self is says:
            painted.append((self.text(), self.height(), self.heightForWidth(self.width())))
        paint(self, event)

    monkeypatch.setattr(Sentence, "paintEvent", noted, raising=False)
    steps = [
        Step(LONG, lambda: None, look=0.2),
        Step("Short", lambda: None, look=0.1),
        Step(LONG, lambda: None, look=0.1),
    ]
    dock.player.play(Journey("A task", "", lambda stage: steps, f"That was it. {LONG}."))
    qtbot.waitUntil(lambda: not dock.player.playing, timeout=20_000)
    qtbot.wait(100)
    assert any(text.startswith(LONG) for text, _, _ in painted)
    assert not [one for one in painted if one[1] < one[2]]


@pytest.mark.parametrize("fixed", [True, False])
def test_a_folder_that_cannot_be_changed_here_says_why(
    qtbot: QtBot, plugins: Any, make_napari_viewer: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fixed: bool
) -> None:
    if not fixed:
        monkeypatch.delenv("CELLSYNTH_HOME")
    session = Session.of(make_napari_viewer())
    session.home = tmp_path
    computer = ThisComputer(session)
    qtbot.addWidget(computer)
    computer.show()
    qtbot.waitUntil(lambda: "GB free" in computer.home.text(), timeout=20_000)
    assert ("CELLSYNTH_HOME" in computer.home.text()) is fixed
    assert computer.change.isEnabled() is not fixed

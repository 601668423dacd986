"""Names with signs that mean something to Qt are shown as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytestqt.qtbot import QtBot
from qtpy.QtCore import QObject, Signal

from napari_cellsynth.gui.start_recent import Line
from napari_cellsynth.gui.strip_pane import JobPane


def test_a_recent_job_keeps_its_name(qtbot: QtBot) -> None:
    line = Line()
    qtbot.addWidget(line)
    line.resize(400, 30)
    line.say("yeast & <b>beads</b> \u00b7 finished", "Opens it in Use.")
    assert line.text() == "yeast && <b>beads</b> \u00b7 finished"  # which Qt writes with one
    assert line.accessibleName() == "yeast & <b>beads</b> \u00b7 finished"
    assert "&amp; &lt;b&gt;beads" in line.toolTip()


def test_a_shared_folder_keeps_its_name_in_the_menu(qtbot: QtBot) -> None:
    class Deeds(QObject):
        turned = Signal()

        def __getattr__(self, name: str) -> Any:
            return lambda *_: None

    deeds: Any = Deeds()
    pane = JobPane(deeds, lambda: [Path("/share/Weber & Sons")])
    qtbot.addWidget(pane)
    words = [action.text() for action in pane.menu().actions()]
    assert "List Weber && Sons no more" in words

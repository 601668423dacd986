"""This computer in a sentence: what trains, how much room there is, and where things are kept."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_cellsynth import api
from napari_cellsynth.errors import CellsynthError
from napari_cellsynth.gui import jobs
from napari_cellsynth.gui.home_question import FIXED, home_is_fixed, short
from napari_cellsynth.gui.parts import Foldout, Sentence, button, column, listen, row
from napari_cellsynth.gui.this_computer import Computer
from napari_cellsynth.gui.workers import call

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session

ELSEWHERE = "Keep training sets and models in another folder."
LOOK_AFTER_MS = 1500
"""After the tab is first seen: a process is asked, which must not be in the way of what is clicked first."""


class ThisComputer(QWidget):
    """Device, memory, free disk, advice; where training sets and models are kept."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._asked = False
        self.device, self.advice, self.home, self.says = Sentence(), Sentence(), Sentence(), Sentence()
        self.home.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.details = Foldout("Details", lambda: Sentence(details(Computer.here().known)))
        self.change = button("Change…", self._choose, ELSEWHERE)
        self.change.setAccessibleName("Change the folder of training sets and models")
        self.report = button("Save a report for support…", self._save, "Versions, devices and logs; no pictures.")
        self.report.setVisible(hasattr(api, "support_bundle"))
        column(
            self.device,
            self.advice,
            self.home,
            self.says,
            row(self.change, self.report, None),
            self.details,
            parent=self,
        )
        self._soon = QTimer(self, singleShot=True, interval=LOOK_AFTER_MS)
        self._soon.timeout.connect(self._ask)
        listen(self, session.home_changed, self._say_home)
        self._say()
        self._say_home()

    def showEvent(self, event: Any) -> None:  # Qt's name
        super().showEvent(event)
        self._say_home()
        if not Computer.here().known and not self._asked:
            self._soon.start()

    def _ask(self) -> None:
        self._asked = True
        Computer.here().ask(
            self,
            returned=lambda _: self._say(),
            failed=lambda error: self.device.say(f"This computer could not be looked at: {error}", "warning"),
        )

    def _say(self) -> None:
        found = Computer.here().known
        self.device.say(computer(found) if found else "Looking at this computer…")
        advice = found.get("advice") or []
        self.advice.say(f"{advice[0]}." if advice else "", "warning")
        self.details.setVisible(bool(found))
        self.details.clear()

    # -- where things are kept

    def _say_home(self, *_: Any) -> None:
        home = self._session.homes[0]
        call(lambda: room(home), returned=lambda free: self._got_room(home, free), failed=lambda _: None, owner=self)
        fixed = home_is_fixed()
        self.change.setEnabled(not fixed)
        self.change.setToolTip(f"<qt>{FIXED if fixed else ELSEWHERE}</qt>")

    def _got_room(self, home: Path, free: int) -> None:
        why = f". {FIXED}" if home_is_fixed() else ""
        self.home.say(
            f"Training sets and models are kept in {short(home)} · {free / 1e9:,.0f} GB free{why}",
            "warning" if free < 5e9 else "quiet",
        )

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, "Where training sets and models are kept", str(self._session.homes[0])
        )
        if folder:
            self.keep(Path(folder))

    def keep(self, folder: Path) -> None:
        """Keep things there from now on; what is elsewhere stays there."""
        try:
            self._session.keep_home(folder)
            self.says.say("What was made before stays where it is, and is listed again when you change back.")
        except CellsynthError as error:
            self.says.say(str(error), "bad")

    def _save(self) -> None:
        suggestion = str(Path.home() / "cellsynth-report.zip")
        name, _ = QFileDialog.getSaveFileName(self, "Save a report for support", suggestion, "Zip (*.zip)")
        if name:
            self.says.say("Collecting…")
            call(
                lambda: api.support_bundle(Path(name)),
                returned=lambda _: self.says.say(f"Saved {Path(name).name}: versions, devices and logs, no pictures."),
                failed=lambda error: self.says.say(str(error), "bad"),
                description="a report for support",
                watches=False,
                owner=self,
            )


def computer(found: dict[str, Any]) -> str:
    """``Trains on NVIDIA RTX A5000, 19 of 24 GB free · 16 cores · 60 of 64 GB memory free``."""
    devices = found.get("devices") or []
    trains = jobs.device_words(devices[0]) if devices else "the processor"
    memory = f"{found['memory_free'] / 1e9:.0f} of {found['memory'] / 1e9:.0f} GB memory free"
    return f"Trains on: {trains} · {memory}"


def details(found: dict[str, Any]) -> str:
    """Versions, one on each line."""
    packages = [f"{name} {version or 'missing'}" for name, version in (found.get("packages") or {}).items()]
    devices = [jobs.device_words(device) for device in found.get("devices") or []]
    first = [f"CellSynth {found.get('cellsynth')}", f"Python {found.get('python')}", str(found.get("platform"))]
    return "\n".join([*first, *packages, *devices, *(str(line) for line in (found.get("advice") or [])[1:])])


def room(folder: Path) -> int:
    """Free bytes on the disk of a folder that may not exist yet."""
    while not folder.exists() and folder.parent != folder:
        folder = folder.parent
    return shutil.disk_usage(folder).free

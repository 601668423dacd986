"""Where a training computes: the device, who uses it, whether to wait for it, and the GPU that is not used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QApplication, QCheckBox, QLabel, QRadioButton, QWidget

from napari_cellsynth.gui import jobs
from napari_cellsynth.gui.parts import Sentence, button, column, row
from napari_cellsynth.gui.pieces import Choice
from napari_cellsynth.gui.train_elsewhere import Elsewhere

CROWDED = 0.8
"""Share of a GPU below which it is said who uses the rest."""
LOOKING = "looking…"
"""Stands for the devices until they are known."""
UNKNOWN = "the best device"
"""Where they could not be found out; the training will choose."""
WAIT = "wait for it"
WAIT_TIP = (
    "The training begins as soon as enough memory of the GPU is free: as much as the estimate says, else 80 % of it. "
    "Until then it stands in the list of jobs, and can be cancelled there."
)
AWAY_TIP = "A folder or .zip with the training set, the settings and what starts it: for a workstation or a cluster."
COMMAND = re.compile(r"pip (?:uninstall --yes|install) \w+(?: --index-url \S+)?")


class Advice(QWidget):
    """Why a GPU is not used, and what to type, to be copied."""

    def __init__(self) -> None:
        super().__init__()
        self.words = Sentence()
        self.copy = button("Copy the commands", self._copy, "Paste them where napari is started from.")
        column(self.words, row(self.copy, None), parent=self)
        self.say("")

    def say(self, advice: str) -> None:
        """A sentence; empty hides it all."""
        self.words.say(advice, "warning")
        self.copy.setVisible(bool(lines_of(advice)))
        self.setVisible(bool(advice))

    def _copy(self) -> None:
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(lines_of(self.words.text()))


class Where(QWidget):
    """This computer and its devices, or another one; ``advice`` and ``elsewhere`` stand where there is more room."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.here, self.away = QRadioButton("this computer"), QRadioButton("another computer…")
        self.here.setChecked(True)
        self.away.setToolTip(f"<qt>{AWAY_TIP}</qt>")
        self.device = Choice()
        self.device.offer([(LOOKING, "auto")])
        self.device.setAccessibleName("Where")
        self.wait = QCheckBox(WAIT)
        self.wait.setToolTip(f"<qt>{WAIT_TIP}</qt>")
        self.wait.setVisible(False)
        self.users = Sentence()
        self.advice, self.elsewhere = Advice(), Elsewhere()
        self.elsewhere.hide()
        self._found: dict[str, Mapping[str, Any]] = {}
        self._hindrance = ""
        """Why a GPU is not used."""
        self._local = QWidget()
        column(self.device, self.users, self.wait, parent=self._local, spacing=2)
        choice = row(QLabel("Where"), self.here, self.away, None)
        choice.setSpacing(8)
        column(choice, self._local, parent=self, spacing=4)
        self.device.picked.connect(self._another)
        self.away.toggled.connect(self._turned)

    @property
    def waits(self) -> bool:
        """Whether the training shall wait until the device has room."""
        return self.wait.isChecked() and self._can_wait and not self.is_away

    @property
    def is_away(self) -> bool:
        """Whether another computer is to train."""
        return self.away.isChecked()

    def meant(self, device: str) -> str:
        """A device by its own name: what "auto" will be, once the devices are known."""
        return next(iter(self._found), device) if device == "auto" else device

    @property
    def _can_wait(self) -> bool:
        return str(self.device.value).startswith("cuda")

    def show_computer(self, found: Mapping[str, Any]) -> None:
        """List the devices, best first, and say what hinders the best."""
        devices = found.get("devices") or []
        self._found = {device["device"]: device for device in devices}
        self.device.offer([(jobs.device_words(device), device["device"]) for device in devices], self.device.value)
        advice = found.get("gpu_advice") or []
        self._hindrance = advice[0] if advice else ""
        self._another()

    def show_unknown(self, _: Exception) -> None:
        """The devices could not be found out: the best is taken when it begins."""
        if not self._found:
            self.device.offer([(UNKNOWN, "auto")])

    def _turned(self, away: bool) -> None:
        self._local.setVisible(not away)
        self.elsewhere.setVisible(away)
        self._another()

    def _another(self, *_: Any) -> None:
        self.advice.say("" if self.is_away else self._hindrance)
        self.wait.setVisible(self._can_wait)
        self.users.say(users_in_words(self._found.get(str(self.device.value), {})))
        self.changed.emit()


def users_in_words(device: Mapping[str, Any]) -> str:
    """``In use by fiji (3.2 GB), python``; empty where most of the device is free."""
    free, memory, users = device.get("free"), device.get("memory"), device.get("users") or []
    if not users or not memory or free is None or free > CROWDED * memory:
        return ""
    said = [f"{user['name']} ({user['memory'] / 1e9:.1f} GB)" if user["memory"] else user["name"] for user in users]
    more = f" and {len(said) - 3} more" if len(said) > 3 else ""
    return f"In use by {', '.join(said[:3])}{more}"


def lines_of(advice: str) -> str:
    """What is to be typed, a command on each line; empty where there is nothing to type."""
    return "\n".join(COMMAND.findall(advice))

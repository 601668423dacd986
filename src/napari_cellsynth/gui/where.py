"""Where a training computes: the device, who uses it, whether to wait for it, and the GPU that is not used."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QApplication, QCheckBox, QWidget

from napari_cellsynth.gui import jobs
from napari_cellsynth.gui.parts import Sentence, button, column, row
from napari_cellsynth.gui.pieces import Choice

CROWDED = 0.8
"""Share of a GPU below which it is said who uses the rest."""
WAIT = "wait for it"
WAIT_TIP = (
    "The training begins as soon as enough memory of the GPU is free: as much as the estimate says, else 80 % of it. "
    "Until then it stands in the list of jobs, and can be cancelled there."
)
COMMAND = re.compile(r"pip (?:uninstall --yes|install) \w+(?: --index-url \S+)?")


def computer() -> Generator[None, None, dict[str, Any]]:
    """What ``cellsynth check`` says; asked of a process, since only torch knows."""
    import json

    return dict(json.loads((yield from jobs.ask_a_process(["check", "--json"]))))


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
    """A choice of devices with words below it; ``advice`` stands where there is more room."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.device = Choice()
        self.device.offer([("this computer", "auto")])
        self.wait = QCheckBox(WAIT)
        self.wait.setToolTip(f"<qt>{WAIT_TIP}</qt>")
        self.wait.setVisible(False)
        self.users = Sentence()
        self.advice = Advice()
        self._found: dict[str, Mapping[str, Any]] = {}
        column(self.device, self.users, self.wait, parent=self, spacing=2)
        self.device.picked.connect(self._another)

    def setAccessibleName(self, name: str) -> None:  # Qt's name
        super().setAccessibleName(name)
        self.device.setAccessibleName(name)

    @property
    def waits(self) -> bool:
        """Whether the training shall wait until the device has room."""
        return self.wait.isChecked() and self._can_wait

    @property
    def _can_wait(self) -> bool:
        return str(self.device.value).startswith("cuda")

    def show_computer(self, found: Mapping[str, Any]) -> None:
        """List the devices, best first, and say what hinders the best."""
        devices = found.get("devices") or []
        self._found = {device["device"]: device for device in devices}
        self.device.offer([(jobs.device_words(device), device["device"]) for device in devices], self.device.value)
        advice = found.get("gpu_advice") or []
        self.advice.say(advice[0] if advice else "")
        self._another()

    def _another(self, *_: Any) -> None:
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

"""What the panels remember from one napari to the next: the last tab, preset, kind of set, what was folded away.

One small file in the user's settings folder.  Written a moment after a
change; one that is damaged is kept under another name, with a note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QApplication

from napari_cellsynth.engine.user_folder import config_folder, read_kept, write_kept
from napari_cellsynth.errors import CellsynthError

if TYPE_CHECKING:
    from pathlib import Path

    from qtpy.QtWidgets import QAbstractButton

FILE = "panels.json"
SETTLE_MS = 400


class Kept(QObject):
    """Values by name; ``note`` says what was wrong with the file, if anything."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = config_folder()
        self._values, self.note = read_kept(FILE)
        self._dirty = False
        self._later = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._later.timeout.connect(self.save)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.save)

    def get(self, name: str, kind: type, default: Any = None) -> Any:
        """The value of a name where it is of the kind, else the default."""
        value = self._values.get(name)
        return value if type(value) is kind else default

    def put(self, name: str, value: Any) -> None:
        """Remember a value (what JSON has)."""
        if self._values.get(name) != value:
            self._values[name] = value
            self._dirty = True
            self._later.start()

    def save(self) -> None:
        """Write now what is still to be written."""
        self._later.stop()
        if not self._dirty:
            return
        self._dirty = False
        try:
            write_kept(FILE, self._values)
        except CellsynthError as error:
            self.note = str(error)

    def button(self, name: str, button: QAbstractButton) -> None:
        """A button that is down or up as it was left by the user."""
        held = self.get(name, bool)
        if held is not None:
            button.setChecked(held)
        button.clicked.connect(lambda *_: self.put(name, button.isChecked()))


_KEPT: dict[Path, Kept] = {}


def kept() -> Kept:
    """What is remembered, read when first asked for."""
    folder = config_folder()
    if folder not in _KEPT:
        _KEPT[folder] = Kept()
    return _KEPT[folder]

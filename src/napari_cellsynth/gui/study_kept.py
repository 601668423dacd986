"""The study of the last napari: kept as it changes, and offered again where there is none yet.

Nobody is asked on closing.  What is open without a file is in no table, and
neither is a single movie of which nothing was said: opening it again is as
quick.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QApplication

from napari_cellsynth.engine.user_folder import config_folder
from napari_cellsynth.errors import CellsynthError
from napari_cellsynth.gui import workers
from napari_cellsynth.gui.pieces import Listening
from napari_cellsynth.stack.recordings.table import Table, located

if TYPE_CHECKING:
    from napari_cellsynth.gui.study import Study

FILE = "last study.csv"
SETTLE_MS = 1000
SAID = ("condition", "session", "split", "labels", "position", "fraction", "role")
"""What users say of a movie, and no file does."""


class StudyKept(QObject):
    """Writes a study down a moment after each change, and when napari ends."""

    def __init__(self, study: Study, parent: QObject) -> None:
        super().__init__(parent)
        self._study, self._path = study, config_folder() / FILE
        self._written: Table | None = None
        self._later = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._later.timeout.connect(self.save)
        self._signals = Listening(self)
        self._signals.to(study.changed, self._changed)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self._ends)

    def _changed(self) -> None:
        self._later.start()

    def _ends(self) -> None:
        if self._later.isActive():
            self.save()

    def save(self) -> None:
        """Write it now, where there is something that would be missed."""
        self._later.stop()
        table = self._study.table(stored=True)
        if table == self._written or not worth_keeping(table):
            return
        with suppress(CellsynthError, OSError):  # a comfort: saving is what the button is for
            self._path.parent.mkdir(parents=True, exist_ok=True)
            table.write(self._path)
            self._written = table

    def offer(self, came: Callable[[Table | None], Any]) -> None:
        """Look for the one of the last time; ``came`` is called with it, or with None."""
        workers.call(lambda: read(self._path), returned=came, owner=self)


def worth_keeping(table: Table) -> bool:
    """Whether it would have to be typed again."""
    return len(table.rows) > 1 or any(getattr(row, name) is not None for row in table.rows for name in SAID)


def read(path: Path) -> Table | None:
    """The table that was kept, with whole paths; None where there is none that can be read."""
    try:
        table = Table.read(path) if path.is_file() else None
    except (CellsynthError, OSError):
        return None
    if table is None:
        return None
    rows = []
    for row in table.rows:
        labels = None if row.labels is None else _whole(row.labels, table.folder)
        rows.append(row.model_copy(update={"file": _whole(row.file, table.folder), "labels": labels}))
    return replace(table, rows=tuple(rows), folder=rows[0].file.parent, notes=())


def _whole(file: Path, folder: Path) -> Path:
    return Path(os.path.normpath(located(file, folder)))

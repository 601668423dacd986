"""Which trainings there are and how they do, looked up every two seconds by one worker for all panels of a session."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_cellsynth import api
from napari_cellsynth.api import RUNS
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.gui.workers import Worker, start

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_cellsynth.gui.state import Session

EVERY_S = 2.0
GLANCE_S = 0.1
"""How soon a worker that is no longer wanted ends."""
_WATCHES: weakref.WeakKeyDictionary[Session, RunsWatch] = weakref.WeakKeyDictionary()


class RunsWatch(QObject):
    """``changed`` carries the rows of :func:`api.list_runs` with :func:`abilities`, whenever they are others."""

    changed = Signal(object)
    failed = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = weakref.ref(session)
        self._users = 0
        self._worker: Worker | None = None
        self._soon = threading.Event()
        self._elsewhere: list[Path] = []
        self.rows: list[dict[str, Any]] = []

    @classmethod
    def of(cls, session: Session, user: QWidget) -> RunsWatch:
        """The watch of a session; it looks as long as one of its users exists."""
        watch = _WATCHES.get(session)
        if watch is None:
            watch = _WATCHES[session] = cls(session)
        watch._add(user)
        return watch

    def also(self, run: Path) -> None:
        """List a run that lies elsewhere, too."""
        if run not in self._elsewhere:
            self._elsewhere.append(run)
        self.look_now()

    def look_now(self) -> None:
        """Do not wait for the next turn."""
        self._soon.set()

    def _add(self, user: QWidget) -> None:
        self._users += 1
        user.destroyed.connect(self._gone)
        if self._worker is None or self._worker.abort_requested:
            self._worker = start(self._looks, yielded=self._seen, failed=self.failed.emit, watches=True)

    def _gone(self, *_: Any) -> None:
        self._users -= 1
        if self._users == 0 and self._worker is not None:
            self._worker.quit()

    def _looks(self) -> Iterator[list[dict[str, Any]] | None]:
        while (session := self._session()) is not None:
            folders = [*(home / RUNS for home in session.homes), *self._elsewhere]
            del session
            rows = [row for folder in folders for row in api.list_runs(folder)]
            yield [{**row, **abilities(Path(row["path"]), row["family"])} for row in rows]
            for _ in range(round(EVERY_S / GLANCE_S)):
                if self._soon.wait(GLANCE_S):
                    break
                yield None
            self._soon.clear()

    def _seen(self, rows: list[dict[str, Any]] | None) -> None:
        if rows is not None and rows != self.rows:
            self.rows = rows
            self.changed.emit(rows)


def abilities(run: Path, family: str) -> dict[str, Any]:
    """What a row says beyond :func:`api.list_runs`: saved weights and what their model can do."""
    from napari_cellsynth.models.registry import FAMILIES

    folder = RunFolder(run)
    weights, known = folder.latest_weights(), FAMILIES.get(family)
    return {
        "weights": None if weights is None or known is None else weights.name,
        "weights_step": 0 if weights is None else int(weights.name.rpartition("-")[2]),
        "verbs": known.verbs if known is not None else (),
        "title": known.title if known is not None else family,
        "data": str(folder.record["data"].get("path", "")),
    }

"""Which jobs there are and how they do, looked up by one worker for all panels of a session.

Every two seconds as long as something changes, and less and less often while nothing does.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_cellsynth.engine.files import modified, read_json
from napari_cellsynth.engine.places import ListedJob, list_jobs, places, training
from napari_cellsynth.engine.preparing import RECORD
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.user_folder import RUNS
from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.jobs import is_here
from napari_cellsynth.gui.strip_endings import Ending, Endings
from napari_cellsynth.gui.workers import Worker, start

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_cellsynth.gui.state import Session

EVERY_S, SELDOM_S = 2.0, 12.0
"""From one look to the next: while something changes, and at most."""
SLOWER = 1.5
"""By how much the pause grows with each look that brought nothing."""
REST = 4
"""Times as long as a look took, its worker rests: a slow share is not asked all the time."""
GLANCE_S = 0.1
"""How soon a worker that is no longer wanted ends."""
AGAIN_MS = 10_000
"""After a look that failed."""
_WATCHES: weakref.WeakKeyDictionary[Session, RunsWatch] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Seen:
    """What one look brought."""

    jobs: list[dict[str, Any]]
    endings: tuple[Ending, ...] = ()
    folders: tuple[Path, ...] = ()
    """Shared folders that were added, also those that are away."""


class RunsWatch(QObject):
    """Rows of :func:`row`, whenever they are others: ``listed`` carries all jobs, ``changed`` the trainings alone.

    ``ended`` carries jobs that came to their end since the last look, and in
    the first one those that did so while napari was closed.
    """

    changed = Signal(object)
    listed = Signal(object)
    ended = Signal(object)
    failed = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = weakref.ref(session)
        self._users = 0
        self._worker: Worker | None = None
        self._soon = threading.Event()
        self._elsewhere: list[Path] = []
        self._endings = Endings()
        self._said = ""
        """Why the last look failed; empty where it did not."""
        self.jobs: list[dict[str, Any]] = []
        self.rows: list[dict[str, Any]] = []
        """Of the trainings, newest first."""
        self.folders: tuple[Path, ...] = ()

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
        self._begin()

    def _begin(self) -> None:
        """Look, unless nobody wants to know or one looks already."""
        if self._users and (self._worker is None or self._worker.abort_requested):
            self._worker = start(self._looks, yielded=self._seen, failed=self._failed, watches=True)

    def _failed(self, error: Exception) -> None:
        """Say so, once as long as it is the same, and look again later: the list must not stand still for good."""
        self._worker = None
        if str(error) != self._said:
            self._said = str(error)
            self.failed.emit(error)
        QTimer.singleShot(AGAIN_MS, self._begin)

    def _gone(self, *_: Any) -> None:
        self._users -= 1
        if self._users == 0 and self._worker is not None:
            self._worker.quit()

    def _looks(self) -> Iterator[Seen | None]:
        pause, before = EVERY_S, None
        while (session := self._session()) is not None:
            homes = session.homes
            del session
            began = time.monotonic()
            jobs = look(homes, self._elsewhere)
            folders = tuple(place.path for place in places(homes[0]) if not place.own)
            yield Seen(jobs, self._endings.of(jobs), folders)
            pause = min(SELDOM_S, pause * SLOWER) if jobs == before else EVERY_S
            before = jobs
            rest = max(pause, REST * (time.monotonic() - began))
            for _ in range(round(rest / GLANCE_S)):
                if self._soon.wait(GLANCE_S):
                    pause = EVERY_S
                    break
                yield None
            self._soon.clear()

    def _seen(self, seen: Seen | None) -> None:
        if seen is None:
            return
        self.folders, self._said = seen.folders, ""
        if seen.jobs != self.jobs:
            self.jobs = seen.jobs
            self.listed.emit(self.jobs)
        trainings = [job for job in seen.jobs if job["kind"] == "training"]
        rows = sorted(trainings, key=lambda job: job["created"] or 0.0, reverse=True)
        if rows != self.rows:
            self.rows = rows
            self.changed.emit(rows)
        if seen.endings:
            self.ended.emit(seen.endings)


def look(homes: Sequence[Path], elsewhere: Sequence[Path] = ()) -> list[dict[str, Any]]:
    """The jobs of these homes and their places, and single ones that lie elsewhere, each once."""
    found: dict[str, dict[str, Any]] = {}
    for home in homes:
        for job in list_jobs(home):
            with suppress(BadInput):  # being removed as we look
                found.setdefault(job.path, row(job, own=job.place == str(home / RUNS)))
    for run in list(elsewhere):
        with suppress(BadInput):
            if str(run) not in found:
                found[str(run)] = row(training(RunFolder(run), run.parent), own=False)
    return list(found.values())


def row(job: ListedJob, *, own: bool) -> dict[str, Any]:
    """A job of :func:`~napari_cellsynth.engine.places.list_jobs` with what the panels want to know beyond that.

    ``own``: it lies in the home; ``here``: it is worked on here, if anywhere;
    ``run``: it is a run folder, which can be asked things; and ``out``: the
    training set that is being made.
    """
    path = Path(job.path)
    about: dict[str, Any] = {"own": own, "here": is_here(job.host), "run": False, "out": None, "weights": None}
    if job.kind == "training set":
        about["out"] = (read_json(path / RECORD) or {}).get("out")
    elif job.family is not None and job.state != "away":
        about |= {"run": True, **abilities(path, job.family)}
    return {**job.to_json(), **about}


def abilities(run: Path, family: str) -> dict[str, Any]:
    """What a row says beyond the engine: saved weights, and what their model can do."""
    from napari_cellsynth.models.registry import FAMILIES

    folder = RunFolder(run)
    saved, known = folder.checkpoints(), FAMILIES.get(family)
    weights = saved[-1] if saved else None
    return {
        "weights": None if weights is None or known is None else weights.name,
        "weights_step": 0 if weights is None else int(weights.name.rpartition("-")[2]),
        "kept": None if weights is None else modified(weights),
        "saved": len(saved),
        "verbs": known.verbs if known is not None else (),
        "title": known.title if known is not None else family,
        "data": str(folder.record["data"].get("path", "")),
    }

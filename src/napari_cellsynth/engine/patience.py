"""A run's folder may be away for a while (a share, a disk that was unplugged): training goes on, and writing waits."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from napari_cellsynth.engine.event_log import EventLog, stamped
from napari_cellsynth.engine.events import Event
from napari_cellsynth.engine.heartbeat import Alive
from napari_cellsynth.errors import RunFailed

PATIENCE = 600.0
"""Seconds for which a folder may be away before the run fails."""
REMOVED = 30.0
"""The same for a folder that is gone while everything around it is there: it was removed or renamed."""
STUMBLES = 3
"""Times that something may go wrong in a folder that is there."""
RETRY = 1.0
"""Seconds from one try to the next."""
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
"""Errors of a disk that is full, or of a share of it."""

Made = TypeVar("Made")


class FolderAway(RunFailed):
    """The folder of a run has been away for too long."""


class TakenOver(RunFailed):
    """Another process trains the run by now; the folder is its own."""

    def __init__(self, run: Path, by: Alive) -> None:
        super().__init__(f"{run} is being trained by process {by.pid} on {by.host} by now; this one lets go")


def is_there(run: Path) -> bool:
    """Whether a run's folder can be reached: an empty place where a share is mounted at other times is none."""
    return os.path.isfile(run / "run.json")


def must_be_there(run: Path) -> None:
    """Raise FileNotFoundError where :func:`is_there` says no."""
    if not is_there(run):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(run))


class Absence:
    """How long the folder of a run has been away, told from what goes wrong in it."""

    def __init__(self, run: Path) -> None:
        self._run, self._around = run, _device(run.parent)
        self._since: float | None = None
        self._stumbles = 0

    @property
    def lasts(self) -> bool:
        """Whether the last try failed for it."""
        return self._since is not None

    def may_be_over(self) -> None:
        """To be called before something is tried again: raises :class:`TakenOver` where the folder is another's now."""
        found = Alive.read(self._run / "alive.json") if self.lasts else None
        if found is not None and not found.ours:
            raise TakenOver(self._run, found)

    def over(self) -> None:
        """Something went right."""
        self._since, self._stumbles = None, 0

    def met(self, error: OSError) -> None:
        """Something went wrong; raises where another try has no sense."""
        if error.errno in NO_SPACE:
            raise error
        if is_there(self._run):
            self._stumbles += 1
            if self._stumbles > STUMBLES:
                raise error
            return
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        removed = self._around is not None and _device(self._run.parent) == self._around
        if now - self._since > (REMOVED if removed else PATIENCE):
            raise FolderAway(self._words(removed)) from error

    def _words(self, removed: bool) -> str:
        if removed:
            return f"{self._run} was removed or renamed while it was trained; what was learned since is lost"
        return (
            f"{self._run} has been away for {PATIENCE / 60:.0f} minutes (is the share or disk connected?); "
            "resume the run when it is back"
        )


def _device(folder: Path) -> int | None:
    try:
        return os.stat(folder).st_dev
    except OSError:
        return None


def patiently(do: Callable[[], Made], absence: Absence, enough: threading.Event) -> Made:
    """What ``do`` returns, tried again while the folder is away; once ``enough`` is set, not again."""
    while True:
        try:
            made = do()
        except OSError as error:
            absence.met(error)
            if enough.wait(RETRY):
                raise
        else:
            absence.over()
            return made


class PatientLog(EventLog):
    """Keeps events while the folder is away, and writes them, in their order and with their times, when it is back."""

    def __init__(self, run: Path) -> None:
        super().__init__(run / "events.jsonl")
        self._run, self._absence = run, Absence(run)
        self._kept: list[Event] = []

    @property
    def waits(self) -> bool:
        """Whether there are events that could not be written yet."""
        return bool(self._kept)

    def append(self, event: Event) -> Event:
        """Write an event down, now or when the folder is back; returns it with its time.

        Raises :class:`FolderAway` when that has taken too long, :class:`TakenOver` where it comes back as another's,
        OSError on a full or broken disk.
        """
        event = stamped(event)
        self._kept.append(event)
        self.catch_up()
        return event

    def catch_up(self) -> None:
        """Write what could not be written before."""
        try:
            while self._kept:
                must_be_there(self._run)
                self._absence.may_be_over()
                self.write(self._kept[0])
                del self._kept[0]
        except OSError as error:
            self._absence.met(error)
        else:
            self._absence.over()

    def settle(self) -> None:
        """Wait until everything is written; raises as :meth:`append` does."""
        while self._kept:
            self.catch_up()
            if self._kept:
                time.sleep(RETRY)

"""alive.json: who works on a run, renewed every five seconds, so that others can tell running from interrupted."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from napari_cellsynth.engine.files import modified, read_json, write_json

BEAT = 5.0
"""Seconds between two signs of life."""
SILENCE = 30.0
"""Seconds without a sign of life after which a process on another computer counts as dead."""
SAME_BIRTH = 2.0
"""Seconds by which two readings of a process's birth may differ (the clock is adjusted meanwhile)."""


@dataclass(frozen=True)
class Alive:
    """The last sign of life of a run's writer; times in seconds since 1970."""

    host: str
    pid: int
    created: float
    """Birth of the process: a process number alone may belong to another process by now."""
    since: float
    """When the process took the run."""
    step: int
    time: float
    ended: bool = False
    """The writer has let go of the run in good order."""
    seen: float = 0.0
    """When the file was written, by the clock of the disk it lies on; not in the file."""

    @classmethod
    def read(cls, path: Path) -> Alive | None:
        """What alive.json says; None where there is none that makes sense."""
        record = read_json(path)
        try:
            return None if record is None else cls._from(record, modified(path))
        except (KeyError, TypeError, ValueError, OverflowError):
            return None

    @classmethod
    def _from(cls, record: dict[str, object], seen: float) -> Alive:
        numbers = {name: float(str(record[name])) for name in ("created", "since", "time")}
        pid, step = int(str(record["pid"])), int(str(record["step"]))
        ended = record.get("ended") is True
        return cls(host=str(record["host"]), pid=pid, step=step, ended=ended, seen=seen, **numbers)

    @property
    def here(self) -> bool:
        """Whether the writer works on this computer."""
        return self.host == socket.gethostname()

    def lives(self, now: float | None = None) -> bool:
        """Here: the process exists and was born then.  Elsewhere: its last sign is not older than :data:`SILENCE`."""
        if self.ended:
            return False
        if self.here:
            return _exists(self.pid, self.created)
        # The clocks of two computers and of the share between them may differ: the younger of the two signs counts.
        return (time.time() if now is None else now) - max(self.time, self.seen) < SILENCE

    def why_dead(self) -> str:
        """What can be said of a writer that is gone and has left the run unfinished."""
        if self.ended:
            return "the last attempt to go on with it ended before its first step (see log.txt)"
        if not self.here:
            return f"there is no sign of life from {self.host}"
        if psutil.boot_time() > self.time:
            return "the computer was restarted"
        return "its process ended without a word (killed, crashed, or out of memory)"


def _exists(pid: int, created: float) -> bool:
    try:
        process = psutil.Process(pid)
        # A killed child that its parent has not collected still has a number.
        return abs(process.create_time() - created) < SAME_BIRTH and process.status() != psutil.STATUS_ZOMBIE
    except psutil.AccessDenied:
        return True
    except (psutil.Error, ValueError, OverflowError):
        return False


class Heartbeat:
    """Renews alive.json from a thread of its own while it is entered; ``step`` is set by the training loop."""

    def __init__(self, path: Path, *, beat: float = BEAT) -> None:
        self.step = 0
        self._path, self._beat = path, beat
        self._since = time.time()
        self._created = psutil.Process().create_time()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._write()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._write(ended=True)

    def _renew(self) -> None:
        while not self._over.wait(self._beat):
            self._write()

    def _write(self, *, ended: bool = False) -> None:
        sign = Alive(
            host=socket.gethostname(),
            pid=os.getpid(),
            created=self._created,
            since=self._since,
            step=self.step,
            time=time.time(),
            ended=ended,
        )
        # A full disk or an absent share must not end the training here; the next beat tries again.
        with suppress(OSError):
            write_json(self._path, {key: value for key, value in asdict(sign).items() if key != "seen"})

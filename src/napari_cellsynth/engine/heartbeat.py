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

from napari_cellsynth.engine.disk_clock import disk_time
from napari_cellsynth.engine.files import modified, read_json, write_json
from napari_cellsynth.engine.machine import kills_for_memory, machine, memory_free, memory_taken
from napari_cellsynth.engine.owner import exists

BEAT = 5.0
"""Seconds between two signs of life."""
SILENCE = 30.0
"""Seconds without a sign of life after which a process on another computer counts as dead."""
REQUIRED = ("pid", "created", "since", "step", "time")


@dataclass(frozen=True)
class Alive:
    """The last sign of life of a run's writer; times in seconds since 1970, by the clock of its computer."""

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
    machine: str = ""
    """See :func:`.machine.machine`."""
    taken: float = 0.0
    """When the process took the run, by the clock of the disk."""
    after: float = 0.0
    """Time of the event that had decided the run's state when the process took it: later ones are its own."""
    memory: int = 0
    """Bytes of the process."""
    free: int = 0
    """Bytes of memory that were free."""
    kills: int | None = None
    """See :func:`.machine.kills_for_memory`."""
    path: Path | None = None
    """The file; not in it."""
    seen: float = 0.0
    """When the file was written, by the clock of the disk it lies on; not in it."""

    @classmethod
    def read(cls, path: Path) -> Alive | None:
        """What alive.json says; None where there is none that makes sense."""
        record = read_json(path)
        try:
            return None if record is None else cls._from(record, path)
        except (KeyError, TypeError, ValueError, OverflowError):
            return None

    @classmethod
    def _from(cls, record: dict[str, object], path: Path) -> Alive:
        def number(name: str) -> float:
            # What came later is missing in old files.
            return float(str(record[name] if name in REQUIRED else record.get(name, 0)))

        kills = record.get("kills")
        return cls(
            host=str(record["host"]),
            pid=int(number("pid")),
            created=number("created"),
            since=number("since"),
            step=int(number("step")),
            time=number("time"),
            ended=record.get("ended") is True,
            machine=str(record.get("machine", "")),
            taken=number("taken"),
            after=number("after"),
            memory=int(number("memory")),
            free=int(number("free")),
            kills=kills if isinstance(kills, int) else None,
            path=path,
            seen=modified(path),
        )

    def to_json(self) -> dict[str, object]:
        """What stands in the file."""
        return {key: value for key, value in asdict(self).items() if key not in ("path", "seen")}

    @property
    def same_computer(self) -> bool:
        """Whether the writer's computer has our name; it may have been started anew since."""
        return self.host == socket.gethostname()

    @property
    def here(self) -> bool:
        """Whether the writer is a process that we can look for by its number."""
        return self.same_computer and self.machine in ("", machine())

    @property
    def ours(self) -> bool:
        """Whether the writer is this very process."""
        return self.here and self.pid == os.getpid()

    def lives(self) -> bool:
        """Here: the process exists and was born then.  Elsewhere: it was heard of within :data:`SILENCE`.

        The clock of the other computer is never compared with ours.  It was
        heard of if the file changed while we looked (every call looks), or is
        young by the clock of the disk.  Where that clock cannot be asked, a
        sign seen for the first time has the benefit of the doubt.
        """
        if self.ended:
            return False
        if self.here:
            return exists(self.pid, self.created)
        look = _look(self)
        heard = time.monotonic() - look.at < SILENCE
        if look.changed and heard:
            return True
        now = disk_time(self.path.parent) if self.path is not None else None
        if now is None or now - self.seen < -SILENCE:
            # A file dated in the future was dated by the other computer.
            return heard
        return now - self.seen < SILENCE

    def is_of(self, other: Alive) -> bool:
        """Whether both are signs of one process."""
        mine, others = (self.host, self.pid, self.since), (other.host, other.pid, other.since)
        return mine == others


@dataclass(frozen=True)
class _Look:
    sign: tuple[object, ...]
    at: float
    """When it was first seen, by our monotonic clock."""
    changed: bool
    """Whether another one was seen before."""


_LOOKS: dict[Path, _Look] = {}


def _look(alive: Alive) -> _Look:
    """What we saw of a file, this time included."""
    path = alive.path or Path()
    sign = (alive.host, alive.pid, alive.since, alive.time, alive.step, alive.seen)
    before = _LOOKS.get(path)
    if before is None or before.sign != sign:
        _LOOKS[path] = _Look(sign, time.monotonic(), before is not None)
    return _LOOKS[path]


class Heartbeat:
    """Renews alive.json from a thread of its own while it is entered; ``step`` is set by the training loop.

    ``after`` is the time of the event that decides the run's state so far.
    Once another process has left its sign there, this one keeps its hands
    off, and ``rival`` says who it is.
    """

    def __init__(self, path: Path, *, beat: float | None = None, after: float = 0.0) -> None:
        self.step = 0
        self.rival: Alive | None = None
        self._path, self._beat = path, BEAT if beat is None else beat
        self._before = Alive.read(path)
        self._me = Alive(
            host=socket.gethostname(),
            pid=os.getpid(),
            created=psutil.Process().create_time(),
            since=time.time(),
            step=0,
            time=0.0,
            machine=machine(),
            taken=disk_time(path.parent) or 0.0,
            after=after,
        )
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._write()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._beat_once(ended=True)

    def _renew(self) -> None:
        while not self._over.wait(self._beat):
            self._beat_once()

    def _beat_once(self, *, ended: bool = False) -> None:
        """A sign of life, unless another process has taken the run (while its folder was away from here, say)."""
        found = Alive.read(self._path)
        # Whose sign was there before has gone: it is still there where ours could not be written at first.
        known = [one for one in (self._me, self._before) if one is not None]
        if found is not None and not any(found.is_of(one) for one in known):
            self.rival = found
        if self.rival is None:
            self._write(ended=ended)

    def _write(self, *, ended: bool = False) -> None:
        changes = {"step": self.step, "time": time.time(), "ended": ended}
        measured = {"memory": memory_taken(), "free": memory_free(), "kills": kills_for_memory()}
        record = {**self._me.to_json(), **changes, **measured}
        # A full disk or an absent share must not end the training here; the next beat tries again.
        try:
            write_json(self._path, record)
        except OSError:
            # On a full disk the old file can still be dated anew, which others elsewhere take for a sign.
            with suppress(OSError):
                os.utime(self._path)

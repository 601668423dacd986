"""Which process something belongs to, so that another one can tell whether that is still there; loads no torch."""

from __future__ import annotations

import os
import socket
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from napari_cellsynth.engine.machine import machine

SAME_BIRTH = 2.0
"""Seconds by which two readings of a process's birth may differ (the clock is adjusted meanwhile)."""


@dataclass(frozen=True)
class Owner:
    """A process of a computer."""

    machine: str
    pid: int
    created: float
    """Its birth: a process number alone may belong to another process by now."""

    @classmethod
    def me(cls) -> Owner:
        """This process."""
        return cls(_here(), os.getpid(), psutil.Process().create_time())

    @classmethod
    def from_json(cls, record: Any) -> Owner | None:
        """As :meth:`to_json` wrote it, beside other things; None where that makes no sense."""
        try:
            return cls(str(record["machine"]), int(record["pid"]), float(record["created"]))
        except (TypeError, KeyError, ValueError, OverflowError):
            return None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def lives(self) -> bool | None:
        """Whether it is still there; None for a process of another computer or container, which cannot be asked."""
        return exists(self.pid, self.created) if self.machine == _here() else None


def _here() -> str:
    return machine() or socket.gethostname()


def exists(pid: int, created: float) -> bool:
    """Whether a process of that number, born then, is still at work."""
    try:
        process = psutil.Process(pid)
        # A killed child that its parent has not collected still has a number.
        return abs(process.create_time() - created) < SAME_BIRTH and process.status() != psutil.STATUS_ZOMBIE
    except psutil.AccessDenied:
        return True
    except (psutil.Error, ValueError, OverflowError):
        return False

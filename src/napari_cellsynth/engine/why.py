"""Why a run was interrupted: the best reason that can be found by whoever looks at its folder afterwards."""

from __future__ import annotations

import shutil
import signal
from contextlib import suppress
from pathlib import Path

import psutil

from napari_cellsynth.engine.files import read_json, write_json
from napari_cellsynth.engine.heartbeat import Alive
from napari_cellsynth.engine.machine import kills_for_memory, machine
from napari_cellsynth.engine.words import size_in_words

NO_SIGN = "it has no sign of life at all (alive.json is missing)"
FULL = 1 << 20
"""Bytes free below which a disk counts as full."""
SCARCE = 0.05
"""Part of what a process had: with less than that free, the system is likely to have ended it."""
EXIT = "exit.json"
"""How the process ended, where whoever started it was there to see: {"pid", "status"}."""


def why_interrupted(folder: Path, alive: Alive) -> str:
    """What can be said of a writer that is gone and has left the run unfinished."""
    if alive.ended:
        return "the last attempt to go on with it ended before its first step (see log.txt)"
    if not alive.same_computer:
        return f"there is no sign of life from {alive.host}; it may be switched off, or cut off from this folder"
    if psutil.boot_time() > alive.time:
        return "the computer was restarted"
    if _disk_full(folder):
        return f"the disk is full ({size_in_words(shutil.disk_usage(folder).free)} free)"
    status = exit_status(folder, alive)
    if memory := _for_memory(alive, status):
        return memory
    if status is not None:
        return _by_status(status)
    if not alive.here:
        return "its process is gone and left no reason, in another container or session of this computer"
    return "its process is gone and left no reason (killed, or crashed)"


def _disk_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < FULL
    except OSError:
        return False


def _for_memory(alive: Alive, status: int | None) -> str:
    """Words where the system ended it for want of memory, as far as can be seen."""
    had = f"it had {size_in_words(alive.memory)}, {size_in_words(alive.free)} were free at its last sign of life"
    killed = status is None or status in (-9, 137)
    now = kills_for_memory() if alive.machine == machine() else None
    if killed and alive.kills is not None and now is not None and now > alive.kills:
        return f"the system ended it for want of memory ({had})"
    if killed and alive.memory and alive.free < SCARCE * alive.memory:
        return f"it was ended most likely for want of memory ({had})"
    return ""


def _by_status(status: int) -> str:
    if status < 0:
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        crashed = name in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE")
        return f"its process crashed ({name})" if crashed else f"its process was killed ({name})"
    return f"its process ended with status {status} (see log.txt)"


def note_exit(folder: Path, pid: int, status: int) -> None:
    """Write down how a process ended, for whoever looks later; ``status`` is negative for a signal."""
    with suppress(OSError):
        write_json(folder / EXIT, {"pid": pid, "status": status})


def exit_status(folder: Path, alive: Alive) -> int | None:
    """How the process of that sign of life ended, where that was written down; negative for a signal."""
    record = read_json(folder / EXIT) or {}
    status = record.get("status")
    return status if record.get("pid") == alive.pid and isinstance(status, int) else None

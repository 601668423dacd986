"""What was measured before, so that three steps are tried once: estimates.json in the home.  Loads no torch."""

from __future__ import annotations

import hashlib
import json
import platform
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from napari_cellsynth.engine.estimate import Cost, settings_that_cost
from napari_cellsynth.engine.files import read_json, write_json
from napari_cellsynth.engine.run_folder import versions
from napari_cellsynth.engine.settings import Settings

NAME = "estimates.json"
KEPT = 300
"""Of the newest."""
GOOD_FOR, GOOD_FOR_IF_BUSY = 60 * 86400.0, 3600.0
"""Seconds after which it is measured anew; sooner where the processor had much else to do meanwhile."""


def key_of(family: str, settings: Settings, data: Mapping[str, Any], device: str, threads: int | None) -> str:
    """Of all that a cost depends on; ``data`` is a training set's record, ``device`` as resolved (not ``auto``)."""
    about = {
        "family": family,
        "settings": settings_that_cost(settings),
        "data": data.get("hash"),
        "device": device,
        "threads": threads,
        "host": socket.gethostname(),
        "processor": platform.machine(),
        "versions": versions(),
    }
    return hashlib.blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=16).hexdigest()


class Measured:
    """The file; a damaged one counts as none, and one that cannot be written is done without."""

    def __init__(self, home: Path) -> None:
        self._path = home / NAME

    def find(self, key: str) -> Cost | None:
        """What was measured with this key, if that is not too long ago."""
        entry: Any = (read_json(self._path) or {}).get(key)
        try:
            busy = bool(entry.pop("busy", False))
            if busy and not _busy():  # now it can be known better
                return None
            limit = GOOD_FOR_IF_BUSY if busy else GOOD_FOR
            fresh = 0 <= time.time() - float(entry.pop("time")) < limit
            cost = Cost(**entry, busy=busy)
            sound = cost.seconds_per_step > 0 and cost.look >= 0 and min(cost.memory, cost.state, cost.preview) >= 0
        except (AttributeError, KeyError, TypeError, ValueError):
            return None
        return cost if fresh and sound else None

    def keep(self, key: str, cost: Cost) -> None:
        """Remember it, in place of what was known; the oldest are forgotten."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._path.with_name(f".{NAME}.lock"), timeout=2):
                known = {name: entry for name, entry in (read_json(self._path) or {}).items() if _time(entry)}
                known[key] = {**asdict(cost), "time": time.time(), "busy": cost.busy or _busy()}
                newest = sorted(known, key=lambda name: _time(known[name]))[-KEPT:]
                write_json(self._path, {name: known[name] for name in newest})
        except (OSError, Timeout, NotImplementedError):
            return


def is_busy() -> bool:
    """Whether the computer has so much else to do that what is measured now would be too long."""
    return _busy()


def _busy() -> bool:
    """Whether more processes want to compute than there are cores, by half."""
    return bool(psutil.getloadavg()[0] > 1.5 * (psutil.cpu_count() or 1))


def _time(entry: Any) -> float:
    when = entry.get("time") if isinstance(entry, dict) else None
    return float(when) if isinstance(when, int | float) else 0.0

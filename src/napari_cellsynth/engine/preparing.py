"""Training sets that are being made, as their job folders tell it to anybody.

napari starts such jobs; a folder each, with ``job.json`` (who makes what),
``said.txt`` (lines of JSON among what the process says) and ``log.txt``.
"""

from __future__ import annotations

import json
import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from napari_cellsynth.engine.birth import born_so
from napari_cellsynth.engine.files import last_lines, read_json
from napari_cellsynth.engine.run_state import State

JOBS = "preparing"
"""Folder inside the home."""
RECORD, SAID, LOG = "job.json", "said.txt", "log.txt"
TAIL = 4000
"""Bytes at the end of what was said that are looked at."""


@dataclass(frozen=True)
class SetBeingMade:
    """How the making of a training set does."""

    folder: Path
    name: str
    """Of the set."""
    state: State
    because: str
    since: float | None
    done: int
    total: int
    host: str | None
    last_lines: tuple[str, ...]

    def size(self) -> int:
        """Bytes of what was written for it so far."""
        found = (os.path.join(root, name) for root, _, names in os.walk(self.folder) for name in names)
        total = 0
        for path in found:
            with suppress(OSError):
                total += os.lstat(path).st_size
        return total


def sets_being_made(folder: Path) -> list[SetBeingMade]:
    """The jobs in a folder, oldest first."""
    try:
        found = sorted(entry for entry in folder.iterdir() if (entry / RECORD).is_file())
    except OSError:
        return []
    return [_look(path, record) for path in found if (record := read_json(path / RECORD)) is not None]


def _look(folder: Path, record: dict[str, Any]) -> SetBeingMade:
    done, total = _progress(folder / SAID)
    state, because = _state(folder, record)
    since, host = record.get("since"), record.get("host")
    return SetBeingMade(
        folder=folder,
        name=Path(str(record.get("out", folder.name))).name,
        state=state,
        because=because,
        since=float(since) if isinstance(since, int | float) else None,
        done=done,
        total=total,
        host=host if isinstance(host, str) else None,
        last_lines=last_lines(folder / LOG, TAIL)[-5:],
    )


def _state(folder: Path, record: dict[str, Any]) -> tuple[State, str]:
    if record.get("host") != platform.node():
        return "running", f"it is made on {record.get('host')}, which alone can say how it does"
    if "pid" not in record:
        lives = isinstance(record.get("napari"), int) and psutil.pid_exists(record["napari"])
        return ("new", "") if lives else ("interrupted", "napari was closed before it could begin")
    if _works(record):
        return "running", ""
    if (Path(str(record.get("out", ""))) / "dataset.json").is_file():
        return "finished", ""
    words = last_lines(folder / LOG, TAIL)
    return "failed", words[-1].removeprefix("cellsynth: ") if words else "its process ended before the set was ready"


def _works(record: dict[str, Any]) -> bool:
    try:
        process = psutil.Process(int(record["pid"]))
        return born_so(process, record) and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, TypeError, ValueError):
        return False


def _progress(said: Path) -> tuple[int, int]:
    """Done and total of the last whole line of JSON."""
    for line in reversed(last_lines(said, TAIL)):
        with suppress(ValueError, KeyError, TypeError):
            news = json.loads(line)
            return int(news["done"]), int(news["total"])
    return 0, 0

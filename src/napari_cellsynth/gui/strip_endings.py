"""Which jobs have come to an end since somebody last looked: told once, also of what ended while napari was closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_cellsynth.engine.run_state import LIVE
from napari_cellsynth.engine.user_folder import read_kept, write_kept
from napari_cellsynth.errors import CellsynthError

FILE = "jobs.json"
"""In the user's settings folder: the jobs that were at work when a napari last looked, and what was told of which."""
NEWS = ("finished", "failed", "interrupted")
"""Ends that nobody asked for at that moment."""
WORKING = (*LIVE, "new", "away")
"""States of a job that was seen at work and has not ended."""
TOLD = 200
"""How many endings are remembered."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Ending:
    """A job that has come to its end."""

    job: Mapping[str, Any]
    while_closed: bool
    """While no napari looked."""


class Endings:
    """Compares each look with the one before; call it from the worker that looks, for it reads and writes a file."""

    def __init__(self) -> None:
        self._live: dict[str, Row] = {}
        self._first = True

    def of(self, jobs: Sequence[Row]) -> tuple[Ending, ...]:
        """What ended since the last call; in the first call, since a napari that was closed last looked."""
        now = {str(job["path"]): job for job in jobs}
        closed = _live(read_kept(FILE)[0]) if self._first else {}
        ended = [
            Ending(end, path not in self._live)
            for path, before in {**closed, **self._live}.items()
            if (end := _end(before, now.get(path), now)) is not None
        ]
        live = {path: job for path, job in now.items() if job["state"] in LIVE}
        waited = {path: job for path, job in {**closed, **self._live}.items() if _still_out(path, job, now)}
        live = {**waited, **live}
        if ended or self._first or live.keys() != self._live.keys():
            ended = self._note(ended, live, gone=set(self._live) | set(closed))
        self._live, self._first = live, False
        return tuple(ending for ending in ended if ending.job["state"] in NEWS)

    def _note(self, ended: list[Ending], live: Mapping[str, Row], gone: set[str]) -> list[Ending]:
        """Write down who is at work, and which endings were told; those that another napari told are left out."""
        kept = read_kept(FILE)[0]
        told = {path: end for path, end in _dict(kept.get("told")).items() if path not in live}
        new = [ending for ending in ended if told.get(str(ending.job["path"])) != _mark(ending.job)]
        told |= {str(ending.job["path"]): _mark(ending.job) for ending in new}
        others = {path: job for path, job in _live(kept).items() if path not in gone}
        at_work = others | {path: {key: job.get(key) for key in ("kind", "name", "out")} for path, job in live.items()}
        record = {"live": at_work, "told": dict(list(told.items())[-TOLD:])}
        if record != kept:
            with suppress(CellsynthError, OSError):  # then it may be told twice
                write_kept(FILE, record)
        return new


def _end(before: Row, job: Row | None, now: Mapping[str, Row]) -> Row | None:
    """A job that was at work, as it ended; None for one that works on, or is gone without a word."""
    if job is None:
        out = before.get("out")
        # The job of a set goes when the set is there.
        made = before.get("kind") == "training set" and out and (Path(out) / "dataset.json").is_file()
        return {**before, "path": before.get("path", out), "state": "finished", "because": ""} if made else None
    return job if job["state"] not in WORKING else None


def _still_out(path: str, before: Row, now: Mapping[str, Row]) -> bool:
    """Whether a job cannot be seen now, and may come back: its folder, or the place it lies in, is away."""
    if path in now:
        return now[path]["state"] in ("new", "away")
    return any(job["state"] == "away" and Path(job["path"]) in Path(path).parents for job in now.values())


def _mark(job: Row) -> list[Any]:
    return [job["state"], job.get("since")]


def _live(kept: Mapping[str, Any]) -> dict[str, Row]:
    found = _dict(kept.get("live"))
    return {path: {**job, "path": path} for path, job in found.items() if isinstance(job, dict)}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}

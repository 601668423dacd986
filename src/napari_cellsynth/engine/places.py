"""Folders in which jobs lie, and one list of all jobs in them; loads no torch.

The home's own folder comes first, then shared folders that the user added.
A folder that is not there now (a share that is not mounted, a disk that is
unplugged) stays in the list, as away.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from napari_cellsynth.engine.files import read_json, write_json
from napari_cellsynth.engine.one_at_a_time import one_at_a_time
from napari_cellsynth.engine.preparing import JOBS as PREPARING
from napari_cellsynth.engine.preparing import SetBeingMade, sets_being_made
from napari_cellsynth.engine.reach import answers
from napari_cellsynth.engine.run_folder import RunFolder, runs_in
from napari_cellsynth.engine.run_state import LIVE, RunState
from napari_cellsynth.engine.user_folder import RUNS
from napari_cellsynth.errors import BadInput

FILE, FORMAT = "places.json", 1


@dataclass(frozen=True)
class Place:
    """A folder in which jobs lie."""

    path: Path
    own: bool
    """The home's own folder, which is always there."""
    away: bool
    """It is not there now, or does not answer."""

    @property
    def name(self) -> str:
        """For a person: ``this computer``, or the last part of the path."""
        return "this computer" if self.own else self.path.name or str(self.path)


@dataclass(frozen=True)
class ListedJob:
    """One job of the list; times in seconds since 1970."""

    kind: str
    """``training``, ``training set``, … as the job's folder says; ``place`` for a place that is away."""
    name: str
    place: str
    """Folder of the place in which it lies."""
    path: str
    state: str
    """See :data:`.run_state.State`."""
    because: str
    since: float | None
    created: float | None
    step: int
    steps: int
    seconds_left: float | None
    bytes: int | None
    """Of all its files; None where that was not asked for."""
    host: str | None
    last_lines: tuple[str, ...]
    family: str | None = None
    preset: str | None = None
    health: dict[str, Any] | None = None
    """What a training last said of itself: ``state`` (good, warning, bad), ``code``, ``words``, ``step``."""

    @property
    def live(self) -> bool:
        """Whether a process works on it."""
        return self.state in LIVE

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "last_lines": list(self.last_lines)}


def places(home: Path) -> list[Place]:
    """The folders in which jobs lie: the home's own first, then those that were added, in the order of adding."""
    own = Place(home / RUNS, own=True, away=False)
    return [own, *(Place(path, own=False, away=not answers(path)) for path in _added(home))]


def add_place(home: Path, folder: Path | str) -> Place:
    """List the jobs of another folder, too; one that is listed already stays where it is.

    Raises BadInput for what is not a folder.
    """
    path = _absolute(folder)
    if not path.is_dir():
        raise BadInput(f"{path} is not a folder; give one in which trainings lie, or will lie")
    if RunFolder.is_run(path):
        raise BadInput(f"{path} is a training itself; give the folder in which it lies: {path.parent}")
    with _alone(home):
        added = _added(home)
        if path not in (home / RUNS, *added):
            _write(home, [*added, path])
    return Place(path, own=path == home / RUNS, away=False)


def remove_place(home: Path, folder: Path | str) -> None:
    """List the jobs of a folder no more; nothing in it is touched.

    Raises BadInput for a folder that was not added.
    """
    path = _absolute(folder)
    with _alone(home):
        added = _added(home)
        if path not in added:
            known = ", ".join(map(str, added)) or "none"
            raise BadInput(f"{path} is not among the folders that were added ({known})")
        _write(home, [other for other in added if other != path])


def list_jobs(home: Path, *, sizes: bool = True) -> list[ListedJob]:
    """Every job in all places, those at work first, then the newest first."""
    jobs = [job for place in places(home) for job in _jobs_in(place, home, sizes)]
    return sorted(jobs, key=lambda job: (not job.live, -(job.created or 0.0)))


def _jobs_in(place: Place, home: Path, sizes: bool) -> Iterator[ListedJob]:
    if place.away:
        yield _away(place)
        return
    if place.own:
        yield from (_set(job, home, sizes) for job in sets_being_made(home / PREPARING))
    # A whole home of somebody else may have been added.
    for folder in (place.path, *([] if place.own else [place.path / RUNS]), *_packages(place.path)):
        for run in runs_in(folder):
            try:
                yield training(run, place.path, sizes=sizes)
            except BadInput:
                # Being removed as we look, or damaged: no reason to show none of the others.
                continue


def _packages(folder: Path) -> list[Path]:
    """Job packages for another computer that were written, or unpacked, in a place: their runs lie one level deeper."""
    try:
        return sorted(path for path in folder.iterdir() if (path / "start.sh").is_file())
    except OSError:
        return []


def training(run: RunFolder, place: Path, *, sizes: bool = True) -> ListedJob:
    """The row of a run folder; raises BadInput where it is none any more."""
    record, state = run.record, run.state()
    created = record.get("created")
    return ListedJob(
        kind=str(record.get("kind") or "training"),
        name=run.name,
        place=str(place),
        path=str(run.path),
        state=state.state,
        because=state.because,
        since=state.since,
        created=created if isinstance(created, int | float) else None,
        step=state.step,
        steps=state.steps,
        seconds_left=state.seconds_left,
        bytes=_size(run, state) if sizes else None,
        host=state.host,
        last_lines=state.last_lines,
        family=record.get("family"),
        preset=record.get("preset"),
        health=said(run),
    )


def said(run: RunFolder) -> dict[str, Any] | None:
    """What a training last said of itself, JSON-safe."""
    found = run.health()
    return None if found is None else {key: getattr(found, key) for key in ("state", "code", "words", "step")}


_SIZES: dict[Path, tuple[tuple[object, ...], int]] = {}
"""Size of a run, and the state it was in: one that nobody works on keeps its size."""


def _size(run: RunFolder, state: RunState) -> int:
    key = (state.state, state.step, state.since)
    known = _SIZES.get(run.path)
    if known is None or known[0] != key or state.state in LIVE:
        known = _SIZES[run.path] = (key, run.size())
    return known[1]


def _set(job: SetBeingMade, home: Path, sizes: bool) -> ListedJob:
    return ListedJob(
        kind="training set",
        name=job.name,
        place=str(home / RUNS),
        path=str(job.folder),
        state=job.state,
        because=job.because,
        since=job.since,
        created=job.since,
        step=job.done,
        steps=job.total,
        seconds_left=None,
        bytes=job.size() if sizes else None,
        host=job.host,
        last_lines=job.last_lines,
    )


def _away(place: Place) -> ListedJob:
    because = "this folder is not there now: a share that is not connected, a disk that is unplugged, or renamed"
    return ListedJob(
        kind="place",
        name=place.name,
        place=str(place.path),
        path=str(place.path),
        state="away",
        because=because,
        since=None,
        created=None,
        step=0,
        steps=0,
        seconds_left=None,
        bytes=None,
        host=None,
        last_lines=(),
    )


def _absolute(folder: Path | str) -> Path:
    # Not resolved: a mapped drive or a link keeps the name under which the user knows it.
    return Path(os.path.abspath(Path(folder).expanduser()))


def _added(home: Path) -> list[Path]:
    record = read_json(home / FILE) or {}
    found = record.get("places")
    return [Path(path) for path in found if isinstance(path, str)] if isinstance(found, list) else []


def _alone(home: Path) -> AbstractContextManager[None]:
    """While the list is changed: two napari may be open."""
    home.mkdir(parents=True, exist_ok=True)
    return one_at_a_time(home / f".{FILE}-lock")


def _write(home: Path, added: list[Path]) -> None:
    write_json(home / FILE, {"format": FORMAT, "places": [str(path) for path in added]})

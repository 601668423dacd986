"""A run is a folder: everything that the shell, the tests and napari know of a job stands in it.

Loads no torch.  What stands in a folder is data, whoever wrote it: nothing
in it is executed, unpickled, or followed out of the folder.
"""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from napari_cellsynth import __version__
from napari_cellsynth.engine.control import ASKS, write_wish
from napari_cellsynth.engine.event_log import EventLog, EventTail
from napari_cellsynth.engine.events import Event, Health
from napari_cellsynth.engine.files import last_lines, read_json, write_json
from napari_cellsynth.engine.heartbeat import Alive
from napari_cellsynth.engine.one_at_a_time import one_at_a_time
from napari_cellsynth.engine.run_state import LIVE, RunState, State, state_of
from napari_cellsynth.engine.time_left import longer
from napari_cellsynth.errors import BadInput

FORMAT = 1
AWAY = "it was deleted or renamed, or lies on a share or disk that is not connected"
RECORD_LOCK = ".record-lock"
"""Held while run.json is written."""
NOT_OURS = ("data", RECORD_LOCK)
"""What may lie in a folder that becomes a run's."""
CHECKPOINT = re.compile(r"step-(\d{8,12})")

__all__ = ["LIVE", "RunFolder", "RunState", "State", "runs_in", "versions"]

LOG_END = 4000
"""Bytes at the end of log.txt in which its last lines are looked for."""


class RunFolder:
    """A folder with a run.json.

    Raises :class:`BadInput` where there is none.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not os.path.exists(self.path):
            raise BadInput(
                f"{self.path} does not exist; give the folder of a run (cellsynth runs lists those in a folder)"
            )
        if not self.is_run(self.path):
            raise BadInput(f"{self.path} is not a run: it has no run.json that could be read; give the folder of a run")
        self.log_of_events = EventLog(self.path / "events.jsonl")
        self._known = RunState("away", 0, 0)

    @classmethod
    def create(
        cls,
        path: Path | str,
        *,
        family: str,
        preset: str | None,
        settings: Mapping[str, Any],
        data: Mapping[str, Any],
        device: str = "auto",
        threads: int | None = None,
    ) -> RunFolder:
        """Write a run that is ready to train.

        ``settings`` are the resolved ones; ``data`` says what it is trained
        on.  A folder that holds a run, or anything but ``data/``, is refused.
        """
        path = Path(path)
        if cls.is_run(path):
            raise BadInput(f"{path} already holds a run; choose another name, or go on with that run")
        if path.exists() and (not path.is_dir() or any(entry.name not in NOT_OURS for entry in path.iterdir())):
            raise BadInput(f"{path} exists and is not an empty folder; choose another name for the run")
        path.mkdir(parents=True, exist_ok=True)
        record = {
            "format": FORMAT,
            "family": family,
            "preset": preset,
            "settings": dict(settings),
            "data": dict(data),
            "seed": settings.get("seed"),
            "versions": versions(),
            "device": device,
            "threads": threads,
            "micro_batch": settings.get("micro_batch"),
            "created": time.time(),
        }
        with one_at_a_time(path / RECORD_LOCK):
            if cls.is_run(path):
                raise BadInput(f"{path} was made by another process at this moment; choose another name for the run")
            write_json(path / "run.json", record, sync=True)
        return cls(path)

    @staticmethod
    def is_run(path: Path | str) -> bool:
        """Whether a folder has a run.json of ours."""
        record = read_json(Path(path) / "run.json")
        return record is not None and isinstance(record.get("family"), str) and isinstance(record.get("settings"), dict)

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def record(self) -> dict[str, Any]:
        """run.json as it is now."""
        record = read_json(self.path / "run.json")
        if record is None:
            raise BadInput(f"{self.path} is no longer a run: its run.json is gone or cannot be read")
        return record

    def update_record(self, **changes: Any) -> None:
        """Change entries of run.json; what other processes change of it at the same time stays changed.

        Raises OSError where that cannot be written, TimeoutError (an OSError)
        where a process that lives is at it for too long.
        """
        self._change(lambda record: {**record, **changes})

    def update_settings(self, **changes: Any) -> None:
        """Change settings in run.json, as :meth:`update_record` does entries."""
        self._change(lambda record: {**record, "settings": {**record["settings"], **changes}})

    def _change(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        with one_at_a_time(self.path / RECORD_LOCK):
            write_json(self.path / "run.json", change(self.record), sync=True)

    # What happened

    def append(self, event: Event) -> Event:
        """Write an event down; returns it with its time."""
        return self.log_of_events.append(event)

    def events(self) -> list[Event]:
        """All that happened, oldest first."""
        return self.tail().read()

    def tail(self) -> EventTail:
        """Reader that returns, call by call, what is new; the first call returns everything."""
        return EventTail(self.log_of_events.path)

    def health(self) -> Health | None:
        """What the training last said of itself; None where it has said nothing yet."""
        return self.log_of_events.health()

    def log(self, text: str) -> None:
        """Add lines to log.txt; where that cannot be written, training is more important."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        try:
            with open(self.path / "log.txt", "a", encoding="utf-8") as file:
                file.write(f"{stamp} {text.rstrip()}\n")
        except OSError:
            pass

    # How it is doing

    @property
    def alive(self) -> Alive | None:
        """Last sign of life of the process that works, or worked, on this run."""
        return Alive.read(self.path / "alive.json")

    def state(self, *, size: bool = False) -> RunState:
        """How the run is doing, from its last events and its last sign of life; with its ``size`` where asked for.

        A folder that is not there now is "away", with what was last known of the run.
        """
        record = read_json(self.path / "run.json")
        if record is None and not os.path.isfile(self.path / "run.json"):
            return replace(self._known, state="away", because=f"{self.path} is not there now: {AWAY}")
        if record is None or not isinstance(record.get("settings"), dict):
            raise BadInput(f"{self.path} is no longer a run: its run.json cannot be read")
        asked, told = record["settings"].get("steps"), record.get("estimate")
        steps = asked if isinstance(asked, int) else 0
        beside = longer(told.get("seconds"), told.get("seconds_per_step"), steps) if isinstance(told, dict) else 1.0
        state = state_of(self.path, steps, self.log_of_events.recent(), self.alive, beside)
        self._known = replace(state, last_lines=self.last_lines(), bytes=self.size() if size else None)
        return self._known

    def last_lines(self, count: int = 5) -> tuple[str, ...]:
        """The end of log.txt; empty where there is none."""
        return last_lines(self.path / "log.txt", LOG_END)[-count:]

    def ask(self, ask: str) -> int:
        """Ask the job something; its answer is an event whose ``n`` is at least the number returned."""
        if ask not in ASKS:
            raise BadInput(f"cannot ask a run to {ask!r}; expected one of {', '.join(ASKS)}")
        return write_wish(self.path / "control.json", ask, above=self.log_of_events.answered())

    # What it made

    def file(self, relative: str) -> Path:
        """A file of the run, by the path that an event gives; refused where that leads out of the folder."""
        inside = (self.path / relative).resolve()
        if not inside.is_relative_to(self.path.resolve()):
            raise BadInput(
                f"{self.path} names the file {relative!r}, which is not in the run; the run is not to be trusted"
            )
        return inside

    def checkpoints(self) -> list[Path]:
        """Folders of the states on disk that look whole, oldest first."""
        return [entry for entry in self.saved() if _looks_whole(entry)]

    def saved(self) -> list[Path]:
        """Folders of all states on disk, damaged ones among them, oldest first."""
        found = []
        for entry in _entries(self.path / "checkpoints"):
            match = CHECKPOINT.fullmatch(entry.name)
            if match and not entry.is_symlink():
                found.append((int(match[1]), entry))
        return [entry for _, entry in sorted(found)]

    def passed_over(self) -> list[str]:
        """What is to be said of states that were saved after all that look whole, but do not: newest first."""
        newest = max(map(step_of, self.checkpoints()), default=-1)
        late = [path.name for path in reversed(self.saved()) if step_of(path) > newest]
        return [f"{name} is damaged: files of it are missing or cut short" for name in late]

    def latest_weights(self) -> Path | None:
        """Folder of the newest weights (``networks.safetensors``, and ``ema.safetensors`` where averages are kept)."""
        found = self.checkpoints()
        return found[-1] if found else None

    def size(self) -> int:
        """Bytes of all files."""
        total = 0
        for root, _, names in os.walk(self.path):
            for name in names:
                try:
                    total += os.lstat(os.path.join(root, name)).st_size
                except OSError:
                    # Temporary files come and go.
                    continue
        return total


def step_of(checkpoint: Path | str) -> int:
    """Step of a saved state, told from its folder's name."""
    return int(Path(checkpoint).name.rpartition("-")[2])


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except OSError:
        return


def _looks_whole(checkpoint: Path) -> bool:
    """All files are there in the sizes that checkpoint.json gives; their content is checked when they are loaded."""
    record = read_json(checkpoint / "checkpoint.json") or {}
    files = record.get("files")
    if not isinstance(files, dict) or "networks.safetensors" not in files:
        return False
    try:
        return all((checkpoint / Path(name).name).stat().st_size == entry["bytes"] for name, entry in files.items())
    except (OSError, TypeError, KeyError):
        return False


def versions() -> dict[str, str]:
    """Versions that a run's numbers depend on, without importing anything."""
    found = {"napari-cellsynth": __version__, "python": platform.python_version(), "platform": platform.platform()}
    for package in ("torch", "lightning-fabric", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def runs_in(folder: Path | str) -> list[RunFolder]:
    """The runs that lie in a folder, or the folder itself where it is one, by name."""
    folder = Path(folder)
    found = []
    for path in [folder] if RunFolder.is_run(folder) else sorted(_entries(folder)):
        # Not by Path.is_dir, which raises where a folder may not be looked into; and some are removed as we look.
        with suppress(BadInput):
            found += [RunFolder(path)] if os.path.isdir(path) else []
    return found

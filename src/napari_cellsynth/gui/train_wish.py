"""What the Train tab makes a training from, and the folders that it finds and makes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth import api
from napari_cellsynth.api import TRAINING_SETS
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui import jobs

if TYPE_CHECKING:
    from napari_cellsynth.engine.events import Estimate

REPEATS = 3
"""Trainings that a claim rests on, in one setting."""
AFTER = "after"
"""Key in run.json that :mod:`napari_cellsynth.engine.turn` reads (which loads torch)."""


@dataclass(frozen=True)
class Wish:
    """All that a training is made from."""

    family: str
    data: Path
    preset: str
    changes: Mapping[str, Any]
    device: str
    wait: bool = False
    """Until the device has room."""
    repeats: bool = False
    """With several seeds, one after the other."""

    def key(self) -> tuple[Any, ...]:
        """All that an estimate depends on."""
        return (self.family, self.data, self.preset, repr(sorted(self.changes.items())), self.device)


@dataclass(frozen=True)
class Known:
    """A training set, as the chooser lists it."""

    path: Path
    summary: str
    kind: str


def training_sets(home: Path) -> list[Known]:
    """The training sets in their folder of the home, newest first."""
    from napari_cellsynth.stack.training_sets.kinds import open_training_set

    found = []
    for file in sorted((home / TRAINING_SETS).glob("*/dataset.json"), key=_age):
        try:
            data = open_training_set(file.parent)
        except (BadInput, OSError):
            continue
        found.append(Known(file.parent, data.summary(), data.kind))
    return found


def _age(file: Path) -> float:
    try:
        return -file.stat().st_mtime
    except OSError:
        return 0.0


def create(wish: Wish, run: Path) -> Path:
    """Write the run folder that the child will train."""
    made = api.create_run(
        wish.family,
        wish.data,
        run,
        preset=wish.preset,
        changes=wish.changes,
        device=wish.device,
        threads=jobs.threads_for_training(),
        wait=wish.wait,
    )
    return Path(made.path)


def create_repeats(wish: Wish, run: Path) -> list[Path]:
    """Write ``run-seed1`` and so on, which differ in their seed alone and are trained one after the other; all or none.

    A seed that the user has typed is the first one.
    """
    first = max(1, int(wish.changes.get("seed", 0)))
    made: list[Path] = []
    try:
        for seed in range(first, first + REPEATS):
            changes = {**wish.changes, "seed": seed}
            made.append(create(replace(wish, changes=changes), run.with_name(f"{run.name}-seed{seed}")))
            if len(made) > 1:
                RunFolder(made[-1]).update_record(**{AFTER: made[-2].name})
    except BaseException:
        for path in made:
            shutil.rmtree(path, ignore_errors=True)
        raise
    return made


def begin_all(runs: Sequence[Path]) -> None:
    """Start a process on each; which of them waits for which stands in their folders."""
    for run in runs:
        jobs.TrainingProcess(run).start()


def known_estimate(wish: Wish) -> Estimate | None:
    """What was measured before, without trying anything."""
    threads = jobs.threads_for_training()
    return api.known_estimate(
        wish.family, wish.data, preset=wish.preset, changes=wish.changes, device=wish.device, threads=threads
    )


def look_at(path: Path) -> Known:
    """What a folder holds, in one line; BadInput where it is no training set."""
    from napari_cellsynth.stack.training_sets.kinds import open_training_set

    data = open_training_set(path)
    return Known(path, data.summary(), data.kind)


def free_name(folder: Path, stem: str) -> str:
    """``stem-1``, or the next number that no run has."""
    taken = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    return next(name for name in numbered(stem) if name not in taken)


def numbered(stem: str) -> Iterator[str]:
    number = 1
    while True:
        yield f"{stem}-{number}"
        number += 1


def clean_name(text: str) -> str:
    """The name of a run as a folder name that every system takes.

    Raises BadInput for an empty one.
    """
    name = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "-", text).strip(" .")
    if not name:
        raise BadInput("Give the training a name.")
    return name

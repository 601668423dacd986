"""Taking a run up: its loop, where it stood, and what is not as it was."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import psutil

from napari_cellsynth.engine import checkpoint
from napari_cellsynth.engine.devices import hardware, precision_notes
from napari_cellsynth.engine.disk_clock import disk_time
from napari_cellsynth.engine.loop import Loop
from napari_cellsynth.engine.recipe import Recipe
from napari_cellsynth.engine.run_folder import RunFolder, versions
from napari_cellsynth.engine.settings import Settings
from napari_cellsynth.engine.team import Team
from napari_cellsynth.errors import BadInput

NEWBORN = 60.0
"""A process younger than this was started for the run: what was asked since its birth is for it."""


@dataclass(frozen=True)
class TakenUp:
    """A run that can go on."""

    loop: Loop
    described: dict[str, Any]
    """The recipe's own description."""
    saved: int | None
    """Step of the state it goes on from; None for a beginning."""
    notes: tuple[str, ...]
    """What could not be restored, a sentence each."""
    damaged: tuple[str, ...] = ()
    """Names of the states that look whole and are not."""


def take_up(
    folder: RunFolder,
    recipe: Recipe,
    settings: Settings,
    device: str,
    threads: int,
    *,
    resume: bool,
    team: Team | None = None,
) -> TakenUp:
    """Make the loop and, on ``resume``, go back to the newest whole state; run.json then says what computes it."""
    before = folder.record
    checkpoint.clear_away(folder.path / "checkpoints")
    described = recipe.describe()
    micro_batch = _micro_batch(before, settings)
    loop = Loop(recipe, settings, device, micro_batch=micro_batch, team=team)
    saved, notes, damaged = _go_back(folder, loop) if resume else (None, [], [])
    memory_met = before.get("memory_met") if resume else None
    loop.expect_memory(memory_met)
    loop.take_along(saved, memory_met)
    now: dict[str, Any] = {
        "device": device,
        "hardware": hardware(loop.device),
        "threads": threads,
        "micro_batch": micro_batch,
        "processes": 1 if team is None else team.place.count,
        "versions": versions(),
    }
    wanted = before.get("threads")
    if resume and "hardware" in before:
        notes += _changes({"processes": 1, **before}, now)
    elif isinstance(wanted, int) and wanted != threads:
        notes.append(f"{wanted} threads were asked for, torch uses {threads}")
    notes += loop.team_notes()
    notes += precision_notes(loop.device, settings.precision)
    folder.update_record(**now, model=described)
    return TakenUp(loop, described, saved, tuple(notes), tuple(damaged))


def _go_back(folder: RunFolder, loop: Loop) -> tuple[int | None, list[str], list[str]]:
    """To the newest checkpoint that is whole; the events past it are forgotten.

    Its step, what is to be said, and the names of those that were found to be damaged.
    """
    found, saved, damaged = folder.checkpoints(), None, []
    back = "went back to the one before" if found else "nothing else is saved: it begins anew"
    notes = [f"{words}; {back}" for words in folder.passed_over()]
    for path in reversed(found):
        try:
            loop.restore(path)
        except checkpoint.Damaged as error:
            notes.append(f"{error}; went back to the one before")
            damaged.append(path.name)
            continue
        saved = loop.done
        break
    if found and saved is None:
        raise BadInput(f"no checkpoint of {folder.path} is whole ({len(found)} tried); train it anew")
    folder.log_of_events.cut_back(loop.done)
    return saved, notes, damaged


def _micro_batch(record: dict[str, Any], settings: Settings) -> int | None:
    """As recorded, unless the settings say otherwise."""
    recorded = record.get("micro_batch")
    if settings.micro_batch is None and isinstance(recorded, int) and recorded > 0:
        return recorded
    return settings.micro_batch


def _changes(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What differs from the time before the resume, so that the weights may differ in the last digits."""
    notes = []
    words = {"device": "device", "hardware": "hardware", "threads": "number of threads", "micro_batch": "micro-batch"}
    words["processes"] = "number of processes"
    for key, word in words.items():
        if before.get(key) not in (None, "auto", now[key]):
            notes.append(f"the {word} was {before[key]} and is {now[key]} now")
    old, new = before.get("versions") or {}, now["versions"]
    for package in ("torch", "napari-cellsynth"):
        if old.get(package) not in (None, new.get(package)):
            notes.append(f"{package} was {old[package]} and is {new.get(package)} now")
    return [f"{note}: the weights will not be digit for digit those of a run that was never stopped" for note in notes]


def asked_since(folder: RunFolder, began: float) -> float:
    """Wishes made before this moment were for an earlier process, which is no more; by the clock of the disk.

    ``began`` is when the user's command arrived, by our clock.
    """
    born = psutil.Process().create_time()
    since = born if began - born < NEWBORN else began
    now = time.time()
    return (disk_time(folder.path) or now) - (now - since)

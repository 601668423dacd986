"""The folder of a study of usefulness: what is asked, what is done, and one process at a time that goes on with it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.api.useful_frames import apart, frames_of, of_clips
from napari_cellsynth.api.useful_run import run_cells
from napari_cellsynth.api.useful_sets import modality_of, opened
from napari_cellsynth.api.useful_settings import UsefulSettings
from napari_cellsynth.api.useful_trial import Means, Wanted, tried
from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.usefulness import CUT_OUTS, MADE, MADE_MIXED, MIXED, REAL, Trial, Usefulness

if TYPE_CHECKING:
    from napari_cellsynth.stack.clips.clip_set import ClipSet

PLAN, TRIALS, FREE, WORK, LOCK = "plan.json", "trials.jsonl", "auto.json", "work", ".lock"
"""Files of a study: what is asked, a line for each trial that is done, the scores of outlines that cost nothing on the
same pieces, what the trial under way needs, and that of the one process that goes on with it."""
FORMAT = 1
MORE = ("seeds", "frames")
"""Settings of which a study may be asked more later."""
MOST_PIECES = 64
"""Pieces of held-out frames that are scored."""


class Study:
    """The folder of a study and what is asked in it."""

    def __init__(
        self, data: Path, folder: Path, settings: UsefulSettings, run: Path | None, part: Any, device: str, why: str
    ) -> None:
        self.data: ClipSet = opened(data)
        self.modality = modality_of(self.data, settings.modality)
        self.folder, self.settings, self.part, self.device, self.why = folder, settings, part, device, why
        self.run = None if run is None else Path(run)
        self.real = frames_of(self.data, "train")
        self._begun: list[Path] | None = None
        """Folders that were not there before; None where the study was."""
        self._check()
        self.made = None if self.run is None else run_cells(self.run, self.data, part, device)
        self._held = False
        self._settle()
        self.scored = self._pieces()

    def _check(self) -> None:
        self._check_method()
        if not self.data.count(self.part):
            raise BadInput(
                f"{self.data.path.name} holds nothing out for {self.part}; prepare a set that does, to score on frames"
                " that nothing was learned from"
            )
        if not any(count <= len(self.real) for count in self.settings.frames):
            raise BadInput(
                f"{min(self.settings.frames)} or more labelled frames asked for; {self.data.path.name} has"
                f" {len(self.real)} to learn from"
            )

    def _check_method(self) -> None:
        from napari_cellsynth.api.settings import resolve_settings
        from napari_cellsynth.engine.devices import resolve_device
        from napari_cellsynth.models.registry import FAMILIES, family

        chosen = family(self.settings.family)
        if "segment" not in chosen.verbs:
            able = ", ".join(known.name for known in FAMILIES.values() if "segment" in known.verbs)
            raise BadInput(f"--family {chosen.name} given, which does not learn to outline cells; give {able}")
        resolve_settings(chosen, self.settings.preset, {"steps": self.settings.steps})
        resolve_device(self.device)

    def plan(self) -> dict[str, Any]:
        """What makes this study another one where it is not the same."""
        return {
            "format": FORMAT,
            "data": {"path": str(self.data.path.absolute()), "hash": self.data.hash},
            "part": self.part,
            "settings": self.settings.model_dump(mode="json"),
            "run": self.made.to_json() if self.made else None,
        }

    def _settle(self) -> None:
        """Begin the study, or go on with it; the test part is opened once, when it begins."""
        from napari_cellsynth.engine.files import read_json, write_json

        known, plan = read_json(self.folder / PLAN), self.plan()
        if known is None and self.folder.exists() and any(self.folder.iterdir()):
            raise BadInput(f"{self.folder} holds something else; give the study a new folder")
        if known is not None and more_of_the_same({**known, "run": None}, plan) and not more_of_the_same(known, plan):
            raise BadInput(
                f"{self.folder} holds trials with cells of another run or of other weights of it; give this study a new"
                " folder, or that run as it was"
            )
        if known is not None and not more_of_the_same(known, plan):
            raise BadInput(f"{self.folder} holds a study that asked something else; give this one a new folder")
        if known is None:
            self._begun = [one for one in (self.folder, *self.folder.parents) if not one.exists()]
            self.folder.mkdir(parents=True, exist_ok=True)
            if self.part == "test":
                self.data.open_test(self.why, by=self.folder.name)
        if known is None or known.get("run") is None is not plan["run"]:
            write_json(self.folder / PLAN, plan)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the one process that goes on with the study: two would delete each other's trial under way."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / LOCK, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise BadInput(f"{self.folder} is being gone on with by another process; wait for it, or end it") from None
        except (NotImplementedError, OSError):
            pass  # a file system without locks
        self._held = True
        try:
            yield
        finally:
            lock.release()

    def forget(self) -> None:
        """Leave nothing of a study that was begun now and of which no trial could be made."""
        if self._begun is None or not self._held or self.trials():
            return
        for name in (PLAN, FREE, LOCK):
            with suppress(OSError):  # Windows keeps what is open
                (self.folder / name).unlink(missing_ok=True)
        with suppress(OSError):  # somebody put something there
            for folder in self._begun:
                folder.rmdir()

    def _pieces(self) -> list[int]:
        indices = apart(self.data, [int(i) for i in self.data.indices(self.part)])
        places = np.unique(np.linspace(0, len(indices) - 1, min(MOST_PIECES, len(indices))).round().astype(int))
        return [indices[place] for place in places]

    # -- its trials

    def wanted(self) -> list[Wanted]:
        """All trials, those of one seed together: the first seed gives a first answer."""
        arms = [REAL, CUT_OUTS, MIXED, *((MADE, MADE_MIXED) if self.run is not None else ())]
        levels = [count for count in self.settings.frames if count <= len(self.real)]
        return [Wanted(arm, n, seed) for seed in range(self.settings.seeds) for n in levels for arm in arms]

    def trials(self) -> list[Trial]:
        """Those that are done."""
        try:
            lines = (self.folder / TRIALS).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            try:
                found.append(Trial.from_json(json.loads(line)))
            except ValueError:
                continue  # cut short where the computer went off; it is tried again
        return found

    def means(self) -> Means:
        """What every trial is made with."""
        looks = self.made.looks if self.made else None
        return Means(self.data, self.modality, self.settings, self.real, self.scored, self.device, looks)

    def tried(self, one: Wanted, means: Means) -> Iterator[tuple[int, str]]:
        """Steps done and what is done; at the end the trial is noted."""
        work = self.folder / WORK
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            with closing(tried(one, means, work)) as making:  # type: ignore[type-var]
                for news in making:
                    if isinstance(news, Trial):
                        self._note(news)
                    else:
                        yield news
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _note(self, trial: Trial) -> None:
        with open(self.folder / TRIALS, "a+b") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            cut_short = end > 0 and file.read(1) != b"\n"
            file.write(f"{os.linesep if cut_short else ''}{json.dumps(trial.to_json())}\n".encode())

    def note_free(self) -> None:
        """Score our outlines without training on the same pieces, once."""
        from napari_cellsynth.engine.files import read_json, write_json
        from napari_cellsynth.quality.cells_found import score_all
        from napari_cellsynth.stack.outlines.many import outline_stack
        from napari_cellsynth.stack.stack import Stack

        if "auto" in (read_json(self.folder / FREE) or {}):
            return
        held_out = of_clips(self.data, self.scored)
        *_, free_labels = outline_stack(Stack(held_out.images, "TYX"), modality=self.modality)
        assert isinstance(free_labels, Stack)
        free = score_all(held_out.labels, list(free_labels.data))
        cells = sum(len(np.unique(plane[plane > 0])) for plane in held_out.labels)
        write_json(self.folder / FREE, {"auto": free.numbers(), "cells": cells, "pieces": len(self.scored)})

    def found(self) -> Usefulness:
        """What all trials say."""
        from napari_cellsynth.engine.files import read_json
        from napari_cellsynth.stack.provenance import provenance_block

        free = read_json(self.folder / FREE) or {}
        block = provenance_block(
            made_by="check useful",
            synthetic=False,
            settings=self.settings.model_dump(mode="json") | {"part": self.part},
            run=None if self.run is None else self.run.name,
            weights_hash=self.made.hash if self.made else None,
            inputs=[{"path": str(self.data.path.absolute()), "hash": self.data.hash}],
        )
        wanted = {(one.arm, one.frames, one.seed) for one in self.wanted()}
        return Usefulness(
            trials=tuple(one for one in self.trials() if (one.arm, one.frames, one.seed) in wanted),
            free=free.get("auto", {}),
            held_out=len(self.scored),
            held_out_cells=int(free.get("cells", 0)),
            part=self.part,
            filmed=self.modality is not None,
            of_the_run=self.made.notes if self.made else (),
            provenance=block,
        )


def more_of_the_same(known: Mapping[str, Any], plan: Mapping[str, Any]) -> bool:
    """Whether what is asked now goes on with what was asked: more seeds, other numbers of frames, a run beside.

    Where the set and the run lie does not count, but what is in them.  A run
    may be added to a study without one, whose trials stay as they are.
    """
    if known.get("run") is None:
        known = {**known, "run": plan["run"]}
    return _question(known) == _question(plan)


def _question(plan: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(plan.get("settings") or {})
    # A setting that is empty may be of a later version than the study.
    settings = {name: value for name, value in given.items() if name not in MORE and value is not None}
    hashes = {name: (plan.get(name) or {}).get("hash") for name in ("data", "run")}
    return {**plan, "settings": settings, **hashes, "with_run": plan.get("run") is not None}

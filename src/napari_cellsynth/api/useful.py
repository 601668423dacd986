"""Is it useful?  A segmentation learns with and without simulated frames, and is scored on real ones; it resumes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_cellsynth.api.useful_frames import (
    LabelledFrames,
    apart,
    cut_out_cells,
    frames_of,
    of_clips,
    simulated,
    simulator,
    write_set,
)
from napari_cellsynth.api.useful_settings import UsefulSettings
from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.usefulness import CUT_OUTS, MADE, MADE_MIXED, MIXED, REAL, Trial, Usefulness

if TYPE_CHECKING:
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.stack.clips.clip_set import ClipSet

PLAN, TRIALS, FREE, WORK = "plan.json", "trials.jsonl", "auto.json", "work"
"""Files of a study: what is asked, a line for each trial that is done, the scores of outlines that cost nothing on the
same pieces, and what the trial under way needs."""
FORMAT = 1
MORE = ("seeds", "frames")
"""Settings of which a study may be asked more later."""
MOST_PIECES = 64
"""Pieces of held-out frames that are scored."""


@dataclass(frozen=True)
class Wanted:
    """A trial to be made."""

    arm: str
    frames: int
    seed: int


def check_useful(
    data: Path,
    folder: Path,
    settings: UsefulSettings | None = None,
    *,
    run: Path | None = None,
    part: Literal["validation", "test"] = "validation",
    device: str = "auto",
    why: str = "asking whether simulated frames are useful",
) -> Iterator[Progress | Usefulness]:
    """Train a segmentation on real, simulated and mixed frames, and score each on held-out real ones.

    ``data`` is a set of clips with labels (``prepare clips --labels``).  From
    1, 2, 5 … of its training frames, drawn by the seed, a network learns the
    frames themselves with ordinary augmentation; frames simulated from cells
    cut out of these frames alone; and both, half and half.  With a ``run``
    that makes cells with outlines, the same with its cells.  All trainings
    take the same steps; scored are average precision at an overlap of 0.5,
    Dice and count error on pieces of the ``part`` held out that share no pixel.

    ``folder`` keeps what is done: closing the generator, or the end of the
    process, loses at most the training under way, and the same call goes on.
    The last that comes is the Usefulness: ``sentence()``, ``notes()``,
    ``rows()``; ``quality.usefulness_report`` draws and writes it.

    Raises BadInput for a set without labels or held-out frames, a run that makes none, and a folder with another study.
    """
    from napari_cellsynth.engine.events import Progress

    settings = settings or UsefulSettings()
    study = Study(Path(data), Path(folder), settings, run, part, device, why)
    wanted = study.wanted()
    done = {(one.arm, one.frames, one.seed) for one in study.trials()}
    missing = [one for one in wanted if (one.arm, one.frames, one.seed) not in done]
    total = len(wanted) * settings.steps
    before = total - len(missing) * settings.steps
    yield Progress(done=before, total=total, message="looking at the held-out frames")
    try:
        study.note_free()
        for one in missing:
            with closing(study.tried(one)) as news:  # type: ignore[type-var]
                for step, words in news:
                    yield Progress(done=before + step, total=total, message=words)
            before += settings.steps
            yield Progress(done=before, total=total, message=f"tried {in_words(one)}")
    except BadInput:
        study.forget()
        raise
    yield study.found()


def in_words(one: Wanted) -> str:
    """Such as ``real + cut-outs, 2 frames, seed 1``."""
    return f"{one.arm}, {one.frames} frame{'' if one.frames == 1 else 's'}, seed {one.seed}"


class Study:
    """The folder of a study and what is asked in it."""

    def __init__(
        self, data: Path, folder: Path, settings: UsefulSettings, run: Path | None, part: Any, device: str, why: str
    ) -> None:
        self.data: ClipSet = opened(data)
        self.folder, self.settings, self.part, self.device, self.why = folder, settings, part, device, why
        self.run = None if run is None else Path(run)
        self.real = frames_of(self.data, "train")
        self._begun: list[Path] | None = None
        """Folders that were not there before; None where the study was."""
        self._check()
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
        if self.run is not None:
            self._made_cells()

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

    def _made_cells(self) -> Any:
        """The appearance of the run's cells; BadInput where it makes none with outlines."""
        from napari_cellsynth.api.simulating import appearance_of
        from napari_cellsynth.simulation.settings import SimulationSettings

        looks = appearance_of(self.run, SimulationSettings(), device=self.device)
        if looks.dtype != self.data.dtype:
            raise BadInput(
                f"{self.run} makes cells of {looks.dtype}; the frames are {self.data.dtype}: take another run"
            )
        return looks

    def plan(self) -> dict[str, Any]:
        """What makes this study another one where it is not the same."""
        from napari_cellsynth.engine.run_folder import RunFolder

        weights = None if self.run is None else RunFolder(self.run).latest_weights()
        return {
            "format": FORMAT,
            "data": {"path": str(self.data.path.absolute()), "hash": self.data.hash},
            "part": self.part,
            "settings": self.settings.model_dump(mode="json"),
            "run": None
            if self.run is None
            else {"path": str(self.run.absolute()), "weights": str(weights and weights.name)},
        }

    def _settle(self) -> None:
        """Begin the study, or go on with it; the test part is opened once, when it begins."""
        from napari_cellsynth.engine.files import read_json, write_json

        known, plan = read_json(self.folder / PLAN), self.plan()
        # More seeds, or other numbers of frames, are more of the same study.
        if known is None and self.folder.exists() and any(self.folder.iterdir()):
            raise BadInput(f"{self.folder} holds something else; give the study a new folder")
        if known is not None and _question(known) != _question(plan):
            raise BadInput(f"{self.folder} holds a study that asked something else; give this one a new folder")
        if known is None:
            self._begun = [one for one in (self.folder, *self.folder.parents) if not one.exists()]
            self.folder.mkdir(parents=True, exist_ok=True)
            if self.part == "test":
                self.data.open_test(self.why, by=self.folder.name)
            write_json(self.folder / PLAN, plan)

    def forget(self) -> None:
        """Leave nothing of a study that was begun now and of which no trial could be made."""
        if self._begun is None or self.trials():
            return
        for name in (PLAN, FREE):
            (self.folder / name).unlink(missing_ok=True)
        with suppress(OSError):  # somebody put something there
            for folder in self._begun:
                folder.rmdir()

    def _pieces(self) -> list[int]:
        indices = apart(self.data, [int(i) for i in self.data.indices(self.part)])
        places = np.unique(np.linspace(0, len(indices) - 1, min(MOST_PIECES, len(indices))).round().astype(int))
        return [indices[place] for place in places]

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

    # -- one trial

    def tried(self, one: Wanted) -> Iterator[tuple[int, str]]:
        """Steps done and what is done; at the end the trial is noted."""
        work = self.folder / WORK
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            for words in self._prepare(one, work):
                yield 0, f"{in_words(one)}: {words}"
            yield from self._trained(one, work)
            self._note(one, self._score(work / "run"))
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _prepare(self, one: Wanted, work: Path) -> Iterator[str]:
        real = self._real(one)
        frames: list[tuple[str, LabelledFrames]] = []
        if one.arm != REAL:
            made: LabelledFrames | None = None
            for news in simulated(self._simulator(one, real, work), self.settings.simulated):
                if isinstance(news, LabelledFrames):
                    made = news
                else:
                    yield f"simulating frame {news} of {self.settings.simulated}"
            assert made is not None
            frames.append(("simulated", made))
        if one.arm in (REAL, MIXED, MADE_MIXED):
            # Of both kinds as many: with few real frames nearly all of a batch would be simulated.
            frames.append(("real", real if one.arm == REAL else real.times(len(frames[0][1]))))
        for _ in write_set(frames, self.data, work / "data"):
            yield "writing its training set"

    def _real(self, one: Wanted) -> LabelledFrames:
        """Pieces of as many real frames, drawn by the seed; those of fewer frames are among those of more."""
        order = np.random.default_rng([one.seed, 7]).permutation(len(self.real))[: one.frames]
        names = list(self.real)
        return of_clips(self.data, [index for place in sorted(order) for index in self.real[names[place]]])

    def _simulator(self, one: Wanted, real: LabelledFrames, work: Path) -> Any:
        if one.arm in (MADE, MADE_MIXED):
            return simulator(self._made_cells(), real, self.data, one.seed)
        cut_out_cells(real, self.data, work / "cells")
        return simulator(work / "cells", real, self.data, one.seed)

    def _trained(self, one: Wanted, work: Path) -> Iterator[tuple[int, str]]:
        from napari_cellsynth.api.runs import create_run, train
        from napari_cellsynth.engine.events import Step

        steps = self.settings.steps
        changes = {"steps": steps, "seed": one.seed, "preview_every": steps, "checkpoint_every": steps}
        create_run(
            self.settings.family,
            work / "data",
            work / "run",
            preset=self.settings.preset,
            changes=changes,
            device=self.device,
        )
        job: Any = train(work / "run")
        with closing(job):
            for event in job:
                if isinstance(event, Step):
                    yield event.step, f"{in_words(one)}: step {event.step} of {steps}"

    def _score(self, run: Path) -> dict[str, float]:
        from napari_cellsynth.api.models import open_model
        from napari_cellsynth.quality.cells_found import score_all

        held_out = of_clips(self.data, self.scored)
        verbs = open_model(run, device=self.device).verbs
        found = []
        for image in held_out.images:
            *_, made = verbs.segment(image[None])
            found.append(made.labels[0])
        return score_all(held_out.labels, found).numbers()

    def _note(self, one: Wanted, numbers: dict[str, float]) -> None:
        trial = Trial(one.arm, one.frames, one.seed, **numbers)
        with open(self.folder / TRIALS, "a+b") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            cut_short = end > 0 and file.read(1) != b"\n"
            file.write(f"{os.linesep if cut_short else ''}{json.dumps(trial.to_json())}\n".encode())

    # -- all of them

    def note_free(self) -> None:
        """Score our outlines without training on the same pieces, once."""
        from napari_cellsynth.engine.files import read_json, write_json
        from napari_cellsynth.quality.cells_found import score_all
        from napari_cellsynth.stack.outlines.many import outline_stack
        from napari_cellsynth.stack.stack import Stack

        if "auto" in (read_json(self.folder / FREE) or {}):
            return
        held_out = of_clips(self.data, self.scored)
        modality: Any = self.data.modality
        *_, free_labels = outline_stack(Stack(held_out.images, "TYX"), modality=modality)
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
            inputs=[{"path": str(self.data.path.absolute()), "hash": self.data.hash}],
        )
        wanted = {(one.arm, one.frames, one.seed) for one in self.wanted()}
        return Usefulness(
            trials=tuple(one for one in self.trials() if (one.arm, one.frames, one.seed) in wanted),
            free=free.get("auto", {}),
            held_out=len(self.scored),
            held_out_cells=int(free.get("cells", 0)),
            part=self.part,
            provenance=block,
        )


def _question(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What makes a study another one: not where its set lies, nor how many seeds and frames are tried."""
    settings = {name: value for name, value in dict(plan.get("settings") or {}).items() if name not in MORE}
    return {**plan, "settings": settings, "data": (plan.get("data") or {}).get("hash")}


def opened(path: Path) -> ClipSet:
    """A set of clips with labels of one channel; BadInput for others."""
    from napari_cellsynth.stack.clips.clip_set import ClipSet
    from napari_cellsynth.stack.training_sets.kinds import open_training_set

    found = open_training_set(path)
    if not isinstance(found, ClipSet) or not found.labelled or found.channels != 1:
        raise BadInput(
            f"{path} holds no clips with labels of one channel; make such a set first: cellsynth prepare clips STACK"
            " --labels FILE --frames 1 --out DATA"
        )
    return found


def labelled_sets(folders: Sequence[Path]) -> list[Path]:
    """Those of some folders that hold clips with labels."""
    from napari_cellsynth.engine.files import read_json

    records = ((folder, read_json(folder / "dataset.json") or {}) for folder in folders)
    return [folder for folder, record in records if record.get("kind") == "clips" and record.get("labels") is True]

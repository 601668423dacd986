"""One trial of a study of usefulness: what is learned from, the training, and its score on held-out frames."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.api.useful_frames import LabelledFrames, cut_out_cells, of_clips, simulated, simulator, write_set
from napari_cellsynth.api.useful_settings import UsefulSettings
from napari_cellsynth.quality.usefulness import MADE, MADE_MIXED, MIXED, REAL, Trial

if TYPE_CHECKING:
    from napari_cellsynth.stack.clips.clip_set import ClipSet
    from napari_cellsynth.stack.modality import Modality


@dataclass(frozen=True)
class Wanted:
    """A trial to be made."""

    arm: str
    """One of ``quality.usefulness.ARMS``."""
    frames: int
    seed: int

    def __str__(self) -> str:
        """Such as ``real + cut-outs, 2 frames, seed 1``."""
        return f"{self.arm}, {self.frames} frame{'' if self.frames == 1 else 's'}, seed {self.seed}"


@dataclass(frozen=True, eq=False)
class Means:
    """What every trial of a study is made with."""

    data: ClipSet
    modality: Modality | None
    settings: UsefulSettings
    real: dict[tuple[str, int], list[int]]
    """Clips of each real frame that may be learned from."""
    scored: list[int]
    """Clips of held-out frames."""
    device: str
    made_cells: Any = None
    """The appearance of cells that a run makes, for the arms that show them."""


def tried(one: Wanted, means: Means, work: Path) -> Iterator[tuple[int, str] | Trial]:
    """Steps done and what is done; last of all the Trial.  ``work`` is an empty folder."""
    for words in prepared(one, means, work):
        yield 0, f"{one}: {words}"
    yield from _trained(one, means, work)
    yield Trial(one.arm, one.frames, one.seed, **_score(means, work / "run"))


def prepared(one: Wanted, means: Means, work: Path) -> Iterator[str]:
    """Write what is learned from to ``work/data``; says how far it is."""
    real = real_frames(one, means)
    frames: list[tuple[str, LabelledFrames]] = []
    if one.arm != REAL:
        made: LabelledFrames | None = None
        for news in simulated(_simulator(one, means, real, work), means.settings.simulated):
            if isinstance(news, LabelledFrames):
                made = news
            else:
                yield f"simulating frame {news} of {means.settings.simulated}"
        assert made is not None
        frames.append(("simulated", made))
    if one.arm in (REAL, MIXED, MADE_MIXED):
        frames.append(("real", real))
    # Of both kinds as many, whichever there are more of.
    most = max(len(some) for _, some in frames)
    frames = [(name, some.exactly(most)) for name, some in frames]
    for _ in write_set(frames, means.data, means.modality, work / "data"):
        yield "writing its training set"


def real_frames(one: Wanted, means: Means) -> LabelledFrames:
    """Pieces of as many real frames, drawn by the seed; those of fewer frames are among those of more."""
    order = np.random.default_rng([one.seed, 7]).permutation(len(means.real))[: one.frames]
    names = list(means.real)
    return of_clips(means.data, [index for place in sorted(order) for index in means.real[names[place]]])


def _simulator(one: Wanted, means: Means, real: LabelledFrames, work: Path) -> Any:
    looks: Any = means.made_cells
    if one.arm not in (MADE, MADE_MIXED):
        looks = work / "cells"
        cut_out_cells(real, means.data, means.modality, looks)
    return simulator(looks, real, means.data, one.seed)


def _trained(one: Wanted, means: Means, work: Path) -> Iterator[tuple[int, str]]:
    from napari_cellsynth.api.runs import create_run, train
    from napari_cellsynth.engine.events import Step

    steps, settings = means.settings.steps, means.settings
    changes = {"steps": steps, "seed": one.seed, "preview_every": steps, "checkpoint_every": steps}
    create_run(
        settings.family, work / "data", work / "run", preset=settings.preset, changes=changes, device=means.device
    )
    job: Any = train(work / "run")
    with closing(job):
        for event in job:
            if isinstance(event, Step):
                yield event.step, f"{one}: step {event.step} of {steps}"


def _score(means: Means, run: Path) -> dict[str, float]:
    from napari_cellsynth.api.models import open_model
    from napari_cellsynth.quality.cells_found import score_all

    held_out = of_clips(means.data, means.scored)
    verbs = open_model(run, device=means.device).verbs
    found = []
    for image in held_out.images:
        *_, made = verbs.segment(image[None])
        found.append(made.labels[0])
    return score_all(held_out.labels, found).numbers()

"""Movies of discs, and training sets of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.crops.make import CropProgress, make_crops
from napari_cellsynth.stack.crops.report import CropReport
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.recordings.recording import Recording
from napari_cellsynth.stack.stack import Stack

RADIUS = 6


def disc_movie(
    centres: dict[int, tuple[int, int]] | None = None,
    frames: int = 10,
    shape: tuple[int, int] = (120, 160),
    step: int = 2,
    shuffle: bool = False,
    seed: int = 0,
    **about: Any,
) -> tuple[Stack, Stack]:
    """Discs that move to the right, each of its own brightness, on a noisy background of 100."""
    centres = centres or {1: (30, 30), 2: (30, 80), 3: (80, 60)}
    draws = np.random.default_rng(seed)
    image = draws.normal(100, 3, (frames, *shape))
    labels = np.zeros((frames, *shape), np.uint16)
    y, x = np.mgrid[: shape[0], : shape[1]]
    for t in range(frames):
        numbers = draws.permutation(len(centres)) + 1 if shuffle else list(centres)
        for (label, (cy, cx)), number in zip(centres.items(), numbers, strict=True):
            inside = (y - cy) ** 2 + (x - cx - step * t) ** 2 <= RADIUS**2
            image[t][inside] = 200 + 40 * label
            labels[t][inside] = number
    return Stack(image.round().astype(np.uint16), "TYX", name="discs", **about), Stack(labels, "TYX", name="outlines")


def run(
    recordings: Sequence[tuple[Stack, Stack] | Recording], out: Path, roles: Any = None, **settings: Any
) -> tuple[TrainingSet, CropReport]:
    *steps, report = make_crops(recordings, out, CropSettings(**settings), roles=roles)
    assert isinstance(report, CropReport)
    assert all(isinstance(step, CropProgress) for step in steps)
    return TrainingSet.open(out), report


def frames_of(data: TrainingSet, part: str) -> set[int]:
    return {int(data.table[i]["t"]) for i in data.indices(part)}

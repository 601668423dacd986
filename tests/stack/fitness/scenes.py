"""A field of soft spots, drawn where the stage has moved it, so that no interpolation stands between truth and pixels.

Some spots stand still on the glass, others crawl, each its own way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_cellsynth import phantoms
from napari_cellsynth.stack.fitness.fitness import Fitness
from napari_cellsynth.stack.fitness.judge import judge
from napari_cellsynth.stack.stack import Stack

FRAMES, SIDE = 20, 160


def judged(stack: Stack, **where: int) -> Fitness:
    *_, last = judge(stack, **where)
    assert isinstance(last, Fitness)
    return last


def stack_of(frames: np.ndarray, **known: Any) -> Stack:
    return Stack(frames, "TYX", **known)


def path(kind: str, frames: int = FRAMES, seed: int = 0) -> np.ndarray:
    """(T, 2) dy, dx in pixels, none of them whole; 0 in the first frame."""
    random = np.random.default_rng(seed)
    made = {
        "still": np.zeros((frames, 2)),
        "jitter": random.normal(0, 1.0, (frames, 2)),
        "walk": np.cumsum(random.normal(0, 0.8, (frames, 2)), axis=0),
        "drift": np.arange(frames)[:, None] * np.array([0.37, -0.23]),
    }[kind]
    return made - made[0]


def field(
    offsets: np.ndarray, *, side: int = SIDE, seed: int = 0, crawling: float = 0.3, each: int = 200
) -> np.ndarray:
    """Frames (T, Y, X) uint16 of a scene displaced by ``offsets``; a share of the spots crawls a pixel a frame.

    There is a spot on ``each`` so many pixels.
    """
    random = np.random.default_rng([seed, 1])
    count = side * side // each
    place = random.uniform(-20, side + 20, (count, 2))
    speed = random.normal(0, 1.2, (count, 2)) * (np.arange(count) < crawling * count)[:, None]
    width, height = random.uniform(1.5, 4, count), random.uniform(40, 160, count)
    grid = np.arange(side, dtype=np.float64)
    made = np.empty((len(offsets), side, side), np.uint16)
    for t, offset in enumerate(offsets):
        y, x = ((place + speed * t + offset)[:, i, None] for i in (0, 1))
        rows, columns = (np.exp(-((grid - c) ** 2) / (2 * width[:, None] ** 2)) for c in (y, x))
        clean = 200 + (height[:, None] * rows).T @ columns
        made[t] = np.rint(clean + random.normal(0, 3, clean.shape))
    return made


_FILMS: dict[int, phantoms.Phantom] = {}


def film(seed: int) -> np.ndarray:
    """The phantom: frames (20, 160, 160) uint16 of crawling cells in DIC."""
    if seed not in _FILMS:
        _FILMS[seed] = phantoms.make("neutrophils", frames=FRAMES, size=SIDE, seed=seed)
    return np.array(_FILMS[seed].stack.data)


def clean(seed: int) -> np.ndarray:
    """The same without noise."""
    film(seed)
    return _FILMS[seed].clean.astype(np.float64)


def exposed(frame: np.ndarray, seed: int = 0) -> np.ndarray:
    """Noise of a camera with offset 100 and one count an electron."""
    random = np.random.default_rng([seed, 2])
    counts = 100 + random.poisson(np.maximum(frame - 100, 0)) + random.normal(0, 2, frame.shape)
    return np.clip(np.rint(counts), 0, 4095).astype(np.uint16)

"""Movies of round cells that move as they are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from napari_cellsynth.stack.stack import Stack

SIDE = 160
RADIUS = 8.0
Place = tuple[float, float] | tuple[float, float, float]
"""y, x, and the radius where it is another."""


def labels_of(cells: Mapping[int, Sequence[Place | None]], *, shuffle: int | None = 0, side: int = SIDE) -> Stack:
    """Labels (T, Y, X) of cells that are given by their places in each frame (None: no outline).

    ``shuffle`` is the seed with which the numbers are shuffled in every
    frame; None keeps them.
    """
    frames = max(len(path) for path in cells.values())
    y, x = np.mgrid[:side, :side]
    made = np.zeros((frames, side, side), np.int32)
    rng = np.random.default_rng(shuffle)
    for t in range(frames):
        here = [n for n, path in cells.items() if t < len(path) and path[t] is not None]
        numbers = dict(zip(here, here if shuffle is None else (rng.permutation(len(here)) + 1).tolist(), strict=True))
        for number in here:
            cy, cx, radius = (*cells[number][t], RADIUS)[:3]  # type: ignore[misc]
            made[t][(y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = numbers[number]
    return Stack(made, "TYX", pixel_size=(0.5, 0.5), frame_interval=60.0, name="discs")


def walks(count: int, frames: int, step: float = 2.0, seed: int = 0) -> dict[int, list[Place]]:
    """Cells on a grid that walk at random, and do not leave their square."""
    rng = np.random.default_rng(seed)
    across = int(np.ceil(np.sqrt(count)))
    pitch = SIDE / across
    cells = {}
    for n in range(count):
        home = pitch * (np.array(divmod(n, across)) + 0.5)
        room = pitch / 2 - RADIUS - 1
        moved = np.cumsum(rng.normal(0, step, (frames, 2)), axis=0).clip(-room, room)
        cells[n + 1] = [tuple(place) for place in (home + moved).tolist()]
    return cells  # type: ignore[return-value]

"""What a fit has to beat: standing still, constant velocity, a persistent random walk; one frame and several ahead."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.motion.autoregressive.readings import Observations

Floats = NDArray[np.float64]
NAMES = ("standing_still", "constant_velocity", "random_walk")


def displacements(seen: Observations, rows: NDArray[np.int64]) -> Floats:
    """(R, N, 2) how far each cell moved into these rows; the joint reading needs a row before each."""
    if seen.joint:
        return (seen.y[rows] - seen.y[rows - 1]).reshape(len(rows), -1, 2)
    return seen.y[rows][:, None, :2]


def persistence(seen: Observations) -> float:
    """What is left of a displacement in the next frame, exp(-interval / persistence time): by least squares.

    A persistent random walk (Ornstein-Uhlenbeck velocity, Fürth 1920) moves
    on by this part of its last displacement.
    """
    rows = seen.targets[~seen.held]
    rows = rows[rows > 1]
    last, now = displacements(seen, rows - 1), displacements(seen, rows)
    squares = float((last**2).sum())
    return float((last * now).sum()) / squares if squares > 0 else 0.0


def baselines(seen: Observations) -> Mapping[str, float]:
    """Root mean squared distance of predicted and true position one frame ahead, on the rows that judge fits."""
    return MappingProxyType({name: errors[0] for name, errors in ahead(seen, 1).items()})


def ahead(seen: Observations, frames: int) -> dict[str, list[float]]:
    """The same 1 to ``frames`` frames ahead, from what was seen before each held-out row; fewer where paths end."""
    kept = persistence(seen)
    found: dict[str, list[float]] = {name: [] for name in NAMES}
    for h, (rows, moved) in enumerate(moved_ahead(seen, frames), start=1):
        last = displacements(seen, rows - 1)
        shares = {"standing_still": 0.0, "constant_velocity": h, "random_walk": sum(kept**k for k in range(1, h + 1))}
        for name, share in shares.items():
            found[name].append(distance(moved - share * last))
    return found


def moved_ahead(seen: Observations, frames: int) -> list[tuple[NDArray[np.int64], Floats]]:
    """For 1, 2, … frames: held-out rows (R,) whose sequence goes on so long, and how far cells moved (R, N, 2)."""
    ends = np.append(seen.starts[1:], len(seen.y))
    rows = seen.targets[seen.held]
    rows = rows[rows > 1]
    left = ends[np.searchsorted(seen.starts, rows, side="right") - 1] - rows
    found = []
    for h in range(1, frames + 1):
        mine = rows[left >= h]
        if not len(mine):
            break
        found.append((mine, np.add.reduce([displacements(seen, mine + k) for k in range(h)])))
    return found


def distance(wrong: Floats) -> float:
    """Root mean squared length of (R, N, 2)."""
    return float(np.sqrt((wrong**2).sum(-1).mean()))

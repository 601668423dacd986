"""What a fit has to beat: standing still, drifting along, constant velocity, a persistent random walk; one frame and
several ahead."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.motion.autoregressive.readings import Observations, clear_mean

Floats = NDArray[np.float64]
NAMES = ("standing_still", "mean_drift", "constant_velocity", "random_walk")


def displacements(seen: Observations, rows: NDArray[np.int64]) -> Floats:
    """(R, N, 2) how far each cell moved into these rows; the joint reading needs a row before each."""
    if seen.joint:
        return (seen.y[rows] - seen.y[rows - 1]).reshape(len(rows), -1, 2)
    return seen.y[rows][:, None, :2]


def persistence(seen: Observations) -> float:
    """What is left of a displacement in the next frame, exp(-interval / persistence time): by least squares.

    A persistent random walk (Ornstein-Uhlenbeck velocity, Fürth 1920) moves
    on by this part of its last displacement, both less the mean.
    """
    drift = clear_mean(seen)
    rows = seen.targets[~seen.held]
    rows = rows[rows > 1]
    last, now = displacements(seen, rows - 1) - drift, displacements(seen, rows) - drift
    squares = float((last**2).sum())
    return float((last * now).sum()) / squares if squares > 0 else 0.0


def baselines(seen: Observations) -> Mapping[str, float]:
    """Root mean squared distance of predicted and true position one frame ahead, on the rows that judge fits."""
    return MappingProxyType({name: errors[0] for name, errors in ahead(seen, 1).items()})


def ahead(seen: Observations, frames: int) -> dict[str, list[float]]:
    """The same 1 to ``frames`` frames ahead, from what was seen before each held-out row; fewer where paths end.

    The walk goes on about the mean displacement that the fit has, too, where one is clear.
    """
    found: dict[str, list[float]] = {name: [] for name in NAMES}
    for h, (rows, moved) in enumerate(moved_ahead(seen, frames), start=1):
        for name, one in predicted(seen, rows, h).items():
            found[name].append(distance(moved - one))
    return found


def predicted(seen: Observations, rows: NDArray[np.int64], frames: int) -> dict[str, Floats]:
    """(R, N, 2) each: how far cells move in so many frames, from what was seen before these rows."""
    kept, drift = persistence(seen), clear_mean(seen)
    last = displacements(seen, rows - 1)
    return {
        "standing_still": np.zeros_like(last),
        "mean_drift": np.broadcast_to(frames * drift, last.shape),
        "constant_velocity": frames * last,
        "random_walk": frames * drift + sum(kept**k for k in range(1, frames + 1)) * (last - drift),
    }


def chance(seen: Observations, model: Floats) -> float:
    """Standard error of the error of a model over that of the best baseline, as cells (jointly: frames) differ.

    ``model`` (R, N, 2) is how far it says that cells move into the rows of ``moved_ahead`` by one frame.
    """
    rows, moved = moved_ahead(seen, 1)[0]
    squares = {name: _squares(moved - one) for name, one in predicted(seen, rows, 1).items()}
    best = min(squares.values(), key=lambda one: float(one.mean()))
    more = _squares(moved - model) - best
    _, group = np.unique(seen.group[np.searchsorted(seen.targets, rows)], return_inverse=True)
    groups = int(group.max()) + 1
    if groups < 2 or not best.mean() > 0:
        return float("inf")
    sums = np.bincount(group, more - more.mean())
    error = np.sqrt((sums**2).sum() * groups / (groups - 1)) / len(rows)
    return float(error / (2 * best.mean()))


def _squares(wrong: Floats) -> Floats:
    """(R,) mean squared length of (R, N, 2)."""
    return (wrong**2).sum(-1).mean(1)


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

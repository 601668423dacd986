"""Cells keep off each other and off the pillars: what overlaps is pushed apart until nothing does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.phantoms.trapped_yeast import pillars
from napari_cellsynth.phantoms.trapped_yeast.body import Oval

GAP = 0.25
"""Micrometres that stay free between two cells."""
TO_PILLAR = 0.1
"""Micrometres that stay free between a cell and a pillar."""
ROUNDS = 50
ENOUGH = 0.03
"""Micrometres of the gap that may be missing."""
YIELD = 0.6
"""Share of what is missing by which two cells part in a round; more makes a row of cells tremble."""
NECK = 0.75
"""Where a bud's centre lies beyond its mother's outline, as a share of half the bud's own length."""
_ANGLES = np.linspace(0, 2 * np.pi, 28, endpoint=False)
Array = NDArray[np.float64]


@dataclass
class _Crowd:
    """The cells as arrays, so that all pairs are met at once."""

    centre: Array
    """(N, 2) micrometres."""
    axes: Array
    """(N, 2) half the length and half the width."""
    angle: Array
    """(N,) radians."""

    @classmethod
    def of(cls, ovals: Sequence[Oval]) -> _Crowd:
        centre = np.array([(o.x, o.y) for o in ovals]).reshape(-1, 2)
        axes = np.array([o.axes for o in ovals]).reshape(-1, 2)
        return cls(centre, axes, np.array([o.angle for o in ovals]))

    def rims(self) -> Array:
        """(2, N, K) points of the outlines."""
        c, s = np.cos(self.angle)[:, None], np.sin(self.angle)[:, None]
        x, y = self.axes[:, :1] * np.cos(_ANGLES), self.axes[:, 1:] * np.sin(_ANGLES)
        return np.stack([self.centre[:, :1] + c * x - s * y, self.centre[:, 1:] + s * x + c * y])

    def reach(self, number: int, angle: float) -> float:
        turned = angle - self.angle[number]
        return float(1 / np.hypot(np.cos(turned) / self.axes[number, 0], np.sin(turned) / self.axes[number, 1]))


def settle(
    ovals: Sequence[Oval], heavy: Sequence[float], mother_of: Mapping[int, int], *, rounds: int = ROUNDS
) -> tuple[list[Oval], float]:
    """Push cells apart.

    Args:
        ovals: the cells.
        heavy: how much less than another each gives way: 1 gives way as others do, 4 a quarter as much.
        mother_of: from the index of an attached bud to its mother's; they touch at the neck.

    Returns:
        The cells at their new places, and by how much the worst contact still misses the gap, in micrometres.
    """
    crowd, weight = _Crowd.of(ovals), np.asarray(heavy, float)
    apart = np.ones((len(ovals), len(ovals)), bool)
    np.fill_diagonal(apart, False)
    for bud, mother in mother_of.items():
        apart[bud, mother] = apart[mother, bud] = False
    share = weight[None, :] / (weight[:, None] + weight[None, :])
    worst = 0.0
    for _ in range(rounds):
        _hold_buds(crowd, weight, mother_of)
        pushes, worst = _pushes(crowd, apart, share)
        if worst < ENOUGH:
            break
        crowd.centre += pushes
    places = zip(ovals, crowd.centre, crowd.angle, strict=True)
    return [replace(o, x=float(c[0]), y=float(c[1]), angle=float(a)) for o, c, a in places], worst


def crowding(oval: Oval, others: Sequence[Oval]) -> float:
    """By how much a cell misses its gap to others and to the pillars at the worst place, in micrometres."""
    crowd = _Crowd.of([oval, *others])
    rims = crowd.rims()
    found, _ = pillars.distance_and_away(rims[:, :1])
    return float(max((TO_PILLAR - found).max(), _misses(crowd, rims)[0, 1:].max(initial=-np.inf)))


def _hold_buds(crowd: _Crowd, weight: Array, mother_of: Mapping[int, int]) -> None:
    """Put each bud back to its mother's rim, its long axis outwards; both give way by their weights."""
    for bud, mother in mother_of.items():
        way = crowd.centre[bud] - crowd.centre[mother]
        angle = float(np.arctan2(way[1], way[0]))
        miss = crowd.reach(mother, angle) + NECK * crowd.axes[bud, 0] - float(np.hypot(*way))
        share = weight[mother] / (weight[bud] + weight[mother])
        out = np.array([np.cos(angle), np.sin(angle)])
        crowd.centre[bud] += share * miss * out
        crowd.centre[mother] -= (1 - share) * miss * out
        crowd.angle[bud] = angle


def _pushes(crowd: _Crowd, apart: NDArray[np.bool_], share: Array) -> tuple[Array, float]:
    """Displacement (N, 2) for each cell, and by how much the worst contact misses the gap."""
    rims = crowd.rims()
    pushes, worst = _off_pillars(rims)
    miss = np.where(apart, _misses(crowd, rims), 0).clip(0)
    way = crowd.centre[:, None] - crowd.centre[None, :]
    out = way / np.maximum(np.hypot(way[..., 0], way[..., 1]), 1e-6)[..., None]
    pushes += YIELD * ((miss * share)[..., None] * out).sum(axis=1)
    return pushes, max(worst, float(miss.max(initial=0)))


def _misses(crowd: _Crowd, rims: Array) -> Array:
    """By how much two cells miss the gap (N, N), symmetric; negative where they do not."""
    x, y = (rims[i][None] - crowd.centre[:, i, None, None] for i in (0, 1))  # (inside of, rim of, points)
    c, s = np.cos(crowd.angle)[:, None, None], np.sin(crowd.angle)[:, None, None]
    long, short = crowd.axes[:, 0, None, None], crowd.axes[:, 1, None, None]
    depth = np.hypot((c * x + s * y) / long, (c * y - s * x) / short)
    miss = (GAP + (1 / np.maximum(depth, 1e-6) - 1) * np.hypot(x, y)).max(axis=2)
    return np.maximum(miss, miss.T)


def _off_pillars(rims: Array) -> tuple[Array, float]:
    """Displacement (N, 2) that takes the deepest points of each outline (2, N, K) out of the pillars."""
    found, away = pillars.distance_and_away(rims)
    pushes = np.zeros((rims.shape[1], 2))
    rows = np.arange(rims.shape[1])
    # A cell in the funnel touches both pillars: the deepest point of its left and of its right side count apart.
    for side in (away[0] < 0, away[0] >= 0):
        miss = np.where(side, TO_PILLAR - found, 0).clip(0)
        deepest = miss.argmax(axis=1)
        pushes += YIELD * (miss[rows, deepest] * away[:, rows, deepest]).T
    return pushes, float((TO_PILLAR - found).max(initial=0))

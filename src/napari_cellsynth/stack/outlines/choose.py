"""Which of many overlapping proposals are cells: the set that explains most of the image by cell-like shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.stack.outlines.regions import AREA, Regions

OVERLAP = 0.1
"""Share of the smaller of two proposals that both may claim."""
WHOLE = 1.2
"""Exponent of the area where a proposal stands against several: above 1, a whole counts more than its parts."""
NESTED = 0.8
"""The same against a single one: both may outline the same cell, and the wider one is not the better."""
PASSES = 3


@dataclass(eq=False)
class Proposal:
    """A region that may be a cell."""

    score: float
    """From 0 to 1: how much it looks like a cell."""
    regions: Regions
    row: int
    _mask: Any = None

    @property
    def area(self) -> float:
        return float(self.regions.sums[self.row, AREA])

    def weight(self, exponent: float) -> float:
        """What it counts against others."""
        return float(self.score * self.area**exponent)

    def mask(self) -> tuple[NDArray[np.bool_], tuple[slice, slice]]:
        """Its pixels in its bounding box, and that box."""
        if self._mask is None:
            self._mask = self.regions.mask(self.row)
        return self._mask


def choose(proposals: Sequence[Proposal], shape: tuple[int, int]) -> list[Proposal]:
    """Proposals that hardly overlap, best first, then exchanged while that explains more of the image.

    One outline of two cells loses against two outlines where these together
    weigh more, and the parts of one cell against the whole.
    """
    order = sorted(range(len(proposals)), key=lambda i: -proposals[i].score)
    owner = np.zeros(shape, np.int32)
    taken: set[int] = set()
    for _ in range(PASSES):
        changed = [_offer(i, proposals, owner, taken) for i in order if i not in taken]
        if not any(changed):
            break
    return [proposals[i] for i in order if i in taken]


def _offer(i: int, proposals: Sequence[Proposal], owner: NDArray[np.int32], taken: set[int]) -> bool:
    """Take proposal i where its place is free, or it outweighs what is there."""
    mask, box = proposals[i].mask()
    there = np.bincount(owner[box][mask])[1:]
    area = proposals[i].area
    rivals = [j for j in np.flatnonzero(there).tolist() if there[j] > OVERLAP * min(proposals[j].area, area)]
    exponent = NESTED if len(rivals) == 1 else WHOLE
    if sum(proposals[j].weight(exponent) for j in rivals) >= 0.98 * proposals[i].weight(exponent):
        return False
    for j in rivals:
        theirs, place = proposals[j].mask()
        owner[place][theirs & (owner[place] == j + 1)] = 0
        taken.discard(j)
    owner[box][mask & (owner[box] == 0)] = i + 1
    taken.add(i)
    return True

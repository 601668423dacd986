"""How sure a number is: intervals from drawing the images again, cell by cell where a cell is shown more than once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, sqrt
from statistics import NormalDist

import numpy as np

from napari_cellsynth.errors import BadInput

Cells = Sequence[int] | np.ndarray | None
"""(N,) of each image the number of its cell; None: each image shows a cell of its own."""
SHARE = 0.95
"""Of what is drawn again, the part that an interval holds."""


@dataclass(frozen=True)
class Estimate:
    """A number and where it lies in 95 of 100 drawings; not a number where it cannot be said."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, float | None]:
        """``value``, ``low`` and ``high``; None for what is not a number."""
        return {name: getattr(self, name) if isfinite(getattr(self, name)) else None for name in self.__annotations__}


UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"))


def interval(value: float, drawn: Sequence[float] | np.ndarray, *, least: float = -inf, most: float = inf) -> Estimate:
    """The middle 95 % of numbers that were drawn, moved so that their median lies at the value; none beyond bounds.

    They are moved because images that are drawn twice make a set look less
    various than it is: all distances of such sets are too large by about as
    much, however sure they are.
    """
    known = np.asarray(drawn, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not isfinite(value) or len(known) < 2:
        return Estimate(value, float("nan"), float("nan"))
    low, middle, high = np.quantile(known, [(1 - SHARE) / 2, 0.5, (1 + SHARE) / 2])
    ends = [value + float(end - middle) for end in (low, high)]
    return Estimate(value, *(min(max(least, end), most) for end in ends))


def wilson(right: int, of: int, level: float = SHARE) -> tuple[float, float]:
    """Interval of a share (Wilson 1927, without continuity correction); (0, 1) of nothing."""
    if not 0 <= right <= of:
        raise BadInput(f"{right} of {of} given; expected a number from 0 to {of}")
    if of == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, shrunk = right / of, 1 + z * z / of
    middle = (share + z * z / (2 * of)) / shrunk
    reach = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / shrunk
    return max(0.0, middle - reach), min(1.0, middle + reach)


def spread(drawn: Sequence[float] | np.ndarray) -> Estimate:
    """Median, least and largest of numbers that were drawn."""
    known = np.asarray(drawn, dtype=np.float64)
    known = known[np.isfinite(known)]
    return Estimate(*(float(one(known)) for one in (np.median, np.min, np.max))) if len(known) else UNKNOWN


def numbered(cells: Cells, count: int, first: int = 0) -> np.ndarray:
    """Cell numbers (N,); of images that show a cell of their own, numbers below 0 from ``-1 - first`` on."""
    if cells is None:
        return -1 - first - np.arange(count)
    if len(cells) != count:
        raise BadInput(f"{len(cells)} cell numbers given for {count} images; one each needed")
    return np.asarray(cells)


def in_rounds(order: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Indices (N,) in the order given, but one of each cell first, then a second of each, …; cells (M,) by index."""
    seen: dict[int, int] = {}
    rounds = []
    for cell in np.asarray(cells)[order].tolist():
        seen[cell] = seen.get(cell, 0) + 1
        rounds.append(seen[cell])
    # Stable: within a round the order stays.
    return np.asarray(order[np.argsort(rounds, kind="stable")])


def drawn_again(cells: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """How often each image (N,) is taken when as many cells as there are were drawn with replacement, each with all
    its images."""
    different, place = np.unique(cells, return_inverse=True)
    return np.bincount(draws.integers(len(different), size=len(different)), minlength=len(different))[place]

"""How well cells are segmented: average precision at an overlap of 0.5, Dice, and how many were counted wrongly.

Average precision is that of the cell segmentation literature (Schmidt et al.
2018, Stringer et al. 2021): TP / (TP + FP + FN), where a found cell is a true
positive when its intersection over union with a true one is above 0.5.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from napari_cellsynth.stack.outlines.score import OutlineScore
from napari_cellsynth.stack.outlines.score import score as outline_score


@dataclass(frozen=True)
class CellScore:
    """Counts over one or more frames; scores add up with ``+``."""

    outlines: OutlineScore
    shared: int
    """Pixels that are of a cell in both."""
    true_pixels: int
    found_pixels: int

    def __add__(self, other: CellScore) -> CellScore:
        return CellScore(
            self.outlines + other.outlines,
            self.shared + other.shared,
            self.true_pixels + other.true_pixels,
            self.found_pixels + other.found_pixels,
        )

    @property
    def average_precision(self) -> float:
        """TP / (TP + FP + FN) at an intersection over union of 0.5; 1 where there is nothing, and nothing was found."""
        either = self.outlines.true + self.outlines.found - self.outlines.matched
        return self.outlines.matched / either if either else 1.0

    @property
    def dice(self) -> float:
        """2 |A and B| / (|A| + |B|) of the pixels that are of any cell; 1 where both are empty."""
        both = self.true_pixels + self.found_pixels
        return 2 * self.shared / both if both else 1.0

    @property
    def count_error(self) -> float:
        """Cells too many or too few in each frame, as a share of the true ones."""
        if not self.outlines.true:
            return float(self.outlines.miscounted > 0)
        return self.outlines.count_error

    def numbers(self) -> dict[str, float]:
        """``average_precision``, ``dice``, ``count_error``."""
        return {"average_precision": self.average_precision, "dice": self.dice, "count_error": self.count_error}


def score_cells(true: np.ndarray, found: np.ndarray) -> CellScore:
    """Of two label images (Y, X) of one shape, 0 background; numbers need not agree."""
    inside, outside = true > 0, found > 0
    return CellScore(
        outline_score(true, found),
        int(np.count_nonzero(inside & outside)),
        int(np.count_nonzero(inside)),
        int(np.count_nonzero(outside)),
    )


def score_all(true: Iterable[np.ndarray], found: Iterable[np.ndarray]) -> CellScore:
    """Of several frames together, at least one."""
    return reduce(add, (score_cells(a, b) for a, b in zip(true, found, strict=True)))

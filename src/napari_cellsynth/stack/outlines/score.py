"""How well found outlines agree with true ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput


@dataclass(frozen=True)
class OutlineScore:
    """Counts and sums over one or more frames; scores add up with ``+``."""

    true: int
    """True cells."""
    found: int
    """Found cells."""
    matched: int
    """Pairs whose intersection over union is above 0.5: no outline can be in two of them."""
    matched_iou: float
    """Intersection over union of these pairs, added up."""
    seg: float
    """The same of pairs in which more than half of the true cell is covered, as the Cell Tracking Challenge does."""
    frames: int = 1
    miscounted: int = 0
    """Differences of found and true numbers, added up over the frames without sign."""

    def __add__(self, other: OutlineScore) -> OutlineScore:
        ours, theirs = vars(self), vars(other)
        return OutlineScore(**{name: ours[name] + theirs[name] for name in ours})

    @property
    def precision(self) -> float:
        return self.matched / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.matched / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN) at an intersection over union of 0.5; 1 where there is nothing, and nothing found."""
        both = self.true + self.found
        return 2 * self.matched / both if both else 1.0

    @property
    def mean_iou(self) -> float:
        """Of the matched pairs."""
        return self.matched_iou / self.matched if self.matched else 0.0

    @property
    def seg_score(self) -> float:
        """SEG: Jaccard index of each true cell, 0 where less than half of it is covered by one outline."""
        return self.seg / self.true if self.true else 0.0

    @property
    def count_error(self) -> float:
        """Miscounted cells as a share of the true ones."""
        return self.miscounted / self.true if self.true else 0.0


@dataclass(frozen=True)
class Judged:
    """One plane: its score, and which outlines are wrong."""

    score: OutlineScore
    missed: NDArray[Any]
    """Numbers of the true cells that no found one matches."""
    false: NDArray[Any]
    """Numbers of the found ones that match no true cell."""


def score(true: NDArray[Any], found: NDArray[Any]) -> OutlineScore:
    """Compare two label images (Y, X) of the same shape, 0 background; numbers need not agree."""
    return judge(true, found).score


def judge(true: NDArray[Any], found: NDArray[Any]) -> Judged:
    """As :func:`score`, with the numbers of the outlines that have no partner."""
    _same_shape(true, found)
    (cells, areas, a), (outlines, others, b) = _counted(true), _counted(found)
    # Only pairs that share pixels: a table of all would be huge where a threshold has found thousands of specks.
    both = (a >= 0) & (b >= 0)
    pairs, shared = np.unique(a[both].astype(np.int64) * len(outlines) + b[both], return_counts=True)
    row, column = np.divmod(pairs, max(len(outlines), 1))
    iou = shared / (areas[row] + others[column] - shared)
    matched, covered = iou > 0.5, shared > 0.5 * areas[row]
    counted = OutlineScore(
        true=len(cells),
        found=len(outlines),
        matched=int(matched.sum()),
        matched_iou=float(iou[matched].sum()),
        seg=float(iou[covered].sum()),
        miscounted=abs(len(cells) - len(outlines)),
    )
    return Judged(counted, np.delete(cells, row[matched]), np.delete(outlines, column[matched]))


def _counted(labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Numbers of the cells (n), their areas (n), and for each pixel the place of its cell among them, -1 outside."""
    numbers, places, areas = np.unique(labels, return_inverse=True, return_counts=True)
    inside = numbers != 0
    order = np.where(inside, np.cumsum(inside) - 1, -1)
    return numbers[inside], areas[inside], order[places.ravel()]


def _same_shape(true: NDArray[Any], found: NDArray[Any]) -> None:
    if true.shape != found.shape:
        raise BadInput(f"labels of shape {true.shape} and {found.shape} given; expected the same")


def overlaps(true: NDArray[Any], found: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Pixels that each true cell shares with each found one (n, m), areas of the true (n) and the found ones (m)."""
    _same_shape(true, found)
    true_numbers, a = np.unique(true, return_inverse=True)
    found_numbers, b = np.unique(found, return_inverse=True)
    table = np.zeros((len(true_numbers), len(found_numbers)), np.int64)
    np.add.at(table, (a.ravel(), b.ravel()), 1)
    rows, columns = true_numbers != 0, found_numbers != 0
    return table[rows][:, columns], table[rows].sum(1), table[:, columns].sum(0)

"""Outlines of single cells in label images, and how many different cells they are."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_cellsynth.errors import BadInput

MIN_OVERLAP = 0.1
"""Intersection over union below which outlines in neighbouring frames are not taken for one cell."""
SURE_OVERLAP = 0.3
"""Overlap from which a link is evidence of whether labels keep their number."""
CONSTANT_SHARE = 0.9
"""Share of linked outlines that must keep their number for the labels to count as tracked."""
LOOK_BACK = 2
"""Frames back in which a cell's last outline is looked for (one frame may have missed it)."""


@dataclass(frozen=True)
class Outline:
    """One labelled region of one plane; the bounding box is half open, in pixels."""

    source: int
    t: int
    z: int
    label: int
    area: int
    top: int
    left: int
    bottom: int
    right: int
    pieces: int

    @property
    def key(self) -> tuple[int, int, int, int]:
        return self.source, self.t, self.z, self.label

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)


def scan_plane(labels: np.ndarray, source: int, t: int, z: int) -> list[Outline]:
    """The outlines of one label plane (Y, X), in order of their number.

    Pieces are counted with diagonal neighbours as connected.
    """
    from scipy import ndimage

    dense, numbers = dense_labels(labels)
    outlines = []
    for index, place in enumerate(ndimage.find_objects(dense), start=1):
        if place is None:
            continue
        inside = dense[place] == index
        rows, columns = place
        box = (rows.start, columns.start, rows.stop, columns.stop)
        pieces = ndimage.label(inside, np.ones((3, 3)))[1]
        outlines.append(Outline(source, t, z, int(numbers[index]), int(inside.sum()), *box, int(pieces)))
    return outlines


def dense_labels(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels renumbered 1 … n where their numbers are large, and the original number of each (index 0: background).

    Lists as long as the largest number are made further on, and a painted
    or hashed label can be 2**31.
    """
    if not np.issubdtype(labels.dtype, np.integer):
        raise BadInput(f"labels of type {labels.dtype} given; expected whole numbers, 0 for background, one per cell")
    top = int(labels.max(initial=0))
    if labels.size and int(labels.min()) < 0:
        raise BadInput(f"labels hold {int(labels.min())}; expected 0 for background and positive numbers for cells")
    if top <= 65535:
        return labels.astype(np.int32, copy=False), np.arange(top + 1)
    numbers, inverse = np.unique(labels, return_inverse=True)
    if numbers[0] != 0:
        numbers, inverse = np.concatenate([[0], numbers]), inverse + 1
    return inverse.reshape(labels.shape).astype(np.int32), numbers


def best_overlaps(before: np.ndarray, after: np.ndarray) -> list[tuple[int, int, float]]:
    """Pairs of labels (before, after) that are each other's best by intersection over union, with that value."""
    dense_before, numbers_before = dense_labels(before)
    dense_after, numbers_after = dense_labels(after)
    areas_before = np.bincount(dense_before.ravel(), minlength=len(numbers_before))
    areas_after = np.bincount(dense_after.ravel(), minlength=len(numbers_after))
    both = (dense_before > 0) & (dense_after > 0)
    width = len(numbers_after)
    codes, shared = np.unique(dense_before[both].astype(np.int64) * width + dense_after[both], return_counts=True)
    a, b = codes // width, codes % width
    overlap = shared / (areas_before[a] + areas_after[b] - shared)
    best_of_a, best_of_b = np.zeros(len(numbers_before)), np.zeros(width)
    np.maximum.at(best_of_a, a, overlap)
    np.maximum.at(best_of_b, b, overlap)
    best = np.flatnonzero((overlap >= MIN_OVERLAP) & (overlap == best_of_a[a]) & (overlap == best_of_b[b]))
    return [(int(numbers_before[a[i]]), int(numbers_after[b[i]]), float(overlap[i])) for i in best]


class CellCounter:
    """Says which outlines of one recording are the same cell.

    Labels that keep their number from frame to frame are believed.  Else
    outlines are linked by overlap, over a missing frame where needed, and
    the count is an estimate: a cell that moves further than its own size in
    one frame, or is missed twice, counts again.
    """

    def __init__(self) -> None:
        self._parent: dict[tuple[int, int, int], tuple[int, int, int]] = {}
        self._recent: dict[int, deque[tuple[int, np.ndarray]]] = {}
        self._planes = 0
        self._linked = 0
        self._kept_number = 0

    def add(self, t: int, z: int, labels: np.ndarray) -> None:
        """Take the next plane; planes come in order of (t, z)."""
        self._planes += 1
        for label in np.unique(labels):
            if label:
                self._parent[t, z, int(label)] = (t, z, int(label))
        recent = self._recent.setdefault(z, deque(maxlen=LOOK_BACK))
        open_labels = labels
        for t_before, before in reversed(recent):
            open_labels = self._link((t_before, z), before, (t, z), open_labels)
        above = self._recent.get(z - 1)
        if above and above[-1][0] == t:
            self._link((t, z - 1), above[-1][1], (t, z), labels)
        recent.append((t, labels.copy()))

    def _link(self, at: tuple[int, int], before: np.ndarray, here: tuple[int, int], labels: np.ndarray) -> np.ndarray:
        """Join what overlaps, and return the labels that found no partner.

        A partner is also removed from ``before``, so that a second frame
        does not claim it.
        """
        pairs = best_overlaps(before, labels)
        for old, new, overlap in pairs:
            if overlap >= SURE_OVERLAP:
                self._linked += 1
                self._kept_number += old == new
            self._parent[self._root((*here, new))] = self._root((*at, old))
        if at[1] != here[1]:
            return labels
        before[np.isin(before, [old for old, _, _ in pairs])] = 0
        return np.where(np.isin(labels, [new for _, new, _ in pairs]), 0, labels)

    def _root(self, node: tuple[int, int, int]) -> tuple[int, int, int]:
        while self._parent[node] != node:
            self._parent[node] = node = self._parent[self._parent[node]]
        return node

    @property
    def tracked(self) -> bool:
        """Whether a label number is the same cell in all frames; believed where nothing speaks against it."""
        return self._kept_number >= CONSTANT_SHARE * self._linked

    @property
    def exact(self) -> bool:
        """Whether the count is of tracked cells, or of one plane; else it is an estimate."""
        return self.tracked and (self._linked > 0 or self._planes <= 1)

    def cells(self, outlines: Sequence[Outline]) -> list[int]:
        """A number from 1 for each outline, the same for outlines of the same cell."""
        keys = [o.label if self.tracked else self._root((o.t, o.z, o.label)) for o in outlines]
        numbers = {key: n for n, key in enumerate(dict.fromkeys(keys), start=1)}
        return [numbers[key] for key in keys]

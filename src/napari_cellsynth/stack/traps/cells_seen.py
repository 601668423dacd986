"""What outlines say of traps: how many cells, and which were washed in or out between two frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_cellsynth.stack.traps.boxes import PixelBox

SAME = 0.2
"""Share of the smaller of two outlines that must lie on the other for them to be the same cell."""
REACH = 3
"""Pixels between a bud and its mother, at most."""
BUD = 0.5
"""A bud's area when it is first seen, against its mother's, at most."""
SLID, AS_LARGE = 1.25, 1.3
"""Diameters by which a cell slides between two frames, at most, and how many times as large it may look then."""


@dataclass(frozen=True)
class Outlined:
    """The cells of one frame: number, area in pixels and middle (y, x) of each, in the order of their numbers."""

    labels: np.ndarray
    numbers: np.ndarray
    areas: np.ndarray
    middles: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray) -> Outlined:
        """From labels (Y, X), 0 for background."""
        ys, xs = np.nonzero(labels)
        numbers, which = np.unique(labels[ys, xs], return_inverse=True)
        areas = np.bincount(which, minlength=len(numbers))
        middles = np.stack([np.bincount(which, at, len(numbers)) / np.maximum(areas, 1) for at in (ys, xs)], axis=1)
        return cls(labels, numbers, areas, middles)

    def inside(self, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        """Whether the middle of each cell lies in a box."""
        y, x = self.middles.T
        return (y >= top) & (y < bottom) & (x >= left) & (x < right)

    def whole(self, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        """Whether each cell lies in a box with all its pixels, and touches no border of it."""
        (h, w), (top, left) = self.labels.shape, (max(0, top), max(0, left))
        inner = self.labels[top + 1 : min(bottom, h) - 1, left + 1 : min(right, w) - 1]
        counts = np.bincount(np.searchsorted(self.numbers, inner[inner != 0]), minlength=len(self.numbers))
        return np.asarray(counts == self.areas)


@dataclass(frozen=True)
class Washed:
    """Cells that came or went between two frames without growing or budding: indices into the frame that shows them."""

    came: list[int]
    went: list[int]

    def came_into(self, after: Outlined, box: PixelBox) -> np.ndarray:
        """Which of those that came lie with their middle in a crop: what moves in is seen beyond it before."""
        return _inside(after, box)[self.came]

    def gone_from(self, before: Outlined, box: PixelBox) -> np.ndarray:
        """Which of those that went lay in a crop, whole: one that its border cut was leaving by itself.

        In the phantom, cells that grow out of their trap's shelter end so.  That a few are carried off just there
        cannot be told from them.
        """
        return _inside(before, box)[self.went] & before.whole(box.top, box.bottom, box.left, box.right)[self.went]


def _inside(frame: Outlined, box: PixelBox) -> np.ndarray:
    return frame.inside(box.top, box.bottom, box.left, box.right)


def washed_between(before: Outlined, after: Outlined) -> Washed:
    """Cells of ``after`` that lie on none of ``before`` and are no buds; cells of ``before`` on which none lies.

    A bud is small and touches a cell that was there before.  A cell that slides
    by its own length, as a bud does in the gap of the pillars, lies on nothing
    of itself, but near where one as large is missing.  Both frames are laid on
    each other already.
    """
    linked = _linked(before, after)
    old = linked.any(0)
    new = np.flatnonzero(~old)
    came = [int(i) for i in new if not _is_bud(after, int(i), np.asarray(old))]
    went = [int(i) for i in np.flatnonzero(~linked.any(1))]
    for i, j in _slid(before, after, went, came):
        went.remove(i)
        came.remove(j)
    return Washed(came, went)


def _slid(before: Outlined, after: Outlined, went: list[int], came: list[int]) -> list[tuple[int, int]]:
    """Cells of ``before`` and ``after`` that are one which slid, the nearest first; each at most once."""
    near = []
    for i in went:
        for j in came:
            far = float(np.hypot(*(before.middles[i] - after.middles[j])))
            areas = sorted((before.areas[i], after.areas[j]))
            if far <= SLID * 2 * np.sqrt(before.areas[i] / np.pi) and areas[1] <= AS_LARGE * areas[0]:
                near.append((far, i, j))
    found: list[tuple[int, int]] = []
    for _, i, j in sorted(near):
        if all(i != a and j != b for a, b in found):
            found.append((i, j))
    return found


def _linked(before: Outlined, after: Outlined) -> np.ndarray:
    """Whether each cell of ``before`` and each of ``after`` are the same, by overlap."""
    linked = np.zeros((len(before.numbers), len(after.numbers)), bool)
    both = (before.labels != 0) & (after.labels != 0)
    if both.any():
        a = np.searchsorted(before.numbers, before.labels[both])
        b = np.searchsorted(after.numbers, after.labels[both])
        shared = np.zeros(linked.shape, np.int64)
        np.add.at(shared, (a, b), 1)
        smaller = np.minimum(before.areas[:, None], after.areas[None])
        linked = shared >= SAME * smaller
        linked &= shared > 0
    return linked


def _is_bud(after: Outlined, which: int, old: np.ndarray) -> bool:
    from scipy.ndimage import distance_transform_edt

    y, x = after.middles[which]
    # A circle of its area, and some more for long shapes.
    reach = int(2 * np.sqrt(after.areas[which])) + REACH + 1
    window = tuple(slice(max(0, int(at) - reach), int(at) + reach + 1) for at in (y, x))
    near = after.labels[window]
    ring = distance_transform_edt(near != after.numbers[which]) <= REACH
    mothers = [np.searchsorted(after.numbers, n) for n in np.unique(near[ring]) if n and n != after.numbers[which]]
    areas = [after.areas[m] for m in mothers if old[m]]
    return bool(areas) and after.areas[which] <= BUD * max(areas)

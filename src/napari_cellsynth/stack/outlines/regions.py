"""Regions of a label image with the sums that their shape follows from; joined regions add them up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
AREA, Y, X, YY, XX, XY, HEIGHT, SQUARE, RIM, RIM_EDGE = range(10)
"""Columns of ``Regions.sums``: pixels, moments, height inside and its square, pairs at the rim and their edge."""


@dataclass(eq=False)
class Regions:
    """Labelled regions 1 … n of one image, a row of sums each (row 0: background)."""

    labels: NDArray[np.int32]
    sums: Floats
    """(n + 1, 10)"""
    members: list[list[int]] | None = None
    """Regions that each row of ``sums`` unites, where rows are unions; else row i is region i."""
    _places: list[Any] = field(default_factory=list)

    def mask(self, row: int) -> tuple[NDArray[np.bool_], tuple[slice, slice]]:
        """Pixels of a row in its bounding box, and that box."""
        if not self._places:
            from scipy import ndimage

            self._places = ndimage.find_objects(self.labels)
        ids = [row] if self.members is None else self.members[row]
        boxes = [self._places[i - 1] for i in ids]
        box = (
            slice(min(b[0].start for b in boxes), max(b[0].stop for b in boxes)),
            slice(min(b[1].start for b in boxes), max(b[1].stop for b in boxes)),
        )
        inside = self.labels[box]
        return (inside == ids[0] if len(ids) == 1 else np.isin(inside, ids)), box


def measure(labels: NDArray[np.int32], count: int, height: NDArray[Any], edge: NDArray[Any]) -> Regions:
    """Sums of regions 1 … ``count``; ``height`` is added up inside, ``edge`` along the rim."""
    places = np.flatnonzero(labels)
    ids = labels.ravel()[places]
    y, x = np.divmod(places, labels.shape[1])
    y, x = y.astype(np.float64), x.astype(np.float64)
    inside = height.ravel()[places].astype(np.float64)
    columns = [None, y, x, y * y, x * x, x * y, inside, inside * inside]
    sums = np.zeros((count + 1, 10))
    for i, weights in enumerate(columns):
        sums[:, i] = np.bincount(ids, weights, count + 1)
    for near, far, strength in _pairs(labels, edge):
        other = near != far
        for side in (near, far):
            at = other & (side > 0)
            sums[:, RIM] += np.bincount(side[at], minlength=count + 1)
            sums[:, RIM_EDGE] += np.bincount(side[at], strength[at], count + 1)
    return Regions(labels, sums)


def borders(labels: NDArray[np.int32], count: int, edge: NDArray[Any]) -> dict[tuple[int, int], tuple[float, int]]:
    """Edge strength added up along, and length of, the border of each pair of regions that touch."""
    found: dict[tuple[int, int], tuple[float, int]] = {}
    for near, far, strength in _pairs(labels, edge):
        at = (near != far) & (near > 0) & (far > 0)
        a, b = near[at].astype(np.int64), far[at].astype(np.int64)
        codes, inverse = np.unique(np.minimum(a, b) * (count + 1) + np.maximum(a, b), return_inverse=True)
        strengths, lengths = np.bincount(inverse, strength[at]), np.bincount(inverse)
        for code, total, length in zip(codes.tolist(), strengths.tolist(), lengths.tolist(), strict=True):
            before = found.get(divmod(code, count + 1), (0.0, 0))
            found[divmod(code, count + 1)] = (before[0] + total, before[1] + length)
    return found


def _pairs(labels: NDArray[np.int32], edge: NDArray[Any]) -> tuple[tuple[Any, Any, Any], ...]:
    """Neighbours to the right and below, with the stronger edge of the two."""
    return (
        (labels[:, :-1], labels[:, 1:], np.maximum(edge[:, :-1], edge[:, 1:])),
        (labels[:-1], labels[1:], np.maximum(edge[:-1], edge[1:])),
    )


def roundness(sums: Floats) -> Floats:
    """Area over that of the ellipse with the same moments: 1 for ellipses, less for what is bent, notched or frayed."""
    area = np.maximum(sums[:, AREA], 1)
    y, x = sums[:, Y] / area, sums[:, X] / area
    # The square of a pixel has moments of its own: 1/12.
    yy = sums[:, YY] / area - y * y + 1 / 12
    xx = sums[:, XX] / area - x * x + 1 / 12
    xy = sums[:, XY] / area - x * y
    det = np.maximum(yy * xx - xy * xy, 1 / 144)
    return np.minimum(area / (4 * np.pi * np.sqrt(det)), 1.0)


def rim_edge(sums: Floats) -> Floats:
    """Mean edge strength along the rim; rims on the border of the image do not count."""
    return sums[:, RIM_EDGE] / np.maximum(sums[:, RIM], 1)


def typical_height(sums: Floats) -> Floats:
    """Height of the map inside, its high places counting most: a wider outline with a low rim leaves it as it is."""
    return sums[:, SQUARE] / np.maximum(sums[:, HEIGHT], 1e-9)

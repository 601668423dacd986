"""Proposals of cells: what stays together above a level, what floods from a seed, and unions of neighbours."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.stack.outlines.choose import Proposal
from napari_cellsynth.stack.outlines.regions import (
    AREA,
    HEIGHT,
    RIM,
    RIM_EDGE,
    Floats,
    Regions,
    borders,
    measure,
    rim_edge,
    roundness,
    typical_height,
)

Map = NDArray[np.float32]
Mask = NDArray[np.bool_]


STRONGEST = 1.3
"""Edge strength beyond which a rim is no better."""


@dataclass(frozen=True)
class Cellness:
    """How much a region looks like a cell: its size, its shape and the edge around it."""

    diameter: float
    """Usual diameter in pixels of the maps."""
    smallest: float
    largest: float
    """Bounds as multiples of the diameter."""
    edge: Map
    """Strength of edges, about 1 at the rim of a cell."""
    rounder: float = 6.0
    """Exponent of the roundness."""
    spread: float = 0.5
    """Standard deviation of the logarithm of diameters."""
    relative: bool = False
    """Take the edge relative to the height of the region: bright and dim cells count alike."""
    filled: bool = False
    """Count by the mean height inside, from 0 to 1, too: what is empty is no cell."""

    @property
    def areas(self) -> tuple[float, float]:
        """Smallest and largest area in pixels."""
        full = np.pi / 4 * self.diameter**2
        return full * self.smallest**2, full * self.largest**2

    def proposals(self, regions: Regions, least: float) -> list[Proposal]:
        """The rows whose size is in bounds and whose score is at least ``least``."""
        sums = regions.sums
        area = sums[:, AREA]
        low, high = self.areas
        rows = np.flatnonzero((area >= low) & (area <= high) & (np.arange(len(area)) > 0))
        score = self._score(sums[rows])
        return [Proposal(float(s), regions, int(row)) for s, row in zip(score, rows, strict=True) if s >= least]

    def _score(self, sums: Floats) -> Floats:
        share = np.sqrt(sums[:, AREA] * 4 / np.pi) / self.diameter
        size = np.exp(-0.5 * (np.log(np.maximum(share, 1e-9)) / self.spread) ** 2)
        strength = rim_edge(sums)
        if self.relative:
            strength = strength / np.maximum(typical_height(sums), 1e-9)
        if self.filled:
            size = size * (sums[:, HEIGHT] / np.maximum(sums[:, AREA], 1)) ** 2
        # A cell that fills the view has no rim to judge.
        edge = np.where(sums[:, RIM] > 0, np.minimum(strength, STRONGEST) / STRONGEST, 0.5)
        return roundness(sums) ** self.rounder * edge * size


def above_levels(height: Map, levels: Iterable[float], cellness: Cellness) -> Iterator[Regions]:
    """Connected regions above each level, small holes filled."""
    from scipy import ndimage

    for level in levels:
        mask = ndimage.binary_opening(fill_holes(height > level, cellness.areas[1] / 2))
        labels, count = ndimage.label(mask)
        if count:
            yield measure(labels, count, height, cellness.edge)


def fill_holes(mask: Mask, largest: float) -> Mask:
    """Without holes of fewer than ``largest`` pixels; what opens to the border of the image is none."""
    from scipy import ndimage

    holes, count = ndimage.label(~mask)
    if not count:
        return mask
    fill = np.bincount(holes.ravel()) < largest
    fill[0] = False
    fill[np.concatenate([holes[0], holes[-1], holes[:, 0], holes[:, -1]])] = False
    return mask | fill[holes]


def seeds_of(depth: Map, inside: Mask, blur: float, apart: float) -> tuple[NDArray[np.int32], int]:
    """Peaks of ``depth`` blurred by ``blur`` pixels, ``apart`` pixels from each other, numbered from 1."""
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(depth, blur)
    side = max(3, int(apart) | 1)
    peaks = (ndimage.maximum_filter(smooth, size=side) == smooth) & inside
    labels, count = ndimage.label(peaks, np.ones((3, 3)))
    return labels.astype(np.int32), int(count)


def flood(landscape: Map, seeds: NDArray[np.int32], count: int, inside: Mask) -> NDArray[np.int32]:
    """Watershed from the seeds, and from everything outside, which is flooded as background."""
    from scipy import ndimage
    from skimage.segmentation import watershed

    marks = np.where(inside, seeds, np.where(seeds > 0, seeds, count + 1)).astype(np.int32)
    # Far from any cell there is nothing to flood.
    near = ndimage.binary_dilation(inside, iterations=2)
    marks[~near] = 0
    labels = watershed(landscape, marks, mask=near)
    labels[labels == count + 1] = 0
    return labels.astype(np.int32)


def unions(regions: Regions, count: int, edge: Map, largest: float) -> Iterator[Regions]:
    """Neighbours joined two by two, the weakest border first, up to ``largest`` pixels: each union a row."""
    touching = borders(regions.labels, count, edge)
    rows: dict[int, Any] = {i: (regions.sums[i], [i]) for i in range(1, count + 1)}
    around: dict[int, dict[int, tuple[float, int]]] = {i: {} for i in rows}
    queue = []
    for (a, b), (total, length) in touching.items():
        around[a][b] = around[b][a] = (total, length)
        queue.append((total / length, a, b))
    heapq.heapify(queue)
    made: list[tuple[Floats, list[int]]] = []
    while queue:
        _, a, b = heapq.heappop(queue)
        if a not in rows or b not in rows or rows[a][0][AREA] + rows[b][0][AREA] > largest:
            continue
        new = count + len(made) + 1
        rows[new] = _join(rows, around, a, b, new)
        made.append(rows[new])
        for other, (total, length) in around[new].items():
            heapq.heappush(queue, (total / length, other, new))
    if not made:
        return
    sums = np.stack([np.zeros_like(regions.sums[0]), *(row for row, _ in made)])
    yield Regions(regions.labels, sums, members=[[], *(ids for _, ids in made)])


def _join(
    rows: dict[int, Any], around: dict[int, dict[int, tuple[float, int]]], a: int, b: int, new: int
) -> tuple[Floats, list[int]]:
    """Take a and b out and return their union, ``new`` among the neighbours of both; their border is inside it."""
    total, length = around[a][b]
    sums = rows[a][0] + rows[b][0]
    sums[RIM] -= 2 * length
    sums[RIM_EDGE] -= 2 * total
    ids = rows[a][1] + rows[b][1]
    merged: dict[int, tuple[float, int]] = {}
    for gone in (a, b):
        for other, (strength, long) in around.pop(gone).items():
            if other in (a, b):
                continue
            before = merged.get(other, (0.0, 0))
            merged[other] = (before[0] + strength, before[1] + long)
            around[other].pop(gone, None)
    for other, border in merged.items():
        around[other][new] = border
    around[new] = merged
    del rows[a], rows[b]
    return sums, ids

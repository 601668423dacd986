"""Bright cells on a dark ground: fluorescence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.stack.outlines.choose import Proposal
from napari_cellsynth.stack.outlines.image import Map, background, blocks, dark_side
from napari_cellsynth.stack.outlines.propose import (
    STRONGEST,
    Cellness,
    above_levels,
    fill_holes,
    flood,
    seeds_of,
    unions,
)
from napari_cellsynth.stack.outlines.regions import Regions, measure
from napari_cellsynth.stack.outlines.settings import OutlineSettings
from napari_cellsynth.stack.outlines.view import Box, least_score

FINEST = 22
"""Pixels of a cell's diameter from which the image is binned: outlines are refined afterwards."""
LEVELS = 24
SHAPES_AT = 5
"""At every how many levels cells are parted by their shape as well."""
LEAST = 0.4
"""Score below which a region is no cell: on confocal nuclei 0.2 lets flecks of background pass."""


@dataclass(frozen=True)
class Watershed:
    """Floods from the brightest down: of each cell the level at which it is most like one, be it bright or dim."""

    factor: int
    cellness: Cellness
    height: Map
    """Brightness above the background in multiples of its spread."""
    levels: NDArray[np.float64]
    least: float
    split: bool

    @classmethod
    def of(cls, image: Map, diameter: float, settings: OutlineSettings) -> Watershed | None:
        """``image`` normalised, ``diameter`` in its pixels; None where nothing stands out."""
        from scipy import ndimage

        factor, height = _above_background(image, diameter, settings)
        across = diameter / factor
        top = float(np.percentile(height, 99.9))
        floor = max(_floor(settings), 0.02 * top)
        if top <= floor:
            return None
        edge = ndimage.gaussian_gradient_magnitude(height, 0.7) * (across / 6)
        cellness = Cellness(across, settings.smallest, settings.largest, edge, rounder=4.0, spread=0.7, relative=True)
        levels = np.geomspace(floor, max(top, 2 * floor), LEVELS)
        if not settings.split_touching:
            levels = levels[: LEVELS // 3]
        return cls(factor, cellness, height, levels, least_score(LEAST, settings), settings.split_touching)

    @property
    def shape(self) -> tuple[int, int]:
        return self.height.shape[0], self.height.shape[1]

    def propose(self, box: Box) -> list[Proposal]:
        """Regions in a part of the image that may be cells."""
        cellness = replace(self.cellness, edge=self.cellness.edge[box])
        found = [*above_levels(self.height[box], self.levels, cellness)]
        if self.split:
            for level in self.levels[::SHAPES_AT]:
                found += by_shape(self.height[box] > level, self.height[box], cellness)
        return [one for regions in found for one in cellness.proposals(regions, self.least)]


def by_shape(inside: NDArray[np.bool_], height: Map, cellness: Cellness) -> Iterator[Regions]:
    """Cells as bright as their neighbours are parted where the mask has a neck: watershed of the distance."""
    from scipy import ndimage

    inside = fill_holes(inside, cellness.areas[1] / 2)
    depth = np.asarray(ndimage.distance_transform_edt(inside), np.float32)
    seeds, count = seeds_of(depth, inside, cellness.diameter / 12, 0.3 * cellness.diameter)
    parts = measure(flood(-depth, seeds, count, inside), count, height, cellness.edge)
    yield parts
    yield from unions(parts, count, cellness.edge, cellness.areas[1])


@dataclass(frozen=True)
class Threshold:
    """One threshold for the whole image; cells that touch are parted by their shape."""

    factor: int
    cellness: Cellness
    inside: NDArray[np.bool_]
    split: bool

    @classmethod
    def of(cls, image: Map, diameter: float, settings: OutlineSettings) -> Threshold | None:
        """``image`` normalised, ``diameter`` in its pixels; None where nothing stands out."""
        from scipy import ndimage
        from skimage.filters import threshold_otsu

        factor, height = _above_background(image, diameter, settings)
        otsu = float(threshold_otsu(height.ravel()[:: max(1, height.size // 200_000)]))
        level = max(_floor(settings), otsu * 2 ** (1 - 2 * settings.sensitivity))
        if float(np.percentile(height, 99.9)) <= level:
            return None
        across = diameter / factor
        inside = fill_holes(height > level, np.pi / 8 * (settings.largest * across) ** 2)
        # All rims are as good; of borders between two parts the shallowest, a neck, counts as the strongest.
        edge = (STRONGEST + 1 / (1 + ndimage.distance_transform_edt(inside))).astype(np.float32)
        cellness = Cellness(across, settings.smallest, settings.largest, edge, spread=0.7)
        return cls(factor, cellness, inside, settings.split_touching)

    @property
    def shape(self) -> tuple[int, int]:
        return self.inside.shape[0], self.inside.shape[1]

    def propose(self, box: Box) -> list[Proposal]:
        """Regions in a part of the image that may be cells."""
        from scipy import ndimage

        inside = self.inside[box]
        cellness = replace(self.cellness, edge=self.cellness.edge[box])
        labels, count = ndimage.label(inside)
        found = [measure(labels, count, inside, cellness.edge)]
        if self.split:
            found += by_shape(inside, np.asarray(inside, np.float32), cellness)
        return [one for regions in found for one in cellness.proposals(regions, 0.0)]


def _floor(settings: OutlineSettings) -> float:
    """Spreads of the background from which something may be a cell: about 3 at 0.5."""
    return float(10 ** (1.3 - 1.6 * settings.sensitivity))


def _above_background(image: Map, diameter: float, settings: OutlineSettings) -> tuple[int, Map]:
    from scipy import ndimage

    factor = max(1, int(diameter // FINEST))
    small = blocks(image, factor)
    small = small - background(small)
    smooth = ndimage.gaussian_filter(small, settings.smoothing * max(0.7, diameter / factor / FINEST))
    middle, spread = dark_side(smooth)
    # Where the background has no noise at all, a thousandth of the contrast stands for it.
    spread = max(spread, 1e-3 * float(np.ptp(smooth)), 1e-9)
    return factor, ((smooth - middle) / spread).astype(np.float32)

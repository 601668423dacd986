"""From what a network makes of a frame to its cells: a threshold, and a watershed from the cores (scikit-image)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from napari_cellsynth.models.segmentation.config import SegmentationSettings

SMOOTHED, LEAST, MOST = 0.15, 1.0, 8.0
"""Standard deviation by which the distance is smoothed before its peaks are taken, as a share of the side of a square
as large as a smaller cell; and its bounds in pixels."""


@dataclass(frozen=True)
class Parting:
    """How pixels become cells."""

    foreground: float
    """Probability above which a pixel is of a cell."""
    prominence: float
    """How far a peak of the distance must rise above the neck to the next one."""
    smallest: float
    """Area in pixels below which an outline is left out."""
    small_area: float
    """Area in pixels of the smaller training cells."""

    @classmethod
    def of(cls, settings: SegmentationSettings, small_area: float) -> Parting:
        """``small_area``: that of the smaller training cells."""
        return cls(settings.foreground, settings.prominence, settings.smallest * small_area, small_area)

    def enlarged(self, times: float) -> Parting:
        """For images in which a cell has so many times as many pixels."""
        return replace(self, smallest=self.smallest * times, small_area=self.small_area * times)

    @property
    def smoothing(self) -> float:
        """Standard deviation in pixels."""
        return min(MOST, max(LEAST, SMOOTHED * sqrt(self.small_area)))


def find_instances(probability: np.ndarray, distance: np.ndarray | None, parting: Parting) -> np.ndarray:
    """Labels (Y, X) int32, numbers from 1, of maps (Y, X); without a distance what is connected is one cell.

    Each peak of the distance that is prominent enough (h-maxima) is the seed
    of a cell, which the watershed of the distance lets grow as far as the
    foreground reaches (Naylor et al. 2019); a part of the foreground without
    a peak is a cell, too.
    """
    from scipy import ndimage
    from skimage.morphology import local_maxima, reconstruction
    from skimage.segmentation import watershed

    inside = ndimage.binary_fill_holes(probability > parting.foreground)
    pieces, count = ndimage.label(inside)
    if distance is None or not count:
        return cleaned(pieces, parting.smallest)
    smooth = ndimage.gaussian_filter(np.where(inside, distance, 0).astype(np.float32), parting.smoothing)
    # In steps of 1/1000: rounding of the last digits makes no peaks.
    steps = np.rint(smooth * 1000).astype(np.int32)
    lowered = reconstruction(steps - round(parting.prominence * 1000), steps)
    seeds, seen = ndimage.label(local_maxima(lowered) & inside)
    with_seed = np.zeros(count + 1, bool)
    with_seed[np.unique(pieces[seeds > 0])] = True
    bare = ~with_seed[pieces] & inside
    seeds[bare] = pieces[bare] + seen
    return cleaned(watershed(-smooth, seeds, mask=inside), parting.smallest)


def cleaned(labels: np.ndarray, smallest: float) -> np.ndarray:
    """Without outlines of less than ``smallest`` pixels, numbered from 1 without holes."""
    areas = np.bincount(labels.ravel())
    kept = areas >= max(1.0, smallest)
    kept[0] = False
    return np.where(kept, np.cumsum(kept), 0).astype(np.int32)[labels]

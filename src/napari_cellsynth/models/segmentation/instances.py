"""From what a network makes of a frame to its cells: a threshold, and a watershed from the cores (scikit-image)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from napari_cellsynth.models.segmentation.config import SegmentationSettings

SMOOTHED = 1.0
"""Pixels (standard deviation) by which the distance is smoothed before its cores are taken."""


@dataclass(frozen=True)
class Parting:
    """How pixels become cells."""

    foreground: float
    """Probability above which a pixel is of a cell."""
    seed_height: float
    """Distance to the border, 1 in the middle, above which a pixel is of a core."""
    smallest: float
    """Area in pixels below which an outline is left out."""

    @classmethod
    def of(cls, settings: SegmentationSettings, small_area: float) -> Parting:
        """``small_area``: that of the smaller training cells."""
        return cls(settings.foreground, settings.seed_height, settings.smallest * small_area)

    def enlarged(self, times: float) -> Parting:
        """For images in which a cell has so many times as many pixels."""
        return replace(self, smallest=self.smallest * times)


def find_instances(probability: np.ndarray, distance: np.ndarray | None, parting: Parting) -> np.ndarray:
    """Labels (Y, X) int32, numbers from 1, of maps (Y, X); without a distance what is connected is one cell.

    Each connected core is the seed of a cell, which the watershed of the
    distance lets grow as far as the foreground reaches (Naylor et al. 2019);
    a part of the foreground without a core is a cell, too.
    """
    from scipy import ndimage
    from skimage.segmentation import watershed

    inside = ndimage.binary_fill_holes(probability > parting.foreground)
    pieces, count = ndimage.label(inside)
    if distance is None or not count:
        return cleaned(pieces, parting.smallest)
    smooth = ndimage.gaussian_filter(distance.astype(np.float32), SMOOTHED)
    seeds, seen = ndimage.label((smooth > parting.seed_height) & inside)
    with_core = np.zeros(count + 1, bool)
    with_core[np.unique(pieces[seeds > 0])] = True
    coreless = ~with_core[pieces] & inside
    seeds[coreless] = pieces[coreless] + seen
    return cleaned(watershed(-smooth, seeds, mask=inside), parting.smallest)


def cleaned(labels: np.ndarray, smallest: float) -> np.ndarray:
    """Without outlines of less than ``smallest`` pixels, numbered from 1 without holes."""
    areas = np.bincount(labels.ravel())
    kept = areas >= max(1.0, smallest)
    kept[0] = False
    return np.where(kept, np.cumsum(kept), 0).astype(np.int32)[labels]

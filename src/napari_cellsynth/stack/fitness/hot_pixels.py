"""Single pixels of the camera that shine or are dead, taken out: they flicker, or stand still while the stage moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.stack.fitness.reduce import noise_of

NOISE = 8.0
"""How many times the frame's noise a pixel lies beyond its neighbours at least,"""
STEEP = 4.0
"""how many times what its neighbours differ by among each other: the finest spot that a lens makes has 3,"""
SHARE = 0.1
"""and which share of the frame's own range."""


def without_hot_pixels(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """A frame (Y, X) with single pixels far beyond all but one of their neighbours at the neighbours' median.

    All but one: of many such pixels, some lie side by side.  The frame itself is returned where there is none.
    """
    from scipy import ndimage

    low, high = np.quantile(frame[:: max(1, frame.shape[0] // 256)], (0.01, 0.99))
    least = max(NOISE * noise_of(frame), SHARE * float(high - low))
    if min(frame.shape) < 3 or least <= 0:
        return frame
    # The mean takes a ninth of what a pixel is beyond its neighbours, two ninths where one of them is as hot.
    places = np.argwhere(np.abs(frame - ndimage.uniform_filter(frame, 3)) > least / 2)
    if not len(places):
        return frame
    around = _neighbours(frame, places)
    value = frame[places[:, 0], places[:, 1]]
    bright = (value - around[:, -2] > least) & (value - around[:, -2] > STEEP * (around[:, -2] - around[:, 0]))
    dead = (around[:, 1] - value > least) & (around[:, 1] - value > STEEP * (around[:, -1] - around[:, 1]))
    hot = bright | dead
    made = frame.copy()
    made[tuple(places[hot].T)] = np.median(around[hot], axis=1)
    return made


def _neighbours(frame: NDArray[np.float32], places: NDArray[np.int64]) -> NDArray[np.float32]:
    """(n, 8) the values around each place, ascending; beyond the border those inside are mirrored."""
    around = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x]
    wide = np.pad(frame, 1, mode="reflect")
    return np.sort(np.stack([wide[places[:, 0] + 1 + y, places[:, 1] + 1 + x] for y, x in around], 1), axis=1)

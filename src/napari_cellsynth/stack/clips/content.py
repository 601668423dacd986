"""Where a plane shows anything: by its outlines, else by how much it varies from pixel to pixel nearby.

Measured on real recordings, seven pixels around each: the logarithm of the
local standard deviation has two heaps, one of the background and one of what
is on it, which Otsu's threshold parts.  Where nothing is to be seen the
heaps are one, and the two halves that Otsu makes of it are close together;
then nothing is said to be empty (numbers in docs/training_sets.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

WINDOW = 7
"""Side in pixels of the neighbourhood whose standard deviation is looked at."""
FRAMES = 8
"""Frames, evenly spaced, from which the threshold is found."""
APART = 1.7
"""The heaps' typical values must differ by this factor: noise alone gave 1.2, real recordings 2.6 and more."""


@dataclass(frozen=True)
class Threshold:
    """What parts background from content in one recording."""

    value: float
    """Local standard deviation in intensities above which a pixel is content."""
    background: float
    """Typical local standard deviation below it."""
    ratio: float
    """Typical value above it over that below; one is not told from the other where it is under ``APART``."""

    @property
    def told(self) -> bool:
        return self.ratio >= APART

    def content(self, plane: np.ndarray) -> np.ndarray:
        """Where a plane (Y, X) shows something; everywhere if background could not be told from content."""
        if not self.told:
            return np.ones(plane.shape, bool)
        return local_deviation(plane) > self.value


def find_threshold(planes: Sequence[np.ndarray]) -> Threshold:
    """Otsu's threshold of the logarithm of the local standard deviation of some planes (Y, X) of one recording."""
    from skimage.filters import threshold_otsu

    if not planes:
        return Threshold(0.0, 0.0, 1.0)
    # Every fourth pixel: neighbours share most of their window.
    logs = np.concatenate([np.log(local_deviation(plane)[::2, ::2].ravel()) for plane in planes])
    logs = logs[np.isfinite(logs)]
    if logs.size == 0 or np.ptp(logs) < 1e-6:
        value = float(np.exp(logs[0])) if logs.size else 0.0
        return Threshold(value, value, 1.0)
    at = float(threshold_otsu(logs))
    below, above = float(logs[logs <= at].mean()), float(logs[logs > at].mean())
    return Threshold(float(np.exp(at)), float(np.exp(below)), float(np.exp(above - below)))


def local_deviation(plane: np.ndarray) -> np.ndarray:
    """Standard deviation (Y, X) float64 in the window around each pixel, that of rounding to whole numbers included."""
    from scipy.ndimage import uniform_filter

    values = plane.astype(np.float64)
    finite = np.isfinite(values)
    values = np.where(finite, values, values[finite].mean() if finite.any() else 0.0)
    values -= values.mean()
    mean = uniform_filter(values, WINDOW)
    variance = np.clip(uniform_filter(values * values, WINDOW) - mean * mean, 0, None)
    # A processed background can be perfectly flat; rounding to grey levels is then all the noise there is.
    rounding = 1 / 12 if plane.dtype.kind in "iu" else 1e-12 * max(1.0, float(variance.max()))
    return np.asarray(np.sqrt(variance + rounding))


def spread_frames(frames: Sequence[int], count: int = FRAMES) -> list[int]:
    """At most ``count`` of these frames, evenly spaced."""
    if not frames:
        return []
    places = np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int)
    return [frames[i] for i in np.unique(places)]


class Shares:
    """Share of content in any box of one plane, quickly: sums from the corner (Crow 1984)."""

    def __init__(self, content: np.ndarray) -> None:
        self._sums = np.pad(content.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))

    def share(self, top: int, left: int, height: int, width: int) -> float:
        """From 0 to 1."""
        sums = self._sums
        bottom, right = top + height, left + width
        inside = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        return float(inside) / (height * width)


Judge = Callable[[np.ndarray], np.ndarray]
"""From a plane to where it shows something."""

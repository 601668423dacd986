"""What one frame shows by itself, in a few numbers, so that the frame need not be kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.stack.fitness.reduce import binned, factor_for, noise_gain, noise_of

FINEST = (1.0, 2.0)
"""Standard deviations (reduced pixels) of the band that goes first when a frame is out of focus."""
BODY = (4.0, 8.0)
"""Of the band that stays."""
MIDDLE = 256
"""Pixels along each side in which noise is measured."""
RAYS = 0.0005
"""Share of the pixels that may lie above a ceiling."""
NEAR_TOP = 0.01
"""Share of the frame's range below its highest value with which the pile at the top is compared."""


BLOCKS, FEWEST_BLOCKS = (2, 4, 8, 16), 256
"""Sides of blocks (pixels) whose means tell structure from noise, and how many blocks that takes."""


@dataclass(frozen=True)
class Look:
    """One frame, measured."""

    mean: float
    low: float
    """The value below which a thousandth of the pixels lies."""
    top: float
    """Highest value, but for a few pixels that cosmic rays may have hit."""
    at_top: float
    """Share of the pixels that have it, 0 where they are no pile: fewer than three times as many as have a value
    just below, or a frame of next to two values, such as a mask."""
    noise: float
    """Standard deviation of its noise, measured in its middle."""
    structure: float
    """By how much block means vary more than those of white noise do, in standard deviations, for the size of blocks
    where it is most; 0 where the frame is one value, infinite where it is too small to tell."""
    sharpness: float
    """Logarithm of the finest detail over the body of what is seen, without noise; NaN where there is nothing."""


def look_at(frame: NDArray[Any], clear: NDArray[np.float32]) -> Look:
    """Measure a frame (Y, X) of finite numbers, in its own dtype; ``clear`` is the same without hot pixels."""
    some = frame[:: max(1, frame.shape[0] // 256)]
    low, high = (float(value) for value in np.quantile(some, (0.001, 1 - RAYS), method="nearest"))
    top = high if np.mean(frame == high) > RAYS else float(frame.max())
    return Look(
        mean=float(clear.mean(dtype=np.float64)),
        low=low,
        top=top,
        at_top=_pile(frame, some, low, top),
        noise=noise_of(_middle(frame).astype(np.float32)),
        structure=_structure(clear),
        sharpness=_sharpness(clear),
    )


def _middle(frame: NDArray[Any]) -> NDArray[Any]:
    """As many pixels as noise needs to be measured, unreduced."""
    y, x = (max(0, (n - MIDDLE) // 2) for n in frame.shape)
    return frame[y : y + MIDDLE, x : x + MIDDLE]


def _pile(frame: NDArray[Any], some: NDArray[Any], low: float, top: float) -> float:
    share = float(np.mean(frame == top))
    if np.mean((some > low + 0.05 * (top - low)) & (some < top - 0.05 * (top - low))) < 0.01:
        return 0.0
    if frame.dtype.kind in "iu":
        depth = max(1.0, np.floor(NEAR_TOP * (top - low)))
        beneath = float(np.mean((frame >= top - depth) & (frame < top))) / depth
        return share if share >= 3 * beneath else 0.0
    return share


def _structure(frame: NDArray[np.float32]) -> float:
    """Means of blocks of n pixels vary n times less than pixels do, if these are noise of their own."""
    variance = float(frame.var(dtype=np.float64))
    if variance == 0:
        return 0.0
    found = []
    for side in BLOCKS:
        means = binned(frame, side)
        if means.size >= FEWEST_BLOCKS:
            ratio = float(means.var(dtype=np.float64)) * side**2 / variance
            found.append((ratio - 1) * float(np.sqrt(means.size / 2)))
    return max(found, default=np.inf)


def _sharpness(frame: NDArray[np.float32]) -> float:
    small = binned(frame, factor_for(frame.shape))
    if min(small.shape) < 16:
        return np.nan
    noise = noise_of(small)
    finest, body = (_energy(small, low, high, noise) for low, high in (FINEST, BODY))
    # What is no stronger than a part of the noise cannot be told from it.
    least = (0.1 * noise * noise_gain(*FINEST)) ** 2
    return float(np.log(max(finest, least) / body)) if body > 0 and max(finest, least) > 0 else np.nan


def _energy(image: NDArray[np.float32], low: float, high: float, noise: float) -> float:
    from scipy import ndimage

    high = min(high, min(image.shape) / 4)
    band = ndimage.gaussian_filter(image, low, truncate=3) - ndimage.gaussian_filter(image, high, truncate=3)
    return float(np.mean(band * band, dtype=np.float64)) - (noise * noise_gain(low, high)) ** 2

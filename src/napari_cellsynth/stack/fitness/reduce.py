"""A frame as registration sees it: small, without slow shading, equally strong wherever there is something to see."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

SIDE = 512
"""Pixels that the longer side is reduced to, by averaging whole blocks; enough for a tenth of a pixel."""
FINE = (1.5, 8.0)
"""Standard deviations (reduced pixels) of the two Gaussians whose difference is the fine band: where things lie."""
COARSE = (3.0, 20.0)
"""The same for the coarse band: whether two frames show the same scene; cells that change in detail keep it."""
AROUND = 10.0
"""Standard deviation of the surroundings in which contrast is made equal."""
WEAK = 0.3
"""Strength, against that of the frame's strongest twentieth, below which contrast is not made equal."""
STEEP = 0.3
"""Share of the pixels, the steepest, on which shifts are fitted..."""
MOST = 16_000
"""... but evenly spread so many of them at most, which is enough for a hundredth of a pixel."""
NOISE_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
"""Immerkaer's operator: blind to constant, linear and saddle-shaped content, so that noise is what remains."""


@dataclass(frozen=True, eq=False)
class Reduced:
    """One frame, ready to be compared with others of its recording."""

    fine: NDArray[np.float32]
    """(y, x) fine band of the frame, of equal contrast, weak where there is only noise."""
    coarse: NDArray[np.float32]
    """(y, x) coarse band, half as many pixels along each side."""
    factor: int
    """Pixels of the frame along the side of one pixel of ``fine``."""
    places: NDArray[np.int32]
    """(n, 2) y, x of the pixels of ``fine`` that say most about a shift, where it is steepest."""
    slopes: NDArray[np.float32]
    """(n, 2) slope of ``fine`` there, along y and x."""


def binned(frame: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Means of blocks of ``factor`` x ``factor`` pixels; what does not fill a block is left out."""
    if factor == 1:
        return frame
    h, w = (n // factor for n in frame.shape)
    return frame[: h * factor, : w * factor].reshape(h, factor, w, factor).mean((1, 3))


def factor_for(shape: tuple[int, int]) -> int:
    """How many pixels become one along each side."""
    return max(1, round(max(shape) / SIDE))


def reduce(frame: NDArray[np.float32]) -> Reduced:
    """From a frame (Y, X) of finite numbers."""
    from scipy import ndimage

    factor = factor_for(frame.shape)
    small = _without_rays(binned(frame, factor))
    fine = _equalised(small, *FINE, AROUND)
    half = 2 if min(small.shape) >= 64 else 1
    blurred = ndimage.uniform_filter(small, half) if half > 1 else small
    coarse = _equalised(binned(blurred, half), COARSE[0] / half, COARSE[1] / half, 2.5 * AROUND / half)
    return Reduced(fine, coarse, factor, *_steepest(fine))


def _without_rays(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Single pixels far beyond all others cut down: a cosmic ray would outshine every cell."""
    low, high = np.quantile(image, (0.001, 0.999))
    return np.clip(image, low - (high - low), high + (high - low))


def _steepest(fine: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    slopes = np.stack([np.gradient(fine, axis=axis) for axis in (0, 1)], axis=-1)
    steep = (slopes * slopes).sum(-1)
    places = np.argwhere(steep > max(float(np.quantile(steep, 1 - STEEP)), 0.0)).astype(np.int32)
    # Every n-th of them in the order of the rows would be every n-th column of some: a fixed draw instead.
    if len(places) > MOST:
        places = places[np.sort(np.random.default_rng(0).choice(len(places), MOST, replace=False))]
    return places, slopes[places[:, 0], places[:, 1]]


def _equalised(image: NDArray[np.float32], small: float, large: float, around: float) -> NDArray[np.float32]:
    """Difference of two Gaussians over its strength nearby, unless that is weak against the frame's, or the noise's.

    Without a division one bright cell outweighs everything else.  With
    nothing more, empty ground counts as much as cells; and the camera's
    fixed pattern, the edges of a coarse grey scale and specks on the lens lie
    there, which stand still while the stage moves (two channels of one real
    recording agreed on its steps only when the ground counted less).
    """
    from scipy import ndimage

    most = min(image.shape) / 4
    large, around = min(large, most), min(around, most)
    band = ndimage.gaussian_filter(image, small, truncate=3) - ndimage.gaussian_filter(image, large, truncate=3)
    # Three boxes in a row are nearly a Gaussian, and their time does not depend on its width.
    box = max(1, round(around * 2))
    power = np.maximum(ndimage.uniform_filter(ndimage.uniform_filter(band * band, box), box), 0)
    noise = (noise_of(image) * noise_gain(small, large)) ** 2
    tiny = 1e-6 * max(float(np.abs(image).max()), 1e-6)
    seen = np.clip(1 - noise / (power + tiny**2), 0, 1)
    strength = np.sqrt(power)
    return (band * seen / (strength + WEAK * np.quantile(strength, 0.95) + tiny)).astype(np.float32)


def noise_of(image: NDArray[np.float32]) -> float:
    """Standard deviation of white noise, from a robust mean of Immerkaer's operator (1996)."""
    from scipy import ndimage

    if min(image.shape) < 5:
        return 0.0
    rest = ndimage.convolve(image, NOISE_KERNEL)[1:-1, 1:-1]
    return float(1.4826 * np.median(np.abs(rest)) / 6.0)


@cache
def noise_gain(small: float, large: float) -> float:
    """Standard deviation of white noise of 1 after the difference of two Gaussians."""
    from scipy import ndimage

    point = np.zeros((129, 129), np.float32)
    point[64, 64] = 1
    made = ndimage.gaussian_filter(point, small) - ndimage.gaussian_filter(point, large)
    return float(np.sqrt((made * made).sum()))

"""A recording's noise: how strong it is and how it is spread over neighbouring pixels, measured and drawn again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

LAGS = 3
"""Pixels up to which neighbours' noise may go together (compression, binning, interpolation)."""
OUTLIER = 4.0
"""Robust standard deviations beyond which a pixel is not noise."""
FEW = 200
"""Pixels below which nothing is measured."""


def _white() -> np.ndarray:
    one = np.zeros((2 * LAGS + 1, 2 * LAGS + 1))
    one[LAGS, LAGS] = 1.0
    return one


@dataclass(frozen=True, eq=False)
class Noise:
    """Gaussian noise with a standard deviation and a correlation of near pixels."""

    sigma: float = 0.0
    """Standard deviation in intensity units."""
    correlation: np.ndarray = field(default_factory=_white)
    """(2 LAGS + 1, 2 LAGS + 1): of the noise of two pixels by their distance; 1 in the middle."""
    flicker: float = 0.0
    """Standard deviation of the whole frame's level from frame to frame."""

    def draw(self, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        """(Y, X) float32 of mean 0 and standard deviation 1, correlated as measured."""
        white = rng.standard_normal(shape, dtype=np.float32)
        if np.abs(self.correlation).sum() < 1.05:
            return white
        from scipy.fft import irfft2, next_fast_len, rfft2

        size = tuple(next_fast_len(n + 2 * LAGS, real=True) for n in shape)
        kernel = np.zeros(size)
        rows, columns = (np.arange(-LAGS, LAGS + 1) % n for n in size)
        kernel[np.ix_(rows, columns)] = self.correlation
        # The square root of a spectrum that was measured may be of a small negative number.
        filter_ = np.sqrt(np.clip(rfft2(kernel).real, 0.0, None))
        wide = rng.standard_normal(size, dtype=np.float32)
        made = irfft2(rfft2(wide) * filter_, s=size)[: shape[0], : shape[1]]
        return np.asarray(made / np.sqrt((filter_**2).mean()), np.float32)

    def to_json(self) -> dict[str, Any]:
        """In words of numbers: what provenance keeps."""
        beside = (self.correlation[LAGS, LAGS + 1] + self.correlation[LAGS + 1, LAGS]) / 2
        return {"sigma": self.sigma, "neighbour_correlation": float(beside), "flicker": self.flicker}


def measure(differences: Iterable[tuple[np.ndarray, np.ndarray]], flicker: float = 0.0, scale: float = 1.0) -> Noise:
    """Noise from pictures (Y, X) that hold nothing else where the mask beside them is true.

    ``scale`` is what their standard deviation is to be divided by: the root
    of two for differences of two frames.  Pixels far out (what moved, a cell
    that nobody outlined) are left out.
    """
    side = 2 * LAGS + 1
    products, counts = np.zeros((side, side)), np.zeros((side, side))
    for picture, known in differences:
        values = np.asarray(picture, np.float64)
        good = known & np.isfinite(values)
        if good.sum() < FEW:
            continue
        values = values - np.median(values[good])
        spread = max(1.4826 * np.median(np.abs(values[good])), values[good].std() / 10)
        good &= np.abs(values) <= OUTLIER * spread
        values = np.where(good, values - values[good].mean(), 0.0)
        _add(products, counts, values, good.astype(np.float64))
    if counts[LAGS, LAGS] < FEW:
        return Noise(flicker=flicker)
    covariance = products / np.maximum(counts, 1)
    variance = covariance[LAGS, LAGS]
    if variance <= 0:
        return Noise(flicker=flicker)
    correlation = covariance / variance
    # What is within chance of nothing is nothing.
    correlation[np.abs(correlation) < 0.03] = 0.0
    return Noise(float(np.sqrt(variance)) / scale, correlation, flicker)


def _add(products: np.ndarray, counts: np.ndarray, values: np.ndarray, good: np.ndarray) -> None:
    """Sums of products of pixels (dy, dx) apart, and how many there were; symmetric."""
    height, width = values.shape
    for dy in range(LAGS + 1):
        for dx in range(-LAGS, LAGS + 1):
            if dy == 0 and dx < 0:
                continue
            here = (slice(0, height - dy), slice(max(0, -dx), width - max(0, dx)))
            there = (slice(dy, height), slice(max(0, dx), width - max(0, -dx)))
            product, count = (values[here] * values[there]).sum(), (good[here] * good[there]).sum()
            for y, x in {(dy, dx), (-dy, -dx)}:
                products[LAGS + y, LAGS + x] += product
                counts[LAGS + y, LAGS + x] += count

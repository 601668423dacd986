"""The image before cells are looked for: one scale whatever its type, an even background, pixels that fit the cells."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput

Map = NDArray[np.float32]
GRID = 64
"""Blocks along the shorter side from which the background is estimated."""


def normalised(image: NDArray[Any]) -> Map | None:
    """(Y, X) float32, median 0, the middle 98 % spanning 1, so that gain and offset do not matter.

    Pixels without a value take the median; None where the image has no contrast.
    """
    if image.ndim != 2 or min(image.shape) < 8:
        raise BadInput(f"an image of shape {image.shape} given; expected (Y, X) of at least 8 pixels a side")
    values = image.astype(np.float64)
    finite = np.isfinite(values)
    if not finite.any():
        return None
    sample = values[finite]
    low, middle, high = np.percentile(sample, (1, 50, 99))
    span = float(high - low) or float(sample.std())
    if span <= 1e-9 * max(abs(low), abs(high)):
        return None
    return np.where(finite, (values - middle) / span, 0.0).astype(np.float32)


def blocks(image: Map, side: int) -> Map:
    """Means of blocks of ``side`` pixels; the last row and column repeat where they are cut."""
    if side == 1:
        return image
    height, width = (-(-n // side) for n in image.shape)
    padded = np.pad(image, ((0, height * side - image.shape[0]), (0, width * side - image.shape[1])), mode="edge")
    return padded.reshape(height, side, width, side).mean((1, 3), dtype=np.float32)


def background(image: Map) -> Map:
    """A surface of second order through what is not cells: illumination that falls off towards the corners.

    Fitted to block means, from which what lies off the surface is left out again and again.
    """
    small = blocks(image, max(1, min(image.shape) // GRID))
    terms = _terms(*small.shape).reshape(6, -1).T
    values = small.ravel().astype(np.float64)
    keep = np.ones(values.size, bool)
    fit: NDArray[Any] = np.zeros(6)
    for _ in range(12):
        fit = np.linalg.lstsq(terms[keep], values[keep], rcond=None)[0]
        off = values - terms @ fit
        middle = np.median(off[keep])
        near = np.abs(off - middle) <= 2.5 * 1.4826 * np.median(np.abs(off[keep] - middle)) + 1e-9
        if near.sum() < max(50, values.size // 10) or (near == keep).all():
            break
        keep = near
    y, x = (np.linspace(-1, 1, n) for n in image.shape)
    rows = fit[0] + fit[1] * y + fit[3] * y * y
    surface = rows[:, None] + (fit[2] * x + fit[4] * x * x)[None] + fit[5] * np.outer(y, x)
    return surface.astype(np.float32)


def _terms(height: int, width: int) -> NDArray[np.float64]:
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    return np.stack([np.ones_like(y), y, x, y * y, x * x, x * y])


def dark_side(values: NDArray[Any]) -> tuple[float, float]:
    """Where most of the background lies, and its spread below that: cells only make the upper side longer."""
    from scipy import ndimage

    sample = values.ravel()[:: max(1, values.size // 200_000)]
    low, high = np.percentile(sample, (0.5, 95))
    if high <= low:
        return float(low), 0.0
    counts, ends = np.histogram(sample, bins=128, range=(low, high))
    place = int(ndimage.gaussian_filter1d(counts.astype(float), 2).argmax())
    mode = float(ends[place] + ends[place + 1]) / 2
    below = sample[sample <= mode]
    return mode, float(np.sqrt(np.mean((below - mode) ** 2))) if below.size > 20 else 0.0

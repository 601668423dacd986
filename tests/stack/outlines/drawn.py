"""Drawn cells with known outlines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SIDE = 200
PLACES = ((40, 40), (40, 120), (100, 80), (150, 150), (150, 40))


def discs(radius: float = 12, places: tuple[tuple[float, float], ...] = PLACES) -> NDArray[np.int32]:
    """Labels (200, 200) of discs, numbered from 1."""
    y, x = np.mgrid[:SIDE, :SIDE]
    labels = np.zeros((SIDE, SIDE), np.int32)
    for number, (cy, cx) in enumerate(places, start=1):
        labels[(y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = number
    return labels


def glowing(labels: NDArray[np.int32], *, noise: float = 0.05, seed: int = 0) -> NDArray[np.float64]:
    """Fluorescence: cells of different brightness, blurred a little, on a dark ground with noise."""
    bright = np.concatenate([[0], np.linspace(1.0, 0.4, int(labels.max()))]) if labels.max() else np.zeros(1)
    image = ndimage.gaussian_filter(bright[labels], 1.0)
    return image + noise * np.random.default_rng(seed).normal(size=labels.shape)


def with_halo(labels: NDArray[np.int32], *, noise: float = 0.03, seed: int = 0) -> NDArray[np.float64]:
    """Phase contrast: dark cells with a bright ring around them."""
    inside = labels > 0
    ring = ndimage.binary_dilation(inside, iterations=3) & ~ndimage.binary_erosion(inside, iterations=1)
    borders = ndimage.grey_dilation(labels, 3) != ndimage.grey_erosion(labels, 3)
    image = ndimage.gaussian_filter(-0.5 * inside + 1.2 * (ring | borders), 1.0)
    return image + noise * np.random.default_rng(seed).normal(size=labels.shape)


def relief(labels: NDArray[np.int32], *, seed: int = 0) -> NDArray[np.float64]:
    """DIC: the slope of the optical path along a diagonal; grainy cells on a flat ground."""
    draws = np.random.default_rng(seed)
    grains = ndimage.gaussian_filter(draws.normal(size=labels.shape), 1.5)
    path = ndimage.gaussian_filter((labels > 0) * (4 + 6 * grains), 1.5)
    return np.gradient(path)[0] + np.gradient(path)[1] + 0.03 * draws.normal(size=labels.shape)

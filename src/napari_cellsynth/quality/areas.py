"""Images on a coarser grid: means over areas."""

from __future__ import annotations

import numpy as np


def areas(length: int, side: int) -> np.ndarray:
    """(side, length) float32: the share of each pixel in each area's mean; a grid finer than the image repeats it."""
    edges = np.linspace(0, length, side + 1)
    low, high, here = edges[:-1, None], edges[1:, None], np.arange(length)
    overlap = np.clip(np.minimum(high, here + 1) - np.maximum(low, here), 0, None)
    return np.asarray(overlap / overlap.sum(1, keepdims=True), dtype=np.float32)

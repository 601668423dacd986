"""What stands still in a recording: the median over time of frames laid on each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from napari_cellsynth.stack.stack import Stack

FRAMES = 15
"""Frames that the median is of, at most: cells are then gone from it wherever they were less than half the time."""
ROWS = 256


def some_frames(frames: Sequence[int], always: int, most: int = FRAMES) -> list[int]:
    """Up to ``most`` of ``frames``, evenly spaced, ``always`` among them, ascending."""
    frames = sorted(frames)
    chosen = {frames[i] for i in np.unique(np.linspace(0, len(frames) - 1, min(most, len(frames))).round().astype(int))}
    if always not in chosen and len(chosen) == most:
        chosen.remove(min(chosen, key=lambda t: abs(t - always)))
    return sorted(chosen | {always})


def still_image(
    stack: Stack, frames: Sequence[int], *, z: int, offset: Callable[[np.ndarray, int], tuple[int, int]]
) -> np.ndarray:
    """Median (Y, X) float32 of some frames, each moved back by ``offset(frame, t)`` = (dy, dx) whole pixels."""
    planes = []
    for t in frames:
        plane = stack.frame(t, z=z)
        planes.append(moved_back(plane, *offset(plane, t)))
    image = np.empty(planes[0].shape, np.float32)
    for row in range(0, len(image), ROWS):  # a median of all rows at once would hold every frame as float64
        image[row : row + ROWS] = np.median(np.stack([plane[row : row + ROWS] for plane in planes]), axis=0)
    return finite(image)


def moved_back(plane: np.ndarray, dy: int, dx: int) -> np.ndarray:
    """``out[y, x] = plane[y + dy, x + dx]``, the border repeated where that lies outside."""
    if not (dy or dx):
        return plane
    rows = np.clip(np.arange(plane.shape[0]) + dy, 0, plane.shape[0] - 1)
    columns = np.clip(np.arange(plane.shape[1]) + dx, 0, plane.shape[1] - 1)
    return plane[rows[:, None], columns]


def finite(image: np.ndarray) -> np.ndarray:
    """Pixels that are no numbers, which would spoil every correlation, replaced by the median of the others."""
    bad = ~np.isfinite(image)
    if bad.any():
        image = np.where(bad, np.float32(np.median(image[~bad]) if not bad.all() else 0), image)
    return image

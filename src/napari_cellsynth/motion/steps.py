"""Steps of the cells of a recording from one frame to the next, their middle in each frame, and its drift."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.motion.tracks.tracks import Tracks

Floats = NDArray[np.float64]

FEWEST = 5
"""Cells in both of two frames below which nobody can tell what they share from what each does."""
NORMAL = 1.4826
"""Standard deviation of normal numbers over their median absolute deviation."""
MEDIAN = np.pi / 2
"""Variance of a median of normal numbers over that of their mean."""
FAR = 5.0
"""Standard deviations from which a jump of the whole field counts no more in its drift."""
CLEAR = 3.0
"""Standard errors from which a drift is clear."""
SAID = 0.1
"""Part of a usual step from which a drift is worth a word."""


class Steps(NamedTuple):
    """A row for each step."""

    cell: NDArray[np.int64]
    """(R,) from 0."""
    t: NDArray[np.int64]
    """(R,) frame that is left."""
    move: Floats
    """(R, 2)"""
    place: Floats
    """(cells, 2) where each usually is."""


class Middle(NamedTuple):
    """Of the frames with enough cells."""

    t: NDArray[np.int64]
    """(T,) frames that are left."""
    move: Floats
    """(T, 2) median step."""
    noise: Floats
    """(T,) variance of it where cells move on their own, both axes together."""


def steps_of(tracks: Tracks, scale: Floats) -> Steps:
    """Steps between consecutive frames, in pixels times ``scale`` (2,)."""
    places = np.stack([tracks.y, tracks.x], axis=1) * scale
    cell = np.unique(tracks.ids, return_inverse=True)[1].reshape(-1)
    follows = np.flatnonzero((np.diff(tracks.ids) == 0) & (np.diff(tracks.t) == 1))
    counts = np.bincount(cell)
    place = np.stack([np.bincount(cell, column) / counts for column in places.T], axis=1)
    return Steps(cell[follows], tracks.t[follows], places[follows + 1] - places[follows], place)


def middle_of(steps: Steps) -> Middle:
    """The median step of each frame: wrong links and a few fast cells do not move it."""
    order = np.argsort(steps.t, kind="stable")
    found, begins = np.unique(steps.t[order], return_index=True)
    t, move, noise = [], [], []
    for frame, rows in zip(found.tolist(), np.split(order, begins[1:]), strict=True):
        if len(rows) >= FEWEST:
            middle = np.median(steps.move[rows], axis=0)
            spread = NORMAL * np.median(np.abs(steps.move[rows] - middle), axis=0)
            t.append(frame)
            move.append(middle)
            noise.append(MEDIAN * float((spread**2).sum()) / len(rows))
    return Middle(np.array(t, np.int64), np.array(move).reshape(-1, 2), np.array(noise))


def drift_of(middle: Middle, window: int | None = None) -> Floats:
    """(T, 2) mean of the middle over all frames, or over ``window`` around each; a far jump counts no more than others.

    A mean, and no median: where a stage comes back to its place, as many
    steps lead there as away, and their mean is next to nothing.
    """
    from scipy.ndimage import median_filter, uniform_filter1d

    size = None if window is None else min(window, len(middle.t))
    usual = np.median(middle.move, axis=0) if size is None else median_filter(middle.move, (size, 1), mode="nearest")
    away = middle.move - usual
    most = FAR * NORMAL * np.median(np.abs(away), axis=0)
    tamed = usual + np.clip(away, -most, most)
    if size is None:
        return np.broadcast_to(tamed.mean(0), tamed.shape)
    return uniform_filter1d(tamed, size, axis=0, mode="nearest")


def clear_drift(steps: Steps) -> float:
    """Length of the mean of the cells' mean steps; 0 where it is not clear, or next to nothing."""
    counts = np.bincount(steps.cell)
    seen = counts > 0
    mean = np.stack([np.bincount(steps.cell, column)[seen] / counts[seen] for column in steps.move.T], axis=1)
    drift, error = mean.mean(0), mean.var(0, ddof=1) / len(mean)
    length = float(np.hypot(*drift))
    usual = float(np.median(np.hypot(*steps.move.T)))
    return length if length**2 > CLEAR**2 * error.sum() and length > SAID * usual else 0.0

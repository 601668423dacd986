"""The trap: two teardrop pillars with a funnel between them, open at the top.

Their outline is that of the one public image with masks (Cell-DETR's test image 35): 7.7 um wide, 12 um
high, 10.4 um from middle to middle, which leaves a gap of 2.7 um at the narrowest.  Coordinates are micrometres
from the middle of the square around the trap, x right and y down; the tips lie 1 um below the middle.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

APART = 10.4
"""Micrometres from the middle of one pillar to that of the other."""
TIP = 1.0
"""Height of the tips: micrometres below the middle of the square."""
HALF_WIDTHS = (
    *((0.0, 0.85), (0.35, 1.3), (0.96, 1.72), (1.92, 2.28), (2.9, 2.74), (3.85, 3.12), (4.8, 3.42), (5.8, 3.64)),
    *((6.7, 3.77), (7.7, 3.84), (8.6, 3.8), (9.5, 3.52), (10.4, 2.95), (11.2, 1.95), (11.7, 1.1), (12.0, 0.35)),
)
"""Micrometres below the tip, and half the width there."""
FOOT = 9.0
"""Micrometres below the tip at which the foot begins."""
STEP = 0.08
"""Micrometres from sample to sample of the distance map."""
REACH = 18.0
"""Half the side of the distance map."""

Points = NDArray[np.float64]
"""(2, ...) x then y in micrometres."""


def outlines(random: np.random.Generator | None = None) -> list[Points]:
    """The two pillars as polygons, each (2, N); ``random`` draws the faults of a mould, at the foot."""
    below, half = np.array(HALF_WIDTHS).T
    shape = np.stack([np.concatenate([half, -half[::-1]]), TIP + np.concatenate([below, below[::-1]])])
    found = []
    for side in (-1, 1):
        foot = (shape[1] > TIP + FOOT) * (random.normal(0, 0.08, shape.shape) if random else 0.0)
        found.append(shape + foot + np.array([[side * APART / 2], [0.0]]))
    return found


def half_gap(y: float) -> float:
    """Micrometres from the middle of the funnel to a pillar at the height ``y``."""
    below, half = np.array(HALF_WIDTHS).T
    return APART / 2 - float(np.interp(y - TIP, below, half, left=0.0, right=0.0))


def distance(points: Points) -> NDArray[np.float64]:
    """Distance (...) to the nearer pillar in micrometres, negative inside."""
    return np.minimum(*(to_polygon(points, outline) for outline in outlines()))


def distance_and_away(points: Points) -> tuple[NDArray[np.float64], Points]:
    """Distance (...) to the nearer pillar, and the direction (2, ...) that leads away from it; from a map, so quick."""
    from scipy.ndimage import map_coordinates

    coefficients, slopes = _map()
    at = (points[::-1] + REACH) / STEP
    found, *slope = (map_coordinates(m, at, order=1, mode="nearest") for m in (coefficients, *slopes))
    away = np.stack(slope)
    return found, away / np.maximum(np.hypot(*away), 1e-9)


@cache
def _map() -> tuple[NDArray[np.float64], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    axis = np.arange(-REACH, REACH + STEP / 2, STEP)
    table = distance(np.stack(np.meshgrid(axis, axis)))
    right, down = (np.asarray(np.gradient(table, STEP, axis=axis), np.float64) for axis in (1, 0))
    return table, (right, down)


def to_polygon(points: Points, outline: Points) -> NDArray[np.float64]:
    """Signed distance (...) of points to a closed polygon (2, N), negative inside."""
    best = np.full(points.shape[1:], np.inf)
    inside = np.zeros(points.shape[1:], bool)
    for start, end in zip(outline.T, np.roll(outline, -1, axis=1).T, strict=True):
        way = end - start
        x, y = points[0] - start[0], points[1] - start[1]
        along = np.clip((x * way[0] + y * way[1]) / (way @ way), 0, 1)
        best = np.minimum(best, (x - along * way[0]) ** 2 + (y - along * way[1]) ** 2)
        if way[1]:
            crosses = (start[1] > points[1]) != (end[1] > points[1])
            inside ^= crosses & (x < way[0] * y / way[1])
    return np.where(inside, -1, 1) * np.sqrt(best)

"""What is seen inside a cell: a vacuole, dark grains and bright specks, and fine unevenness of the cytoplasm.

Drawn once for a cell as a map over its matter, so that it moves and grows with the cell; blurred, and at the
other side of the focus reversed, as its height above the plane of focus asks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.phantoms.trapped_yeast.optics import IN_FOCUS, strength

SIDE = 81
"""Samples of the map along a side; it spans twice the cell's radius and a little more."""
REACH = 1.15
"""Half the side of the map, in radii of the cell."""
GROWN = 3.0
"""Radius in micrometres at which the sizes below are meant; the map scales with the cell."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Inside:
    """One cell's inside as it is drawn in one z plane."""

    coefficients: Array
    """(SIDE, SIDE) B-spline coefficients of contrast, in ``optics`` units."""

    def at(self, u: Array) -> Array:
        """Contrast (...) at matter ``u`` (2, ...)."""
        from scipy.ndimage import map_coordinates

        place = (u[::-1] + REACH) * (SIDE - 1) / (2 * REACH)
        return map_coordinates(self.coefficients, place, order=3, prefilter=False, mode="constant")


def draw(random: np.random.Generator) -> Array:
    """Contrast (SIDE, SIDE) of one cell's inside, in focus."""
    axis = np.linspace(-REACH, REACH, SIDE)
    u = np.stack(np.meshgrid(axis, axis))
    total = _cytoplasm(random)
    middle = random.normal(0, 0.16, 2)
    size = random.uniform(0.3, 0.5) if random.random() < 0.75 else random.uniform(0.5, 0.68)
    total += _vacuole(random, u, middle, size)
    for _ in range(int(random.integers(4, 12))):
        total += _grain(random, u, middle, size)
    fade = np.clip((0.86 - np.hypot(u[0], u[1])) / 0.15, 0, 1)
    return total * fade


def seen(contrast: Array, height: float) -> Inside:
    """The inside as it is seen from a plane of focus that many micrometres above it."""
    from scipy.ndimage import gaussian_filter, spline_filter

    blur = 0.12 + 0.2 * max(abs(height) - IN_FOCUS, 0.0)
    samples = blur / GROWN * (SIDE - 1) / (2 * REACH)
    # Grains absorb as well as refract: a part of them stays dark through the focus.
    shown = gaussian_filter(contrast, samples) * (0.25 + 0.75 * strength(height))
    return Inside(spline_filter(shown, order=3))


def _cytoplasm(random: np.random.Generator) -> Array:
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(random.normal(size=(SIDE, SIDE)), 2.0) * 7.0
    broad = gaussian_filter(random.normal(size=(SIDE, SIDE)), 6.0) * 21.0
    return 0.3 * noise + 0.22 * broad - random.uniform(0.1, 0.4)


def _vacuole(random: np.random.Generator, u: Array, middle: Array, size: float) -> Array:
    """A round, nearly even patch with a soft dark edge and a bright rim within."""
    turn, squeeze = random.uniform(0, np.pi), random.uniform(0.85, 1.15)
    c, s = np.cos(turn), np.sin(turn)
    x, y = u[0] - middle[0], u[1] - middle[1]
    r = np.hypot((c * x + s * y) * squeeze, (c * y - s * x) / squeeze)
    edge = (r - size) * GROWN
    # One side of the edge is stronger: light grazes it.
    lit = 0.6 + 0.4 * np.cos(np.arctan2(y, x) - random.uniform(0, 2 * np.pi))
    dark = -random.uniform(0.3, 0.9) * lit * np.exp(-0.5 * ((edge - 0.15) / 0.22) ** 2)
    bright = random.uniform(0.4, 0.9) * np.exp(-0.5 * ((edge + 0.3) / 0.3) ** 2)
    return dark + bright + random.uniform(-0.1, 0.35) / (1 + np.exp(edge / 0.15))


def _grain(random: np.random.Generator, u: Array, vacuole: Array, size: float) -> Array:
    """A dark grain with a bright fringe, mostly around the vacuole; few are bright."""
    turn = random.uniform(0, 2 * np.pi)
    out = np.clip(size + random.normal(0.05, 0.16), 0.1, 0.68)
    place = np.clip(vacuole + out * np.array([np.cos(turn), np.sin(turn)]), -0.7, 0.7)
    width = random.uniform(0.13, 0.3) / GROWN
    long = random.uniform(1.0, 1.8)
    tilt = random.uniform(0, np.pi)
    c, s = np.cos(tilt), np.sin(tilt)
    x, y = u[0] - place[0], u[1] - place[1]
    r2 = ((c * x + s * y) / long) ** 2 + (c * y - s * x) ** 2
    height = random.uniform(0.8, 3.0) * (1 if random.random() < 0.12 else -1)
    return height * (np.exp(-0.5 * r2 / width**2) - 0.2 * np.exp(-0.5 * r2 / (2.2 * width) ** 2))

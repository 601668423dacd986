"""How the brightfield-like microscope shows rims, halos and what is inside, and how its camera counts.

Not a calculation of waves but their measured result: brightness as a function of the distance from an outline, as
sums of bell curves fitted to two real images (Cell-DETR's test images 01 and 02).  Defocus changes them as it
does in life.  With ``h`` the height of the plane of focus above the object, and h0 = 2 um,

- the fringes' strength is h / sqrt(h^2 + 1): none at focus, where only the faint absorption is left, and of opposite
  sign below it (the transport-of-intensity equation: contrast is proportional to h for small h);
- they widen as sqrt(1 + ((|h| - h0) / 2.5 um)^2) beyond h0, which takes strength from the narrow ones.

The unit of contrast is the standard deviation of a real image (they are normalised); ``UNIT`` of it is how much
brighter than the background.  What that is in raw counts no normalised image tells: it is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNIT = 0.045
"""Contrast that is one standard deviation of a normalised real image, as a fraction of the background."""
IN_FOCUS = 2.0
"""Height in micrometres of the plane of focus above the cells' middle at which the real images seem to be taken."""
OFFSET = 100.0
"""Counts of a camera in the dark."""
GAIN = 1.0
"""Counts per electron."""
FULL = 65535
"""Largest count of a 16-bit camera."""
HALO = 3.2
"""Micrometres beyond an outline to which its halo reaches, in focus."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Bell:
    """One bell curve of a profile; its two sides may differ in width."""

    at: float
    """Micrometres outside the outline; negative inside."""
    inner: float
    outer: float
    """Standard deviations towards the inside and the outside, in micrometres."""
    height: float
    """In units of contrast."""

    def __call__(self, distance: Array, widen: float = 1.0) -> Array:
        away = distance - self.at
        width = np.where(away < 0, self.inner, self.outer) * widen
        return self.height * np.exp(-0.5 * (away / width) ** 2)


CELL_RIM = (Bell(-0.34, 0.26, 0.22, -1.75), Bell(-0.8, 0.45, 0.3, -0.6))
CELL_ABSORBS = (Bell(-0.3, 0.3, 0.25, -0.4),)
CELL_HALO = (Bell(0.7, 0.34, 0.9, 1.3),)
# Pillars lean a little, so that their sides differ; between the two the profiles are mixed.
PILLAR_RIMS = (
    (Bell(-0.42, 0.22, 0.2, -1.4), Bell(-1.42, 0.75, 0.38, -2.4)),
    (Bell(-0.33, 0.26, 0.22, -3.7), Bell(-1.05, 0.22, 0.28, 0.75), Bell(-1.75, 0.65, 0.4, -0.95)),
)
"""Of the side that faces away from ``LEAN``, and of the one that faces it."""
PILLAR_HALOS = ((Bell(0.5, 0.32, 0.85, 2.7),), (Bell(0.85, 0.42, 1.15, 1.45),))
LEAN = (0.94, 0.34)
"""Direction (x, y) in which the pillars lean."""


def strength(height: float) -> float:
    """Factor on the fringes at a height of the plane of focus in micrometres; 1 at ``IN_FOCUS``."""
    return height / np.hypot(height, 1.0) / (IN_FOCUS / np.hypot(IN_FOCUS, 1.0))


def widening(height: float) -> float:
    """Factor on the width of the fringes at a height in micrometres."""
    return float(np.hypot(1.0, max(abs(height) - IN_FOCUS, 0.0) / 2.5))


def profile(bells: tuple[Bell, ...], distance: Array, height: float) -> Array:
    """Contrast at distances from an outline, for a height of the plane of focus in micrometres.

    A bell that is widened loses as much height, so that it takes or gives the same light.
    """
    widen = widening(height)
    total = np.zeros(distance.shape)
    for bell in bells:
        total += bell(distance, widen)
    return total * strength(height) / widen


def pillar_profile(
    sides: tuple[tuple[Bell, ...], tuple[Bell, ...]], distance: Array, facing: Array, height: float
) -> Array:
    """Contrast beside a pillar; ``facing`` is 1 where its side faces ``LEAN`` and -1 where it faces away."""
    away, towards = (profile(bells, distance, height) for bells in sides)
    return (0.5 - 0.5 * facing) * away + (0.5 + 0.5 * facing) * towards


def dust(random: np.random.Generator, shape: tuple[int, int], pixel_size: float) -> Array:
    """Contrast (Y, X) of specks on the glass, out of focus and faint."""
    from scipy.ndimage import gaussian_filter

    total = np.zeros(shape)
    for _ in range(random.poisson(4e-3 * shape[0] * shape[1] * pixel_size**2)):
        width = random.uniform(0.3, 0.6) / pixel_size
        speck = np.zeros(shape)
        speck[random.integers(shape[0]), random.integers(shape[1])] = -random.uniform(0.2, 0.7) * 2 * np.pi * width**2
        total += gaussian_filter(speck, width, mode="constant")
    return total


def illumination(random: np.random.Generator, shape: tuple[int, int], unevenness: float) -> Array:
    """Light over the field (Y, X), mean 1, from darkest to brightest ``unevenness``: a tilt and a bowl, gentle."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    turn = random.uniform(0, 2 * np.pi)
    cx, cy = random.uniform(-0.5, 0.5, 2)
    light = np.cos(turn) * x + np.sin(turn) * y - random.uniform(0.2, 0.5) * ((x - cx) ** 2 + (y - cy) ** 2)
    light -= light.mean()
    return 1 + unevenness * light / np.ptp(light)


def expose(random: np.random.Generator, clean: NDArray[np.float32], read_noise: float) -> NDArray[np.uint16]:
    """What the camera records of expected counts (any shape, offset included): shot and read noise, whole counts."""
    electrons = random.poisson(np.clip(clean - OFFSET, 0, None) / GAIN)
    counts = OFFSET + GAIN * (electrons + read_noise * random.normal(size=clean.shape))
    return np.clip(np.round(counts), 0, FULL).astype(np.uint16)

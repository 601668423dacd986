"""How a DIC microscope and its camera see an optical path map.

DIC superposes two copies of the light, sheared by less than the resolution,
and turns their phase difference into brightness.  With the compensator set to
a quarter of a wave the intensity is

    I(p) = I0(p) [1 + sin(phi(p + s/2) - phi(p - s/2))],

a directional derivative of the optical path phi along the shear s (Preza,
Snyder and Conchello, J. Opt. Soc. Am. A 16, 1999, the model for a thin
object).  The point-spread function acts on phi (see ``anatomy.BLUR``), as it
may for a weak phase object.  The shear stays where it is in the
laboratory, so a cell that turns changes its shading, as in life.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHEAR = 0.3
"""Distance of the two copies in micrometres."""
OFFSET = 100.0
"""Counts of a camera in the dark."""
GAIN = 1.0
"""Counts per electron."""
FULL = 4095
"""Largest count of a 12-bit camera."""


def intensity(difference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Brightness relative to the empty background, from the phase difference in radians."""
    return 1 + np.sin(np.clip(difference, -np.pi / 2, np.pi / 2))


def illumination(random: np.random.Generator, size: int, unevenness: float) -> NDArray[np.float64]:
    """Light over the field (Y, X), mean 1, from darkest to brightest ``unevenness``: a tilt and a bowl, gentle."""
    axis = np.linspace(-1, 1, size)
    x, y = np.meshgrid(axis, axis)
    turn = random.uniform(0, 2 * np.pi)
    tilt = np.cos(turn) * x + np.sin(turn) * y
    cx, cy = random.uniform(-0.5, 0.5, 2)
    light = tilt + random.uniform(0.4, 0.8) * -((x - cx) ** 2 + (y - cy) ** 2)
    light = light - light.mean()
    return 1 + unevenness * light / np.ptp(light)


def dust(random: np.random.Generator, size: int, pixel_size: float, shear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Phase difference (Y, X) of what lies still on the glass: faint structure, and a few specks out of focus."""
    from scipy.ndimage import gaussian_filter, shift

    path = np.zeros((size, size))
    specks = random.poisson(6e-4 * (size * pixel_size) ** 2 * 2)
    rows, columns = random.integers(0, size, specks), random.integers(0, size, specks)
    path[rows, columns] = random.uniform(0.3, 1.0, specks)
    path = gaussian_filter(path, 0.9 / pixel_size) * (2 * np.pi * (0.9 / pixel_size) ** 2) * 0.25
    film = gaussian_filter(random.normal(size=(size, size)), 0.45 / pixel_size, mode="wrap")
    path += 0.008 * film / film.std()
    half = np.array([shear[1], shear[0]]) / 2
    return shift(path, -half, order=3, mode="nearest") - shift(path, half, order=3, mode="nearest")


def expose(random: np.random.Generator, clean: NDArray[np.float32], read_noise: float) -> NDArray[np.uint16]:
    """One frame as the camera records it: shot noise and read noise, in whole counts of 12 bits.

    Args:
        clean: (Y, X) expected counts, offset included.
        read_noise: standard deviation in electrons.
    """
    electrons = random.poisson(np.clip(clean - OFFSET, 0, None) / GAIN)
    counts = OFFSET + GAIN * (electrons + read_noise * random.normal(size=clean.shape))
    return np.clip(np.round(counts), 0, FULL).astype(np.uint16)

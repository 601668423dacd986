"""Where each point of a cell's matter is at each time, and back: smooth, exact in both directions.

A cell's matter has coordinates ``q`` (micrometres, x towards its front).  It
comes to the place ``p`` in the field (pixels) by a chain of maps, each of
which has an exact inverse:

    ruffles (plane-wave shears) -> stretch along the axis -> rotation -> translation

A plane-wave shear moves every point sideways by a sine of how far along the
wave it lies, ``q + A(t) sin(k e.q + f) e_perp``.  That leaves ``e.q`` as it was, so
subtracting the same term undoes it; and it conserves area, as a cell does.
Long waves bend and bulge the outline, short ones stir what is inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""(2, ...) x then y."""


@dataclass(frozen=True)
class Wave:
    """One plane-wave shear."""

    angle: float
    """Direction in which the wave runs, in radians from the cell's axis."""
    wavenumber: float
    """Radians per micrometre."""
    phase: float
    """Radians."""
    amplitude: NDArray[np.float64]
    """(T,) micrometres, at each frame."""

    def shift(self, q: Points, t: int) -> Points:
        """What the wave adds to ``q``; the same before and after it was added."""
        ex, ey = np.cos(self.angle), np.sin(self.angle)
        s = self.amplitude[t] * np.sin(self.wavenumber * (ex * q[0] + ey * q[1]) + self.phase)
        return np.stack([-ey * s, ex * s])


@dataclass(frozen=True)
class Motion:
    """The motion of one cell through a recording of T frames."""

    centre: NDArray[np.float64]
    """(T, 2) x and y in pixels of the point q = 0 (ruffles aside)."""
    heading: NDArray[np.float64]
    """(T,) radians from +x towards +y."""
    stretch: NDArray[np.float64]
    """(T,) logarithm of the elongation along the axis; the width shrinks by as much."""
    waves: tuple[Wave, ...]
    pixel_size: float
    """Micrometres."""

    def to_field(self, q: Points, t: int) -> Points:
        """Places (2, ...) in pixels, x then y, of the matter ``q`` (2, ...) in micrometres at frame ``t``."""
        for wave in self.waves:
            q = q + wave.shift(q, t)
        x, y = q[0] * np.exp(self.stretch[t]), q[1] * np.exp(-self.stretch[t])
        c, s = np.cos(self.heading[t]), np.sin(self.heading[t])
        turned = np.stack([c * x - s * y, s * x + c * y]) / self.pixel_size
        return turned + self.centre[t].reshape(2, *[1] * (turned.ndim - 1))

    def to_matter(self, p: Points, t: int) -> Points:
        """Inverse of :meth:`to_field`."""
        x, y = (p - self.centre[t].reshape(2, *[1] * (p.ndim - 1))) * self.pixel_size
        c, s = np.cos(self.heading[t]), np.sin(self.heading[t])
        q = np.stack([(c * x + s * y) * np.exp(-self.stretch[t]), (-s * x + c * y) * np.exp(self.stretch[t])])
        for wave in reversed(self.waves):
            q = q - wave.shift(q, t)
        return q


def ruffles(random: np.random.Generator, seconds: NDArray[np.float64], vigour: float) -> tuple[Wave, ...]:
    """Long waves that change the outline, and short ones that stir the granules.

    ``seconds`` (T,) the time of each frame; ``vigour`` 1 for normal cells.
    Strain rates stay so low (a few percent a second) that texture is carried
    along more than it is changed.
    """
    long = [_wave(random, seconds, length=(11, 18), reach=0.60 * vigour, period=(30, 70)) for _ in range(3)]
    short = [_wave(random, seconds, length=(4, 7), reach=0.07 * vigour, period=(9, 18)) for _ in range(4)]
    return tuple(short + long)


def _wave(
    random: np.random.Generator,
    seconds: NDArray[np.float64],
    *,
    length: tuple[float, float],
    reach: float,
    period: tuple[float, float],
) -> Wave:
    """One wave whose amplitude comes and goes within ``reach`` (micrometres)."""
    return Wave(
        angle=random.uniform(0, 2 * np.pi),
        wavenumber=2 * np.pi / random.uniform(*length),
        phase=random.uniform(0, 2 * np.pi),
        amplitude=reach * wander(random, seconds, period),
    )


def wander(
    random: np.random.Generator, seconds: NDArray[np.float64], period: tuple[float, float]
) -> NDArray[np.float64]:
    """A smooth wandering value (T,) within [-1, 1]: two sines of random periods (seconds)."""
    total = np.zeros_like(seconds)
    for _ in range(2):
        total += 0.5 * np.sin(2 * np.pi * seconds / random.uniform(*period) + random.uniform(0, 2 * np.pi))
    return total

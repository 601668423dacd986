"""How far two exposures of one field are shifted against each other, and how clean each is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FINE, COARSE = 1.0, 8.0
"""Standard deviations in pixels of the Gaussians between which structure is looked at: noise and shading go."""
SURE = 8.0
"""Height of the peak, in robust standard deviations of the correlation, from which a shift is believed.  Two noises,
or two fields, gave at most 5; low and high exposures of one field 56 and more (docs/training_sets.md)."""


@dataclass(frozen=True)
class Shift:
    """Where the high exposure lies against the low: what is at p in the low is at p + (dy, dx) in the high."""

    dy: float
    dx: float
    sure: float
    """Height of the correlation's peak in its own spread."""

    @property
    def measured(self) -> bool:
        """Whether there is enough in common to say anything."""
        return self.sure >= SURE

    @property
    def length(self) -> float:
        return float(np.hypot(self.dy, self.dx))

    @property
    def whole(self) -> tuple[int, int]:
        """In whole pixels; nothing where it could not be measured."""
        return (round(self.dy), round(self.dx)) if self.measured else (0, 0)


def measure_shift(low: np.ndarray, high: np.ndarray) -> Shift:
    """The shift between two planes (Y, X) of one shape, to about 0.05 pixels.

    Phase correlation (Kuglin and Hines 1975) of what lies between two
    scales, its cross-spectrum weighted by a Gaussian of one pixel so that
    pixel noise does not count, and a parabola through the peak.
    """
    spectrum = np.conj(np.fft.rfft2(_structure(low))) * np.fft.rfft2(_structure(high))
    size = np.abs(spectrum)
    if not np.isfinite(size).all() or size.max() == 0:
        return Shift(0.0, 0.0, 0.0)
    fy, fx = np.fft.fftfreq(low.shape[0])[:, None], np.fft.rfftfreq(low.shape[1])[None]
    weight = np.exp(-2 * (np.pi * FINE) ** 2 * (fy**2 + fx**2))
    correlation = np.fft.irfft2(spectrum / (size + 1e-9 * size.max()) * weight, low.shape)
    middle = np.median(correlation)
    spread = 1.4826 * np.median(np.abs(correlation - middle))
    y, x = np.unravel_index(int(correlation.argmax()), correlation.shape)
    return Shift(
        _between(correlation[:, x], int(y)),
        _between(correlation[y], int(x)),
        float((correlation[y, x] - middle) / spread) if spread > 0 else 0.0,
    )


def _structure(plane: np.ndarray) -> np.ndarray:
    """What lies between the two scales, fading out at the border, where a picture does not go on."""
    from scipy.ndimage import gaussian_filter
    from scipy.signal.windows import tukey

    values = plane.astype(np.float64)
    band = gaussian_filter(values, FINE) - gaussian_filter(values, COARSE)
    window = np.outer(tukey(plane.shape[0], 0.2), tukey(plane.shape[1], 0.2))
    return np.asarray((band - band.mean()) * window)


def _between(line: np.ndarray, at: int) -> float:
    """Place of the peak on a line that closes on itself, as a shift: a parabola through three points."""
    count = len(line)
    before, peak, after = line[at - 1], line[at], line[(at + 1) % count]
    bend = before - 2 * peak + after
    place = at + (0.5 * (before - after) / bend if bend < 0 else 0.0)
    return float(place - count if place > count / 2 else place)


def noise(plane: np.ndarray) -> float:
    """Standard deviation of the pixel noise (Immerkaer 1996): what a plane has that no smooth surface could have."""
    from scipy.ndimage import convolve

    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float64)
    rest = convolve(plane.astype(np.float64), kernel)[1:-1, 1:-1]
    return float(np.sqrt(np.pi / 2) * np.abs(rest).mean() / 6) if rest.size else 0.0


def grain(plane: np.ndarray) -> float:
    """Pixel noise over the contrast of what is seen: 0 is clean, about 1 drowned."""
    from scipy.ndimage import gaussian_filter

    contrast = float(gaussian_filter(plane.astype(np.float64), 2.0).std())
    return noise(plane) / contrast if contrast > 0 else 0.0

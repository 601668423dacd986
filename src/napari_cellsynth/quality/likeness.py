"""How alike two sets of images are in spectrum, brightness and noise, beside how alike two real sets are.

Three curves that need no model: the radial power spectrum, the histogram of
brightness relative to the background, and the noise against the brightness.
A distance between simulated and real says something only beside the
distance between real and real, so :func:`compare` gives both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput

FREQUENCIES = np.geomspace(0.1, 2.4, 21)
"""Edges of the spectrum's bins in cycles per micrometre."""
CONTRASTS = np.linspace(-0.8, 0.8, 81)
"""Edges of the histogram's bins: brightness over that of the background, less 1."""
LEVELS = np.linspace(0.5, 1.5, 26)
"""Edges of the noise curve's bins: brightness over that of the background."""
FEWEST = 200
"""Pixels below which a bin of the noise curve stays empty."""


@dataclass(frozen=True)
class Curve:
    """One curve of a set of images, on the bins of this module."""

    x: NDArray[np.float64]
    """Middles of the bins."""
    y: NDArray[np.float64]
    """Value in each bin; NaN where there are no data."""


@dataclass(frozen=True)
class Images:
    """Images of one kind and what is needed to read them."""

    images: Sequence[NDArray[Any]]
    """Each (Y, X): crops around cells for spectrum and histogram, of any sizes."""
    frames: Sequence[NDArray[Any]]
    """Each (Y, X): whole raw frames, for the noise; never resampled."""
    pixel_size: float
    """Micrometres, of ``images``."""
    offset: float = 0.0
    """What the camera counts in the dark."""


@dataclass(frozen=True)
class Likeness:
    """How far apart two sets are; each number is 0 for sets with the same curves."""

    spectrum: float
    """Mean absolute difference of the spectra, in decades."""
    histogram: float
    """Earth mover's distance of the histograms, in units of the background's brightness."""
    noise: float
    """Mean absolute difference of the noise, in decades, where both have data."""


@dataclass(frozen=True)
class Comparison:
    """Simulated against real beside real against real."""

    simulated_to_real: Likeness
    real_to_real: Likeness


def radial_spectrum(images: Sequence[NDArray[Any]], pixel_size: float) -> Curve:
    """Share of an image's variance per octave at each spatial frequency, averaged over the images.

    Power is averaged on rings of the Hann-windowed image, times the frequency
    squared (the width of an octave in the plane), over the variance of the
    windowed image: brightness and contrast drop out, and a flat curve means as much structure at every scale.

    Args:
        images: each (Y, X); a mean over the image is taken off.
        pixel_size: micrometres.

    Returns:
        Curve over cycles per micrometre; NaN beyond the Nyquist frequency and
        below one and a half cycles per image.
    """
    _some(images)
    total = np.zeros(FREQUENCIES.size - 1)
    count = np.zeros(FREQUENCIES.size - 1)
    for image in images:
        values = _ring_power(np.asarray(image, np.float64), pixel_size)
        known = np.isfinite(values)
        total[known] += values[known]
        count[known] += 1
    y = np.full(total.shape, np.nan)
    y[count > 0] = total[count > 0] / count[count > 0]
    return Curve(np.sqrt(FREQUENCIES[1:] * FREQUENCIES[:-1]), y)


def _ring_power(image: NDArray[np.float64], pixel_size: float) -> NDArray[np.float64]:
    height, width = image.shape
    window = np.hanning(height)[:, None] * np.hanning(width)[None, :]
    windowed = (image - np.average(image, weights=window)) * window
    power = np.abs(np.fft.fft2(windowed)) ** 2
    power /= max(power.sum(), 1e-30)
    fy, fx = np.fft.fftfreq(height, pixel_size)[:, None], np.fft.fftfreq(width, pixel_size)[None, :]
    radius = np.hypot(fy, fx)
    ring = np.digitize(radius.ravel(), FREQUENCIES) - 1
    usable = (ring >= 0) & (ring < FREQUENCIES.size - 1) & (radius.ravel() <= 0.5 / pixel_size)
    usable &= radius.ravel() >= 1.5 / (min(height, width) * pixel_size)
    bins = FREQUENCIES.size - 1
    n = np.bincount(ring[usable], minlength=bins)
    sums = np.bincount(ring[usable], weights=power.ravel()[usable] * radius.ravel()[usable] ** 2, minlength=bins)
    # Power per unit of area in the frequency plane, so that the size of the image drops out.
    return np.where(n > 0, sums / np.maximum(n, 1) * height * width * pixel_size**2, np.nan)


def intensity_histogram(images: Sequence[NDArray[Any]], *, background: float, offset: float = 0.0) -> Curve:
    """Density of brightness relative to the background, ``(value - offset) / (background - offset) - 1``.

    Args:
        images: each (Y, X).
        background: value of the empty background (:func:`background_of`).
        offset: value without light.

    Returns:
        Curve over contrast, with integral 1; what lies beyond the ends is counted in the outermost bins.
    """
    _some(images)
    light = _light(background, offset)
    counts = np.zeros(CONTRASTS.size - 1)
    for image in images:
        contrast = (np.asarray(image, np.float64) - offset) / light - 1
        counts += np.histogram(np.clip(contrast, CONTRASTS[0], CONTRASTS[-1]), CONTRASTS)[0]
    return Curve((CONTRASTS[1:] + CONTRASTS[:-1]) / 2, counts / (counts.sum() * np.diff(CONTRASTS)))


def background_of(frames: Sequence[NDArray[Any]]) -> float:
    """Brightness of the empty background of DIC frames: the median, since slopes are as often bright as dark."""
    _some(frames)
    return float(np.median([np.median(frame) for frame in frames]))


def noise_against_intensity(frames: Sequence[NDArray[Any]], *, background: float, offset: float = 0.0) -> Curve:
    """Standard deviation of the noise at each brightness, both relative to the background.

    The noise is what a second difference in both directions leaves
    (Immerkaer, "Fast noise variance estimation", 1996), taken where the image is
    smooth: the flattest third of the pixels of each brightness, and its
    median absolute value, so that structure counts little.  Brightness is a local mean.

    Args:
        frames: raw frames, each (Y, X); resampled ones have other noise.
        background: value of the empty background.
        offset: value without light.
    """
    _some(frames)
    light = _light(background, offset)
    parts = [_noise_of(np.asarray(frame, np.float64)) for frame in frames]
    level, slope, residual = (np.concatenate([part[i] for part in parts]) for i in range(3))
    ring = np.digitize((level - offset) / light, LEVELS) - 1
    y = np.full(LEVELS.size - 1, np.nan)
    for i in range(y.size):
        chosen = ring == i
        if chosen.sum() >= FEWEST:
            flat = slope[chosen] <= np.quantile(slope[chosen], 1 / 3)
            y[i] = np.median(residual[chosen][flat]) / 0.6745 / light
    return Curve((LEVELS[1:] + LEVELS[:-1]) / 2, y)


def _noise_of(frame: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Local mean, local slope and absolute noise of each inner pixel."""
    from scipy.ndimage import convolve, gaussian_filter, gaussian_gradient_magnitude

    second = np.outer([1, -2, 1], [1, -2, 1]) / 6.0
    inner = (slice(3, -3), slice(3, -3))
    maps = (gaussian_filter(frame, 2), gaussian_gradient_magnitude(frame, 2), np.abs(convolve(frame, second)))
    level, slope, residual = (values[inner].ravel() for values in maps)
    return level, slope, residual


def curves(images: Images) -> tuple[Curve, Curve, Curve]:
    """Spectrum, histogram and noise curve of one set."""
    background = background_of(images.frames)
    return (
        radial_spectrum(images.images, images.pixel_size),
        intensity_histogram(images.images, background=background, offset=images.offset),
        noise_against_intensity(images.frames, background=background, offset=images.offset),
    )


def likeness(a: Images, b: Images) -> Likeness:
    """How far apart two sets are; symmetric, and 0 for a set and itself."""
    (spectrum_a, histogram_a, noise_a), (spectrum_b, histogram_b, noise_b) = curves(a), curves(b)
    width = CONTRASTS[1] - CONTRASTS[0]
    moved = np.abs(np.cumsum(histogram_a.y - histogram_b.y)) * width**2
    return Likeness(_decades(spectrum_a, spectrum_b), float(moved.sum()), _decades(noise_a, noise_b))


def _decades(a: Curve, b: Curve) -> float:
    """Mean absolute difference of the logarithms where both curves have data; NaN where nowhere."""
    both = np.isfinite(a.y) & np.isfinite(b.y) & (a.y > 0) & (b.y > 0)
    if not both.any():
        return float("nan")
    return float(np.abs(np.log10(a.y[both]) - np.log10(b.y[both])).mean())


def compare(simulated: Images, real: Images, other_real: Images) -> Comparison:
    """Simulated against real beside real against real.

    Args:
        simulated: what is to be judged.
        real: what it should be like.
        other_real: more of the same, not overlapping it: another recording or another stretch of time.
    """
    return Comparison(likeness(simulated, real), likeness(real, other_real))


def _light(background: float, offset: float) -> float:
    """What the background is brighter than no light at all; all brightness is relative to it."""
    if not background > offset:
        raise BadInput(f"a background of {background:g} given, and {offset:g} without light; it must be brighter")
    return background - offset


def _some(images: Sequence[NDArray[Any]]) -> None:
    if len(images) == 0:
        raise BadInput("no images given; a curve needs at least one")
    shapes = {np.ndim(image) for image in images}
    if shapes != {2}:
        raise BadInput(f"images with {sorted(shapes)} dimensions given; each must be one plane (Y, X)")

"""A cell's light: what it differs from the background, taken out of a crop without its noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_cellsynth.simulation.halo import Halo, distance_and_direction
from napari_cellsynth.simulation.look import Look

WINDOW = 5
"""Side of the window in which texture is told from noise."""
TRUST = 2.0
"""Spreads from the usual halo within which a cell's own is believed."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """A crop seen against its background."""

    light: np.ndarray
    """(S, S) float32: the crop without the plane of its background."""
    outside: np.ndarray
    """(S, S) float32: distance from the cell in pixels, 0 in it."""
    level: float
    """Of the background in the middle."""
    far: np.ndarray
    """(S, S) bool: background, as far as that can be told."""


def surroundings(image: np.ndarray, mask: np.ndarray, away: float) -> Surroundings:
    """Fit a plane to what lies more than ``away`` pixels from the cell, other cells left out."""
    outside = distance_and_direction(mask)[0]
    pixels = image.astype(np.float64)
    far = outside > away
    if far.sum() < pixels.size / 20:
        far = outside >= np.quantile(outside, 0.9)
    far &= np.isfinite(pixels)
    y, x = (axis - axis.mean() for axis in np.indices(pixels.shape, dtype=np.float64))
    terms = np.stack([np.ones(pixels.size), y.ravel(), x.ravel()], 1)
    offsets = pixels - np.median(pixels[far])
    for _ in range(3):
        spread = 1.4826 * np.median(np.abs(offsets[far])) + 1e-12
        near = far & (np.abs(offsets) <= 3 * spread)
        if near.sum() < 20:
            break
        fit = np.linalg.lstsq(terms[near.ravel()], pixels[near], rcond=None)[0]
        offsets = pixels - (terms @ fit).reshape(pixels.shape)
        far &= np.abs(offsets) <= 4 * spread
    level = float(np.median(pixels - offsets))
    return Surroundings(offsets.astype(np.float32), outside, level, far)


def look_of(image: np.ndarray, mask: np.ndarray, sigma: float, halo: Halo) -> Look:
    """The look of the cell in a crop (S, S), ``halo.reach`` pixels wider at each side.

    Texture is told from noise by the local variance (Lee, 1980; Wiener): where
    there is only noise the local mean is taken, where there is texture the
    pixel itself with its noise, of which ``kept`` tells the share.  Where
    something else stood beside the cell, or the crop ended, the halo is that
    of the other cells at this distance and in this direction.

    Args:
        sigma: standard deviation of the noise of its background.
    """
    from scipy.ndimage import gaussian_filter, uniform_filter

    inside = mask.astype(bool)
    seen = surroundings(image, inside, halo.reach)
    mean = uniform_filter(seen.light, WINDOW, mode="nearest")
    variance = uniform_filter(seen.light**2, WINDOW, mode="nearest") - mean**2
    kept = np.clip(1 - sigma**2 / np.maximum(variance, 1e-12), 0, 1)
    light = mean + kept * (seen.light - mean)

    wide = np.pad(inside, halo.reach)
    outside, direction = distance_and_direction(wide)
    usual = halo.light(outside, direction)
    own, noise = np.pad(light, halo.reach, mode="edge"), np.pad(kept, halo.reach)
    there = np.pad(np.ones(inside.shape, bool), halo.reach)
    trust = own_share(own, usual, outside, there, halo, sigma)
    trust = np.where(wide, 1.0, gaussian_filter(trust, 1.0))
    return Look(
        (trust * own + (1 - trust) * usual).astype(np.float32),
        np.where(wide, 1.0, halo.fading(outside)).astype(np.float32),
        wide,
        (noise * trust * (outside < halo.reach)).astype(np.float32),
    )


def own_share(
    own: np.ndarray, usual: np.ndarray, outside: np.ndarray, there: np.ndarray, halo: Halo, sigma: float
) -> np.ndarray:
    """(h, w) in [0, 1]: how far the light of a crop is believed to be its cell's own.

    Args:
        own: light of the crop, of any values where it is not ``there``.
        usual: of other cells.
    """
    from scipy.ndimage import gaussian_filter

    # Smoothing by 1 pixel leaves 0.28 of white noise.
    off = np.abs(gaussian_filter(np.where(there & (outside > 0), own - usual, 0.0), 1.0))
    bound = TRUST * np.hypot(halo.spread_at(outside), 0.28 * sigma) + 1e-9
    return np.where(there, np.exp(-0.5 * (off / bound) ** 4), 0.0)


def strange(image: np.ndarray, mask: np.ndarray, sigma: float, halo: Halo) -> float:
    """Share of a cell's halo that is not its own: something else stands beside it, or the crop ends there."""
    inside = mask.astype(bool)
    seen = surroundings(image, inside, halo.reach)
    wide = np.pad(inside, halo.reach)
    outside, direction = distance_and_direction(wide)
    there = np.pad(np.ones(inside.shape, bool), halo.reach)
    own = np.pad(seen.light, halo.reach)
    ring = (outside > 0) & (outside <= max(halo.full, 2))
    return float(1 - own_share(own, halo.light(outside, direction), outside, there, halo, sigma)[ring].mean())

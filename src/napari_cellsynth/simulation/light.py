"""A cell's light: what it differs from the background, taken out of a crop with its halo and without its noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_cellsynth.simulation.look import Look

WINDOW = 5
"""Side of the window in which texture is told from noise."""
TAPER = 3
"""Pixels over which every crop fades at its border."""
FURTHEST = 4
"""A halo reaches a fourth of the crop at most."""


@dataclass(frozen=True)
class Halo:
    """How far a cell changes its surroundings."""

    full: int
    """Pixels from the cell's edge up to which it does so."""
    ramp: int
    """Pixels over which that fades."""

    @property
    def reach(self) -> int:
        return self.full + self.ramp


@dataclass(frozen=True, eq=False)
class Surroundings:
    """A crop seen against its background."""

    light: np.ndarray
    """(S, S) float32: the crop without the plane of its background."""
    outside: np.ndarray
    """(S, S) float32: distance from the cell in pixels."""
    level: float
    """Of the background in the middle."""
    far: np.ndarray
    """(S, S) bool: background, as far as that can be told."""


def surroundings(image: np.ndarray, mask: np.ndarray, away: float) -> Surroundings:
    """Fit a plane to what lies more than ``away`` pixels from the cell, other cells left out."""
    from scipy.ndimage import distance_transform_edt

    outside = np.asarray(distance_transform_edt(~mask), np.float32)
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
    level = float(np.median((pixels - offsets)))
    return Surroundings(offsets.astype(np.float32), outside, level, far)


def ring_strength(seen: Surroundings, furthest: int) -> np.ndarray:
    """Mean square of the light at 1, 2 … ``furthest`` pixels from the cell; NaN where there is no such pixel."""
    ring = np.ceil(seen.outside).astype(int)
    inside = (ring > 0) & (ring <= furthest)
    total = np.bincount(ring[inside], seen.light[inside].astype(np.float64) ** 2, minlength=furthest + 1)[1:]
    count = np.bincount(ring[inside], minlength=furthest + 1)[1:]
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def halo_of(strengths: np.ndarray, sigma: float) -> Halo:
    """How far light reaches, from the ring strengths (crops, distances) of many crops.

    The lower quartile over crops, since other cells only add light; a ring
    belongs to the halo as long as it is plainly stronger than noise and than
    a hundredth of the strongest.
    """
    typical = np.nanquantile(strengths, 0.25, axis=0)
    enough = np.maximum(1.3 * sigma**2, 0.01 * np.nanmax(typical) + sigma**2)
    over = np.nonzero(~(typical > enough))[0]
    full = int(over[0]) if len(over) else len(typical)
    full = min(max(full, 2), len(typical))
    return Halo(full, max(3, full // 2))


def strangers(seen: Surroundings, halo: Halo, sigma: float) -> np.ndarray:
    """(S, S) bool: what else is in the crop, beyond the cell's halo: other cells, dirt."""
    from scipy.ndimage import binary_opening, gaussian_filter

    # Smoothing by 1 pixel leaves 0.28 of white noise.
    strong = np.abs(gaussian_filter(seen.light, 1.0)) > max(1.5 * sigma, 0.05 * np.abs(seen.light).max())
    found: np.ndarray = binary_opening(strong & (seen.outside > halo.full + 1), iterations=1)
    return found


def look_of(image: np.ndarray, mask: np.ndarray, sigma: float, halo: Halo) -> Look:
    """The look of the cell in a crop (S, S); ``sigma`` is the noise of its background.

    Texture is told from noise by the local variance (Lee, 1980; Wiener): where
    there is only noise the local mean is taken, where there is texture the
    pixel itself with its noise, of which ``kept`` tells the share.
    """
    from scipy.ndimage import distance_transform_edt, uniform_filter

    inside = mask.astype(bool)
    seen = surroundings(image, inside, halo.full + 1)
    mean = uniform_filter(seen.light, WINDOW, mode="nearest")
    variance = uniform_filter(seen.light**2, WINDOW, mode="nearest") - mean**2
    kept = np.clip(1 - sigma**2 / np.maximum(variance, 1e-12), 0, 1).astype(np.float32)
    light = mean + kept * (seen.light - mean)
    alpha = fading(seen.outside, halo)
    others = strangers(seen, halo, sigma)
    if others.any():
        # Half way to what is not ours the light ends.
        to_others = distance_transform_edt(~others)
        alpha = alpha * np.clip((to_others - seen.outside) / TAPER, 0, 1)
    alpha = np.where(inside, 1.0, alpha) * border_fade(mask.shape)
    return Look(light.astype(np.float32), alpha.astype(np.float32), inside, kept * (alpha > 0))


def fading(outside: np.ndarray, halo: Halo) -> np.ndarray:
    """1 within the halo, falling as a cosine to 0 over its ramp."""
    share = np.clip((outside - halo.full) / halo.ramp, 0, 1)
    return np.asarray((1 + np.cos(np.pi * share)) / 2)


def border_fade(shape: tuple[int, ...]) -> np.ndarray:
    """0 at the border of an array (h, w), 1 from ``TAPER`` pixels inside on."""
    rows, columns = (np.minimum(np.arange(n), np.arange(n)[::-1]) / TAPER for n in shape)
    return np.asarray(np.minimum(1.0, np.minimum(rows[:, None], columns[None, :])))

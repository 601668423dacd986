"""What a plane would show without its cells: the estimate that replaces neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

MIN_BACKGROUND = 500
"""Pixels away from any outline that a plane must have for its background to be estimated."""
OUTLIER = 4.0
"""Robust standard deviations from the surface beyond which a pixel is no background (a cell without outline)."""


@dataclass(frozen=True)
class Background:
    """A smooth surface (Y, X) and how far background pixels are from it."""

    surface: np.ndarray
    residuals: np.ndarray
    """(n,): noise of the recording, drawn from again when pixels are replaced."""


def estimate_background(image: np.ndarray, labels: np.ndarray, reach: int, width: float) -> Background | None:
    """Background of a plane (Y, X), from pixels more than ``reach`` from any outline.

    The surface is local over about ``width`` pixels; further than that from
    any background it goes over to the plane's mean.  None where there is too
    little background.
    """
    from scipy import ndimage

    far = (ndimage.distance_transform_edt(labels == 0) > reach) & np.isfinite(image)
    if far.sum() < MIN_BACKGROUND:
        return None
    pixels = image.astype(np.float64)
    offsets = pixels - np.median(pixels[far])
    # Twice: outliers (cells that nobody outlined) would pull the first surface towards them.
    for _ in range(2):
        spread = 1.4826 * np.median(np.abs(offsets[far])) + 1e-12
        far &= np.abs(offsets) <= OUTLIER * spread
        surface = smooth_surface(pixels, far, width)
        offsets = pixels - surface
    return Background(surface, offsets[far])


def smooth_surface(pixels: np.ndarray, known: np.ndarray, width: float) -> np.ndarray:
    """A plane through the known pixels, and the Gaussian-weighted mean (Y, X) of what they differ from it.

    Far from any known pixel only the plane is left.  Normalised convolution
    (Knutsson and Westin, 1993), on block sums: the surface has no detail
    that single pixels would be needed for.  The plane, because a weighted
    mean alone is wrong wherever background lies on one side only.
    """
    from scipy import ndimage

    block = max(1, int(width / 8))
    plane = _plane(pixels, known)
    sigma = width / 2 / block
    weight = ndimage.gaussian_filter(_block_sums(known.astype(np.float64), block), sigma) / block**2
    total = ndimage.gaussian_filter(_block_sums(np.where(known, pixels - plane, 0.0), block), sigma) / block**2
    # The small constant pulls places without background near them to the plane.
    coarse = total / (weight + 1e-3)
    fine = ndimage.zoom(coarse, block, order=1, mode="nearest", grid_mode=True)
    return np.asarray(plane + fine[: pixels.shape[0], : pixels.shape[1]])


def _plane(pixels: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The plane (Y, X) of least squared distance to the known pixels; a sample of them is enough."""
    height, width = pixels.shape
    y, x = np.nonzero(known)
    y, x = y[:: len(y) // 20_000 + 1], x[:: len(x) // 20_000 + 1]
    places = np.stack([np.ones(len(y)), y / height, x / width], 1)
    level, down, right = np.linalg.lstsq(places, pixels[y, x], rcond=None)[0]
    return np.asarray(level + down * np.arange(height)[:, None] / height + right * np.arange(width) / width)


def _block_sums(values: np.ndarray, block: int) -> np.ndarray:
    rows, columns = (np.arange(0, n, block) for n in values.shape)
    return np.asarray(np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1))


def replace_neighbours(
    pixels: np.ndarray,
    own: np.ndarray,
    others: np.ndarray,
    surface: np.ndarray,
    residuals: np.ndarray,
    reach: int,
    seed: Any,
) -> np.ndarray:
    """Pixels (Y, X), as float64, with the other cells replaced by background.

    So is what lies within ``reach`` of them and nearer to them than to the
    cell: their halo or shadow.  Noise is drawn from the residuals, so that
    what is filled in has no flat face that a model would learn; the seam is a ramp.
    The cell's own pixels are never touched.
    """
    from scipy import ndimage

    to_others = ndimage.distance_transform_edt(~others)
    to_own = ndimage.distance_transform_edt(~own)
    replace = (to_others <= reach) & (to_others < to_own)
    share = ndimage.gaussian_filter(replace.astype(np.float64), reach / 4)
    share[others] = 1.0
    share[own] = 0.0
    draws = np.random.default_rng(seed).choice(residuals, size=pixels.shape)
    # Square roots keep the noise as strong where two noises mix.
    noise = draws * np.sqrt(share * (2 - share)) if residuals.size else 0.0
    return np.asarray(pixels * (1 - share) + surface * share + noise * (share > 0.01))

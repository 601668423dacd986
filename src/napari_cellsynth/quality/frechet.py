"""How far a set of made images is from real ones: the Frechet distance of their measures.

The Frechet distance between two normal distributions (Dowson and Landau,
1982), used for images by Heusel et al. (2017), here with hand-made measures
(:mod:`.measures`) in place of a network's features.

Numbers depend on the number of images: the distance of two finite sets of
the *same* kind is above 0, and the more so the fewer they are.  Compare
distances of sets of equal size only, and read them beside the distance
between two halves of the real images.
"""

from __future__ import annotations

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.measures import measure

MAX_SCORE = 50.0
"""Standardised measures are clipped here, so that one odd image cannot make a distance infinite."""


def standardise(features: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Features (N, K) in units of the reference's spread: its mean 0, its sd 1, clipped at +-50.

    A measure that does not vary within the reference is scaled by a
    thousandth of its size instead.
    """
    middle, spread = reference.mean(0), reference.std(0)
    floor = 1e-3 * np.maximum(np.abs(middle), 1e-6)
    return np.asarray(np.clip((features - middle) / np.maximum(spread, floor), -MAX_SCORE, MAX_SCORE))


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Squared Frechet distance between normal distributions fitted to the rows of ``a`` and ``b``.

    ``|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2))``

    Parameters
    ----------
    a, b
        Features (N, K) and (M, K), N and M at least 2, in comparable units
        (see :func:`standardise`).

    Notes
    -----
    For few rows: covariances are shrunk towards a multiple of the identity
    by Ledoit and Wolf's rule (2004), which chooses how much from the data
    and vanishes for many rows.  The root is taken of the symmetric
    ``C_a^(1/2) C_b C_a^(1/2)``, which has the same trace, by its
    eigenvalues, negative ones (rounding) set to 0: no complex numbers, no
    iteration, and exactly 0 for equal sets.
    """
    a, b = _checked(a), _checked(b)
    if a.shape[1] != b.shape[1]:
        raise BadInput(f"{a.shape[1]} and {b.shape[1]} features given; expected the same for both sets")
    covariance_a, covariance_b = _covariance(a), _covariance(b)
    root = _root(covariance_a)
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ covariance_b @ root), 0, None)).sum()
    apart = float(((a.mean(0) - b.mean(0)) ** 2).sum())
    return max(0.0, apart + float(np.trace(covariance_a) + np.trace(covariance_b) - 2 * cross))


def frechet_of_images(
    real: np.ndarray,
    made: np.ndarray,
    reference: np.ndarray | None = None,
    *,
    real_masks: np.ndarray | None = None,
    made_masks: np.ndarray | None = None,
    reference_masks: np.ndarray | None = None,
) -> float:
    """Frechet distance of two sets of images (N, Y, X) in measures standardised by ``reference``.

    ``reference`` is the set that sets the units (default ``real``); use one
    for all distances that are to be compared.  Masks are used only where
    all sets have them, so that all are measured alike.
    """
    if reference is None:
        reference, reference_masks = real, real_masks
    if real_masks is None or made_masks is None or reference_masks is None:
        real_masks = made_masks = reference_masks = None
    units = measure(reference, reference_masks)
    return frechet_distance(
        standardise(measure(real, real_masks), units), standardise(measure(made, made_masks), units)
    )


def _checked(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or len(features) < 2:
        raise BadInput(f"features of shape {features.shape} given; expected (N, K) of at least 2 images")
    if not np.isfinite(features).all():
        raise BadInput("features hold values that are not numbers; expected finite measures")
    return features


def _covariance(features: np.ndarray) -> np.ndarray:
    """Ledoit and Wolf's shrunk covariance (K, K); written out, since it is needed hundreds of times for an interval."""
    centred = features - features.mean(0)
    n, k = centred.shape
    plain = centred.T @ centred / n
    middle = np.trace(plain) / k
    apart = ((plain**2).sum() - k * middle**2) / k
    # How much the entries of the plain covariance vary from image to image, at most as much as they lie apart.
    varying = min((((centred**2).sum(1) ** 2).mean() - (plain**2).sum()) / (k * n), apart)
    share = 0.0 if varying <= 0 else varying / apart
    return np.asarray((1 - share) * plain + share * middle * np.eye(k))


def _root(matrix: np.ndarray) -> np.ndarray:
    """Square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T)

"""Is each made image like a real one, and is each real one met?  Two pairs of shares, from nearest neighbours.

A ball around each image reaches to its k-th nearest neighbour in its own
set; together the balls are the region that the set fills.

``precision``, ``recall`` (Kynkäänniemi et al. 2019, k = 3)
    Share of made images within the region of the real ones; share of real
    ones within the region of the made ones.  A single outlier has a large
    ball that lets many in.
``density``, ``coverage`` (Naeem et al. 2020, k = 5)
    In how many of the real images' balls a made one lies, over k, on
    average; share of real images with a made one in their own ball.
    Outliers hardly matter; density may exceed 1.

For two finite sets of one kind precision, recall and coverage are below 1:
read them beside the same numbers of real images.  Crops of one cell from
frame to frame are nearly copies, and a cell is no neighbour of itself: where
cell numbers are given, only images of other cells count.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.resampling import Cells, numbered

PR_NEIGHBOURS, DC_NEIGHBOURS = 3, 5
"""k of either pair, as their papers have it."""


class Votes(NamedTuple):
    """Of each image what it contributes; the means are the shares."""

    precision: np.ndarray
    """(M,) of made images."""
    recall: np.ndarray
    """(N,) of real ones."""
    density: np.ndarray
    """(M,)"""
    coverage: np.ndarray
    """(N,)"""


def precision(real: np.ndarray, made: np.ndarray, k: int = PR_NEIGHBOURS) -> float:
    """Share of made features (M, K) within the region of real ones (N, K)."""
    return float(votes(real, made, k).precision.mean())


def recall(real: np.ndarray, made: np.ndarray, k: int = PR_NEIGHBOURS) -> float:
    """Share of real features (N, K) within the region of made ones (M, K)."""
    return float(votes(real, made, k).recall.mean())


def density(real: np.ndarray, made: np.ndarray, k: int = DC_NEIGHBOURS) -> float:
    """In how many balls of real features (N, K) made ones (M, K) lie on average, over k; 1 as real ones, about."""
    return float(votes(real, made, dc=k).density.mean())


def coverage(real: np.ndarray, made: np.ndarray, k: int = DC_NEIGHBOURS) -> float:
    """Share of real features (N, K) with a made one (M, K) no further than their k-th nearest real one."""
    return float(votes(real, made, dc=k).coverage.mean())


def votes(
    real: np.ndarray,
    made: np.ndarray,
    pr: int = PR_NEIGHBOURS,
    dc: int = DC_NEIGHBOURS,
    *,
    cells_real: Cells = None,
    cells_made: Cells = None,
) -> Votes:
    """What each image contributes to the four shares; features (N, K) of real ones and (M, K) of made ones.

    Raises BadInput where an image has fewer than k neighbours in its set.
    """
    ours, theirs = numbered(cells_real, len(real)), numbered(cells_made, len(made), first=len(real))
    across = _apart(made, real, theirs, ours)
    within_real, within_made = _apart(real, real, ours, ours), _apart(made, made, theirs, theirs)
    near = across <= _radii(within_real, dc)
    likely = across <= _radii(within_real, pr)
    met = _radii(within_made, pr) >= across.T
    return Votes(
        *(np.asarray(one, dtype=np.float64) for one in (likely.any(1), met.any(1), near.sum(1) / dc, near.any(0)))
    )


def _radii(apart: np.ndarray, k: int) -> np.ndarray:
    """(N,): of each, the distance of its k-th nearest neighbour; ``apart`` (N, N), endless to itself."""
    few = int(np.isfinite(apart).sum(1).min()) if len(apart) else 0
    if few < k:
        raise BadInput(f"an image with {few} others to compare with given; {k} are needed for its neighbourhood")
    return np.asarray(np.partition(apart, k - 1, axis=1)[:, k - 1])


def _apart(a: np.ndarray, b: np.ndarray, cells_a: np.ndarray, cells_b: np.ndarray) -> np.ndarray:
    """Euclidean distances (N, M), exactly 0 for equal rows; endless between images of one cell."""
    from scipy.spatial.distance import cdist

    apart = cdist(np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64))
    apart[cells_a[:, None] == cells_b] = np.inf
    return np.asarray(apart)

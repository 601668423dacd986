"""Kernel distance of two sets of features (Bińkowski et al. 2018): no bias from few images.

The squared maximum mean discrepancy with the kernel ``(x·y / K + 1)^3``.
Its estimate is right on average for any number of images, 0 where both sets
are of one kind, and therefore as often below 0 as above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.resampling import Cells, numbered


def polynomial_kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N, M) of features (N, K) and (M, K): ``(a·b / K + 1)^3``."""
    return np.asarray((a @ b.T / a.shape[1] + 1) ** 3)


def kid(a: np.ndarray, b: np.ndarray, *, cells_a: Cells = None, cells_b: Cells = None) -> float:
    """Unbiased squared kernel distance of features (N, K) and (M, K); may be below 0.

    ``cells_a``, ``cells_b``
        Numbers of cells, the same number for the same cell in both.  Crops of
        one cell from frame to frame are nearly copies and would make each set
        look less various than it is: pairs of one cell are left out.  Not a
        number where a set has only one cell.
    """
    return Kernels(a, b, cells_a, cells_b).distance()


@dataclass(frozen=True)
class _Pairs:
    kernel: np.ndarray
    counts: np.ndarray
    """1 for pairs that count, 0 for an image with itself and for pairs of one cell."""

    def mean(self, left: np.ndarray, right: np.ndarray) -> float:
        number = left @ self.counts @ right
        return float(left @ self.kernel @ right / number) if number > 0 else float("nan")


class Kernels:
    """The kernels of two sets, from which the distance of any resampling of them follows at once."""

    def __init__(self, a: np.ndarray, b: np.ndarray, cells_a: Cells = None, cells_b: Cells = None) -> None:
        a, b = (_checked(one) for one in (a, b))
        if a.shape[1] != b.shape[1]:
            raise BadInput(f"{a.shape[1]} and {b.shape[1]} features given; expected the same for both sets")
        ones_a, ones_b = numbered(cells_a, len(a)), numbered(cells_b, len(b), first=len(a))
        self._aa = _pairs(a, a, ones_a, ones_a)
        self._bb = _pairs(b, b, ones_b, ones_b)
        self._ab = _pairs(a, b, ones_a, ones_b)
        self._sizes = len(a), len(b)

    def distance(self, times_a: np.ndarray | None = None, times_b: np.ndarray | None = None) -> float:
        """With each image taken so many times, (N,) and (M,) (None: once)."""
        left = np.ones(self._sizes[0]) if times_a is None else np.asarray(times_a, dtype=np.float64)
        right = np.ones(self._sizes[1]) if times_b is None else np.asarray(times_b, dtype=np.float64)
        return self._aa.mean(left, left) + self._bb.mean(right, right) - 2 * self._ab.mean(left, right)


def _pairs(a: np.ndarray, b: np.ndarray, cells_a: np.ndarray, cells_b: np.ndarray) -> _Pairs:
    counts = (cells_a[:, None] != cells_b).astype(np.float64)
    return _Pairs(polynomial_kernel(a, b) * counts, counts)


def _checked(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or len(features) < 2:
        raise BadInput(f"features of shape {features.shape} given; expected (N, K) of at least 2 images")
    if not np.isfinite(features).all():
        raise BadInput("features hold values that are not numbers; expected finite ones")
    return features

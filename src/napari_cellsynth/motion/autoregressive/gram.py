"""One Gram matrix from which least squares of every q and d are solved.

The states of q dimensions are the first q of those of more, and d lags the
first d of more lags; so what any fit needs are rows and columns of one
matrix, which is summed up once over the same target rows for all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROWS = 1 << 15
"""Rows that are multiplied at a time."""
CUT = 1e-11
"""Part of the largest eigenvalue below which a direction is empty: windows that overlap repeat themselves."""

FULL = 1e-4
"""What a regressor must have of its own, in parts of its size, beside those before it for no direction to be empty."""


@dataclass(frozen=True, eq=False)
class Gram:
    """Sums of products of regressors z_t = (x_{t-1}, …, x_{t-D}) and targets over target rows."""

    zz: Floats
    """(D Q, D Q)"""
    zt: Floats
    """(D Q, K) with targets: the Q states, then whatever else is predicted."""
    tt: Floats
    """(K, K)"""
    rows: int
    size: int
    """Q, states in all."""

    def columns(self, q: int, d: int) -> NDArray[np.int64]:
        """(d q,) regressors of a fit: of each lag the first q states."""
        return (np.arange(d)[:, None] * self.size + np.arange(q)).ravel()

    def solve(self, q: int, d: int) -> Floats:
        """(d q, K) coefficients of all targets by least squares, the shortest where several fit alike."""
        own = self.columns(q, d)
        return solve(self.zz[np.ix_(own, own)], self.zt[own])

    def residual(self, q: int, d: int, coefficients: Floats) -> Floats:
        """(K, K) covariance of what the coefficients leave of the targets."""
        own = self.columns(q, d)
        crossed = coefficients.T @ self.zt[own]
        squares = self.tt - crossed - crossed.T + coefficients.T @ self.zz[np.ix_(own, own)] @ coefficients
        freedom = self.rows - len(own)
        return 0.5 * (squares + squares.T) / (freedom if freedom > self.rows / 2 else self.rows)


def lagged(x: Floats, targets: NDArray[np.int64], lags: int) -> Floats:
    """(R, lags Q): before each target row the rows x (M, Q), the nearest first."""
    return x[targets[:, None] - 1 - np.arange(lags)].reshape(len(targets), -1)


def gram_of(x: Floats, targets: NDArray[np.int64], lags: int, further: Floats) -> Gram:
    """Summed over target rows; ``further`` (M, F) are targets besides the states x (M, Q)."""
    both = np.concatenate([x, further], axis=1)
    size, kinds = x.shape[1], both.shape[1]
    zz, zt, tt = np.zeros((lags * size,) * 2), np.zeros((lags * size, kinds)), np.zeros((kinds, kinds))
    for start in range(0, len(targets), ROWS):
        rows = targets[start : start + ROWS]
        z, t = lagged(x, rows, lags), both[rows]
        zz += z.T @ z
        zt += z.T @ t
        tt += t.T @ t
    return Gram(zz, zt, tt, len(targets), size)


def solve(zz: Floats, zt: Floats) -> Floats:
    """Coefficients (n, k) with zz @ coefficients = zt for a symmetric zz (n, n) that may have empty directions."""
    scale = np.sqrt(np.diag(zz))
    scale = np.where(scale > 0, scale, 1.0)
    even = zz / np.outer(scale, scale)
    try:
        # A tenth of the time; without empty directions the answers are the same.
        if np.linalg.cholesky(even).diagonal().min() > FULL:
            return np.linalg.solve(even, zt / scale[:, None]) / scale[:, None]
    except np.linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(even)
    kept = values > CUT * max(float(values[-1]), np.finfo(float).tiny)
    part = vectors[:, kept]
    return (part @ ((part.T @ (zt / scale[:, None])) / values[kept][:, None])) / scale[:, None]

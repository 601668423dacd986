"""Whether a process stays where it is: the companion matrix, and estimators that are stable by construction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.motion.autoregressive.gram import solve

Floats = NDArray[np.float64]
LIMIT = 0.999
"""Spectral radius from which a process is taken to be unstable: it remembers for a thousand frames."""


def companion(b: Floats) -> Floats:
    """(d q, d q) of B (d, q, q): takes (x_t, …, x_{t-d+1}) one frame on."""
    d, q, _ = b.shape
    matrix = np.zeros((d * q, d * q))
    matrix[:q] = b.transpose(1, 0, 2).reshape(q, d * q)
    matrix[q:, :-q] = np.eye((d - 1) * q)
    return matrix


def poles(b: Floats) -> NDArray[np.complex128]:
    """(d q,) eigenvalues of the companion matrix, the largest first."""
    values = np.linalg.eigvals(companion(b)).astype(np.complex128)
    return values[np.argsort(-np.abs(values), kind="stable")]


def spectral_radius(b: Floats) -> float:
    """The largest eigenvalue's size: below 1 the process is stable."""
    return float(np.abs(np.linalg.eigvals(companion(b))).max())


def yule_walker(sequences: Sequence[Floats], d: int) -> Floats:
    """B (d, q, q) of sequences (n, q) from autocovariances that are divided by all rows: stable by construction.

    The covariances of one sequence with zeros before and after it form a
    block Toeplitz matrix without negative eigenvalues, and so do sums of
    them; the equations of such a matrix have stable solutions only (Lütkepohl
    2005, section 3.3.4).  Pulled towards 0, the more the shorter the sequences.
    """
    q, gamma = sequences[0].shape[1], _autocovariances(sequences, d)
    # Block (j, k) is E x_{t-j} x_{t-k}^T, that of a lag k - j.
    blocks = [[gamma[k - j] if k >= j else gamma[j - k].T for k in range(d)] for j in range(d)]
    left = np.block(blocks)
    right = np.concatenate([gamma[k].T for k in range(1, d + 1)])
    return solve(left, right).reshape(d, q, q).transpose(0, 2, 1)


def yule_walker_noise(sequences: Sequence[Floats], b: Floats) -> Floats:
    """(q, q) covariance of the noise of such a B: with both, the covariance of the process is that of the sequences."""
    gamma = _autocovariances(sequences, len(b))
    left = gamma[0] - sum(one @ of.T for one, of in zip(b, gamma[1:], strict=True))
    return 0.5 * (left + left.T) / sum(map(len, sequences))


def _autocovariances(sequences: Sequence[Floats], d: int) -> Floats:
    """(d + 1, q, q) sums of x_t x_{t-k}^T, of k = 0 … d."""
    q = sequences[0].shape[1]
    gamma = np.zeros((d + 1, q, q))
    for x in sequences:
        for k in range(min(d, len(x) - 1) + 1):
            gamma[k] += x[k:].T @ x[: len(x) - k]
    return gamma


def shrunk(b: Floats, limit: float = LIMIT) -> Floats:
    """B with all poles moved towards 0 by one factor, so that the largest lies at the limit; a stable one as it is.

    B_k times g^k has the poles of B times g.
    """
    radius = spectral_radius(b)
    if radius < limit:
        return b
    # A little below, so that rounding does not put it beyond.
    factor = limit * (1 - 1e-6) / radius
    return b * factor ** np.arange(1, len(b) + 1)[:, None, None]


def stationary(b: Floats, noise: Floats) -> Floats:
    """(d q, d q) covariance of (x_t, …, x_{t-d+1}) of a stable process with white noise of covariance (q, q)."""
    step = companion(b)
    q = noise.shape[0]
    total = np.zeros_like(step)
    total[:q, :q] = noise
    # Doubling: after n rounds the sum over 2^n frames of what each frame's noise is still worth.
    for _ in range(60):
        more = step @ total @ step.T
        total = total + more
        if np.abs(more).max() <= 1e-13 * np.abs(total).max():
            break
        step = step @ step
    return 0.5 * (total + total.T)


def root(covariance: Floats) -> Floats:
    """(n, n) r with r @ r.T the covariance, which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.clip(values, 0, None))

"""All fits of the grid, judged on the same held-out rows, beside what needs no fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.autoregressive.gram import Floats, Gram, gram_of, lagged
from napari_cellsynth.motion.autoregressive.readings import Observations, clear_mean
from napari_cellsynth.motion.autoregressive.settings import MotionSettings

PIECE = 1 << 12
"""Held-out rows that are predicted at a time."""
EMPTY = 1e-12
"""Part of the first component's variance below which a component is none."""


@dataclass(frozen=True)
class GridPoint:
    """One fit of the grid."""

    q: int
    d: int
    error: float
    """Root mean squared distance between predicted and true next position of the held-out rows, in units."""
    too_many: bool
    """More regressors (q d) than half the rows that are learned from: never chosen."""


@dataclass(frozen=True, eq=False)
class Subspace:
    """C and what is told in it."""

    mean: Floats
    """(D,)"""
    c: Floats
    """(D, Q), orthonormal columns, the largest variance first; the first q columns are the C of q."""
    x: Floats
    """(M, Q) states of all observations."""
    noise_u: Floats
    """(Q, D) variance of each coordinate that the first 1, 2, … columns leave."""


def subspace_of(seen: Observations, most: int) -> Subspace:
    """Mean and C from the rows that are learned from, by SVD, up to ``most`` columns.

    The mean of displacements is 0 unless a drift is clear.
    """
    learned = seen.y[seen.learned]
    mean = learned.mean(0) if seen.joint else np.tile(clear_mean(seen), learned.shape[1] // 2)
    centred = learned - mean
    if len(centred) > centred.shape[1]:
        variances, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
        variances, vectors = variances[::-1], vectors[:, ::-1]
    else:
        _, sizes, turned = np.linalg.svd(centred, full_matrices=False)
        variances, vectors = sizes**2 / len(centred), turned.T
    kept = int((variances > EMPTY * max(float(variances[0]), np.finfo(float).tiny)).sum())
    c = vectors[:, : min(most, kept)]
    # The sign of a component is chance; the largest entry is made positive.
    c = c * np.where(np.take_along_axis(c, np.abs(c).argmax(0)[None], 0) < 0, -1.0, 1.0)
    explained = np.cumsum(c.T**2 * variances[: c.shape[1], None], axis=0)
    noise_u = np.clip((centred**2).mean(0) - explained, 0, None)
    return Subspace(mean, c, (seen.y - mean) @ c, noise_u)


@dataclass(frozen=True, eq=False)
class Searched:
    """The grid and what it was made of."""

    space: Subspace
    gram: Gram
    points: tuple[GridPoint, ...]
    chosen: GridPoint


def search(seen: Observations, settings: MotionSettings) -> Searched:
    """Fit and judge every q and d; BadInput where none may be chosen."""
    space = subspace_of(seen, settings.max_q)
    size, lags = space.c.shape[1], settings.max_d
    if size < 2:
        raise BadInput("the cells do not move, or along one line only; there is no motion to fit (q is at least 2)")
    gram = gram_of(space.x, seen.targets[~seen.held], lags, steps(seen, space))
    fits = [(q, d) for q in range(2, size + 1) for d in range(1, lags + 1)]
    judged = _held_out(seen, space, gram, fits)
    errors = np.sqrt(judged.mean())
    marked = [q * d > gram.rows / 2 for q, d in fits]
    points = [GridPoint(q, d, float(e), m) for (q, d), e, m in zip(fits, errors, marked, strict=True)]
    allowed = [i for i, point in enumerate(points) if not point.too_many]
    if not allowed:
        raise BadInput(
            f"{gram.rows} rows to learn from, fewer than twice the {fits[0][0] * fits[0][1]} regressors of the smallest"
            " fit: give more or longer tracks, or lower max d (frames looked back)"
        )
    chosen = points[_chosen(points, judged, allowed, settings.fewest)]
    return Searched(space, gram, tuple(points), chosen)


def steps(seen: Observations, space: Subspace) -> Floats:
    """(M, 2) the newest displacement of each window, less its mean; (M, 0) where y_t are no windows."""
    return (seen.y - space.mean)[:, : 0 if seen.joint else 2]


@dataclass(frozen=True, eq=False)
class Judged:
    """Squared distances of predicted and true position, the mean over the cells of a row, summed group by group."""

    sums: Floats
    """(groups, fits)"""
    counts: NDArray[np.int64]
    """(groups,) rows of each; errors in one group are not independent."""

    def mean(self) -> Floats:
        """(fits,)"""
        return self.sums.sum(0) / self.counts.sum()

    def beyond(self, best: int) -> tuple[Floats, Floats]:
        """(fits,) by how much each fit's mean is above that of one, and the standard error of that."""
        more = self.sums - self.sums[:, [best]]
        mean = more.sum(0) / self.counts.sum()
        groups = len(self.counts)
        squares = ((more - self.counts[:, None] * mean) ** 2).sum(0) * groups / max(1, groups - 1)
        return mean, np.sqrt(squares) / self.counts.sum()


def _held_out(seen: Observations, space: Subspace, gram: Gram, fits: list[tuple[int, int]]) -> Judged:
    """Predict the held-out rows by every fit, some thousand rows at a time."""
    rows = seen.targets[seen.held]
    _, group = np.unique(seen.group[seen.held], return_inverse=True)
    predict = _jointly(space, gram, fits) if seen.joint else _alone(gram, fits)
    sums = np.zeros((int(group.max()) + 1, len(fits)))
    for start in range(0, len(rows), PIECE):
        some = rows[start : start + PIECE]
        z = lagged(space.x, some, len(gram.zz) // gram.size)
        squares = predict(z, seen.y[some] - space.mean) / seen.points
        np.add.at(sums, group[start : start + PIECE], squares)
    return Judged(sums, np.bincount(group))


def _alone(gram: Gram, fits: list[tuple[int, int]]) -> Callable[[Floats, Floats], Floats]:
    """The newest displacement from the states: (R, fits) squared errors; all fits are one product."""
    weights = np.zeros((len(gram.zz), len(fits), 2))
    for place, (q, d) in enumerate(fits):
        weights[gram.columns(q, d), place] = gram.solve(q, d)[:, gram.size :]
    flat = weights.reshape(len(weights), -1)

    def squares(z: Floats, true: Floats) -> Floats:
        wrong = (z @ flat).reshape(len(z), len(fits), 2) - true[:, None, :2]
        return np.einsum("rfk,rfk->rf", wrong, wrong)

    return squares


def _jointly(space: Subspace, gram: Gram, fits: list[tuple[int, int]]) -> Callable[[Floats, Floats], Floats]:
    """All positions as C times the predicted state: (R, fits) squared errors, summed over the cells."""
    solved = [(gram.columns(q, d), gram.solve(q, d)[:, :q] @ space.c[:, :q].T) for q, d in fits]

    def squares(z: Floats, true: Floats) -> Floats:
        return np.stack([((true - z[:, own] @ weights) ** 2).sum(1) for own, weights in solved], axis=1)

    return squares


def _chosen(points: list[GridPoint], judged: Judged, allowed: list[int], fewest: bool) -> int:
    """Place of the fit that is kept."""
    best = min(allowed, key=lambda i: points[i].error)
    if not fewest or len(judged.counts) < 2:
        return best
    mean, spread = judged.beyond(best)
    near = [i for i in allowed if mean[i] <= spread[i]]
    return min([*near, best], key=lambda i: (points[i].q ** 2 * points[i].d, points[i].error))

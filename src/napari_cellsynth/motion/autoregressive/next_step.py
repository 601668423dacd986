"""The next displacement of a cell from its last ones, which simulation draws from: as fast as what was learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_cellsynth.motion.autoregressive.gram import Floats
from napari_cellsynth.motion.autoregressive.grid import Searched
from napari_cellsynth.motion.autoregressive.readings import Observations, displacements_of
from napari_cellsynth.motion.autoregressive.stability import (
    LIMIT,
    shrunk,
    spectral_radius,
    stationary,
    yule_walker,
    yule_walker_noise,
)

LIVELY = 1.5
"""Times by which the variance of simulated displacements may miss that of learned ones, along any direction."""
LEAST_SQUARES, YULE_WALKER = "least squares", "Yule-Walker"


@dataclass(frozen=True, eq=False)
class NextStep:
    """Coefficients, noise, and what they are an estimate of; displacements are less their mean."""

    steps: Floats
    """(L + d - 1, 2, 2)"""
    noise: Floats
    """(2, 2)"""
    estimator: str
    predicts: Floats
    """(L + d - 1, 2, 2) least squares, which predicts best; with poles moved inwards where they are not stable."""


NO_STEPS = NextStep(np.zeros((0, 2, 2)), np.zeros((0, 2)), "", np.zeros((0, 2, 2)))
"""Of the joint reading, which is simulated from B and C."""


def next_step(seen: Observations, found: Searched, window: int) -> NextStep:
    """Least squares where that moves as the learned cells do, else Yule-Walker's estimate.

    Least squares predicts best, but says little of how fast cells are in the
    long run: that goes with 1 / (1 - radius²), so that of few cells, or of
    cells that go straight on, it comes out many times too fast or too slow,
    and along one direction only.  Yule-Walker's process is stable, and the
    covariance of its displacements is by construction the one that was seen.
    """
    learned = [one - found.space.mean[:2] for one in displacements_of(seen, learned=True)]
    every = np.concatenate(learned)
    covariance = every.T @ every / len(every)
    steps, noise = _least_squares(found, window)
    predicts = shrunk(steps)
    if spectral_radius(steps) < LIMIT and _lively(steps, noise, covariance):
        return NextStep(steps, _as_fast(steps, noise, covariance), LEAST_SQUARES, predicts)
    steps = shrunk(yule_walker(learned, len(steps)))
    return NextStep(steps, _as_fast(steps, yule_walker_noise(learned, steps), covariance), YULE_WALKER, predicts)


def _least_squares(found: Searched, window: int) -> tuple[Floats, Floats]:
    """The next displacement from the last L + d - 1, and the covariance of what they leave.

    The windows of neighbouring frames share all displacements but one, so
    u_t is not white: the past says something of it.  The newest displacement
    is therefore regressed on the same states as x_t (which is C^T of such a
    regression of all of y_t), and the states are written as the displacements
    they are made of.
    """
    q, d, gram = found.chosen.q, found.chosen.d, found.gram
    coefficients = gram.solve(q, d)
    a = coefficients[:, gram.size :].reshape(d, q, 2).transpose(0, 2, 1)
    rows = found.space.c[:, :q].reshape(window, 2, q)
    steps = np.zeros((window + d - 1, 2, 2))
    for k in range(d):
        for age in range(window):
            steps[k + age] += a[k] @ rows[age].T
    return steps, gram.residual(q, d, coefficients)[gram.size :, gram.size :]


def _lively(steps: Floats, noise: Floats, covariance: Floats) -> bool:
    """Whether displacements vary as those seen, along all directions: eigenvalues of one covariance in the other."""
    values, vectors = np.linalg.eigh(covariance)
    # Cells in a channel hardly move across it; what they do there does not matter.
    white = vectors / np.sqrt(np.maximum(values, 1e-6 * values[-1]))
    ratio = np.linalg.eigvalsh(white.T @ stationary(steps, noise)[:2, :2] @ white)
    return bool(ratio[-1] < LIVELY and ratio[values > 1e-6 * values[-1]].min() > 1 / LIVELY)


def _as_fast(steps: Floats, noise: Floats, covariance: Floats) -> Floats:
    """Noise with which the mean square of displacements is that of those seen."""
    made = float(np.trace(stationary(steps, noise)[:2, :2]))
    return noise * (float(np.trace(covariance)) / made) if made > 0 else noise

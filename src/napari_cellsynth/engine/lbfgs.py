"""L-BFGS with a strong Wolfe line search, as a coroutine: it yields a point and is sent value and gradient there.

So any number of minimisations go on side by side, each with a memory and
step lengths of its own, while whoever drives them computes all their values
in one batch.  One L-BFGS over a batch would be another thing: a single
problem, whose result for one image depends on the others.  SciPy's and
torch's call the function themselves, and would need a thread each.

Nocedal and Wright 2006, Numerical Optimization, algorithms 3.5, 3.6 and 7.4,
whose symbols are used here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

HISTORY = 10
"""Pairs of steps and changes of the gradient that stand for the curvature (as many as SciPy keeps)."""
C1, C2 = 1e-4, 0.9
"""Sufficient decrease and curvature, as N&W recommend for quasi-Newton methods."""
MOST = 20
"""Values that one line search may ask for."""
NARROW = 1e-7
"""Width of a bracket, in the point's own units, below which float32 tells nothing apart."""

Answer = tuple[float, np.ndarray]
Look = Generator[np.ndarray, Answer, "Trial"]
"""Yields points (D,) float64, each a float32 number exactly; is sent the value and the gradient (D,)."""


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where a minimisation has ended: never higher than where it began."""

    point: np.ndarray
    """(D,) float64, each a float32 number exactly."""
    value: float
    iterations: int
    """Steps taken; fewer than allowed where no lower point was found."""
    evaluations: int
    """Values and gradients that were asked for."""


@dataclass(frozen=True, eq=False)
class Trial:
    """A point on the line, at ``t`` times the direction."""

    t: float
    point: np.ndarray
    value: float
    gradient: np.ndarray
    slope: float
    asked: int = 0
    """Values that the search has taken so far."""


def minimise(start: np.ndarray, iterations: int) -> Generator[np.ndarray, Answer, Minimum]:
    """Coroutine of one minimisation from ``start`` (D,) in at most so many steps (N&W algorithm 7.5).

    More iterations begin with the same ones, so that they are never worse.
    Values that are not finite count as infinitely high.
    """
    point = np.asarray(start, dtype=np.float32).astype(np.float64)
    value, gradient = yield point
    pairs: deque[tuple[np.ndarray, np.ndarray, float]] = deque(maxlen=HISTORY)
    done, asked = 0, 1
    while done < iterations and np.isfinite(value) and gradient.any():
        direction = -times_inverse_hessian(gradient, pairs)
        slope = float(gradient @ direction)
        if not slope < 0:
            pairs.clear()
            direction, slope = -gradient, -float(gradient @ gradient)
        # The first step is of length 1 whatever the units of the value; later ones have the curvature for a measure.
        first = 1.0 if pairs else 1.0 / float(np.linalg.norm(gradient))
        found = yield from strong_wolfe(Trial(0.0, point, value, gradient, slope), direction, first)
        asked += found.asked
        if not found.value < value:
            if not pairs:
                break  # downhill is no lower point: as low as float32 can tell
            pairs.clear()
            continue
        s, y = found.point - point, found.gradient - gradient
        if (curvature := float(s @ y)) > 1e-10 * float(y @ y):
            pairs.append((s, y, 1.0 / curvature))
        point, value, gradient = found.point, found.value, found.gradient
        done += 1
    return Minimum(point, value, done, asked)


def times_inverse_hessian(gradient: np.ndarray, pairs: deque[tuple[np.ndarray, np.ndarray, float]]) -> np.ndarray:
    """H times the gradient by the two-loop recursion (N&W algorithm 7.4, H0 after equation 7.20)."""
    q, alphas = gradient, []
    for s, y, rho in reversed(pairs):
        alphas.append(rho * float(s @ q))
        q = q - alphas[-1] * y
    if pairs:
        _, y, rho = pairs[-1]
        q = q / (rho * float(y @ y))
    for s, y, rho in pairs:
        q = q + (alphas.pop() - rho * float(y @ q)) * s
    return q


def strong_wolfe(begin: Trial, direction: np.ndarray, first: float) -> Look:
    """A step that meets both strong Wolfe conditions, from ``begin`` on (N&W algorithm 3.5).

    Where none is found in so many values, the lowest that decreases enough;
    ``begin`` itself where there is none.
    """
    previous, t = begin, first
    for asked in range(1, MOST):
        trial = yield from _look(begin, direction, t, asked)
        if _too_high(trial, begin) or (previous.t > 0 and trial.value >= previous.value):
            return (yield from _zoom(previous, trial, begin, direction, asked))
        if abs(trial.slope) <= -C2 * begin.slope:
            return trial
        if trial.slope >= 0:
            return (yield from _zoom(trial, previous, begin, direction, asked))
        previous, t = trial, _cubic(previous, trial, trial.t * 1.1, trial.t * 10)
    return previous


def _zoom(low: Trial, high: Trial, begin: Trial, direction: np.ndarray, asked: int) -> Look:
    """Between two trials, of which ``low`` is the lower one and decreases enough (N&W algorithm 3.6)."""
    wide = float(np.abs(direction).max())
    while asked < MOST and abs(high.t - low.t) * wide > NARROW:
        asked += 1
        # Not too near to either end, so that the bracket shrinks.
        ends = sorted((low.t, high.t))
        margin = 0.1 * (ends[1] - ends[0])
        trial = yield from _look(begin, direction, _cubic(low, high, ends[0] + margin, ends[1] - margin), asked)
        if _too_high(trial, begin) or trial.value >= low.value:
            high = trial
            continue
        if abs(trial.slope) <= -C2 * begin.slope:
            return trial
        if trial.slope * (high.t - low.t) >= 0:
            high = low
        low = trial
    return Trial(low.t, low.point, low.value, low.gradient, low.slope, asked)


def _look(begin: Trial, direction: np.ndarray, t: float, asked: int) -> Look:
    # As the network sees it: float32, so that what is found is what was looked at.
    point = (begin.point + t * direction).astype(np.float32).astype(np.float64)
    value, gradient = yield point
    if not np.isfinite(value):
        return Trial(t, point, np.inf, gradient, np.nan, asked)
    return Trial(t, point, value, gradient, float(gradient @ direction), asked)


def _too_high(trial: Trial, begin: Trial) -> bool:
    return not trial.value <= begin.value + C1 * trial.t * begin.slope


def _cubic(one: Trial, other: Trial, least: float, most: float) -> float:
    """Where the cubic through two trials is lowest, within bounds (N&W equation 3.59); their middle where nowhere."""
    a, b = (one, other) if one.t <= other.t else (other, one)
    middle = (least + most) / 2
    if not (np.isfinite(a.value) and np.isfinite(b.value)):
        return middle
    d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    bottom = b.slope - a.slope
    if square < 0:
        return middle
    d2 = float(np.sqrt(square))
    if bottom + 2 * d2 == 0:
        return middle
    t = b.t - (b.t - a.t) * (b.slope + d2 - d1) / (bottom + 2 * d2)
    return float(min(max(t, least), most))

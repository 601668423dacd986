"""Which frames are dark, bright, saturated, blurred or doubled, from what each frame showed.

Thresholds stand here with the evidence they were chosen on: real recordings
(docs/fitness.md has the table) and phantoms with faults at known frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.stack.fitness.look import Look

NEAR = 7
"""Frames before and after with which a frame is compared."""
DARK, BRIGHT = 0.5, 1.6
"""Level (mean above the recording's own black) against the frames nearby; in real recordings from 0.69 to 1.25."""
BLACK = 0.1
"""Level, against the upper quartile of the recording, below which a frame is dark whatever those nearby are."""
STEADY = 5.0
"""How many times the usual fluctuation a fault is at least."""
SATURATED = 0.001
"""Share of pixels at the ceiling from which a frame counts as saturated."""
BLURRED = 0.5
"""Fall of the logarithm of sharpness: detail at less than 0.6 of what it is nearby.  In real recordings it falls by 0.4
at most where it is steady; a blur of 1.5 pixels takes 0.6 to 1.2, one of 2.5 pixels 1.1 to 2.4."""
DOUBLED = (0.2, 0.5)
"""Difference from the frame before, against the usual one and against the noise of two exposures.  In real recordings
it is at least 0.36 of the usual one, but for frames that are the same; and the noise of two exposures never is."""


NOISE_ONLY = 6.0
"""Structure of its clearest frame, in standard deviations, below which a recording is noise.  White noise has 1 to 2,
4 once in thousands of frames; real recordings 50 (24 x 122 pixels), most 500 and more."""


def constant(looks: Sequence[Look | None]) -> bool:
    """Whether every frame that can be read is one value."""
    known = [look for look in looks if look is not None]
    return bool(known) and all(look.structure == 0 for look in known)


def noise_only(looks: Sequence[Look | None]) -> bool:
    """Whether no frame shows anything larger than a pixel."""
    known = [look.structure for look in looks if look is not None]
    return bool(known) and not constant(looks) and max(known) < NOISE_ONLY


def dark_and_bright(looks: Sequence[Look | None]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Frames much darker, and much brighter, than those nearby; None stands for frames that could not be read."""
    means = _values(looks, lambda look: look.mean)
    if np.isfinite(means).sum() < 3:
        return (), ()
    black = float(np.nanmin(_values(looks, lambda look: look.low)))
    levels = np.maximum(means - black, 0.0)
    off = levels < BLACK * np.nanquantile(levels, 0.75)
    lit = np.where(off, np.nan, levels)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = lit / nearby(lit)
    beyond = np.abs(ratio - 1) > STEADY * _fluctuation(ratio - 1)
    return _where(off | beyond & (ratio < DARK)), _where(beyond & (ratio > BRIGHT))


def saturated(looks: Sequence[Look | None], dtype: np.dtype[Any]) -> tuple[int, ...]:
    """Frames with a pile of pixels at the ceiling: the dtype's, or the highest value that piles up anywhere."""
    piled = {t: look.top for t, look in enumerate(looks) if look is not None and look.at_top >= SATURATED}
    ceiling = max(piled.values(), default=0.0)
    most = float(np.iinfo(dtype).max) if dtype.kind in "iu" else np.inf
    return tuple(t for t, top in piled.items() if top in (ceiling, most))


def blurred(looks: Sequence[Look | None], unusable: frozenset[int]) -> tuple[int, ...]:
    """Frames less sharp than those nearby; frames that are ``unusable`` anyway neither count nor are compared with."""
    sharpness = _values(looks, lambda look: look.sharpness)
    sharpness[list(unusable)] = np.nan
    fall = nearby(sharpness) - sharpness
    return _where(fall > max(BLURRED, STEADY * _fluctuation(fall)))


def doubled(
    looks: Sequence[Look | None], differences: NDArray[np.float64], unusable: frozenset[int]
) -> tuple[int, ...]:
    """Frames that are the one before once more; ``differences`` (T,) are root mean squares, NaN where there is none."""
    known = differences.copy()
    known[list(unusable)] = np.nan
    # Of equal frames there may be as many as of others.
    others = known[np.isfinite(known) & (known > 0)]
    usual = float(np.median(others)) if len(others) else 0.0
    noise = np.sqrt(2) * _values(looks, lambda look: look.noise)
    return _where((known == 0) | (known < DOUBLED[0] * usual) & (known < DOUBLED[1] * noise))


def nearby(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of the frames around each frame (T,), itself and NaN left out; NaN where there are fewer than two."""
    made = np.full(len(values), np.nan)
    for t in range(len(values)):
        around = np.concatenate([values[max(0, t - NEAR) : t], values[t + 1 : t + 1 + NEAR]])
        around = around[np.isfinite(around)]
        if len(around) >= 2:
            made[t] = np.median(around)
    return made


def _fluctuation(values: NDArray[np.float64]) -> float:
    """Standard deviation, from the median of the sizes."""
    known = values[np.isfinite(values)]
    return float(1.4826 * np.median(np.abs(known))) if len(known) else 0.0


def _values(looks: Sequence[Look | None], of: Callable[[Look], float]) -> NDArray[np.float64]:
    return np.array([np.nan if look is None else of(look) for look in looks], np.float64)


def _where(condition: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(t) for t in np.flatnonzero(condition))

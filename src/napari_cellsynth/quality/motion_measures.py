"""What is compared of how cells move: four numbers of any set of paths, in physical units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.motion.statistics import mean_squared_displacement, turning_angles, velocity_autocorrelation

Floats = NDArray[np.float64]
FAR = 10
"""Frames over which it is asked how far cells get, where paths are long enough."""


@dataclass(frozen=True)
class Measure:
    """A number of a set of paths (n, 2) in consecutive frames."""

    name: str
    words: str
    unit: str
    value: Callable[[Sequence[Floats]], float]


def measures_of(length: str, time: str, interval: float, shortest: int) -> tuple[Measure, ...]:
    """The measures in units of length and time; ``shortest``: frames of the shortest path of all that are compared."""
    far = max(1, min(FAR, shortest - 1))
    after = f"{far} {'frame' if far == 1 else 'frames'}" if time == "frame" else f"{far * interval:.3g} {time}"
    return (
        Measure("speed", "speed", f"{length}/{time}", lambda paths: _mean(step_lengths(paths)) / interval),
        Measure("turning", "turning angle", "\u00b0", lambda paths: _mean(np.abs(angles(paths)))),
        Measure("kept", "velocity autocorrelation", "", lambda paths: _kept(paths)),
        Measure("far", f"distance after {after}", length, lambda paths: _far(paths, far)),
    )


def step_lengths(paths: Sequence[Floats]) -> Floats:
    """(k,) of all steps of all paths."""
    return _joined([np.hypot(*np.diff(path, axis=0).T) for path in paths])


def angles(paths: Sequence[Floats]) -> Floats:
    """(k,) turning angles in degrees, from -180 to 180, of all paths."""
    return np.degrees(_joined([turning_angles(path) for path in paths]))


def _joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate(parts) if parts else np.empty(0)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _kept(paths: Sequence[Floats]) -> float:
    """Velocity autocorrelation from one frame to the next; 0 for Brownian motion, 1 straight on."""
    long = [path for path in paths if len(path) > 2]
    if not long:
        return float("nan")
    curve = velocity_autocorrelation(long, lags=1)
    return float(curve.value[1]) if len(curve.value) > 1 else float("nan")


def _far(paths: Sequence[Floats], frames: int) -> float:
    """Root of the mean squared displacement after so many frames."""
    long = [path for path in paths if len(path) > frames]
    return float(np.sqrt(mean_squared_displacement(long, lags=frames).value[-1])) if long else float("nan")

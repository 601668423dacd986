"""What tracks say of how cells move: speed, displacement, turning, mean squared displacement, persistence.

A *path* is an array (n, 2) of positions y, x of one cell in consecutive
frames, in micrometres or pixels; a track with gaps is several paths.  Times
are in seconds, or in frames where the interval is not known (interval 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.tracks import Tracks

Floats = NDArray[np.float64]
STILL = 1e-9
"""Part of the usual step below which a step has no direction."""
SCAN = 160
"""Persistence times that are tried before the best is refined."""


@dataclass(frozen=True)
class Units:
    """In what the numbers of a recording's tracks are."""

    scale: tuple[float, float]
    """Height and width of a pixel in units of length."""
    interval: float
    """Of two frames, in units of time."""
    length: str
    """``µm``, or ``px`` where nobody said the size of a pixel."""
    time: str
    """``s``, or ``frame``."""


def units_of(tracks: Tracks) -> Units:
    """Micrometres and seconds where they are known."""
    known, timed = tracks.pixel_size is not None, tracks.frame_interval is not None
    return Units(
        scale=tracks.pixel_size or (1.0, 1.0),
        interval=tracks.frame_interval or 1.0,
        length="\u00b5m" if known else "px",
        time="s" if timed else "frame",
    )


def runs(t: NDArray[np.int64], positions: Floats) -> list[Floats]:
    """The paths of a track: frames (n,) ascending and positions (n, 2), parted where frames are missing."""
    return np.split(positions, np.flatnonzero(np.diff(t) > 1) + 1)


# -- of single steps -------------------------------------------------------------------------------------------------


def speeds(t: NDArray[np.int64], positions: Floats, interval: float = 1.0) -> Floats:
    """(n - 1,) distance over time from each row to the next; across a gap, over the time that it lasted."""
    return np.hypot(*np.diff(positions, axis=0).T) / (np.diff(t) * interval)


def turning_angles(path: Floats) -> Floats:
    """(k,) radians in (-pi, pi] between each step and the next, positive clockwise on the screen (y downwards).

    0 straight on, pi straight back.  Steps without length have no direction,
    and give no angle.
    """
    step = np.diff(path, axis=0)
    long = np.hypot(*step.T)
    there = long > STILL * (np.median(long) if len(long) else 0.0)
    pair = there[1:] & there[:-1]
    before, after = step[:-1][pair], step[1:][pair]
    cross = before[:, 1] * after[:, 0] - before[:, 0] * after[:, 1]
    return np.arctan2(cross, (before * after).sum(1))


# -- of many paths ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Curve:
    """A mean at several lags."""

    lag: Floats
    """(k,) in units of time."""
    value: Floats
    """(k,)"""
    pairs: NDArray[np.int64]
    """(k,) over how many pairs of frames the mean is; those of one path overlap and are not independent."""


def mean_squared_displacement(paths: Sequence[Floats], *, interval: float = 1.0, lags: int | None = None) -> Curve:
    """Mean squared distance between positions 1, 2, … frames apart, over all pairs of all paths.

    Args:
        lags: how many (None: up to a quarter of the longest path, where pairs are many; at least 1).
    """
    most = max((len(path) for path in paths), default=0) - 1
    if most < 1:
        raise BadInput("no path of at least two frames given; a mean squared displacement needs one")
    count = min(most, lags or max(1, (most + 1) // 4))
    sums, pairs = np.zeros(count), np.zeros(count, np.int64)
    for path in paths:
        for k in range(1, min(count, len(path) - 1) + 1):
            moved = path[k:] - path[:-k]
            sums[k - 1] += float((moved**2).sum())
            pairs[k - 1] += len(moved)
    return Curve(np.arange(1, count + 1, dtype=np.float64) * interval, sums / np.maximum(pairs, 1), pairs)


def velocity_autocorrelation(paths: Sequence[Floats], *, interval: float = 1.0, lags: int | None = None) -> Curve:
    """Mean scalar product of velocities 0, 1, … frames apart, over that of each with itself: 1 at lag 0."""
    most = max((len(path) for path in paths), default=0) - 1
    if most < 1:
        raise BadInput("no path of at least two frames given; a velocity autocorrelation needs one")
    count = min(most, (lags or max(1, (most + 1) // 4)) + 1)
    sums, pairs = np.zeros(count), np.zeros(count, np.int64)
    for path in paths:
        step = np.diff(path, axis=0)
        for k in range(min(count, len(step))):
            sums[k] += float((step[k:] * step[: len(step) - k]).sum())
            pairs[k] += len(step) - k
    mean = sums / np.maximum(pairs, 1)
    return Curve(
        np.arange(count, dtype=np.float64) * interval, mean / mean[0] if mean[0] > 0 else np.zeros(count), pairs
    )


@dataclass(frozen=True)
class RandomWalk:
    """A persistent random walk (Fürth 1920) in the plane: MSD = 2 S² P² (t/P - 1 + exp(-t/P)) + 4 s²."""

    speed: float
    """S: root of the mean squared speed, length over time."""
    persistence: float
    """P: time after which a direction is forgotten."""
    noise: float
    """s: standard deviation of the measured position, along each axis."""
    diffusion: float
    """S² P / 2: after long times MSD = 4 D t."""
    seen: str
    """``yes``; ``too short`` where P is below half an interval and S cannot be told (D can); ``too long`` where P is
    beyond the longest lag."""

    def msd(self, lag: Floats) -> Floats:
        """(k,) at times (k,)."""
        return self.speed**2 * _fuerth(np.asarray(lag, np.float64), self.persistence) + 4 * self.noise**2


def fit_random_walk(curve: Curve) -> RandomWalk:
    """The walk whose mean squared displacement is nearest to a curve, in parts of it; few pairs count less.

    For each persistence time speed and noise follow by linear least squares,
    so that no start is guessed.  BadInput for fewer than three lags.
    """
    if len(curve.lag) < 3 or not (curve.value > 0).all():
        raise BadInput(
            f"a mean squared displacement at {len(curve.lag)} lags given; a random walk needs three, with motion in all"
        )
    interval, longest = float(curve.lag[0]), float(curve.lag[-1])
    # The spread of a mean over overlapping pairs grows with the lag and with its value.
    weight = np.sqrt(curve.pairs * interval / curve.lag) / curve.value

    def left(persistence: float) -> tuple[float, float, float]:
        return _linear(_fuerth(curve.lag, persistence), curve.value, weight)

    low, high = 0.05 * interval, 20 * longest
    times = np.geomspace(low, high, SCAN)
    for _ in range(3):
        best = int(np.argmin([left(one)[0] for one in times]))
        times = np.geomspace(times[max(0, best - 1)], times[min(len(times) - 1, best + 1)], 20)
    persistence = float(times[int(np.argmin([left(one)[0] for one in times]))])
    _, squared, rest = left(persistence)
    seen = "too short" if persistence < 0.5 * interval else "too long" if persistence > longest else "yes"
    return RandomWalk(
        speed=float(np.sqrt(squared)),
        persistence=persistence,
        noise=float(np.sqrt(rest / 4)),
        diffusion=squared * persistence / 2,
        seen=seen,
    )


def _fuerth(lag: Floats, persistence: float) -> Floats:
    """MSD of a walk of speed 1."""
    ratio = lag / persistence
    # expm1 keeps what is left of short lags, where 1 - t/P cancels.
    return 2 * persistence**2 * (ratio + np.expm1(-ratio))


def _linear(shape: Floats, value: Floats, weight: Floats) -> tuple[float, float, float]:
    """Least weighted squares of a * shape + b with a, b >= 0: squares that are left, a, b."""
    w2 = weight**2
    choices = [((w2 * shape * value).sum() / (w2 * shape**2).sum(), 0.0), (0.0, (w2 * value).sum() / w2.sum())]
    matrix = np.array([[(w2 * shape**2).sum(), (w2 * shape).sum()], [(w2 * shape).sum(), w2.sum()]])
    if abs(np.linalg.det(matrix)) > 1e-12 * matrix[0, 0] * matrix[1, 1]:
        a, b = np.linalg.solve(matrix, [(w2 * shape * value).sum(), (w2 * value).sum()])
        if a >= 0 and b >= 0:
            choices.append((float(a), float(b)))
    return min((float((w2 * (a * shape + b - value) ** 2).sum()), float(a), float(b)) for a, b in choices)


# -- of each track ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TrackRow:
    """One track in numbers, in the units of :func:`units_of`; not a number where it is too short."""

    track: int
    parent: int
    """0 for none."""
    first: int
    """First and last frame, counted from 0."""
    last: int
    frames: int
    """With the cell; fewer than from first to last where there are gaps."""
    duration: float
    """Time from first to last frame."""
    path_length: float
    displacement: float
    """Distance of the last position from the first."""
    straightness: float
    """Displacement over path length: 1 straight on."""
    speed: float
    """Mean over steps, length over time."""
    top_speed: float
    turning: float
    """Mean size of the turning angles, degrees: 90 for a random direction each frame."""
    msd: float
    """Mean squared displacement from frame to frame, squared length."""
    area: float
    """Median, squared length; not a number where outlines are not known."""


def track_rows(tracks: Tracks) -> list[TrackRow]:
    """Every track in numbers, by its number."""
    units = units_of(tracks)
    areas = tracks.features.get("area")
    return [_row(tracks, number, units, areas) for number in tracks.numbers().tolist()]


def _row(tracks: Tracks, number: int, units: Units, areas: NDArray[np.generic] | None) -> TrackRow:
    t, pixels = tracks.track(number)
    positions = pixels * np.array(units.scale)
    speed = speeds(t, positions, units.interval)
    own = runs(t, positions)
    angles = np.concatenate([turning_angles(run) for run in own])
    squares = np.concatenate([(np.diff(run, axis=0) ** 2).sum(1) for run in own])
    length = float(np.hypot(*np.diff(positions, axis=0).T).sum())
    away = float(np.hypot(*(positions[-1] - positions[0])))
    area = np.nan if areas is None else float(np.median(areas[tracks.rows(number)].astype(np.float64)))
    return TrackRow(
        track=number,
        parent=tracks.parents.get(number, 0),
        first=int(t[0]),
        last=int(t[-1]),
        frames=len(t),
        duration=float(t[-1] - t[0]) * units.interval,
        path_length=length,
        displacement=away,
        straightness=away / length if length > 0 else np.nan,
        speed=_mean(speed),
        top_speed=float(speed.max()) if len(speed) else np.nan,
        turning=float(np.degrees(_mean(np.abs(angles)))),
        msd=_mean(squares),
        area=area * units.scale[0] * units.scale[1],
    )


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")

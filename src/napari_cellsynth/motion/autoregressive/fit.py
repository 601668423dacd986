"""Fit an autoregressive process to tracks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

import numpy as np

from napari_cellsynth import __version__
from napari_cellsynth.motion.autoregressive.baselines import (
    ahead,
    baselines,
    chance,
    distance,
    moved_ahead,
    persistence,
)
from napari_cellsynth.motion.autoregressive.gram import Floats, lagged
from napari_cellsynth.motion.autoregressive.grid import GridPoint, Searched, search
from napari_cellsynth.motion.autoregressive.model import MotionFit
from napari_cellsynth.motion.autoregressive.next_step import NO_STEPS, next_step
from napari_cellsynth.motion.autoregressive.readings import Observations, observe, root_mean_square
from napari_cellsynth.motion.autoregressive.settings import MotionSettings
from napari_cellsynth.motion.autoregressive.simulate import simulate_paths, simulate_tracks
from napari_cellsynth.motion.autoregressive.stability import LIMIT, shrunk, spectral_radius, yule_walker
from napari_cellsynth.motion.paths import paths_of
from napari_cellsynth.motion.tracks.hashing import tracks_hash
from napari_cellsynth.motion.tracks.tracks import Tracks

__all__ = ["GridPoint", "MotionFit", "MotionSettings", "fit_motion", "simulate_paths", "simulate_tracks"]

AHEAD = 10
"""Frames ahead that a free run is judged for."""


def fit_motion(recordings: Sequence[Tracks], settings: MotionSettings | None = None) -> MotionFit:
    """Fit equations 3 and 4 to the tracks of one condition: search q and d, judged by what is held out.

    The coefficients are those that were judged: they have not learned from
    what is held out.

    Raises:
        BadInput: no cells, one frame, tracks too short for the largest d, conditions, units or intervals mixed.
    """
    how = settings or MotionSettings()
    paths = paths_of(recordings, how.shared_motion)
    seen = observe(paths, how)
    found = search(seen, how)
    q, d = found.chosen.q, found.chosen.d
    c, b, estimator = found.space.c[:, :q], *_stable(seen, found)
    moves = next_step(seen, found, how.window) if not seen.joint else NO_STEPS
    free, by_chance = _free_run(seen, found, c, b, moves.predicts)
    return MotionFit(
        q=q,
        d=d,
        C=c,
        B=b,
        mean=found.space.mean,
        noise_u=found.space.noise_u[q - 1],
        noise_v=_left(found, b),
        spectral_radius=spectral_radius(b),
        reading=how.reading,
        grid=found.points,
        baselines=baselines(seen),
        units=paths.units,
        error=free[0],
        chance=by_chance if isfinite(by_chance) else None,
        window=how.window,
        cells=seen.cells,
        left_out=seen.left_out,
        held_out=seen.held_cells,
        frames=seen.frames,
        frame_interval=paths.frame_interval,
        pixel_size=paths.pixel_size,
        shape=paths.shape,
        recordings=paths.names,
        hashes=tuple(map(tracks_hash, recordings)),
        condition=paths.condition,
        estimator=estimator,
        steps=moves.steps,
        noise_step=moves.noise,
        steps_estimator=moves.estimator,
        step=root_mean_square(seen),
        persistence=persistence(seen),
        free_run={"model": tuple(free), **{name: tuple(errors) for name, errors in ahead(seen, AHEAD).items()}},
        shared=paths.shared,
        settings=how.model_dump(mode="json"),
        version=__version__,
    )


def _stable(seen: Observations, found: Searched) -> tuple[Floats, str]:
    """B by least squares; where that is not stable, of two estimators that are, the one that leaves less.

    Moving all poles inwards changes little where they are a little too far
    out; where they are far out, Yule-Walker's estimate is nearer.
    """
    q, d = found.chosen.q, found.chosen.d
    b = found.gram.solve(q, d)[:, :q].reshape(d, q, q).transpose(0, 2, 1)
    if spectral_radius(b) < LIMIT:
        return b, "least squares"
    learned = [x for x in _sequences(seen, found.space.x[:, :q], seen.learned) if len(x)]
    # Where states hardly change, rounding may leave a pole of Yule-Walker's at the limit.
    kinds = {"least squares, shrunk": shrunk(b), "Yule-Walker": shrunk(yule_walker(learned, d))}
    left = {name: float(np.trace(_left(found, one))) for name, one in kinds.items()}
    name = min(left, key=lambda one: left[one])
    return kinds[name], name


def _left(found: Searched, b: Floats) -> Floats:
    """(q, q) covariance of v for these B."""
    d, q, _ = b.shape
    coefficients = np.zeros((d * q, len(found.gram.tt)))
    coefficients[:, :q] = b.transpose(0, 2, 1).reshape(d * q, q)
    return found.gram.residual(q, d, coefficients)[:q, :q]


def _sequences(seen: Observations, x: Floats, rows: np.ndarray) -> list[Floats]:
    parts = np.split(np.arange(len(x)), seen.starts[1:])
    return [x[part[rows[part]]] for part in parts]


def _free_run(seen: Observations, found: Searched, c: Floats, b: Floats, steps: Floats) -> tuple[list[float], float]:
    """Errors 1, 2, … frames ahead, each from what was seen before a held-out row; and what of the first is chance."""
    wanted = moved_ahead(seen, AHEAD)
    rows = wanted[0][0]
    moved = _moved_jointly(seen, found, c, b, rows) if seen.joint else _moved_alone(seen, found, steps, rows)
    errors: list[float] = []
    doubtful = 0.0
    for mine, true in wanted:
        made = next(moved)
        doubtful = doubtful if errors else chance(seen, made)
        errors.append(distance(true - made[np.isin(rows, mine)]))
    return errors, doubtful


def _moved_alone(seen: Observations, found: Searched, steps: Floats, rows: np.ndarray) -> Iterator[Floats]:
    """Of each row (R,) how far the cell is 1, 2, … frames on, (R, 1, 2)."""
    mean, order = found.space.mean[:2], len(steps)
    window = seen.y.shape[1] // 2
    # The newest window, then of older ones the displacement that falls out of it.
    recent = (seen.y[rows - 1] - found.space.mean).reshape(len(rows), window, 2)
    last = seen.y[:, None, -2:] - found.space.mean[-2:]
    past = np.concatenate([recent, *(last[rows - 1 - k] for k in range(1, order - window + 1))], axis=1)
    total = np.zeros((len(rows), 2))
    while True:
        step = np.einsum("rjk,jlk->rl", past, steps)
        past = np.concatenate([step[:, None], past[:, :-1]], axis=1)
        total = total + step + mean
        yield total[:, None]


def _moved_jointly(seen: Observations, found: Searched, c: Floats, b: Floats, rows: np.ndarray) -> Iterator[Floats]:
    """Of each row (R,) how far the cells are from where they were before it, 1, 2, … frames on, (R, N, 2)."""
    d, q, _ = b.shape
    past = lagged(found.space.x[:, :q], rows, d).reshape(len(rows), d, q)
    before = seen.y[rows - 1]
    while True:
        state = np.einsum("rkj,kij->ri", past, b)
        past = np.concatenate([state[:, None], past[:, :-1]], axis=1)
        yield (found.space.mean + state @ c.T - before).reshape(len(rows), -1, 2)

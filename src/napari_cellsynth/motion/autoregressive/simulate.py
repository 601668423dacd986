"""New paths from a fit: as many cells and frames as wanted, each path from the seed and its number alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.autoregressive.fit_files import fit_hash
from napari_cellsynth.motion.autoregressive.model import MotionFit
from napari_cellsynth.motion.autoregressive.stability import root, stationary
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.stack.provenance import provenance_block

Floats = NDArray[np.float64]
Edges = Literal["reflect", "leave"]
_STATE, _OBSERVED, _PLACE = 0, 1, 2
"""What a generator of random numbers is for."""


def simulate_paths(fit: MotionFit, cells: int, frames: int, *, seed: int = 0) -> Floats:
    """(cells, frames, 2) positions, y and x in ``fit.units``, each relative to the cell's own start.

    They begin in the stationary distribution of the process, as after an
    endless run before.  Path i depends on (seed, i) alone, and its first
    frames do not depend on how many there are.  In the joint reading cell i
    is pair i % N of sequence i // N: cells of one sequence move together.

    Raises:
        BadInput: no cells, no frames, or a seed below 0.
    """
    if cells < 1 or frames < 1:
        raise BadInput(f"{cells} cells in {frames} frames given; expected at least one of each")
    if seed < 0:
        raise BadInput(f"seed {seed} given; expected a whole number from 0")
    return _jointly(fit, cells, frames, seed) if fit.reading == "joint" else _alone(fit, cells, frames, seed)


def _alone(fit: MotionFit, cells: int, frames: int, seed: int) -> Floats:
    """Each cell's next displacement from its last ones, and noise."""
    moved = _process(fit.steps, fit.noise_step, range(cells), frames - 1, lambda i: _draws(seed, i, _STATE))
    start = np.zeros((cells, 1, 2))
    return np.concatenate([start, np.cumsum(moved + fit.mean[:2], axis=1)], axis=1)


def _jointly(fit: MotionFit, cells: int, frames: int, seed: int) -> Floats:
    """Sequences of y_t = mean + C x_t + u_t, cut into pairs of rows."""
    pairs = len(fit.mean) // 2
    sequences = range(-(-cells // pairs))
    x = _process(fit.B, fit.noise_v, sequences, frames, lambda k: _draws(seed, k, _STATE))
    noise = [_draws(seed, k, _OBSERVED).standard_normal((frames, 2 * pairs)) for k in sequences]
    y = fit.mean + x @ fit.C.T + np.stack(noise) * np.sqrt(fit.noise_u)
    paths = y.reshape(len(sequences), frames, pairs, 2).transpose(0, 2, 1, 3).reshape(-1, frames, 2)[:cells]
    return paths - paths[:, :1]


def _process(
    b: Floats, noise: Floats, numbers: range, frames: int, draws: Callable[[int], np.random.Generator]
) -> Floats:
    """(paths, frames, q) of x_t = sum B_k x_{t-k} + v_t, from its stationary distribution on."""
    d, q, _ = b.shape
    begin, kick = root(stationary(b, noise)), root(noise)
    drawn = [(one.standard_normal(d * q), one.standard_normal((frames, q))) for one in map(draws, numbers)]
    past = (np.stack([first for first, _ in drawn]) @ begin.T).reshape(-1, d, q)
    kicks = np.stack([later for _, later in drawn]) @ kick.T
    found = np.empty_like(kicks)
    for t in range(frames):
        found[:, t] = np.einsum("rkj,kij->ri", past, b) + kicks[:, t]
        past = np.concatenate([found[:, t, None], past[:, :-1]], axis=1)
    return found


def _draws(seed: int, number: int, what: int) -> np.random.Generator:
    return np.random.default_rng([seed, number, what])


def simulate_tracks(
    fit: MotionFit,
    cells: int,
    frames: int,
    *,
    seed: int = 0,
    field: tuple[int, int] | None = None,
    edges: Edges = "reflect",
) -> Tracks:
    """The same as tracks in pixels, numbered from 1, each from a place in the field that is drawn evenly.

    Args:
        field: height and width in pixels (None: those of the fit's recordings).
        edges: ``reflect`` turns cells back at the field's edge; ``leave`` ends a track where it leaves.
    """
    height, width = field or fit.shape
    if height < 1 or width < 1:
        raise BadInput(f"a field of {height} x {width} pixels given; expected at least 1 x 1")
    side = np.array([height, width]) - 1.0
    scale = np.array(fit.pixel_size if fit.pixel_size is not None else (1.0, 1.0))
    start = np.stack([_draws(seed, i, _PLACE).random(2) for i in range(cells)]) if cells > 0 else np.empty((0, 2))
    places = start[:, None] * side + simulate_paths(fit, cells, frames, seed=seed) / scale
    there = np.ones(places.shape[:2], bool)
    if edges == "leave":
        inside = ((places >= 0) & (places <= side)).all(2)
        there = np.logical_and.accumulate(inside, axis=1)
    else:
        folded = np.mod(places, np.maximum(2 * side, 1e-9))
        places = np.minimum(folded, 2 * side - folded)
    number, t = np.nonzero(there)
    return Tracks(
        number + 1,
        t,
        places[number, t, 0],
        places[number, t, 1],
        pixel_size=fit.pixel_size,
        frame_interval=fit.frame_interval,
        shape=(height, width),
        name=f"simulated {fit.condition or 'motion'}",
        condition=fit.condition,
        provenance=provenance(fit, {"cells": cells, "frames": frames, "edges": edges}, seed),
    )


def provenance(fit: MotionFit, settings: dict[str, object], seed: int) -> dict[str, object]:
    """Where simulated tracks come from, as all our outputs say it."""
    about: dict[str, object] = {"reading": fit.reading, "q": fit.q, "d": fit.d, "recordings": list(fit.recordings)}
    taken = [{"recording": one.recording, "size": one.size, "units": fit.units} for one in fit.shared if one.taken_out]
    if taken:
        about["shared_motion_taken_out"] = taken
    inputs = [{"name": fit.condition or "motion", "is": "fit", "hash": fit_hash(fit)}]
    block = provenance_block(made_by="motion simulate", synthetic=True, seed=seed, settings=settings, inputs=inputs)
    return {**block, "motion": about}

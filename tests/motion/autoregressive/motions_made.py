"""Motion with known answers, made with numpy alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_cellsynth.motion.tracks.tracks import Tracks


def tracks_of(paths: np.ndarray, **about: Any) -> Tracks:
    """Tracks of (cells, frames, 2), y and x in pixels."""
    cells, frames, _ = paths.shape
    ids, t = np.repeat(np.arange(1, cells + 1), frames), np.tile(np.arange(frames), cells)
    about = {"pixel_size": (0.5, 0.5), "frame_interval": 2.0, "condition": "control", **about}
    return Tracks(ids, t, paths[..., 0].ravel(), paths[..., 1].ravel(), **about)


def walk(cells: int, frames: int, kept: float, seed: int = 0, noise: float = 0.0) -> np.ndarray:
    """(cells, frames, 2) in pixels: steps of variance 1 along each axis, of which a part is kept in each frame."""
    draws = np.random.default_rng(seed)
    step = np.zeros((cells, frames, 2))
    step[:, 0] = draws.normal(size=(cells, 2))
    for t in range(1, frames):
        step[:, t] = kept * step[:, t - 1] + np.sqrt(1 - kept**2) * draws.normal(size=(cells, 2))
    return 200 + np.cumsum(step, axis=1) + noise * draws.normal(size=step.shape)


def process(b: np.ndarray, frames: int, sequences: int = 1, seed: int = 0) -> np.ndarray:
    """(sequences, frames, q) of x_t = sum B_k x_{t-k} + v_t with white v of variance 1, after a long beginning."""
    d, q, _ = b.shape
    draws = np.random.default_rng(seed)
    x = np.zeros((sequences, frames + 300, q))
    noise = draws.normal(size=x.shape)
    for t in range(x.shape[1]):
        x[:, t] = noise[:, t]
        for k in range(1, min(d, t) + 1):
            x[:, t] += x[:, t - k] @ b[k - 1].T
    return x[:, 300:]


def straight_on(cells: int, frames: int, seed: int = 0) -> np.ndarray:
    """(cells, frames, 2) in pixels: each cell at a velocity of its own, and a little noise of measuring."""
    draws = np.random.default_rng(seed)
    velocity = 2 * draws.normal(size=(cells, 1, 2))
    return 200 + velocity * np.arange(frames)[:, None] + 0.05 * draws.normal(size=(cells, frames, 2))

"""A fitted motion: the two equations with their numbers, how they were judged, and of what they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.motion.autoregressive.grid import GridPoint
from napari_cellsynth.motion.autoregressive.settings import Reading
from napari_cellsynth.motion.autoregressive.stability import poles, spectral_radius
from napari_cellsynth.motion.shake import Shared

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MotionFit:
    """y_t = mean + C x_t + u_t;  x_t = B_1 x_{t-1} + … + B_d x_{t-d} + v_t (equations 3 and 4).

    Reading ``cell``: y_t (2 L,) are the last L displacements of one cell, the
    newest first, y before x.  Reading ``joint``: y_t (2 N,) are the positions
    of N cells, each from its own start.  All in ``units``.
    """

    q: int
    d: int
    C: Floats
    """(D, q), orthonormal columns."""
    B: Floats
    """(d, q, q)"""
    mean: Floats
    """(D,)"""
    noise_u: Floats
    """(D,) variance of each coordinate of u."""
    noise_v: Floats
    """(q, q) covariance of v."""
    spectral_radius: float
    """Of the companion matrix of B; below 1 the process is stable."""
    reading: Reading
    grid: tuple[GridPoint, ...]
    baselines: Mapping[str, float]
    """Error of standing still, the mean drift, constant velocity and a persistent random walk, on the same rows."""
    units: str
    """``micrometer``, or ``pixel`` where nobody said the size of one."""
    error: float
    """Root mean squared distance of predicted and true next position, held out, of what is kept here."""
    window: int
    """L of the reading ``cell``."""
    cells: int
    """Cells that were learned from or held out."""
    left_out: int
    """Cells that were too short."""
    held_out: tuple[int, ...]
    """Cells that judge, as ``Paths.cell`` counts them; empty in the joint reading, which holds out time."""
    frames: int
    """Of the longest track; in the joint reading those of the window that all N share."""
    frame_interval: float | None
    """Seconds."""
    pixel_size: tuple[float, float] | None
    """Height and width of a pixel in micrometres."""
    shape: tuple[int, int]
    """Height and width in pixels of the field that the cells were seen in."""
    recordings: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    """Of what each recording's tracks hold (``tracks_hash``); empty of a fit that an earlier version wrote."""
    condition: str | None = None
    estimator: str = "least squares"
    """``least squares``, or what was taken where that was not stable."""
    steps: Floats = field(default_factory=lambda: np.zeros((0, 2, 2)))
    """(L + d - 1, 2, 2), reading ``cell``: the next displacement from the last ones, each less its mean."""
    noise_step: Floats = field(default_factory=lambda: np.zeros((0, 2)))
    """(2, 2), reading ``cell``: covariance of noise with which cells are as fast as those that were learned from."""
    steps_estimator: str = ""
    """Reading ``cell``: ``least squares``, or ``Yule-Walker`` where that would not be as fast, of ``steps``."""
    step: float | None = None
    """Root mean square of the displacements that were learned from, in units; None of a fit of an earlier version."""
    persistence: float = 0.0
    """Of the baseline random walk: what is left of a displacement one frame later."""
    free_run: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Errors 1, 2, … frames ahead of ``model`` and the baselines, in units."""
    chance: float | None = None
    """Standard error of ``error`` over that of the best baseline, as held-out cells (jointly: frames) differ; None
    where a single one judges, or an earlier version wrote the fit."""
    shared: tuple[Shared, ...] = ()
    """What the cells of each recording did together; what was taken out of it is in none of the coefficients.  Empty
    of a fit that an earlier version wrote, where all of it is."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""

    def __post_init__(self) -> None:
        # One order in memory: the same numbers give the same paths to the last bit, read from a file or not.
        for name in ("C", "B", "mean", "noise_u", "noise_v", "steps", "noise_step"):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), np.float64))

    @property
    def poles(self) -> NDArray[np.complex128]:
        """(d q,) eigenvalues of the companion matrix, the largest first."""
        return poles(self.B)

    @property
    def steps_radius(self) -> float:
        """Spectral radius of ``steps``, which the reading ``cell`` is simulated from; of B in the other."""
        return self.spectral_radius if self.reading == "joint" else spectral_radius(self.steps)

    @property
    def best_baseline(self) -> str:
        """Name of the one with the least error."""
        return min(self.baselines, key=lambda name: self.baselines[name])

    def states(self, path: Floats) -> Floats:
        """(n - L, q) states of a path (n, 2) in units, of the reading ``cell``; BadInput for the other."""
        from napari_cellsynth.errors import BadInput
        from napari_cellsynth.motion.autoregressive.readings import windows

        if self.reading == "joint":
            raise BadInput("a joint fit has states of all its cells together, not of one path")
        if len(path) <= self.window:
            return np.empty((0, self.q))
        return (windows(path, self.window) - self.mean) @ self.C

    def to_json(self, path: Path | str) -> Path:
        """Write to a file .json; its keys stand in docs/motion.md."""
        from napari_cellsynth.motion.autoregressive.fit_files import write_fit

        return write_fit(self, Path(path))

    @classmethod
    def from_json(cls, path: Path | str) -> MotionFit:
        """Read; BadInput for another file, or a damaged one."""
        from napari_cellsynth.motion.autoregressive.fit_files import read_fit

        return read_fit(Path(path))

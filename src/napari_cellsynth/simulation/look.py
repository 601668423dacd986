"""How a cell looks: the one thing that compositing knows about cells, wherever they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from napari_cellsynth.simulation.noise import Noise


@dataclass(frozen=True, eq=False)
class Look:
    """One cell in one frame; all arrays (h, w) have the cell in their middle."""

    light: np.ndarray
    """float32: difference from the background in intensity units, halo or shadow included."""
    alpha: np.ndarray
    """float32 in [0, 1]: how much of ``light`` counts; 1 in the cell and its halo, falling to 0 at the rim."""
    mask: np.ndarray
    """bool: the cell itself."""
    kept: np.ndarray | None = None
    """float32 in [0, 1]: share of the recording's noise (of its standard deviation) that ``light`` still holds, so that
    only what is missing is added; None for light without noise."""


class Appearance(Protocol):
    """Where looks come from: cut-out cells, or a model."""

    @property
    def pixel_size(self) -> tuple[float, float] | None:
        """Height and width of a pixel in micrometres."""
        ...

    @property
    def recording_pixel(self) -> tuple[float, float] | None:
        """Height and width of a pixel in pixels of the recordings that the cells come from, which crops may have been
        resampled from; None where that is not known: as large as those."""
        ...

    @property
    def modality(self) -> str | None:
        """``dic``, ``phase-contrast``, ``brightfield``, ``fluorescence``, or None where nobody said."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the recording that the looks resemble."""
        ...

    @property
    def frame_interval(self) -> float | None:
        """Seconds between two looks of a sequence; None where looks have no time of their own."""
        ...

    @property
    def level(self) -> float:
        """Intensity of the background that the looks differ from."""
        ...

    @property
    def noise(self) -> Noise:
        """Of the background around the cells."""
        ...

    @property
    def reach(self) -> int:
        """Pixels from a cell's edge up to which it changes its surroundings (halo, shadow)."""
        ...

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where the looks come from, JSON-safe; names and hashes."""
        ...

    def sequence(self, cell: int, frames: int, seed: int) -> Sequence[Look]:
        """Looks of cell number ``cell`` (from 0) in frames 0 … ``frames - 1``, made when they are asked for.

        Look k depends on (seed, cell, k) alone, not on ``frames``.
        """
        ...

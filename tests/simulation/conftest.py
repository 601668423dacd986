"""Small cells to simulate with: discs of light, each a little larger than the one before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from napari_cellsynth.simulation.ground import Ground
from napari_cellsynth.simulation.look import Look
from napari_cellsynth.simulation.noise import Noise

SIDE = 24


def disc(radius: float, side: int = SIDE) -> np.ndarray:
    y, x = np.indices((side, side)) - (side - 1) / 2
    return np.hypot(y, x) <= radius


class Discs:
    """An appearance of smooth discs that do not change."""

    pixel_size = (0.5, 0.5)
    recording_pixel = None
    modality = "fluorescence"
    dtype = np.dtype(np.uint16)
    frame_interval: float | None = None
    level = 100.0
    noise = Noise(5.0)
    reach = 3
    provenance = {"kind": "discs"}  # noqa: RUF012

    def sequence(self, cell: int, frames: int, seed: int) -> Sequence[Look]:
        mask = disc(4 + cell % 3)
        y, x = np.indices(mask.shape) - (SIDE - 1) / 2
        light = 400 * np.exp(-(y**2 + x**2) / 40).astype(np.float32)
        return [Look(light, np.ones(mask.shape, np.float32) * disc(10), mask)] * frames


@pytest.fixture
def discs() -> Discs:
    return Discs()


@pytest.fixture
def plain() -> Ground:
    return Ground(100.0, Noise(5.0), np.dtype(np.uint16))

"""Tracks of several recordings taken together."""

from __future__ import annotations

import numpy as np

from napari_cellsynth.motion.paths import paths_of
from napari_cellsynth.motion.tracks.tracks import Tracks


def tracks(side: int, pixel: float, seed: int) -> Tracks:
    places = np.random.default_rng(seed).uniform(0, side, (2, 6))
    return Tracks(
        np.repeat([1, 2], 3), np.tile(np.arange(3), 2), *places, pixel_size=(pixel, pixel), shape=(side, side)
    )


def test_the_field_is_the_largest_in_micrometres():
    wide, fine = tracks(512, 0.5, 0), tracks(2048, 0.1, 1)
    assert paths_of([wide, fine]).shape == (512, 512), "256 um, and not 2048 pixels of 0.5 um"
    assert paths_of([fine, wide]).shape == (2560, 2560), "256 um in pixels of 0.1 um"

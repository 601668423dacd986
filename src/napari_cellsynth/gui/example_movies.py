"""Example movies that only journeys show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_cellsynth.gui.layers import LayerData

FRAMES, SIZE, EDGE = 24, 288, 20
JUMP, DARK = 14, 7
"""Frames, counted from 0: the first after a jump, and one that is dark."""


def shaky() -> list[LayerData]:
    """Crawling cells, filmed by a stage that moves by about a pixel a frame, jumps once, and with one dark frame."""
    from napari_cellsynth import phantoms
    from napari_cellsynth.gui.facts import Facts
    from napari_cellsynth.gui.layers import layers_for

    still = phantoms.make("neutrophils", condition="normal", frames=FRAMES, size=SIZE, seed=3)
    frames = np.asarray(still.stack.data)
    draw = np.random.default_rng(5)
    way = np.cumsum(draw.normal(0, 1.3, (FRAMES, 2)), axis=0).round().astype(int)
    way[JUMP:] += (7, -9)
    way = np.clip(way - way[0], -EDGE, EDGE) + EDGE
    side = SIZE - 2 * EDGE
    seen = np.stack([frame[y : y + side, x : x + side] for frame, (y, x) in zip(frames, way, strict=True)])
    seen[DARK] = (seen[DARK] * 0.55).astype(seen.dtype)
    movie = still.stack.with_(data=seen, name="example movie, moving stage")
    data, attributes, kind = layers_for(movie)[0]
    known = replace(Facts.of_stack(movie), modality="dic").attributes(np.ndim(data))
    return [(data, {**attributes, **known}, kind)]

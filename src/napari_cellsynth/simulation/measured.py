"""What crops have in common: level, noise and halo, measured on some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_cellsynth.simulation.halo import Halo, measure_halo, unknown
from napari_cellsynth.simulation.light import surroundings
from napari_cellsynth.simulation.noise import Noise, measure
from napari_cellsynth.stack.modality import SHADOWLESS

FURTHEST = 3
"""A halo reaches a third of the crop at most."""


@dataclass(frozen=True, eq=False)
class Common:
    """Of the crops of a set."""

    level: float
    """Intensity of the background."""
    noise: Noise
    halo: Halo


def common_to(crops: Sequence[tuple[np.ndarray, np.ndarray]], modality: str | None) -> Common:
    """Of crops (S, S) and their masks: twice, since what is background depends on the halo."""
    furthest = max(3, crops[0][0].shape[0] // FURTHEST)
    masks = [mask.astype(bool) for _, mask in crops]
    halo, noise = unknown(furthest), Noise()
    for _ in range(2):
        seen = [surroundings(image, mask, halo.reach) for (image, _), mask in zip(crops, masks, strict=True)]
        noise = measure((one.light, one.far) for one in seen)
        lights = [one.light for one in seen]
        halo = measure_halo(lights, masks, noise.sigma, furthest, round_about=modality in SHADOWLESS)
    return Common(float(np.median([one.level for one in seen])), noise, halo)

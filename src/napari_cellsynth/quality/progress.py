"""Has training got anywhere?  Distances at the beginning and the end, beside a baseline and a floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.baselines import mean_image_with_noise
from napari_cellsynth.quality.frechet import frechet_of_images


@dataclass(frozen=True)
class Gain:
    """Frechet distances in hand-made measures, all of sets of the same size, to the same held-out crops."""

    first: float
    """Of the first preview."""
    last: float
    """Of the last preview."""
    mean_with_noise: float
    """Of the mean crop with matched noise, which costs nothing."""
    halves: float
    """Between two random halves of the real crops: what "no different" looks like."""
    count: int
    """Images in each set."""

    @property
    def learned(self) -> bool:
        """Below half of the beginning and below the baseline."""
        return self.last < self.first / 2 and self.last < self.mean_with_noise

    def text(self) -> str:
        """Four lines for a person."""
        rows = [
            ("at the first preview", self.first),
            ("at the end", self.last),
            ("mean cell with matched noise", self.mean_with_noise),
            ("two halves of the real crops", self.halves),
        ]
        head = f"Frechet distance to held-out crops (area, intensity, texture, spectrum; {self.count} images each):"
        return "\n".join([head, *(f"  {words:<30}{value:>9.1f}" for words, value in rows)])


def gain(held_out: np.ndarray, training: np.ndarray, first: np.ndarray, last: np.ndarray, seed: int = 0) -> Gain:
    """Judge previews (N, Y, X) against held-out crops (N, Y, X), in units of the training crops' spread.

    All sets are cut to the size of the smallest, since the distance of two
    finite sets grows as they shrink.
    """
    count = min(len(held_out), len(first), len(last), len(training) // 2)
    if count < 2:
        raise BadInput(f"{count} held-out crops or previews; at least 2 are needed to compare")
    order = np.random.default_rng(seed).permutation(len(training))
    one, other = training[order[:count]], training[order[count : 2 * count]]

    def distance(made: np.ndarray) -> float:
        return frechet_of_images(held_out[:count], made, training)

    return Gain(
        first=distance(first[:count]),
        last=distance(last[:count]),
        mean_with_noise=distance(mean_image_with_noise(training, count, seed)),
        halves=frechet_of_images(one, other, training),
        count=count,
    )

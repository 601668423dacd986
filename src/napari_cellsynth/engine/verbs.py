"""What a trained run can do: one small protocol per verb, arrays in and out.

Images leave a verb in the training data's dtype and intensity units.  A
model may have several verbs; panels and commands ask for the verb, never
for the family.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np


@dataclass(frozen=True)
class Samples:
    """Generated examples."""

    images: np.ndarray
    """(N, Y, X) in the training data's dtype."""
    labels: np.ndarray | None = None
    """(N, Y, X) uint8, 1 inside the generated cell, where the model makes masks with its images."""
    latents: np.ndarray | None = None
    """(N, D) float32: the points of latent space that the images were made from."""


@runtime_checkable
class Sample(Protocol):
    def sample(self, count: int, *, seed: int = 0, start: int = 0) -> Samples:
        """Draws ``start`` … ``start + count - 1``; draw i depends on (seed, i) alone."""
        ...


@runtime_checkable
class Decode(Protocol):
    """Images of given points of latent space; what walks and morph sliders stand on."""

    latent_size: int

    def latents(self, count: int, *, seed: int = 0, start: int = 0) -> np.ndarray:
        """(N, D) float32 draws of the prior, the ones that ``sample`` uses."""
        ...

    def decode(self, latents: np.ndarray) -> Samples:
        """Images of the points (N, D); image i depends on point i alone."""
        ...


@runtime_checkable
class Walk(Protocol):
    def walk(self, points: np.ndarray, between: int, *, kind: Literal["linear", "spherical"] = "spherical") -> Samples:
        """Images along the way through ``points`` (P, D), ``between`` steps from point to point."""
        ...

"""What a trained run can do: one small protocol per verb, arrays in and out.

Images leave a verb in the training data's dtype and intensity units.  A
model may have several verbs; panels and commands ask for the verb, never
for the family.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from napari_cellsynth.engine.events import Progress


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


@dataclass(frozen=True, eq=False)
class Embedding:
    """Where given images lie in a model's latent space, and how well the model makes them again.

    What was minimised for each image alone, from several starts: the mean
    over pixels of the squared difference between the made and the given image
    in the networks' range, to which given intensities are clipped as in
    training.  Of the starts the lowest counts.
    """

    latents: np.ndarray
    """(N, D) float32: the points found."""
    reconstructions: np.ndarray
    """(N, Y, X) in the training data's dtype and intensity units: the images made from them."""
    errors: np.ndarray
    """(N,) float64: root of the mean squared difference in the networks' range, of width 2 for [-1, 1].  Times the
    root of the number of pixels it is the L2 distance."""
    errors_in_units: np.ndarray
    """(N,) float64: the same between ``reconstructions`` and the images as given, in intensity units."""
    nll: np.ndarray
    """(N,) float64: -log p(z) in nats under the prior N(0, 1) of each coordinate.  Least at z = 0, which is not
    typical of the prior: see ``lengths``."""
    lengths: np.ndarray
    """(N,) float64: |z|², which of draws of the prior has mean D and variance 2 D (chi-squared)."""
    starts: np.ndarray
    """(N,) int64: number of the start that came lowest."""
    iterations: np.ndarray
    """(N,) int64: steps of L-BFGS that it took; fewer than allowed where nothing lower was found."""
    of_starts: np.ndarray
    """(N, S) float64: ``errors`` of every start; where they differ, the search depends on where it begins."""


@runtime_checkable
class Embed(Protocol):
    """The reverse of decode, found by optimisation; every image by itself."""

    latent_size: int
    image_shape: tuple[int, int]
    """(Y, X) of the images that it takes."""

    def embed(
        self, images: np.ndarray, *, starts: int = 3, iterations: int = 50, seed: int = 0
    ) -> Iterator[Progress | Embedding]:
        """Of images (N, Y, X) in the training data's dtype and intensity units; the last that comes is the Embedding.

        Progress counts images.  What is found for an image depends on its
        pixels, ``starts``, ``iterations`` and ``seed``, not on the other
        images; the starting points depend on the seed and on their number.
        BadInput for images of another shape.
        """
        ...


@dataclass(frozen=True, eq=False)
class Segmented:
    """The cells that were found in images, every image by itself."""

    labels: np.ndarray
    """(N, Y, X) int32: 0 background, numbers from 1 in each image on its own."""
    probability: np.ndarray
    """(N, Y, X) float32 in [0, 1]: that a pixel is of a cell."""
    classes: np.ndarray | None = None
    """(N, Y, X) uint8: the class of each pixel, 0 background, as in the training set; None where it had none."""


@runtime_checkable
class Segment(Protocol):
    """Outlines of cells in images of any size, learned from outlines."""

    classes: tuple[int, ...]
    """The classes that it tells apart, 0 (background) first; empty where it learned none."""
    pixel_size: tuple[float, float] | None
    """Height and width in micrometres of the pixels that it learned from; None where nobody said."""

    def segment(
        self, images: np.ndarray, *, pixel_size: tuple[float, float] | None = None
    ) -> Iterator[Progress | Segmented]:
        """Of images (N, Y, X) in the training data's dtype and intensity units; the last that comes is the Segmented.

        ``pixel_size`` (micrometres) is that of the images: where it is
        another than the training data's, they are looked at in the size
        learned from, and outlines come back in the images' own pixels.
        Progress counts tiles.  Large images are taken in overlapping tiles,
        smaller ones where memory runs out.  What is found in an image does not depend on
        the others.  BadInput for images of another dtype or of too few pixels.
        """
        ...

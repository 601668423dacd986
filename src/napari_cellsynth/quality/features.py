"""What images are compared by: two stated feature spaces, and a third from a file of the user's own.

A distance of two sets of images is a distance of numbers taken from them,
and sees nothing else.  A :class:`FeatureSpace` says in words which numbers
these are.  It is set up with a *reference*, the training part of a set,
which gives the units for all sets that are compared: of the images one
brightness and one contrast for the whole set, never image by image, since
that would hide what is to be seen; of the features mean 0 and sd 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.areas import areas
from napari_cellsynth.quality.closeness import some
from napari_cellsynth.quality.measures import NAMES, measure

Taking = Callable[[np.ndarray, np.ndarray | None], np.ndarray]
"""Images (N, Y, X) and masks of the same shape, or None, to raw features (N, K) float64."""
LINEAR = 3.0
"""Standard deviations of the reference up to which features count as they are; beyond, by their logarithm."""
REFERENCE = 1000
"""Reference images that set the units, at most; of more, these many are drawn, the same ones every time."""
AT_ONCE = 64
"""Images that pass through a network together."""


@dataclass(frozen=True)
class FittedSpace:
    """A feature space in the units of a reference."""

    space: FeatureSpace
    take: Taking
    middle: np.ndarray
    """(K,) of the reference's raw features."""
    spread: np.ndarray

    def features(self, images: np.ndarray, masks: np.ndarray | None = None) -> np.ndarray:
        """Features (N, K) float64 of images (N, Y, X), in sd of the reference (:func:`scores`).

        Masks count only where the reference had some, too; without, what
        needs an outline finds one in each image.
        """
        return self.scored(self.take(_checked(images), masks))

    def scored(self, raw: np.ndarray) -> np.ndarray:
        """Raw features (N, K) that were taken before, in the same units."""
        return scores(raw, self.middle, self.spread)


@dataclass(frozen=True)
class FeatureSpace:
    """One way of turning images into numbers."""

    name: str
    """For files and programs, such as ``measures``."""
    title: str
    """In a few words."""
    words: str
    """One sentence that says what it is."""
    prepare: Callable[[np.ndarray], Taking]
    """From reference images (N, Y, X) to what takes features of any."""
    uses_masks: bool = False

    def fitted(
        self, reference: np.ndarray, masks: np.ndarray | None = None, known: np.ndarray | None = None
    ) -> FittedSpace:
        """The space in units of reference images (N, Y, X), at least 2; ``known`` are their raw features (N, K)."""
        reference = _checked(reference)
        if len(reference) < 2:
            raise BadInput(f"{len(reference)} reference images given; at least 2 are needed to set the units")
        chosen = some(len(reference), REFERENCE)
        reference = reference[chosen]
        take = self.prepare(reference)
        if known is not None:
            raw, take = known[chosen], _without_masks(take)
        elif not self.uses_masks or masks is None:
            raw, take = take(reference, None), _without_masks(take)
        else:
            raw = take(reference, np.asarray(masks)[chosen])
        middle, spread = raw.mean(0), raw.std(0)
        # What does not vary within the reference is measured by a thousandth of its size.
        return FittedSpace(self, take, middle, np.maximum(spread, 1e-3 * np.maximum(np.abs(middle), 1e-6)))

    def features(self, images: np.ndarray, masks: np.ndarray | None = None) -> np.ndarray:
        """Features (N, K) of images (N, Y, X) in their own units; for two sets, use ``fitted`` with one reference."""
        return self.fitted(images, masks).features(images, masks)


def _without_masks(take: Taking) -> Taking:
    return lambda images, masks: take(images, None)


def _checked(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim != 3 or min(images.shape[1:]) < 16:
        raise BadInput(f"images of shape {images.shape} given; expected (N, Y, X) with at least 16 pixels a side")
    return images


def scores(raw: np.ndarray, middle: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Raw features (N, K) in units of the reference.

    Up to three standard deviations as they are; beyond, ``3 (1 + log(z / 3))``,
    which still grows, but keeps one odd image, or one measure that hardly
    varies in the reference, from making up a distance all by itself.
    """
    z = (np.asarray(raw, dtype=np.float64) - middle) / spread
    beyond = LINEAR * (1 + np.log(np.maximum(np.abs(z), LINEAR) / LINEAR))
    return np.asarray(np.where(np.abs(z) <= LINEAR, z, np.sign(z) * beyond))


# -- hand-made measures ----------------------------------------------------------------------------------------------


def _measures(reference: np.ndarray) -> Taking:
    return measure


MEASURES = FeatureSpace(
    "measures",
    "measures",
    f"{len(NAMES)} hand-made measures of each image: size of the cell, brightness, texture, relief, radial spectrum.",
    _measures,
    uses_masks=True,
)


# -- networks --------------------------------------------------------------------------------------------------------


def units_of(reference: np.ndarray) -> tuple[float, float]:
    """Mean and sd of all pixels of a set, by which every image that is compared is scaled."""
    pixels = np.asarray(reference, dtype=np.float64)
    if not np.isfinite(pixels).all():
        raise BadInput("images hold pixels that are not numbers; expected finite intensities")
    return float(pixels.mean()), max(float(pixels.std()), 1e-6 * max(abs(float(pixels.mean())), 1e-6))


def resized(images: np.ndarray, side: int) -> np.ndarray:
    """Images (N, Y, X) on a grid of side x side, float32: means over areas where that is coarser, else interpolated
    along a line between pixels; either axis on its own, so that what is not square is stretched."""
    rows, columns = (_grid(length, side) for length in images.shape[1:])
    return np.asarray(rows @ np.asarray(images, dtype=np.float32) @ columns.T, dtype=np.float32)


def _grid(length: int, side: int) -> np.ndarray:
    """(side, length): the share of each pixel in each new one."""
    if length < side:
        here = np.arange(length)
        at = np.clip((np.arange(side) + 0.5) * length / side - 0.5, 0, length - 1)[:, None]
        return np.asarray(np.clip(1 - np.abs(at - here), 0, None), dtype=np.float32)
    return areas(length, side)


def encoder_space(folder: Path | None = None) -> FeatureSpace:
    """The encoder in a folder with weights and recipe (None: the one that ships)."""
    from napari_cellsynth.quality.encoder import load

    place = load.SHIPPED if folder is None else Path(folder)

    def prepare(reference: np.ndarray) -> Taking:
        import torch

        network, side = load.encoder(place), int(load.recipe(place)["settings"]["side"])
        middle, spread = units_of(reference)

        def take(images: np.ndarray, masks: np.ndarray | None) -> np.ndarray:
            parts = []
            for start in range(0, len(images), AT_ONCE):
                given = (resized(images[start : start + AT_ONCE], side) - middle) / spread
                with torch.inference_mode():
                    parts.append(network(torch.from_numpy(np.float32(given))[:, None]).double().numpy())
            return np.concatenate(parts) if parts else np.empty((0, network.out.out_features))

        return take

    return FeatureSpace(
        "encoder",
        "small network",
        "32 numbers from a small network that learned, without labels and on simulated cells only, to recognise a crop"
        " and to tell which of two is more blurred, noisier or lower in contrast.",
        prepare,
    )


ENCODER = encoder_space()
SPACES: tuple[FeatureSpace, ...] = (MEASURES, ENCODER)
"""In which distances are measured unless others are asked for."""

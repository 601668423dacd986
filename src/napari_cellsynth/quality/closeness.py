"""Does a model copy its training images, and does it make different ones?  Two numbers from one distance.

The distance of two images is 1 minus the correlation of what is special
about them: both are pooled to 16 x 16 and brought to the same brightness
and contrast, the mean training image is taken out, and of mirrored and
turned versions, where training may mirror and turn, the best counts.  So
brightness, contrast and fine noise do not hide a copy, and what all cells
have in common does not look like one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.areas import areas
from napari_cellsynth.quality.resampling import in_rounds

SIDE = 16
"""Pixels along a side of the small images."""
MADE = 100
"""Made images that are looked at, at most."""
HELD_OUT = 200
"""Held-out images, at most; fewer than ``FEW`` give no number."""
TRAINING = 4096
"""Training images, at most; of larger sets these many are drawn, and only copies of these are found."""
FEW = 8


@dataclass(frozen=True, eq=False)
class Closeness:
    """Training images and held-out ones as a yardstick for made ones.

    Parameters
    ----------
    training
        (N, Y, X), what the model learns from.
    held_out
        (M, Y, X), what it does not see; may be empty.
    groups
        Of each training image, which cell it shows: crops of one cell from
        frame to frame are nearly copies, and no yardstick of variety.
        Without it every image shows a cell of its own.
    turned
        Whether training may mirror and turn images.
    """

    training: np.ndarray
    held_out: np.ndarray
    groups: Sequence[int] | np.ndarray | None = None
    turned: bool = False

    def __post_init__(self) -> None:
        if self.training.ndim != 3 or len(self.training) < 2:
            raise BadInput(f"training images of shape {self.training.shape} given; expected (N, Y, X), at least 2")
        if self.groups is not None and len(self.groups) != len(self.training):
            raise BadInput(f"{len(self.groups)} groups given for {len(self.training)} training images; one each needed")

    def nearest(self, made: np.ndarray) -> float:
        """How near made images (N, Y, X) are to training images, in units of how near held-out ones are.

        The median over made images of the distance to the nearest training
        image, divided by the same of held-out images: about 1 or above where
        made images are new, near 0 for copies; not a number where there are
        fewer than 8 held-out images.

        Held-out crops of the very cells that training shows at another time
        are near to them already: that is the yardstick then, and the number
        of a healthy model is well above 1.
        """
        own = np.median(self._distances(made[:MADE], self._small).min(1))
        return float(own / self._nearest_of_held_out) if self._nearest_of_held_out > 0 else float("nan")

    @property
    def of_held_out(self) -> float:
        """Median distance of held-out images to the nearest training image; not a number of fewer than 8."""
        return self._nearest_of_held_out or float("nan")

    def nearest_training(self, made: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of each image (N, Y, X) the index of the most similar training image, and how far it is (0 the same)."""
        distances = self._distances(made, self._small)
        return some(len(self.training), TRAINING)[distances.argmin(1)], distances.min(1)

    def variety(self, made: np.ndarray) -> float:
        """How different made images (N, Y, X) are from each other, in units of how different cells are in training.

        The median distance of an image to the nearest other one among at
        most 100 made images, divided by the same among as many training
        images, of which only those of other cells count: about 1 as real, 0
        where the same few images come again and again, however different
        these are.
        """
        count = min(len(self._spread), len(made))
        if count < 2:
            return float("nan")
        parts = [made[start : start + count] for start in range(0, len(made) - count + 1, count)]
        own = np.mean([self._among(part, np.arange(count)) for part in parts])
        chosen = self._spread[:count]
        real = self._among(self.training[chosen], self._cells[chosen])
        return float(own / real) if np.isfinite(real) and real > 0 else float("nan")

    def _among(self, images: np.ndarray, cells: np.ndarray) -> float:
        """Median distance to the nearest image of another cell."""
        distances = self._distances(images, self._shrink(images))
        distances[cells[:, None] == cells] = np.inf
        return float(np.median(distances.min(1)))

    @cached_property
    def _small(self) -> np.ndarray:
        chosen = some(len(self.training), TRAINING)
        return self._shrink(self.training[chosen])

    @cached_property
    def _nearest_of_held_out(self) -> float:
        if len(self.held_out) < FEW:
            return 0.0
        chosen = some(len(self.held_out), HELD_OUT)
        return float(np.median(self._distances(self.held_out[chosen], self._small).min(1)))

    @cached_property
    def _cells(self) -> np.ndarray:
        """Of each training image, the cell it shows."""
        return np.arange(len(self.training)) if self.groups is None else np.asarray(self.groups)

    @cached_property
    def _spread(self) -> np.ndarray:
        """Training images of as many cells as there are, at most ``MADE``: one of each, then a second of each, …"""
        order = np.random.default_rng(0).permutation(len(self.training))
        return in_rounds(order, self._cells)[:MADE]

    @cached_property
    def _middle(self) -> np.ndarray:
        """The mean training image, small; the same in all its turned versions where training may turn it."""
        middle = _normed(pooled(self.training[some(len(self.training), TRAINING)])).mean(0)
        return np.asarray(np.mean(versions(middle[None]), axis=0)[0] if self.turned else middle)

    def _shrink(self, images: np.ndarray) -> np.ndarray:
        """(N, SIDE²), without the mean training image, of mean 0 and length 1."""
        return _flat(_normed(_normed(pooled(images)) - self._middle))

    def _distances(self, images: np.ndarray, others: np.ndarray) -> np.ndarray:
        """(N, M) of images (N, Y, X) to what ``_shrink`` made of others: 0 the same, 1 nothing in common."""
        small = _normed(_normed(pooled(images)) - self._middle)
        best = np.full((len(images), len(others)), -1.0, dtype=np.float32)
        for version in versions(small) if self.turned else [small]:
            np.maximum(best, _flat(version) @ others.T, out=best)
        return 1 - best


def pooled(images: np.ndarray) -> np.ndarray:
    """Images (N, Y, X) as means over the areas of a grid, (N, SIDE, SIDE) float32."""
    rows, columns = (areas(length, SIDE) for length in images.shape[1:])
    return np.asarray(rows @ np.asarray(images, dtype=np.float32) @ columns.T)


def versions(images: np.ndarray) -> list[np.ndarray]:
    """Square images (N, S, S) turned by quarters, and the same mirrored: eight of each."""
    return [np.rot90(one, turns, (1, 2)) for one in (images, images[:, :, ::-1]) for turns in range(4)]


def _normed(small: np.ndarray) -> np.ndarray:
    """Images (N, SIDE, SIDE) of mean 0 and length 1; flat ones, which have nothing in common with any, stay 0."""
    centred = small - small.mean((1, 2), keepdims=True)
    length = np.sqrt((centred**2).sum((1, 2), keepdims=True))
    return np.asarray(centred / np.maximum(length, 1e-12), dtype=np.float32)


def _flat(small: np.ndarray) -> np.ndarray:
    return small.reshape(len(small), -1)


def some(count: int, most: int) -> np.ndarray:
    """All indices, or so many of them, the same ones every time."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))

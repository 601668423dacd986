"""Can it make real cells?  Held-out images made again by a model, beside training images and what costs nothing.

After Pandhe, Rada and Quinn 2018, section 4.1.1 and figure 2: a model that
has collapsed, or knows nothing but its training images, cannot make images
that it never saw.  Training images as the control are ours: only beside them
is an error large or small.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isnan, log, nan, pi, sqrt
from typing import Any

import numpy as np

from napari_cellsynth.quality.alike import FEW_CELLS, FEW_IMAGES, Level, Row, held_out_in_words
from napari_cellsynth.quality.resampling import in_rounds
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.scaling import Scaling

DRAWS = 2000
"""Of the bootstrap."""
WORSE = 1.1
"""Times the error of training images above which held-out ones are made less well, if it is not chance."""
OPEN = 1.25
"""An interval that reaches beyond leaves open whether they are made as well."""
SHARED = 0.25
"""Share of held-out cells learned from at other times above which nothing is said of memorising."""
TOGETHER = 256
"""Training images that others are compared with at once."""
SELDOM = 0.5
"""Share of held-out images found where the model seldom draws from above which that is said first."""


@dataclass(frozen=True, eq=False)
class Known:
    """Training images as the baselines see them: in the range [-1, 1] of the networks, with their numbers."""

    scaling: Scaling
    flat: np.ndarray
    """(N, Y * X) float32, intensities beyond the range clipped, as training clips them."""
    indices: np.ndarray

    @classmethod
    def of(cls, data: Any, indices: np.ndarray) -> Known:
        """Of a set of crops, the images with these numbers."""
        return cls(data.scaling, _flat(data.images(indices), data.scaling), indices)

    @cached_property
    def mean(self) -> np.ndarray:
        return np.asarray(self.flat.mean(0, dtype=np.float64))

    def free(self, images: np.ndarray, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Errors (N,) of the mean training image and of the nearest other training image, as reconstructions."""
        flat = _flat(images, self.scaling)
        mean = np.sqrt(((flat - self.mean) ** 2).mean(1))
        own = np.einsum("ij,ij->i", flat, flat, dtype=np.float64)
        nearest = np.full(len(flat), np.inf)
        # In parts: of thousands of large images a copy in float64 would take gigabytes.
        for start in range(0, len(self.flat), TOGETHER):
            theirs = self.flat[start : start + TOGETHER]
            squares = own[:, None] + np.einsum("ij,ij->i", theirs, theirs, dtype=np.float64)
            apart = np.maximum(squares - 2 * (flat @ theirs.T), 0)
            apart[indices[:, None] == self.indices[start : start + TOGETHER]] = np.inf  # itself
            # The product is exact to single precision alone, which near 0 is little: the nearest is measured anew.
            at = apart.argmin(1)
            measured = ((flat.astype(np.float64) - theirs[at]) ** 2).sum(1)
            nearest = np.where(np.isinf(apart.min(1)), nearest, np.minimum(nearest, measured))
        return mean, np.sqrt(nearest / flat.shape[1])


def _flat(images: np.ndarray, scaling: Scaling) -> np.ndarray:
    return np.clip(scaling.to_model(images), -1, 1).reshape(len(images), -1)


@dataclass(frozen=True, eq=False)
class Side:
    """Held-out images, or training images, and what was found for them; N of each."""

    images: np.ndarray
    """(N, Y, X) as they were taken."""
    reconstructions: np.ndarray
    """(N, Y, X) as the model makes them."""
    indices: np.ndarray
    """Numbers in the training set."""
    cells: np.ndarray
    """Number of the cell that each shows."""
    errors: np.ndarray
    """Root of the mean squared difference in the networks' range, of width 2."""
    errors_in_units: np.ndarray
    """The same in intensity units."""
    nll: np.ndarray
    """-log p(z) in nats."""
    lengths: np.ndarray
    """|z|²."""
    iterations: np.ndarray
    of_starts: np.ndarray
    """(N, S) errors of every start."""
    mean_image: np.ndarray
    """Errors of the mean training image, which costs nothing."""
    nearest: np.ndarray
    """Errors of the nearest other training image."""

    def __len__(self) -> int:
        return len(self.images)


def side_of(known: Known, images: np.ndarray, indices: np.ndarray, cells: np.ndarray, **found: Any) -> Side:
    """With the baselines; ``found`` are the fields of an embedding."""
    mean, nearest = known.free(images, indices)
    return Side(images=images, indices=indices, cells=cells, mean_image=mean, nearest=nearest, **found)


@dataclass(frozen=True, eq=False)
class ReconstructionCheck:
    """What came of it."""

    held_out: Side
    training: Side
    latent_size: int
    learned_from: int
    """How many of the held-out cells training shows, too, at other times."""
    things: tuple[str, str] = ("cell", "cells")
    """What the images show, one and many."""
    seed: int = 0
    pixel_size: tuple[float, float] | None = None
    provenance: dict[str, Any] | None = None

    # -- what the prior expects ----------------------------------------------------------------------------------------

    @property
    def prior_nll(self) -> tuple[float, float]:
        """Mean and standard deviation of -log p(z) of draws of the prior: |z|² is chi-squared with D degrees."""
        d = self.latent_size
        return d / 2 * (1 + log(2 * pi)), sqrt(d / 2)

    @property
    def prior_length(self) -> tuple[float, float]:
        """Mean and standard deviation of |z|² of draws of the prior."""
        return float(self.latent_size), sqrt(2 * self.latent_size)

    @property
    def seldom(self) -> int:
        """Held-out images found farther out than three standard deviations of the prior."""
        mean, spread = self.prior_length
        return int((self.held_out.lengths > mean + 3 * spread).sum())

    # -- what is said --------------------------------------------------------------------------------------------------

    @cached_property
    def ratio(self) -> tuple[float, float, float]:
        """Error of held-out images over that of training images, with a bootstrap interval (95 %, by cells).

        Each side's mean error counts against that of the mean training image
        there: crops that differ more from all others are harder to make, and
        held-out ones often are (a later day, a denser field).  Where all
        crops of one side show a single cell, nothing says how another would
        be made: the interval is not a number.
        """
        draws = np.random.default_rng([self.seed, 5])
        value = _relative(self.held_out) / max(_relative(self.training), 1e-12)
        if min(len(np.unique(side.cells)) for side in (self.held_out, self.training)) < 2:
            return value, nan, nan
        above, below = (_redrawn(side, draws) for side in (self.held_out, self.training))
        low, high = np.quantile(above / np.maximum(below, 1e-12), (0.025, 0.975))
        return value, float(low), float(high)

    @property
    def explained(self) -> float:
        """Share of the squared difference to the mean training image that held-out images are made with; 1 is all."""
        free = float((self.held_out.mean_image**2).mean())
        return 1 - float((self.held_out.errors**2).mean()) / free if free > 0 else float("nan")

    @cached_property
    def verdict(self) -> tuple[Level, str]:
        """How grave, and what to conclude."""
        many = self.things[1]
        ratio, low, high = self.ratio
        beside = f"error {ratio:.2f} times theirs, {low:.2f} to {high:.2f}, each against the mean image's"
        if not self.explained > 0:
            return "bad", f"No: held-out {many} are made no better than by their mean image, which costs nothing."
        if isnan(low):
            return "quiet", (
                f"Nobody can say whether held-out {many} are made as well as training {many}: all crops of one side"
                f" show a single {self.things[0]} (error {ratio:.2f} times theirs, each against the mean image's)."
            )
        if ratio > WORSE and low > 1:
            return "warning", (
                f"Not as well as training {many}: held-out {many} are made less well ({beside}). It has memorised some"
                f" of them, or held-out {many} look different."
            )
        shared = self.learned_from > SHARED * len(np.unique(self.held_out.cells))
        left_open = ratio > WORSE or high > OPEN
        alike = f"Held-out {many} are made as well as training {many} ({beside})"
        if left_open:
            alike = f"So few leave open whether held-out {many} are made as well as training {many} ({beside})."
        elif shared:
            everyone = self.learned_from == len(np.unique(self.held_out.cells))
            which = f"all held-out {many}" if everyone else f"{self.learned_from:,} of the held-out {many}"
            learned = f"{which} were learned from, at other times"
            alike += f"; whether it memorises cannot be said: {learned}."
        else:
            alike += ": no sign that it only memorises."
        if self.held_out.errors.mean() >= self.held_out.nearest.mean():
            return "warning", f"{alike} Yet the nearest training crop is as near to them as what it makes."
        if self.seldom > SELDOM * len(self.held_out):
            return "warning", f"{alike} But most lie where it seldom draws from: it could make them, and rarely will."
        return ("quiet" if shared or left_open else "good"), alike

    @property
    def level(self) -> Level:
        return self.verdict[0]

    def sentence(self) -> str:
        """What to know first."""
        if not self.explained > 0:
            return self.verdict[1]
        one = self.things[0]
        share = f"It makes {100 * self.explained:.0f} % of what sets a held-out {one} apart from the mean {one}."
        return f"{self.verdict[1]} {share}"

    def notes(self) -> list[str]:
        """What the numbers stand on, a sentence each."""
        side = self.held_out
        different = len(np.unique(side.cells))
        real = held_out_in_words(len(side), different, self.learned_from)
        control, starts = counted(len(self.training), "training crop"), counted(side.of_starts.shape[1], "start")
        said = [f"n: {real}, {control}, best of {starts}."]
        if len(side) < FEW_IMAGES or different < FEW_CELLS:
            said.append("So few held-out crops serve for a look, not for a result.")
        said.append(
            f"{self.seldom} of {len(side)} lie where it seldom draws from (more than three standard deviations too far"
            " out)."
        )
        return said

    def rows(self) -> tuple[Row, ...]:
        """The numbers: means over images, with their least and largest; those of z are left to the report."""
        held_out, training = self.held_out, self.training
        return (
            _row("held_out", "held-out crops", held_out.errors),
            _row("training", "training crops", training.errors),
            _row("nearest", "nearest training crop instead", held_out.nearest),
            _row("mean_image", "mean image instead", held_out.mean_image),
            _row("held_out_units", "held-out, in intensity units", held_out.errors_in_units),
            _row("nll_held_out", "NLL of z, held-out", held_out.nll, more=True),
            _row("nll_training", "NLL of z, training", training.nll, more=True),
            Row("nll_prior", "NLL of z, draws of the prior", *_around(*self.prior_nll), more=True),
            _row("length_held_out", "squared length of z, held-out", held_out.lengths, more=True),
            Row("length_prior", "squared length of z, draws of the prior", *_around(*self.prior_length), more=True),
        )


def _row(name: str, words: str, values: np.ndarray, more: bool = False) -> Row:
    return Row(name, words, float(values.mean()), float(values.min()), float(values.max()), more=more)


def _around(mean: float, spread: float) -> tuple[float, float, float]:
    return mean, mean - 3 * spread, mean + 3 * spread


def _relative(side: Side) -> float:
    """Mean error, 1 as of the mean training image."""
    return float(side.errors.mean() / max(float(side.mean_image.mean()), 1e-12))


def _redrawn(side: Side, draws: np.random.Generator) -> np.ndarray:
    """(DRAWS,) relative errors of as many cells drawn with replacement: crops of one cell are no different cells."""
    _, cell = np.unique(side.cells, return_inverse=True)
    made, free = np.bincount(cell, side.errors), np.bincount(cell, side.mean_image)
    chosen = draws.integers(0, len(made), (DRAWS, len(made)))
    return np.asarray(made[chosen].sum(1) / np.maximum(free[chosen].sum(1), 1e-12))


def spread(indices: np.ndarray, cells: np.ndarray, count: int, seed: int) -> np.ndarray:
    """At most ``count`` of the indices (N,), at random, of as many different cells as there are; ascending."""
    order = np.random.default_rng([seed, 11]).permutation(len(indices))
    return np.sort(indices[in_rounds(order, cells)[:count]])


def order_of(side: Side) -> np.ndarray:
    """Numbers of the images from the least to the largest error."""
    return np.argsort(side.errors, kind="stable")


def difference(side: Side) -> np.ndarray:
    """(N, Y, X) float32: made minus real, in intensity units."""
    return np.asarray(side.reconstructions.astype(np.float32) - side.images.astype(np.float32))

"""A distance of made images beside what real ones are from each other: floors, a ceiling, intervals.

All sets of a comparison have the same size, since distances of finite sets
grow as they shrink.  Beside every distance stand two floors and a ceiling:

``halves``
    Random halves of the training part against each other: what is left of a
    distance when both sets are of one kind, one day and the same cells.
``across``
    The training part against the held-out part: how far what a model could
    at best have learned lies from what it is judged by.
``free``
    The mean training image with matched noise, which costs nothing.

Intervals are from drawing again: real crops cell by cell, since crops of one
cell are nearly copies, made images one by one.  Where one side shows a single
cell there are none; shares of none or all have Wilson's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any, NamedTuple

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.frechet import frechet_distance
from napari_cellsynth.quality.kid import Kernels
from napari_cellsynth.quality.neighbours import DC_NEIGHBOURS, Votes, votes
from napari_cellsynth.quality.resampling import (
    UNKNOWN,
    Cells,
    Estimate,
    drawn_again,
    interval,
    numbered,
    spread,
    wilson,
)

RESAMPLES = 200
"""Times that sets are drawn again for an interval."""
PRECISION, DENSITY = (Votes._fields.index(name) for name in ("precision", "density"))
"""Places of the two shares that are means over made images; the others are over real ones."""
MANY_FEATURES = 256
"""Features above which the Frechet distance, whose time grows with their cube, is not drawn again."""
DRAWS = 9
"""Random parts of the training set that floors are taken from."""


@dataclass(frozen=True)
class Beside:
    """A distance of made images to held-out ones, and what it is read beside."""

    made: Estimate
    across: Estimate
    """Of as many training images to the same held-out ones."""
    halves: Estimate
    """Of random halves of the training images: median, least and largest of nine."""
    free: Estimate
    excess: Estimate
    """Made less across, both drawn again together: above 0 where made images are further away than real ones."""

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name).as_json() for name in self.__annotations__}


@dataclass(frozen=True)
class Shares:
    """The four shares of :mod:`.neighbours`, of one set in the eyes of held-out images."""

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name).as_json() for name in self.__annotations__}


def same_size(training: int, unseen: int, made: int) -> int:
    """How many images each set of a comparison has: what all have, and half of the training ones."""
    return min(made, unseen, training // 2)


class Part(NamedTuple):
    """Some of a set."""

    features: np.ndarray
    cells: np.ndarray


Apart = Callable[[Part, Part], Callable[[np.ndarray, np.ndarray], float]]
"""From two parts to their distance with each image taken so many times."""


def frechet(a: Part, b: Part) -> Callable[[np.ndarray, np.ndarray], float]:
    """The Frechet distance, which has no way to leave out pairs of one cell."""

    def again(times_a: np.ndarray, times_b: np.ndarray) -> float:
        return frechet_distance(np.repeat(a.features, times_a, axis=0), np.repeat(b.features, times_b, axis=0))

    return again


def kernel(a: Part, b: Part) -> Callable[[np.ndarray, np.ndarray], float]:
    """The kernel distance; pairs of one cell do not count."""
    return Kernels(a.features, b.features, a.cells, b.cells).distance


@dataclass(frozen=True, eq=False)
class Sets:
    """Features (N, K) of four sets of images in one space, in units of the training ones."""

    training: np.ndarray
    unseen: np.ndarray
    made: np.ndarray
    free: np.ndarray
    training_cells: Cells = None
    """The number of each image's cell, the same for the same cell in both parts."""
    unseen_cells: Cells = None
    seed: int = 0
    resamples: int = RESAMPLES

    def __post_init__(self) -> None:
        if self.count < 2 or len(self.free) < self.count:
            raise BadInput(
                f"{len(self.training)} training, {len(self.unseen)} held-out and {len(self.made)} made images given;"
                " at least 4, 2 and 2 are needed"
            )

    @property
    def count(self) -> int:
        """Images of every set that is compared."""
        return same_size(len(self.training), len(self.unseen), len(self.made))

    def _draws(self, what: int, number: int = 0) -> np.random.Generator:
        return np.random.default_rng([self.seed, what, number])

    @cached_property
    def _cells(self) -> tuple[np.ndarray, np.ndarray]:
        """Of training and held-out images; where one of them shows a single cell, each image counts as one: no pair
        would be left otherwise."""
        training = numbered(self.training_cells, len(self.training))
        unseen = numbered(self.unseen_cells, len(self.unseen), first=len(self.training))
        if self._one_cell:
            return numbered(None, len(training)), numbered(None, len(unseen), first=len(training))
        return training, unseen

    @cached_property
    def _one_cell(self) -> bool:
        """Whether training or held-out images all show one cell: nothing says how others would differ from it."""
        known = (self.training_cells, self.unseen_cells)
        return any(cells is not None and len(np.unique(np.asarray(cells))) < 2 for cells in known)

    @cached_property
    def _held_out(self) -> Part:
        chosen = np.sort(self._draws(0).permutation(len(self.unseen))[: self.count])
        return Part(self.unseen[chosen], self._cells[1][chosen])

    @cached_property
    def learned(self) -> list[Part]:
        """As many training images, drawn anew."""
        orders = [self._draws(1, n).permutation(len(self.training)) for n in range(DRAWS)]
        return [self._training(order[: self.count]) for order in orders]

    def _training(self, chosen: np.ndarray) -> Part:
        return Part(self.training[chosen], self._cells[0][chosen])

    def _own(self, features: np.ndarray) -> Part:
        """Images of which each shows a cell of its own; numbers that no others have."""
        return Part(features[: self.count], numbered(None, self.count, first=len(self.training) + len(self.unseen)))

    def beside(self, apart: Apart) -> Beside:
        """A distance (:func:`frechet`, :func:`kernel`) with its floors."""
        least = 0.0 if apart is frechet else -inf
        made, free = (apart(self._own(one), self._held_out) for one in (self.made, self.free))
        learned = [apart(part, self._held_out) for part in self.learned]
        once = np.ones(self.count, dtype=int)
        across = float(np.median([one(once, once) for one in learned]))
        here, beyond, nothing = made(once, once), across, free(once, once)
        drawn = np.array([
            (made(own, theirs), learned[n % DRAWS](real, theirs), free(own, theirs))
            for n, (own, real, theirs) in enumerate(self._again(apart))
        ]).reshape(-1, 3)  # fmt: skip
        return Beside(
            interval(here, drawn[:, 0], least=least),
            interval(beyond, drawn[:, 1], least=least),
            self._halves(apart),
            interval(nothing, drawn[:, 2], least=least),
            interval(here - beyond, drawn[:, 0] - drawn[:, 1]),
        )

    def _times(self, apart: Apart | None = None) -> int:
        """How often sets are drawn again: never where that says nothing, or takes hours."""
        slow = apart is frechet and self.training.shape[1] > MANY_FEATURES
        return 0 if self._one_cell or slow else self.resamples

    def _again(self, apart: Apart) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """How often each made, training and held-out image is taken, drawing by drawing."""
        for n in range(self._times(apart)):
            draws = self._draws(2, n)
            own = drawn_again(np.arange(self.count), draws)
            yield own, drawn_again(self.learned[n % DRAWS].cells, draws), drawn_again(self._held_out.cells, draws)

    def _halves(self, apart: Apart) -> Estimate:
        once, found = np.ones(self.count, dtype=int), []
        for n in range(DRAWS):
            order = self._draws(1, n).permutation(len(self.training))
            parts = [self._training(order[k * self.count : (k + 1) * self.count]) for k in range(2)]
            found.append(apart(*parts)(once, once))
        return spread(found)

    def shares(self) -> tuple[Shares, Shares]:
        """Of made images, and of training images as their control; not numbers where there are too few cells."""
        if self._neighbourless:
            return (Shares(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),) * 2
        return self._shares([self._own(self.made)]), self._shares(self.learned)

    @cached_property
    def _neighbourless(self) -> bool:
        """Whether some image has fewer neighbours than are asked for."""
        parts = [self._held_out, *self.learned]
        return any(self.count - np.unique(p.cells, return_counts=True)[1].max() < DC_NEIGHBOURS for p in parts)

    def _shares(self, parts: list[Part]) -> Shares:
        """The mean over parts; drawn again are the images that are judged, their neighbourhoods stay."""
        real = self._held_out
        cast = [votes(real.features, p.features, cells_real=real.cells, cells_made=p.cells) for p in parts]
        found = []
        for place in range(len(Votes._fields)):
            of_made = place in (PRECISION, DENSITY)
            drawn = []
            for n in range(self._times()):
                each, part = cast[n % len(parts)][place], parts[n % len(parts)]
                times = drawn_again(part.cells if of_made else real.cells, self._draws(3, n))
                drawn.append(float(np.average(each, weights=times)))
            value = float(np.mean([one[place].mean() for one in cast]))
            units = min(len(np.unique(part.cells)) for part in (parts if of_made else [real]))
            found.append(_of_share(value, drawn, units, most=inf if place == DENSITY else 1.0))
        return Shares(*found)


def _of_share(value: float, drawn: list[float], units: int, most: float) -> Estimate:
    """With its interval; of none or all, which drawing again leaves as they are, Wilson's for as many cells."""
    if drawn and most == 1 and value in (0.0, 1.0):
        return Estimate(value, *wilson(round(value * units), units))
    return interval(value, drawn, least=0.0, most=most)

"""How far made images are from real ones that were held out: all distances in all feature spaces, JSON-safe.

Each distance stands beside its floors (:mod:`.beside`); each feature space
says in words what it sees (:mod:`.features`).  Here are also the distances
themselves, by name.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.baselines import mean_image_with_noise
from napari_cellsynth.quality.beside import RESAMPLES, Beside, Sets, Shares, frechet, kernel, same_size
from napari_cellsynth.quality.closeness import some
from napari_cellsynth.quality.features import MEASURES, REFERENCE, SPACES, FeatureSpace
from napari_cellsynth.quality.frechet import frechet_distance
from napari_cellsynth.quality.kid import kid
from napari_cellsynth.quality.neighbours import coverage, density, precision, recall
from napari_cellsynth.quality.resampling import Cells, Estimate

__all__ = [
    "Beside",
    "Distances",
    "Estimate",
    "Images",
    "InSpace",
    "Shares",
    "coverage",
    "density",
    "distances",
    "frechet_distance",
    "in_space",
    "kid",
    "last_of",
    "measuring",
    "precision",
    "recall",
    "same_size",
]

BIASED = 5
"""Images for each feature below which the Frechet distance of two sets of one kind is far above 0."""
WIDE, FEW_CELLS = 100, 20
"""Images, and different held-out cells, below which intervals are wide."""
CALLED = {"training": "training crops", "unseen": "held-out crops", "made": "made cells"}
"""The sets in words."""
Last = TypeVar("Last")
RESAMPLED = "95 of 100 drawings: real crops drawn again cell by cell, made images one by one"


@dataclass(frozen=True)
class InSpace:
    """What was found in one feature space."""

    space: str
    """Its name."""
    words: str
    """What it is."""
    features: int
    """Numbers for each image."""
    count: int
    """Images of each set that was compared."""
    frechet: Beside
    kid: Beside
    made: Shares
    """Precision, recall, density and coverage of made images in the eyes of held-out ones."""
    control: Shares
    """The same of training images."""

    def as_json(self) -> dict[str, Any]:
        """Keys as the fields'; no number is NaN (null instead)."""
        parts = {name: getattr(self, name).as_json() for name in ("frechet", "kid", "made", "control")}
        return {"space": self.space, "words": self.words, "features": self.features, "count": self.count, **parts}


@dataclass(frozen=True)
class Distances:
    """Of one set of made images, in all spaces that were asked for."""

    spaces: tuple[InSpace, ...]
    warnings: tuple[str, ...]
    """What to know before believing them, a sentence each."""
    seed: int = 0

    def __getitem__(self, name: str) -> InSpace:
        """What was found in the space of that name."""
        for one in self.spaces:
            if one.space == name:
                return one
        raise KeyError(name)

    def as_json(self) -> dict[str, Any]:
        """``spaces`` by name, ``warnings``, ``intervals`` (how they were drawn) and ``seed``."""
        spaces = {one.space: one.as_json() for one in self.spaces}
        return {"spaces": spaces, "warnings": list(self.warnings), "intervals": RESAMPLED, "seed": self.seed}


def distances(
    training: np.ndarray,
    unseen: np.ndarray,
    made: np.ndarray,
    *,
    training_cells: Cells = None,
    unseen_cells: Cells = None,
    spaces: Sequence[FeatureSpace] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Distances:
    """Made images beside held-out ones, in every space (None: :data:`.features.SPACES`).

    Images (N, Y, X) of one size, in the same intensity units; cell numbers
    (N,) are the same for the same cell in both parts.  At least 4 training
    images, 2 held-out and 2 made ones.
    """
    images = Images(training, unseen, made, training_cells, unseen_cells)
    return last_of(measuring(images, spaces, seed=seed, resamples=resamples))


STEPS = 8
"""Things that :func:`in_space` says it does next."""


@dataclass(frozen=True, eq=False)
class Images:
    """What is compared; images (N, Y, X) of one size."""

    training: np.ndarray
    unseen: np.ndarray
    made: np.ndarray
    training_cells: Cells = None
    unseen_cells: Cells = None
    measures: Mapping[str, np.ndarray] | None = None
    """Hand-made measures (N, K) of ``training``, ``unseen`` and ``made`` that were taken before."""

    def __post_init__(self) -> None:
        shapes = {np.shape(one)[1:] for one in (self.training, self.unseen, self.made)}
        if len(shapes) > 1:
            raise BadInput(f"images of {len(shapes)} sizes given; compare images of one size (Y, X)")


def last_of(news: Generator[str, None, Last]) -> Last:
    """What a generator returns in the end."""
    while True:
        try:
            next(news)
        except StopIteration as end:
            found: Last = end.value
            return found


def measuring(
    images: Images, spaces: Sequence[FeatureSpace] | None = None, *, seed: int = 0, resamples: int = RESAMPLES
) -> Generator[str, None, Distances]:
    """:func:`distances`, step by step: yields what is done next, in words, and returns them."""
    chosen = SPACES if spaces is None else spaces
    free = mean_image_with_noise(images.training, len(images.made), seed)
    found = []
    for space in chosen:
        found.append((yield from in_space(space, images, free, seed=seed, resamples=resamples)))
    cells = len(images.unseen) if images.unseen_cells is None else len(np.unique(np.asarray(images.unseen_cells)))
    return Distances(tuple(found), tuple(warnings(found, cells)), seed)


def in_space(
    space: FeatureSpace, images: Images, free: np.ndarray, *, seed: int = 0, resamples: int = RESAMPLES
) -> Generator[str, None, InSpace]:
    """The same in one space, ``free`` being what costs nothing, at least as many as were made."""
    training, unseen, made = images.training, images.unseen, images.made
    known = images.measures if space is MEASURES else None
    yield f"{space.title}: units"
    fitted = space.fitted(training, known=None if known is None else known["training"])
    count = same_size(len(training), len(unseen), len(made))
    drawn = some(len(training), max(REFERENCE, 2 * count))
    parts = (("training", training, drawn), ("unseen", unseen, slice(None)), ("made", made, slice(count)))
    features = []
    for name, part, which in parts:
        yield f"{space.title}: {CALLED[name]}"
        raw = None if known is None else known[name][which]
        features.append(fitted.features(part[which]) if raw is None else fitted.scored(raw))
    yield f"{space.title}: what costs nothing"
    features.append(fitted.features(free[:count]))
    own = None if images.training_cells is None else np.asarray(images.training_cells)[drawn]
    real, held_out, ours, nothing = features
    sets = Sets(real, held_out, ours, nothing, own, images.unseen_cells, seed, resamples)
    yield f"{space.title}: Fréchet distance"
    by_frechet = sets.beside(frechet)
    yield f"{space.title}: kernel distance"
    by_kernel = sets.beside(kernel)
    yield f"{space.title}: neighbourhoods"
    shares, control = sets.shares()
    width = sets.training.shape[1]
    return InSpace(space.name, space.words, width, count, by_frechet, by_kernel, made=shares, control=control)


def warnings(found: Sequence[InSpace], cells: int) -> list[str]:
    """What numbers of so few images, and so few held-out cells, do not bear."""
    said = []
    few = [one for one in found if one.count < BIASED * one.features]
    if few:
        floors = " and ".join(f"{one.frechet.halves.value:.2g} ({one.space})" for one in few)
        said.append(f"With {few[0].count} images, the Fréchet distance of two sets of one kind is not 0 but {floors}.")
    if cells < 2:
        said.append(
            "All held-out crops show one cell: nothing says how far others lie from it, so that there are no intervals."
        )
    count = min((one.count for one in found), default=0)
    if count < WIDE or cells < FEW_CELLS:
        said.append(
            f"The kernel distance (KID) is right on average, but uncertain with {count} images of {cells} held-out"
            " cells: read its interval."
        )
    return said

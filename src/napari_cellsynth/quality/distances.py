"""How far made images are from real ones that were held out: all distances in all feature spaces, JSON-safe.

Each distance stands beside its floors (:mod:`.beside`); each feature space
says in words what it sees (:mod:`.features`).  Here are also the distances
themselves, by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.baselines import mean_image_with_noise
from napari_cellsynth.quality.beside import RESAMPLES, Beside, Sets, Shares, frechet, kernel, same_size
from napari_cellsynth.quality.closeness import some
from napari_cellsynth.quality.features import REFERENCE, SPACES, FeatureSpace
from napari_cellsynth.quality.frechet import frechet_distance
from napari_cellsynth.quality.kid import kid
from napari_cellsynth.quality.neighbours import coverage, density, precision, recall
from napari_cellsynth.quality.resampling import Cells, Estimate

__all__ = [
    "Beside",
    "Distances",
    "Estimate",
    "InSpace",
    "Shares",
    "coverage",
    "density",
    "distances",
    "frechet_distance",
    "in_space",
    "kid",
    "precision",
    "recall",
    "same_size",
]

BIASED = 5
"""Images for each feature below which the Frechet distance of two sets of one kind is far above 0."""
WIDE, FEW_CELLS = 100, 20
"""Images, and different held-out cells, below which intervals are wide."""
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
    chosen = SPACES if spaces is None else spaces
    free = mean_image_with_noise(training, len(made), seed)
    found = [
        in_space(space, training, unseen, made, free, training_cells, unseen_cells, seed=seed, resamples=resamples)
        for space in chosen
    ]
    cells = len(unseen) if unseen_cells is None else len(np.unique(np.asarray(unseen_cells)))
    return Distances(tuple(found), tuple(warnings(found, cells)), seed)


def in_space(
    space: FeatureSpace,
    training: np.ndarray,
    unseen: np.ndarray,
    made: np.ndarray,
    free: np.ndarray,
    training_cells: Cells = None,
    unseen_cells: Cells = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> InSpace:
    """The same in one space, ``free`` being what costs nothing, at least as many as were made."""
    shapes = {np.shape(one)[1:] for one in (training, unseen, made, free)}
    if len(shapes) > 1:
        raise BadInput(f"images of {len(shapes)} sizes given; compare images of one size (Y, X)")
    fitted = space.fitted(training)
    count = same_size(len(training), len(unseen), len(made))
    drawn = some(len(training), max(REFERENCE, 2 * count))
    sets = Sets(
        fitted.features(training[drawn]),
        fitted.features(unseen),
        fitted.features(made[:count]),
        fitted.features(free[:count]),
        None if training_cells is None else np.asarray(training_cells)[drawn],
        unseen_cells,
        seed,
        resamples,
    )
    by = {"frechet": sets.beside(frechet), "kid": sets.beside(kernel)}
    own, control = sets.shares()
    return InSpace(space.name, space.words, sets.training.shape[1], count, **by, made=own, control=control)


def warnings(found: Sequence[InSpace], cells: int) -> list[str]:
    """What numbers of so few images, and so few held-out cells, do not bear."""
    said = []
    few = [one for one in found if one.count < BIASED * one.features]
    if few:
        floors = " and ".join(f"{one.frechet.halves.value:.2g} ({one.space})" for one in few)
        said.append(f"With {few[0].count} images, the Fréchet distance of two sets of one kind is not 0 but {floors}.")
    if cells < 2:
        said.append(
            "All held-out crops show one cell: intervals take each for a cell of its own, are far too narrow, and say"
            " nothing of other cells."
        )
    count = min((one.count for one in found), default=0)
    if count < WIDE or cells < FEW_CELLS:
        said.append(
            f"The kernel distance (KID) is right on average, but uncertain with {count} images of {cells} held-out"
            " cells: read its interval."
        )
    return said

"""From which step on does a distance tell that images are worse?  Real ones, made worse step by step.

A distance that does not grow with blur, noise, lost contrast, or with the
same few cells again and again, is no measure of made cells.  Held-out crops
are made worse in five steps of each kind, and each step is compared with
training crops as made cells are with real ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.beside import RESAMPLES, Beside, Part, Sets, frechet, kernel
from napari_cellsynth.quality.features import FeatureSpace
from napari_cellsynth.quality.resampling import Cells, numbered

STEPS: dict[str, tuple[float, ...]] = {
    "blur": (0.35, 0.5, 1.0, 1.5, 2.0),
    "noise": (0.1, 0.2, 0.4, 0.6, 1.0),
    "contrast": (0.9, 0.8, 0.7, 0.6, 0.5),
    "copies": (0.1, 0.25, 0.5, 0.75, 1.0),
}
"""Blur: sigma of a Gaussian in pixels.  Noise: sd of white noise over that of the set's pixels.  Contrast: factor on
what stands out from the set's mean.  Copies: share of the set that is replaced by copies of ten of its images."""
COPIED = 10


def worse(images: np.ndarray, kind: str, step: float, seed: int = 0) -> np.ndarray:
    """Images (N, Y, X) made worse, float64; the same noise and the same ten images at every step."""
    from scipy import ndimage

    made, draws = np.array(images, dtype=np.float64), np.random.default_rng([seed, 7])
    if kind == "blur":
        return np.asarray(ndimage.gaussian_filter(made, (0, step, step)))
    if kind == "noise":
        return made + step * made.std() * draws.standard_normal(made.shape)
    if kind == "contrast":
        return (made - made.mean()) * step + made.mean()
    if kind == "copies":
        order = draws.permutation(len(made))
        ten, which = made[order[:COPIED]], draws.integers(min(COPIED, len(made)), size=len(made))
        replaced = order[::-1][: round(step * len(made))]
        made[replaced] = ten[which[replaced]]
        return made
    raise BadInput(f"kind {kind!r} given; choose one of: {', '.join(STEPS)}")


@dataclass(frozen=True)
class Rung:
    """A step: its distances, and whether they are above what real images have."""

    kind: str
    step: float
    """0: as they are."""
    frechet: float
    kid: float


@dataclass(frozen=True)
class Climb:
    """All steps in one feature space."""

    space: str
    count: int
    frechet: Beside
    """Of the images as they are: see the floors."""
    kid: Beside
    rungs: tuple[Rung, ...]

    def of(self, kind: str, distance: str) -> list[float]:
        """The distances (``frechet`` or ``kid``) of a kind, as they are first."""
        return [getattr(rung, distance) for rung in self.rungs if rung.kind in ("", kind)]

    def told_from(self, kind: str, distance: str) -> float | None:
        """The first step from which on all lie above the interval of real images; None where none does."""
        high = getattr(self, distance).across.high
        told = None
        for rung in reversed([rung for rung in self.rungs if rung.kind == kind]):
            if getattr(rung, distance) <= high:
                break
            told = rung.step
        return told


def climb(
    space: FeatureSpace,
    training: np.ndarray,
    held_out: np.ndarray,
    *,
    training_cells: Cells = None,
    held_out_cells: Cells = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Iterator[Rung | Climb]:
    """Each step as it is measured; last the Climb.  Images (N, Y, X); sets of one size, as in :mod:`.beside`."""
    fitted = space.fitted(training)
    count = min(len(held_out), len(training) // 2)
    chosen = np.sort(np.random.default_rng([seed, 5]).permutation(len(held_out))[:count])
    real = held_out[chosen]
    as_they_are = fitted.features(real)
    cells = None if held_out_cells is None else np.asarray(held_out_cells)[chosen]
    sets = Sets(
        fitted.features(training), as_they_are, as_they_are, as_they_are, training_cells, cells, seed, resamples
    )
    rungs = []
    for kind, step in [("", 0.0), *((kind, step) for kind, steps in STEPS.items() for step in steps)]:
        features = fitted.features(worse(real, kind, step, seed)) if kind else as_they_are
        rungs.append(Rung(kind, step, *_distances(features, sets)))
        yield rungs[-1]
    yield Climb(space.name, count, sets.beside(frechet), sets.beside(kernel), tuple(rungs))


def _distances(features: np.ndarray, sets: Sets) -> tuple[float, float]:
    """To as many training images: the median of all draws of them."""
    once = np.ones(len(features), dtype=int)
    own = Part(features, numbered(None, len(features), first=len(sets.training)))
    found = [[apart(own, part)(once, once) for part in sets.learned] for apart in (frechet, kernel)]
    return float(np.median(found[0])), float(np.median(found[1]))

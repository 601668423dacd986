"""Cells that a trained model makes, as a simulation shows them: a smooth path through latent space for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.simulation.light import look_of
from napari_cellsynth.simulation.measured import common_to
from napari_cellsynth.simulation.scale import pixel_of_record

if TYPE_CHECKING:
    from napari_cellsynth.api.models import Model
    from napari_cellsynth.simulation.look import Look

SAMPLED = 48
"""Images by which level, noise and halo are measured."""
TRIES = 8
"""Draws for a cell whose mask is empty or touches the border, before it is taken as it is."""
LEAST = 12
"""Pixels that a mask has at least."""
TURNS = 60.0
"""Frames in which a cell that changes comes back to how it looked: once around in latent space."""


class LatentCells:
    """An appearance (see ``simulation/look.py``) over a run's verb ``decode``.

    A cell goes around a great circle of latent space, through two draws of
    the prior: smooth, without an end, and as far out as draws are.  Its mask
    is generated with it.

    Raises BadInput where the run makes no masks, or cannot decode.
    """

    frame_interval: float | None = None
    """A generated cell has no time of its own."""

    def __init__(self, model: Model, *, change: str = "film") -> None:
        if "decode" not in model.family.verbs:
            raise BadInput(
                f"{model.run.name} ({model.family.name}) cannot make cells; give a run that can decode, or a training"
                " set of crops"
            )
        self._model, self._verbs = model, model.verbs
        self._still = change == "still"
        data = model.record["data"]
        size = data.get("pixel_size")
        self.pixel_size = None if size is None else (float(size[0]), float(size[1]))
        self.recording_pixel = pixel_of_record(data)
        self.modality = data.get("modality")
        self.notes: list[str] = list(model.notes)
        first = self._verbs.decode(self._verbs.latents(SAMPLED, seed=0))
        if first.labels is None:
            raise BadInput(
                f"{model.run.name} makes cells without outlines, so that nothing would be labelled; train with outlines"
                " (--set with_masks=true) or simulate with the training set's own cells (--appearance DATA)"
            )
        self.dtype = np.dtype(first.images.dtype)
        self._measure(first.images, first.labels > 0)
        self._look = lru_cache(maxsize=256)(self._made)
        self._draw = lru_cache(maxsize=None)(self._drawn)

    def _measure(self, images: np.ndarray, masks: np.ndarray) -> None:
        some = [(image, tidy(mask)) for image, mask in zip(images, masks, strict=True) if mask.sum() >= LEAST]
        if not some:
            raise BadInput(f"{self._model.run.name} makes no outlined cells yet; train it longer")
        common = common_to(some, self.modality)
        self.level, self.noise, self.halo = common.level, common.noise, common.halo
        self.reach = self.halo.reach

    @property
    def provenance(self) -> Mapping[str, Any]:
        data = self._model.record["data"]
        return {
            "kind": "generated",
            "run": self._model.run.name,
            "path": str(self._model.run.absolute()),
            "hash": self._model.weights_hash,
            "family": self._model.family.name,
            "data_hash": data["hash"],
        }

    def sequence(self, cell: int, frames: int, seed: int) -> Sequence[Look]:
        """Looks of a cell along its circle; look k depends on (seed, cell, k) alone."""
        return Circle(self, seed, cell, frames)

    def look(self, seed: int, cell: int, t: int) -> Look:
        """One frame of a cell, made now."""
        made: Look = self._look(seed, cell, 0 if self._still else t)
        return made

    def _made(self, seed: int, cell: int, t: int) -> Look:
        draw = self._draw(seed, cell)
        for earlier in range(t, -1, -1):
            image, mask = self._decoded(seed, cell, draw, earlier)
            # Where a cell vanishes on its way it keeps the look it had.
            if mask.sum() >= LEAST:
                return look_of(image, mask, self.noise.sigma, self.halo)
        raise BadInput(f"{self._model.run.name} makes cells without outlines; train it longer")

    def _drawn(self, seed: int, cell: int) -> int:
        """Which draw a cell is of: the first one that is whole."""
        for draw in range(TRIES):
            if whole(self._decoded(seed, cell, draw, 0)[1]):
                return draw
        return 0

    def _decoded(self, seed: int, cell: int, draw: int, t: int) -> tuple[np.ndarray, np.ndarray]:
        ends = self._verbs.latents(2, seed=seed, start=2 * (cell * TRIES + draw))
        angle = 2 * np.pi * t / TURNS
        point = np.cos(angle) * ends[:1] + np.sin(angle) * ends[1:]
        made = self._verbs.decode(point.astype(np.float32))
        return made.images[0], tidy(made.labels[0] > 0)


class Circle(Sequence["Look"]):
    """Looks of one cell, made when they are asked for."""

    def __init__(self, cells: LatentCells, seed: int, cell: int, frames: int) -> None:
        self._cells, self._seed, self._cell, self._frames = cells, seed, cell, frames

    def __len__(self) -> int:
        return self._frames

    def __getitem__(self, t: Any) -> Any:
        if not 0 <= t < self._frames:
            raise IndexError(t)
        return self._cells.look(self._seed, self._cell, t)


def tidy(mask: np.ndarray) -> np.ndarray:
    """The largest piece of a mask (S, S) bool, without holes."""
    from scipy.ndimage import binary_fill_holes, label

    pieces, count = label(mask)
    if count > 1:
        mask = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    filled: np.ndarray = binary_fill_holes(mask)
    return filled


def whole(mask: np.ndarray) -> bool:
    """Whether a mask is of a cell that lies in its crop."""
    inside = mask[1:-1, 1:-1].sum()
    return bool(mask.sum() >= LEAST and inside == mask.sum())

"""A trained DCGAN and what it can do: sample, decode, walk, embed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from napari_cellsynth.engine.checkpoint import load_weights
from napari_cellsynth.engine.draws import latents as prior
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.engine.inversion import (
    Found,
    at_once_on,
    check_wish,
    embedding,
    invert,
    starting_points,
)
from napari_cellsynth.engine.latent_paths import latent_path
from napari_cellsynth.engine.verbs import Embedding, Samples
from napari_cellsynth.errors import BadInput
from napari_cellsynth.models.dcgan.batch import from_networks, to_networks
from napari_cellsynth.models.dcgan.config import DcganSettings
from napari_cellsynth.models.dcgan.generate import generate, ready_to_use
from napari_cellsynth.models.dcgan.recipe import build_networks
from napari_cellsynth.stack.scaling import Scaling


class DcganModel:
    """A generator ready for use; images leave it in the training data's dtype and intensity units."""

    def __init__(self, settings: DcganSettings, description: dict[str, Any], checkpoint: Path, device: str) -> None:
        """``description`` is what the recipe's ``describe`` wrote, ``checkpoint`` a folder of saved weights."""
        networks = build_networks(settings, description["size"], description["channels"])
        load_weights(checkpoint, {"generator": networks["generator"]}, device)
        self.latent_size = settings.latent_size
        self.size: int = description["size"]
        self.image_shape = (self.size, self.size)
        self.scaling = Scaling.from_json(description["scaling"])
        self._ready = ready_to_use(networks["generator"].to(device), settings.latent_size)
        self._device = next(self._ready.parameters()).device

    def latents(self, count: int, *, seed: int = 0, start: int = 0) -> np.ndarray:
        """(count, D) float32 draws of the Gaussian prior; row i depends on (seed, start + i) alone."""
        return prior(count, self.latent_size, seed, start).numpy()

    def decode(self, latents: np.ndarray) -> Samples:
        """Images of the points (N, D)."""
        points = np.asarray(latents, dtype=np.float32)
        if points.ndim != 2 or points.shape[1] != self.latent_size:
            raise BadInput(f"points of shape {points.shape} given; this model takes (N, {self.latent_size})")
        # One image alone, as the morph slider asks for, is not filled up to a whole batch.
        output = generate(self._ready, torch.from_numpy(points), at_once=1 if len(points) == 1 else 16)
        images, masks = from_networks(output, self.scaling)
        return Samples(images, masks, points)

    def sample(self, count: int, *, seed: int = 0, start: int = 0) -> Samples:
        """Draws ``start`` … ``start + count - 1`` of the seed."""
        if count < 1:
            raise BadInput(f"{count} samples asked for; at least 1 is needed")
        points = prior(count, self.latent_size, seed, start)
        images, masks = from_networks(generate(self._ready, points), self.scaling)
        return Samples(images, masks, points.numpy())

    def walk(self, points: np.ndarray, between: int, *, kind: Literal["linear", "spherical"] = "spherical") -> Samples:
        """Images on the way through ``points`` (P, D): (P - 1) * between + 1 of them."""
        return self.decode(latent_path(points, between, kind))

    def embed(
        self, images: np.ndarray, *, starts: int = 3, iterations: int = 50, seed: int = 0
    ) -> Iterator[Progress | Embedding]:
        """Points from which the generator makes given images (N, S, S), of their image channel alone."""
        check_wish(images, self.image_shape, starts=starts, iterations=iterations)
        news = invert(
            lambda points: self._ready(points.to(self._device))[:, 0],
            to_networks(images, None, self.scaling)[:, 0],
            starting_points(starts, self.latent_size, seed),
            iterations=iterations,
            at_once=at_once_on(self._device),
        )
        for one in news:
            if isinstance(one, Found):
                made = from_networks(generate(self._ready, torch.from_numpy(one.latents)), self.scaling)[0]
                yield embedding(one, images, made)
            else:
                yield one

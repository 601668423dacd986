"""How a segmentation is trained: one phase, targets from labels, numbers beside outlines that cost nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, smooth_l1_loss

from napari_cellsynth.engine.draws import EpochSampler, generator
from napari_cellsynth.engine.recipe import Phase
from napari_cellsynth.models.segmentation.batch import Frames, LabelledBatch, as_batch, varied
from napari_cellsynth.models.segmentation.config import SegmentationSettings
from napari_cellsynth.models.segmentation.draw import outlined
from napari_cellsynth.models.segmentation.instances import Parting
from napari_cellsynth.models.segmentation.maps import Maps
from napari_cellsynth.models.segmentation.networks import build_network, make_optimizer
from napari_cellsynth.models.segmentation.predict import Tiles
from napari_cellsynth.models.segmentation.targets import whole_areas
from napari_cellsynth.quality.cells_found import score_all
from napari_cellsynth.quality.closeness import some
from napari_cellsynth.stack.clips.clip_set import ClipSet
from napari_cellsynth.stack.outlines.many import outline_stack
from napari_cellsynth.stack.stack import Stack

SHOWN, JUDGED, MEASURED = 8, 16, 200
"""Clips of a preview; held-out clips that numbers are from; training clips of which cells are measured."""


class SegmentationRecipe:
    """Recipe of the engine for labelled clips, of which the first frame is learned from."""

    ema = ("segmenter",)

    def __init__(self, settings: SegmentationSettings, data: Path) -> None:
        self.settings = settings
        self.data = ClipSet.open(data)
        self.train = self.data.indices("train")
        self.classes = self.data.classes if settings.with_classes else ()
        self.networks: Mapping[str, nn.Module] = {"segmenter": build_network(settings, self.classes)}
        self.phases = (Phase("segmenter", ("segmenter",), make_optimizer(settings)),)
        self.sampler = EpochSampler(len(self.train), settings.batch_size, settings.seed)
        self.parting = Parting.of(settings, self._small_area)

    def batch(self, step: int, phase: str, repeat: int) -> LabelledBatch:
        """Crops of a step, changed at random, with their targets."""
        draws = generator(self.settings.seed, "segmentation", step)
        frames = self._frames(self.train[self.sampler.indices(step)]).crop(self.settings.crop, draws)
        return as_batch(varied(frames, self.settings, self.data.modality, draws))

    def losses(
        self, phase: str, networks: Mapping[str, nn.Module], batch: LabelledBatch, draws: torch.Generator
    ) -> dict[str, Tensor]:
        """Cross entropy of cells and background, and what else the settings ask for."""
        maps = Maps.of(networks["segmenter"](batch.images), self.settings, self.classes)
        said = {"cells": binary_cross_entropy_with_logits(maps.cells, batch.inside)}
        loss = said["cells"]
        if self.settings.overlap_loss > 0:
            said["overlap"] = soft_dice(maps.cells.sigmoid(), batch.inside)
            loss = loss + self.settings.overlap_loss * said["overlap"]
        if maps.distance is not None:
            said["distance"] = smooth_l1_loss(maps.distance, batch.distance, beta=0.1)
            loss = loss + said["distance"]
        if maps.classes is not None:
            said["classes"] = cross_entropy(maps.classes, batch.classes)
            loss = loss + said["classes"]
        return {"loss": loss, **said}

    def preview(self, networks: Mapping[str, nn.Module]) -> np.ndarray:
        """Held-out frames (N, 2, Y, X): with the found outlines drawn in, and with the true ones."""
        indices = self._held_out[:SHOWN]
        images = self.data.examples(indices)
        true = self.data.labels(indices, frames=1)[:, 0]
        found = self._find(networks, indices)
        return np.stack([outlined(images, found, self.data.scaling), outlined(images, true, self.data.scaling)], 1)

    def validate(self, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        """Of held-out frames: average precision, Dice and count error, and the same of our outlines without training.

        ``error`` is 1 less the mean of average precision and Dice.
        """
        if not len(self.data.indices("validation")):
            return {}
        indices = self._held_out
        numbers = score_all(self._true, self._find(networks, indices)).numbers()
        free = {f"auto_{name}": value for name, value in self._free.items()}
        return {"error": 1 - (numbers["average_precision"] + numbers["dice"]) / 2, **numbers, **free}

    def describe(self) -> dict[str, Any]:
        """What using the weights needs besides the settings."""
        return {
            "classes": list(self.classes),
            "scaling": self.data.scaling.to_json(),
            "dtype": str(self.data.dtype),
            "pixel_size": self.data.pixel_size,
            "modality": self.data.modality,
            "small_area": self._small_area,
        }

    def _frames(self, indices: np.ndarray) -> Frames:
        """First frames of clips, in the network's range."""
        images = self.data.scaling.to_model(self.data.examples(indices))
        labels = self.data.labels(indices, frames=1)[:, 0].astype(np.int64)
        if not self.classes:
            return Frames(images, labels, np.zeros(labels.shape, np.int64))
        kinds = self.data.class_images(indices, frames=1)[:, 0]
        return Frames(images, labels, np.searchsorted(np.array(self.classes), kinds))

    def _find(self, networks: Mapping[str, nn.Module], indices: np.ndarray) -> list[np.ndarray]:
        """Labels (Y, X) of first frames."""
        network = networks["segmenter"]
        training = network.training
        network.eval()
        try:
            tiles = Tiles(network)
            return [self._labels_of(tiles, image) for image in self.data.scaling.to_model(self.data.examples(indices))]
        finally:
            network.train(training)

    def _labels_of(self, tiles: Tiles, image: np.ndarray) -> np.ndarray:
        *_, made = tiles.maps(image)
        assert made is not None
        return Maps.of(torch.from_numpy(made)[None], self.settings, self.classes).labels(self.parting)

    @cached_property
    def _held_out(self) -> np.ndarray:
        """Clips that are looked at: held out for tuning, of all frames; training clips where nothing is."""
        indices = self.data.indices("validation")
        indices = indices if len(indices) else self.train
        return indices[some(len(indices), JUDGED)]

    @cached_property
    def _true(self) -> list[np.ndarray]:
        return list(self.data.labels(self._held_out, frames=1)[:, 0])

    @cached_property
    def _free(self) -> dict[str, float]:
        """Of outlines that are found without training (``auto``) in the same frames, with one cell diameter for all."""
        modality: Any = self.data.modality
        *_, found = outline_stack(Stack(self.data.examples(self._held_out), "TYX"), modality=modality)
        assert isinstance(found, Stack)
        return score_all(self._true, list(found.data)).numbers()

    @cached_property
    def _small_area(self) -> float:
        """Area in pixels of the smaller training cells: their 5th percentile, of those that no edge cuts."""
        chosen = self.train[some(len(self.train), MEASURED)]
        areas = np.concatenate([whole_areas(one) for one in self.data.labels(chosen, frames=1)[:, 0]])
        return float(np.quantile(areas, 0.05)) if areas.size else 0.0


def soft_dice(probability: Tensor, inside: Tensor) -> Tensor:
    """1 - 2 |A and B| / (|A| + |B|) with probabilities for A, each example by itself, then the mean."""
    both = (probability * inside).sum((1, 2))
    return (1 - (2 * both + 1) / (probability.sum((1, 2)) + inside.sum((1, 2)) + 1)).mean()

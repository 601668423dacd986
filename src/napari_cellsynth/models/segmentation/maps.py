"""The maps of a network by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from napari_cellsynth.models.segmentation.config import SegmentationSettings
from napari_cellsynth.models.segmentation.instances import Parting, find_instances


@dataclass(frozen=True)
class Maps:
    """What comes out of a network, taken apart."""

    cells: Float[Tensor, "b y x"]
    """Log odds that a pixel is of a cell."""
    distance: Float[Tensor, "b y x"] | None
    """To the border of the own cell, about [0, 1]."""
    classes: Float[Tensor, "b k y x"] | None
    """Before the softmax."""

    @classmethod
    def of(cls, output: Tensor, settings: SegmentationSettings, classes: Sequence[int]) -> Maps:
        """Of maps (B, K, Y, X)."""
        with_distance = settings.part == "distance"
        first = 1 + int(with_distance)
        return cls(output[:, 0], output[:, 1] if with_distance else None, output[:, first:] if len(classes) else None)

    def labels(self, parting: Parting) -> np.ndarray:
        """Cells (Y, X) int32 of the first image."""
        distance = None if self.distance is None else self.distance[0].numpy()
        return find_instances(self.cells[0].sigmoid().numpy(), distance, parting)

    def class_image(self, classes: Sequence[int]) -> np.ndarray | None:
        """(Y, X) uint8 of the first image: the likeliest class of each pixel."""
        if self.classes is None:
            return None
        return np.array(classes, np.uint8)[torch.argmax(self.classes[0], 0).numpy()]

"""From labelled clips on disk to what the network sees and shall make of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from napari_cellsynth.models.segmentation.config import SegmentationSettings
from napari_cellsynth.models.segmentation.targets import border_distance
from napari_cellsynth.nets.augment import augment
from napari_cellsynth.stack.modality import SHADOWLESS

ZOOM, NOISE = 0.25, 0.08
"""Largest change of size as a share, and largest standard deviation of added noise in the network's range (width 2)."""


@dataclass(frozen=True)
class LabelledBatch:
    """Crops of frames and what is true of them."""

    images: Float[Tensor, "b 1 y x"]
    """About [-1, 1]."""
    inside: Float[Tensor, "b y x"]
    """1 in a cell, 0 outside."""
    distance: Float[Tensor, "b y x"]
    """To the border of the own cell, 1 in its middle, 0 outside."""
    classes: Int[Tensor, "b y x"]
    """Place of each pixel's class in the list of classes; 0 where none are learned."""

    def to(self, device: torch.device) -> LabelledBatch:
        fields = (self.images, self.inside, self.distance, self.classes)
        return LabelledBatch(*(field.to(device, non_blocking=True) for field in fields))

    def split(self, size: int) -> list[LabelledBatch]:
        fields = (self.images, self.inside, self.distance, self.classes)
        return [LabelledBatch(*parts) for parts in zip(*(field.split(size) for field in fields), strict=True)]

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Frames:
    """Labelled frames of one size, as arrays."""

    images: np.ndarray
    """(B, Y, X) float32, about [-1, 1]."""
    labels: np.ndarray
    """(B, Y, X) integers."""
    classes: np.ndarray
    """(B, Y, X): places in the list of classes."""

    def crop(self, side: int, draws: torch.Generator) -> Frames:
        """A square of each at a random place."""
        height, width = self.images.shape[-2:]
        if max(height, width) <= side:
            return self
        rows, columns = (_starts(length, side, len(self.images), draws) for length in (height, width))
        taken = [
            np.stack([a[y : y + side, x : x + side] for a, y, x in zip(array, rows, columns, strict=True)])
            for array in (self.images, self.labels, self.classes)
        ]
        return Frames(*taken)


def _starts(length: int, side: int, count: int, draws: torch.Generator) -> list[int]:
    return [int(n) for n in torch.randint(0, max(1, length - side + 1), (count,), generator=draws)]


def varied(frames: Frames, settings: SegmentationSettings, modality: str | None, draws: torch.Generator) -> Frames:
    """Changed at random as the settings and the modality allow; labels and classes go along, unmixed."""
    numbers = _compact(frames.labels)
    planes = [frames.images, numbers.astype(np.float32), frames.classes.astype(np.float32)]
    stacked = torch.from_numpy(np.stack(planes, 1))
    if settings.mirror and modality in SHADOWLESS:
        flipped = torch.rand(len(stacked), generator=draws) < 0.5
        stacked = torch.where(flipped[:, None, None, None], stacked.flip(3), stacked)
    if settings.augment > 0:
        stacked = _zoomed(stacked, settings.augment, draws)
        stacked = augment(stacked, settings.augment, draws, modality=modality, intensity_channels=1, max_shift=0.0625)
        stacked = _noisier(stacked, settings.augment, draws)
    images, labels, classes = (stacked[:, i].numpy() for i in range(3))
    return Frames(images, labels.astype(np.int64), classes.astype(np.int64))


def _compact(labels: np.ndarray) -> np.ndarray:
    """Numbers from 1 without holes, each frame on its own: float32 holds no large ones exactly."""
    return np.stack([np.unique(one, return_inverse=True)[1].reshape(one.shape) + (one.min() > 0) for one in labels])


def _zoomed(planes: Tensor, share: float, draws: torch.Generator) -> Tensor:
    """Larger or smaller; height and width a little differently."""
    count = len(planes)
    chosen = torch.rand(count, generator=draws) < share
    both = (torch.rand(count, 1, generator=draws) * 2 - 1) * ZOOM
    each = both + (torch.rand(count, 2, generator=draws) * 2 - 1) * ZOOM / 4
    scale = torch.where(chosen[:, None], torch.exp(each), torch.ones(()))
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = scale[:, 1], scale[:, 0]
    grid = affine_grid(theta, list(planes.shape), align_corners=False)
    images = grid_sample(planes[:, :1], grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    numbers = grid_sample(planes[:, 1:], grid, mode="nearest", padding_mode="reflection", align_corners=False)
    return torch.cat([images, numbers], 1)


def _noisier(planes: Tensor, share: float, draws: torch.Generator) -> Tensor:
    count = len(planes)
    strength = torch.rand(count, generator=draws) * NOISE * (torch.rand(count, generator=draws) < share)
    noise = torch.randn(planes[:, :1].shape, generator=draws) * strength[:, None, None, None]
    return torch.cat([planes[:, :1] + noise, planes[:, 1:]], 1)


def as_batch(frames: Frames) -> LabelledBatch:
    """With the targets of the networks."""
    return LabelledBatch(
        torch.from_numpy(np.ascontiguousarray(frames.images, dtype=np.float32))[:, None],
        torch.from_numpy((frames.labels > 0).astype(np.float32)),
        torch.from_numpy(np.stack([border_distance(one) for one in frames.labels])),
        torch.from_numpy(frames.classes.astype(np.int64)),
    )

"""From crops on disk to what the networks see, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from napari_cellsynth.stack.scaling import Scaling


@dataclass(frozen=True)
class CropBatch:
    """Crops as the networks see them."""

    images: Float[Tensor, "b c s s"]
    """In [-1, 1]; a second channel, where there is one, is the outline (-1 outside, 1 inside)."""

    def to(self, device: torch.device) -> CropBatch:
        return CropBatch(self.images.to(device, non_blocking=True))

    def split(self, size: int) -> list[CropBatch]:
        return [CropBatch(part) for part in self.images.split(size)]

    def __len__(self) -> int:
        return len(self.images)


def to_networks(images: np.ndarray, masks: np.ndarray | None, scaling: Scaling) -> Float[Tensor, "b c s s"]:
    """Crops (B, S, S) in the data's dtype and masks (B, S, S), or None, to the networks' range.

    Values outside the training part's range are clipped: tanh cannot make
    them, and a discriminator would tell real from made by them alone.
    """
    image = torch.from_numpy(scaling.to_model(images)).clamp_(-1, 1)[:, None]
    if masks is None:
        return image
    # A hard edge would give real outlines away, since tanh makes soft ones: soften by a pixel.
    soft = avg_pool2d(torch.from_numpy((masks > 0).astype(np.float32))[:, None], 3, 1, 1, count_include_pad=False)
    return torch.cat([image, soft * 2 - 1], 1)


def from_networks(output: Float[Tensor, "b c s s"], scaling: Scaling) -> tuple[np.ndarray, np.ndarray | None]:
    """Images (B, S, S) in the data's dtype and, with a second channel, masks (B, S, S) uint8."""
    array = output.float().cpu().numpy()
    images = scaling.from_model(array[:, 0])
    return images, (array[:, 1] > 0).astype(np.uint8) if array.shape[1] > 1 else None

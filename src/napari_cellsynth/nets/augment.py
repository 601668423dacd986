"""Differentiable augmentation that the modality allows (Zhao et al. 2020).

Real and made images pass through it alike, in the discriminator's and in the
generator's turn, so that the discriminator cannot learn a small training set
by heart and the generator does not learn the augmentation.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from napari_cellsynth.stack.modality import SHADOWLESS


def augment(
    images: Float[Tensor, "b c y x"],
    share: float,
    draws: torch.Generator,
    *,
    modality: str | None,
    intensity_channels: int = 1,
    max_shift: float = 0.125,
) -> Float[Tensor, "b c y x"]:
    """Shift, change brightness and contrast, and where the modality allows it mirror and turn.

    Images are in [-1, 1].  Each change happens to each image with probability
    ``share``.  Brightness and contrast touch the first
    ``intensity_channels`` channels only (masks have none).  ``draws`` is a
    generator on the CPU.  An unknown modality is treated like DIC.
    """
    if share == 0:
        return images
    images = _brightness_contrast(images, share, draws, intensity_channels)
    images = _shift(images, share, draws, max_shift)
    return _mirror_and_turn(images, share, draws) if modality in SHADOWLESS else images


def _chosen(count: int, share: float, draws: torch.Generator) -> Tensor:
    return torch.rand(count, generator=draws) < share


def _brightness_contrast(images: Tensor, share: float, draws: torch.Generator, channels: int) -> Tensor:
    count = len(images)
    brightness = (torch.rand(count, generator=draws) - 0.5) * 0.4 * _chosen(count, share, draws)
    contrast = 1 + (torch.rand(count, generator=draws) - 0.5) * 0.5 * _chosen(count, share, draws)
    brightness, contrast = (value.to(images.device)[:, None, None, None] for value in (brightness, contrast))
    changed = images[:, :channels]
    mean = changed.mean((1, 2, 3), keepdim=True)
    return torch.cat([(changed - mean) * contrast + mean + brightness, images[:, channels:]], 1)


def _shift(images: Tensor, share: float, draws: torch.Generator, max_shift: float) -> Tensor:
    count, _, height, width = images.shape
    most = max(1, round(max_shift * min(height, width)))
    steps = torch.randint(-most, most + 1, (2, count), generator=draws) * _chosen(count, share, draws)
    # Mirrored borders: a black frame would be a cue that no microscope makes.
    padded = pad(images, (most,) * 4, mode="reflect")
    rows = (steps[0, :, None] + torch.arange(height) + most).to(images.device)
    columns = (steps[1, :, None] + torch.arange(width) + most).to(images.device)
    here = torch.arange(count, device=images.device)
    return padded.permute(0, 2, 3, 1)[here[:, None, None], rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _mirror_and_turn(images: Tensor, share: float, draws: torch.Generator) -> Tensor:
    turns = torch.randint(0, 4, (len(images),), generator=draws) * _chosen(len(images), share, draws)
    mirrored = _chosen(len(images), share / 2, draws)
    out = images
    for quarter in (1, 2, 3):
        here = (turns == quarter).to(images.device)[:, None, None, None]
        out = torch.where(here, torch.rot90(images, quarter, (2, 3)), out)
    return torch.where(mirrored.to(images.device)[:, None, None, None], out.flip(3), out)

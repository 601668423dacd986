"""What the encoder learns to tell: the same crop at another place, and more or less blurred, noisy, or in contrast."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from napari_cellsynth.quality.encoder.settings import EncoderSettings

REACH = 8
"""Pixels on either side of a pixel that a blur looks at: three times the widest sigma, about."""


@dataclass(frozen=True)
class Damage:
    """How each of B crops is damaged; (B,) each."""

    blur: Tensor
    """Sigma in pixels."""
    noise: Tensor
    """Sd of white noise, in sd of the field."""
    contrast: Tensor
    """Factor on what stands out from the field's mean."""

    def stacked(self) -> Tensor:
        """(B, 3), the more the worse."""
        return torch.stack([self.blur, self.noise, -torch.log(self.contrast)], 1)


def drawn(count: int, settings: EncoderSettings, draws: torch.Generator) -> Damage:
    """Slight damages more often than strong ones, and of each kind none for a quarter of the crops."""

    def share() -> Tensor:
        some = torch.rand(count, generator=draws) > 0.25
        return torch.rand(count, generator=draws) ** 2 * some

    low = torch.log(torch.tensor(settings.contrast))
    return Damage(share() * settings.blur, share() * settings.noise, torch.exp(share() * low))


def view(crops: Tensor, damage: Damage, settings: EncoderSettings, draws: torch.Generator) -> Tensor:
    """Crops (B, L, L), L at least the side and twice the shift, as seen at a random place: (B, 1, S, S)."""
    side = settings.side
    blurred = _blurred(crops, damage.blur)
    spare = crops.shape[1] - side
    low, high = spare // 2 - settings.shift, spare // 2 + settings.shift
    rows, columns = torch.randint(max(0, low), min(spare, high) + 1, (2, len(crops)), generator=draws)
    here, along = torch.arange(len(crops)), torch.arange(side)
    seen = blurred[here[:, None, None], (rows[:, None] + along)[:, :, None], (columns[:, None] + along)[:, None]]
    seen = seen * damage.contrast[:, None, None]
    return (seen + damage.noise[:, None, None] * torch.randn(seen.shape, generator=draws))[:, None]


def _blurred(crops: Tensor, sigma: Tensor) -> Tensor:
    """Each crop (B, L, L) by its own Gaussian, borders mirrored."""
    place = torch.arange(-REACH, REACH + 1.0)
    kernel = torch.exp(-0.5 * (place / sigma.clamp(min=1e-3)[:, None]) ** 2)
    kernel = kernel / kernel.sum(1, keepdim=True)
    images = F.pad(crops[None], (REACH,) * 4, mode="reflect")
    images = F.conv2d(images, kernel[:, None, :, None], groups=len(crops))
    return F.conv2d(images, kernel[:, None, None, :], groups=len(crops))[0]

"""Generator and discriminator after Radford et al. 2015 (DCGAN), figure 1 and section 3."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

SMALLEST = 4
"""Side in pixels of the generator's first and the discriminator's last feature map."""


def widths(size: int, width: int, widest: int) -> list[int]:
    """Channels from the layer next to the image (side ``size / 2``) down to the 4x4 layer.

    ``size`` is one of ``config.SIZES``; 64 with width 128 gives DCGAN's
    128, 256, 512, 1024.
    """
    levels = (size // SMALLEST).bit_length() - 1
    return [min(width * 2**level, widest) for level in range(levels)]


def initialise(module: nn.Module) -> None:
    """Weights from N(0, 0.02), batch norm gains from N(1, 0.02) (Radford et al. section 4)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


class Generator(nn.Module):
    """Latents (B, D) to images (B, C, S, S) in [-1, 1]: fractionally strided convolutions, batch norm, ReLU, tanh."""

    def __init__(self, size: int, channels: int, latent_size: int, width: int, widest: int) -> None:
        super().__init__()
        wide = widths(size, width, widest)[::-1]
        layers: list[nn.Module] = [nn.ConvTranspose2d(latent_size, wide[0], SMALLEST, 1, 0, bias=False)]
        for above, below in pairwise(wide):
            layers += [nn.BatchNorm2d(above), nn.ReLU(True), nn.ConvTranspose2d(above, below, 4, 2, 1, bias=False)]
        layers += [nn.BatchNorm2d(wide[-1]), nn.ReLU(True), nn.ConvTranspose2d(wide[-1], channels, 4, 2, 1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise)

    def forward(self, latents: Float[Tensor, "b d"]) -> Float[Tensor, "b c s s"]:
        return self.layers(latents[:, :, None, None])


Norm = Literal["batch", "layer", "none"]


def normed(channels: int, norm: Norm) -> list[nn.Module]:
    """Layers that normalise, none or one; ``layer`` is over all channels and pixels of an image."""
    if norm == "none":
        return []
    return [nn.BatchNorm2d(channels) if norm == "batch" else nn.GroupNorm(1, channels)]


class Discriminator(nn.Module):
    """Images (B, C, S, S) to scores (B,), the logit of being real: strided convolutions, a norm, LeakyReLU 0.2.

    The norm is batch norm in DCGAN; a critic whose gradient is penalised
    image by image must do without (Gulrajani et al. 2017, section 4, who
    recommend layer norm in its place).
    """

    def __init__(self, size: int, channels: int, width: int, widest: int, norm: Norm = "batch") -> None:
        super().__init__()
        wide = widths(size, width, widest)
        layers: list[nn.Module] = [nn.Conv2d(channels, wide[0], 4, 2, 1), nn.LeakyReLU(0.2, True)]
        for above, below in pairwise(wide):
            convolution = nn.Conv2d(above, below, 4, 2, 1, bias=norm == "none")
            layers += [convolution, *normed(below, norm), nn.LeakyReLU(0.2, True)]
        layers += [nn.Conv2d(wide[-1], 1, SMALLEST, 1, 0)]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise)

    def forward(self, images: Float[Tensor, "b c s s"]) -> Float[Tensor, " b"]:
        return self.layers(images).flatten()

"""Networks of residual blocks without normalisation, for losses that penalise the discriminator's gradient.

After R3GAN (Huang et al. 2024, arXiv:2501.05441, section 3): a relativistic
loss with R1 and R2 trains plain residual networks stably, so that neither
batch norm nor anything else of DCGAN's advice is needed.  Simplified: full
3x3 convolutions instead of grouped bottlenecks, which for the few channels
that small sets need are no slower.  Changed: from level to level each pixel
becomes 2x2 by weights of their own, and back, where theirs blurs; with few
channels and steps, the grain of a camera was not learned through a blur.
"""

from __future__ import annotations

from itertools import pairwise
from math import sqrt

from jaxtyping import Float
from torch import Tensor, nn

from napari_cellsynth.models.dcgan.networks import SMALLEST, widths

SLOPE = 0.2
SCALE = sqrt(2 / (1 + SLOPE**2))
"""He's gain, which layers that follow no nonlinearity do without."""


def channels_per_level(size: int, width: int, widest: int) -> list[int]:
    """Channels at sides ``size``, ``size / 2``, … 4; at full size half of ``width``."""
    return [max(4, width // 2), *widths(size, width, widest)]


def started(layer: nn.Module, gain: float) -> nn.Module:
    """Weights from N(0, gain² / inputs) (He et al. 2015), no bias at first."""
    nn.init.kaiming_normal_(layer.weight, a=SLOPE)  # type: ignore[arg-type]
    layer.weight.data.mul_(gain)  # type: ignore[operator]
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


class Block(nn.Module):
    """x + two convolutions of x; the second begins at nothing, so that deep stacks begin as the identity (Fixup)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = started(nn.Conv2d(channels, channels, 3, 1, 1), 1.0)
        self.second = started(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), 0.0)
        self.act = nn.LeakyReLU(SLOPE)

    def forward(self, x: Float[Tensor, "b c y x"]) -> Float[Tensor, "b c y x"]:
        return x + self.second(self.act(self.first(self.act(x))))


def enlarging(above: int, below: int) -> nn.Module:
    """Each pixel becomes 2x2, which do not overlap with those of others: no checkerboard."""
    layer = nn.ConvTranspose2d(above, below, 2, 2)
    # A pixel of the output has one of the input: not as many inputs as He's rule would count.
    nn.init.normal_(layer.weight, 0.0, above**-0.5)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def reducing(above: int, below: int) -> nn.Module:
    """2x2 pixels become one."""
    return started(nn.Conv2d(above, below, 2, 2), 1 / SCALE)


class ResidualGenerator(nn.Module):
    """Latents (B, D) to images (B, C, S, S) in [-1, 1]: a block a level, enlarged twofold between them, tanh."""

    def __init__(self, size: int, channels: int, latent_size: int, width: int, widest: int) -> None:
        super().__init__()
        wide = channels_per_level(size, width, widest)[::-1]
        self.smallest = wide[0]
        self.start = started(nn.Linear(latent_size, wide[0] * SMALLEST**2), 1 / SCALE)
        self.blocks = nn.ModuleList(Block(each) for each in wide)
        self.enlarge = nn.ModuleList(enlarging(above, below) for above, below in pairwise(wide))
        self.end = started(nn.Conv2d(wide[-1], channels, 3, 1, 1), 0.5)
        self.act = nn.LeakyReLU(SLOPE)

    def forward(self, latents: Float[Tensor, "b d"]) -> Float[Tensor, "b c s s"]:
        x = self.start(latents).unflatten(1, (self.smallest, SMALLEST, SMALLEST))
        x = self.blocks[0](x)
        for enlarge, block in zip(self.enlarge, self.blocks[1:], strict=True):
            x = block(enlarge(x))
        return self.end(self.act(x)).tanh()


class ResidualDiscriminator(nn.Module):
    """Images (B, C, S, S) to scores (B,): a block a level, reduced twofold between them."""

    def __init__(self, size: int, channels: int, width: int, widest: int) -> None:
        super().__init__()
        wide = channels_per_level(size, width, widest)
        self.start = started(nn.Conv2d(channels, wide[0], 3, 1, 1), 1 / SCALE)
        self.blocks = nn.ModuleList(Block(each) for each in wide)
        self.reduce = nn.ModuleList(reducing(above, below) for above, below in pairwise(wide))
        self.end = started(nn.Linear(wide[-1] * SMALLEST**2, 1), 1.0)
        self.act = nn.LeakyReLU(SLOPE)

    def forward(self, images: Float[Tensor, "b c s s"]) -> Float[Tensor, " b"]:
        x = self.blocks[0](self.start(images))
        for reduce, block in zip(self.reduce, self.blocks[1:], strict=True):
            x = block(reduce(x))
        return self.end(self.act(x).flatten(1)).flatten()

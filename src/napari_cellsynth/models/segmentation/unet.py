"""A residual U-Net: Ronneberger et al. 2015 with the residual blocks of He et al. 2016 and batch norm.

Batch norm, not a norm of each image: what is found in a tile then depends on
its own pixels alone, however a frame is divided.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

WIDEST = 256
"""Channels at most, however many levels there are."""


class Residual(nn.Module):
    """x + two times (batch norm, ReLU, 3x3 convolution); a 1x1 convolution of x where channels differ."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        )
        self.beside = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Float[Tensor, "b c y x"]) -> Float[Tensor, "b d y x"]:
        return self.beside(x) + self.body(x)


class ResidualUNet(nn.Module):
    """Images (B, C, Y, X) to maps (B, K, Y, X) of the same size, before any softmax or sigmoid."""

    def __init__(self, inputs: int, outputs: int, width: int = 32, levels: int = 4) -> None:
        super().__init__()
        self.levels = levels
        wide = [min(width * 2**level, WIDEST) for level in range(levels + 1)]
        self.first = nn.Conv2d(inputs, wide[0], 3, padding=1)
        self.down = nn.ModuleList([Residual(wide[0], wide[0])])
        self.down.extend(Residual(above, below) for above, below in pairwise(wide))
        self.up = nn.ModuleList(Residual(below + above, above) for above, below in pairwise(wide))
        self.last = nn.Sequential(nn.BatchNorm2d(wide[0]), nn.ReLU(), nn.Conv2d(wide[0], outputs, 1))
        self.apply(started)

    def forward(self, x: Float[Tensor, "b c y x"]) -> Float[Tensor, "b k y x"]:
        height, width = x.shape[-2:]
        step = 2**self.levels
        x = pad(x, (0, -width % step, 0, -height % step), mode="replicate")
        x, kept = self.down[0](self.first(x)), []
        for block in self.down[1:]:
            kept.append(x)
            x = block(nn.functional.max_pool2d(x, 2))
        for block, beside in zip(list(self.up)[::-1], kept[::-1], strict=True):
            x = block(torch.cat([interpolate(x, scale_factor=2.0, mode="nearest"), beside], 1))
        return self.last(x)[..., :height, :width]


def started(module: nn.Module) -> None:
    """He's normal start."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)

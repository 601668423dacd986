"""The fully convolutional DenseNet of Jégou et al. 2017 (arXiv:1611.09326), written from its sections 3 and 4.

A layer is batch norm, ReLU, a 3x3 convolution and dropout; a dense block
concatenates what its layers make.  On the way down a block's input is kept
beside its output and goes with it to the way up; on the way up only the maps
that a block has made are enlarged, so that their number does not grow without
bound (their section 3.2).  Table 1 has the sizes; table 2 FC-DenseNet103.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

LAYERS: dict[str, tuple[int, ...]] = {
    "56": (4, 4, 4, 4, 4, 4),
    "67": (5, 5, 5, 5, 5, 5),
    "103": (4, 5, 7, 10, 12, 15),
}
"""Layers of the blocks on the way down, the last the one between; the way up mirrors them."""
GROWTH = {"56": 12, "67": 16, "103": 16}
"""Maps that a layer adds."""


class DenseLayer(nn.Sequential):
    """Batch norm, ReLU, 3x3 convolution, dropout: ``growth`` new maps."""

    def __init__(self, channels: int, growth: int, dropout: float) -> None:
        super().__init__(
            nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, growth, 3, padding=1), nn.Dropout2d(dropout)
        )


class DenseBlock(nn.Module):
    """Layers each of which sees all maps before it; returns those that they made."""

    def __init__(self, channels: int, growth: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DenseLayer(channels + i * growth, growth, dropout) for i in range(layers))

    def forward(self, x: Float[Tensor, "b c y x"]) -> Float[Tensor, "b d y x"]:
        made = []
        for layer in self.layers:
            new = layer(x)
            made.append(new)
            x = torch.cat([x, new], 1)
        return torch.cat(made, 1)


class Down(nn.Sequential):
    """Transition down: batch norm, ReLU, 1x1 convolution, dropout, 2x2 max pooling."""

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__(
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 1),
            nn.Dropout2d(dropout),
            nn.MaxPool2d(2),
        )


class FCDenseNet(nn.Module):
    """Images (B, C, Y, X) to maps (B, K, Y, X) of the same size, before any softmax or sigmoid."""

    def __init__(self, inputs: int, outputs: int, kind: str = "103", width: int = 48, dropout: float = 0.2) -> None:
        super().__init__()
        layers, growth = LAYERS[kind], GROWTH[kind]
        self.levels = len(layers) - 1
        self.first = nn.Conv2d(inputs, width, 3, padding=1)
        channels, kept = width, []
        self.down, self.reduce = nn.ModuleList(), nn.ModuleList()
        for count in layers[:-1]:
            self.down.append(DenseBlock(channels, growth, count, dropout))
            channels += count * growth
            kept.append(channels)
            self.reduce.append(Down(channels, dropout))
        self.middle = DenseBlock(channels, growth, layers[-1], dropout)
        made = layers[-1] * growth
        self.enlarge, self.up = nn.ModuleList(), nn.ModuleList()
        for count, beside in zip(layers[-2::-1], kept[::-1], strict=True):
            self.enlarge.append(nn.ConvTranspose2d(made, made, 3, stride=2, padding=1, output_padding=1))
            self.up.append(DenseBlock(made + beside, growth, count, dropout))
            channels, made = made + beside + count * growth, count * growth
        self.last = nn.Conv2d(channels, outputs, 1)
        self.apply(started)

    def forward(self, x: Float[Tensor, "b c y x"]) -> Float[Tensor, "b k y x"]:
        height, width = x.shape[-2:]
        step = 2**self.levels
        x = pad(x, (0, -width % step, 0, -height % step), mode="replicate")
        x, kept = self.first(x), []
        for block, reduce in zip(self.down, self.reduce, strict=True):
            x = torch.cat([x, block(x)], 1)
            kept.append(x)
            x = reduce(x)
        made = self.middle(x)
        for enlarge, block in zip(self.enlarge, self.up, strict=True):
            x = torch.cat([enlarge(made), kept.pop()], 1)
            made = block(x)
        return self.last(torch.cat([x, made], 1))[..., :height, :width]


def started(module: nn.Module) -> None:
    """He's uniform start (cited: HeUniform), no bias at first."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)

"""The network: convolutions at four scales, of each the mean response, and one linear layer.

There is no normalisation of an image or of a layer by what it holds: it
would hide contrast, which a distance of image sets must see.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Encoder(nn.Module):
    """Images (B, 1, S, S), of mean about 0 and sd about 1 over their set, to features (B, K).

    Parameters
    ----------
    widths
        Filters of each level; between levels, pixels are averaged two by two.
    features
        K.
    """

    def __init__(self, widths: Sequence[int] = (24, 48, 96, 128), features: int = 32) -> None:
        super().__init__()
        before = (1, *widths[:-1])
        levels = [
            nn.Conv2d(given, width, 5 if given == 1 else 3, padding="same", padding_mode="reflect")
            for given, width in zip(before, widths, strict=True)
        ]
        self.levels = nn.ModuleList(levels)
        self.out = nn.Linear(sum(widths), features)
        # Only now: the shipped weights follow from this order of draws.
        for layer in levels:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor) -> Tensor:
        means = []
        for number, layer in enumerate(self.levels):
            if number:
                images = F.avg_pool2d(images, 2)
            images = F.relu(layer(images))
            means.append(images.mean((2, 3)))
        return self.out(torch.cat(means, 1))

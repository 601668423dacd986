"""One image at a time, fast enough for a slider.

For a single image of 4x4 pixels, the processor's transposed convolution is
four times slower than the matrix product that it is (19 ms against 5 ms for
DCGAN's 1024 to 512 channels on one core), and takes most of the network's
time.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import fold

FEW = 16
"""Input pixels, of all images together, up to which the product is faster."""


class QuickTransposed(nn.Module):
    """A transposed convolution; of a few pixels, on the processor, as one product (other rounding in the last bit)."""

    def __init__(self, layer: nn.ConvTranspose2d) -> None:
        super().__init__()
        self.layer = layer
        self.shape = layer.kernel_size, layer.stride, (int(layer.padding[0]), int(layer.padding[1]))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d y x"]:
        images, _, height, width = x.shape
        if x.device.type != "cpu" or not 1 < images * height * width <= FEW:
            return self.layer(x)
        kernel, stride, padding = self.shape
        tall, wide = (
            (n - 1) * s - 2 * p + k for n, s, p, k in zip((height, width), stride, padding, kernel, strict=True)
        )
        # Pixels times weights, in this order: the weights, far the larger, are read as they lie in memory.
        columns = torch.matmul(x.flatten(2).transpose(1, 2), self.layer.weight.flatten(1))
        made = fold(columns.transpose(1, 2), (tall, wide), kernel, padding=padding, stride=stride)
        return made if self.layer.bias is None else made + self.layer.bias[:, None, None]


def quick(network: nn.Module) -> nn.Module:
    """The network with its transposed convolutions replaced, in place; for use, not for training."""
    for name, child in network.named_children():
        if isinstance(child, nn.ConvTranspose2d):
            setattr(network, name, QuickTransposed(child))
        else:
            quick(child)
    return network

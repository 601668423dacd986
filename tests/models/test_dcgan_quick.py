"""The quick way through a transposed convolution is the same function."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from napari_cellsynth.models.dcgan.quick import FEW, QuickTransposed, quick


@pytest.mark.parametrize(("side", "kernel", "stride", "padding"), [(4, 4, 2, 1), (2, 3, 1, 0), (3, 5, 2, 2)])
@pytest.mark.parametrize("bias", [True, False])
def test_the_product_is_the_convolution(side, kernel, stride, padding, bias, monkeypatch):
    layer = nn.ConvTranspose2d(6, 5, kernel, stride, padding, bias=bias)
    x = torch.randn(1, 6, side, side)
    assert x[0, 0].numel() <= FEW
    wanted = layer(x)
    # The convolution must not be what answers.
    monkeypatch.setattr(layer, "forward", None)
    torch.testing.assert_close(QuickTransposed(layer)(x), wanted)


def test_more_pixels_take_the_convolution_bit_for_bit():
    network = nn.Sequential(
        nn.ConvTranspose2d(3, 4, 4, 2, 1), nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(4, 2, 4, 2, 1))
    )
    x = torch.randn(16, 3, 4, 4)
    wanted = network(x)
    assert torch.equal(quick(network)(x), wanted)
    assert sum(isinstance(part, QuickTransposed) for part in network.modules()) == 2

"""Residual networks without norm."""

import pytest
import torch

from napari_cellsynth.engine.draws import generator
from napari_cellsynth.models.dcgan.config import SIZES
from napari_cellsynth.models.dcgan.generate import ready_to_use
from napari_cellsynth.models.dcgan.residual import Block, ResidualDiscriminator, ResidualGenerator, channels_per_level


def test_channels_double_towards_the_smallest_level() -> None:
    assert channels_per_level(64, 64, 512) == [32, 64, 128, 256, 512]
    assert channels_per_level(64, 64, 128) == [32, 64, 128, 128, 128]


@pytest.mark.parametrize("size", SIZES[:4])
@pytest.mark.parametrize("channels", [1, 2])
def test_shapes_and_range_for_every_power_of_two(size: int, channels: int) -> None:
    images = ResidualGenerator(size, channels, 10, 4, 16)(torch.randn(3, 10, generator=generator(0)))
    assert images.shape == (3, channels, size, size)
    assert images.abs().max() <= 1
    assert ResidualDiscriminator(size, channels, 4, 16)(images).shape == (3,)


def test_a_block_begins_as_the_identity_and_learns_to_be_another() -> None:
    block = Block(6)
    x = torch.randn(2, 6, 8, 8, generator=generator(1))
    assert torch.equal(block(x), x)
    block(x).square().sum().backward()
    assert block.second.weight.grad.abs().max() > 0


def test_scores_and_images_of_new_networks_are_of_moderate_size() -> None:
    """At any depth: without a norm, it is the weights at first that keep them so."""
    for size in (32, 128):
        torch.manual_seed(0)
        images = ResidualGenerator(size, 1, 64, 16, 128)(torch.randn(16, 64, generator=generator(2)))
        assert 0.1 < images.std() < 0.9
        assert 0.01 < ResidualDiscriminator(size, 1, 16, 128)(images).abs().mean() < 10


def test_a_generator_without_norms_is_used_as_it_is() -> None:
    network = ResidualGenerator(16, 1, 8, 8, 16)
    ready = ready_to_use(network, 8)
    points = torch.randn(2, 8, generator=generator(3))
    assert torch.equal(ready(points), network(points).detach())
    assert not any(weight.requires_grad for weight in ready.parameters())
    assert all(weight.requires_grad for weight in network.parameters()), "the network in training is left alone"

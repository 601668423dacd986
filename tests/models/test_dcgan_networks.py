import math

import pytest
import torch

from napari_cellsynth.models.dcgan.config import PAPER, SIZES
from napari_cellsynth.models.dcgan.losses import discriminator_loss, generator_loss
from napari_cellsynth.models.dcgan.networks import Discriminator, Generator, widths


def test_paper_widths_are_those_of_dcgan_figure_1() -> None:
    assert widths(64, PAPER.width, PAPER.widest)[::-1] == [1024, 512, 256, 128]


def test_paper_parameters_counted_from_the_listed_shapes() -> None:
    """4x4 kernels: 100-1024-512-256-128-1 up, 1-128-256-512-1024-1 down, batch norm on all but the ends."""
    wide = [1024, 512, 256, 128]
    convolutions = 16 * (100 * 1024 + 1024 * 512 + 512 * 256 + 256 * 128 + 128 * 1) + 1
    generator = Generator(64, 1, 100, PAPER.width, PAPER.widest)
    assert sum(p.numel() for p in generator.parameters()) == convolutions + 2 * sum(wide)
    convolutions = 16 * (1 * 128 + 128 * 256 + 256 * 512 + 512 * 1024 + 1024 * 1) + 128 + 1
    discriminator = Discriminator(64, 1, PAPER.width, PAPER.widest)
    assert sum(p.numel() for p in discriminator.parameters()) == convolutions + 2 * (256 + 512 + 1024)


@pytest.mark.parametrize("size", SIZES[:4])
@pytest.mark.parametrize("channels", [1, 2])
def test_shapes_and_range_for_every_power_of_two(size: int, channels: int) -> None:
    images = Generator(size, channels, 10, 4, 16)(torch.randn(3, 10))
    assert images.shape == (3, channels, size, size)
    assert images.abs().max() <= 1
    assert Discriminator(size, channels, 4, 16)(images).shape == (3,)


def test_initial_weights_are_small_gaussians() -> None:
    first = Generator(64, 1, 100, 32, 256).layers[0].weight
    assert first.std().item() == pytest.approx(0.02, rel=0.05)
    assert first.mean().item() == pytest.approx(0, abs=1e-3)


def test_losses_at_known_scores() -> None:
    """An undecided discriminator pays 2 log 2 (Goodfellow 2014, theorem 1: log 4), a right one nothing."""
    zero = torch.zeros(4)
    assert discriminator_loss(zero, zero).item() == pytest.approx(math.log(4))
    assert discriminator_loss(zero + 50, zero - 50).item() == pytest.approx(0, abs=1e-6)
    assert generator_loss(zero, "non-saturating").item() == pytest.approx(math.log(2))
    assert generator_loss(zero, "minimax").item() == pytest.approx(-math.log(2))


def test_minimax_saturates_where_the_other_does_not() -> None:
    gradients = {}
    for term in ("minimax", "non-saturating"):
        score = torch.tensor([-8.0], requires_grad=True)
        generator_loss(score, term).backward()
        gradients[term] = score.grad.item()
    assert -1e-3 < gradients["minimax"] < 0
    assert gradients["non-saturating"] < -0.99

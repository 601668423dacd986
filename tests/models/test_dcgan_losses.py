"""What the two networks compete over: values and gradients that are known."""

import math

import pytest
import torch
from torch import Tensor, nn

from napari_cellsynth.engine.draws import generator
from napari_cellsynth.models.dcgan.clipping import ClippedRMSprop
from napari_cellsynth.models.dcgan.losses import (
    discriminator_loss,
    flatness,
    generator_loss,
    gradient_penalty,
    scored,
    signs,
    slope,
)
from napari_cellsynth.models.dcgan.networks import Discriminator
from napari_cellsynth.models.dcgan.residual import ResidualDiscriminator

REAL, MADE = torch.tensor([2.0, 1.0]), torch.tensor([0.0, 3.0])


def softplus(value: float) -> float:
    return math.log1p(math.exp(value))


def linear(length: float, pixels: int = 16) -> nn.Module:
    """A critic whose gradient has that length everywhere."""
    critic = nn.Sequential(nn.Flatten(), nn.Linear(pixels, 1), nn.Flatten(0))
    with torch.no_grad():
        weights = torch.linspace(1, 2, pixels)
        critic[1].weight.copy_(length * weights / weights.norm())
    return critic


def test_losses_of_known_scores_computed_by_hand() -> None:
    """Real 2 and 1, made 0 and 3."""
    gan = (softplus(-2) + softplus(-1)) / 2 + (softplus(0) + softplus(3)) / 2
    assert discriminator_loss(REAL, MADE, "gan").item() == pytest.approx(gan)
    for critic in ("wgan", "wgan-gp"):
        assert discriminator_loss(REAL, MADE, critic).item() == pytest.approx(1.5 - 1.5)
        assert discriminator_loss(REAL + 1, MADE, critic).item() == pytest.approx(-1), "real ones shall be higher"
        assert generator_loss(MADE, loss=critic).item() == pytest.approx(-1.5)
    pairs = (softplus(0 - 2) + softplus(3 - 1)) / 2
    assert discriminator_loss(REAL, MADE, "relativistic").item() == pytest.approx(pairs)
    turned = (softplus(2 - 0) + softplus(1 - 3)) / 2
    assert generator_loss(MADE, loss="relativistic", real=REAL).item() == pytest.approx(turned)


def test_only_differences_count_for_critics_and_the_relativistic_loss() -> None:
    for loss in ("wgan", "wgan-gp", "relativistic"):
        moved = discriminator_loss(REAL + 7, MADE + 7, loss)
        assert moved.item() == pytest.approx(discriminator_loss(REAL, MADE, loss).item(), abs=1e-5)


def test_the_relativistic_generator_is_told_of_missing_real_scores() -> None:
    with pytest.raises(ValueError, match="real images"):
        generator_loss(MADE, loss="relativistic")


def test_what_is_logged_of_scores() -> None:
    assert {name: value.item() for name, value in signs(REAL, MADE, "gan").items()} == {
        "real_taken_for_real": 1.0,
        "made_taken_for_real": 0.5,
    }
    assert signs(REAL, MADE, "wgan") == {"real_above_made": torch.tensor(0.5), "apart": torch.tensor(0.0)}
    assert set(signs(REAL, MADE, "relativistic")) == {"real_above_made"}


@pytest.mark.parametrize(("length", "expected"), [(1.0, 0.0), (2.0, 1.0), (0.0, 1.0), (4.0, 9.0)])
def test_gradient_penalty_of_linear_critics(length: float, expected: float) -> None:
    real, made = torch.randn(2, 6, 1, 4, 4, generator=generator(0))
    found = gradient_penalty(real, made, linear(length), generator(1))
    assert found.item() == pytest.approx(expected, abs=1e-5)
    found.backward()  # at length 0, too, without dividing by it


def test_gradient_penalty_is_taken_between_real_and_made_images() -> None:
    """Real images are all 0 and made ones all 1: a share of each, one for all pixels of an image."""
    seen: list[Tensor] = []

    def judge(images: Tensor) -> Tensor:
        seen.append(images.detach())
        return images.sum((1, 2, 3))

    real, made = torch.zeros(50, 1, 4, 4), torch.ones(50, 1, 4, 4)
    gradient_penalty(real, made, judge, generator(2))
    flat = seen[0].flatten(1)
    assert torch.equal(flat.min(1).values, flat.max(1).values)
    shares = flat[:, 0]
    assert 0 <= shares.min() < 0.2 and 0.8 < shares.max() <= 1
    assert len(shares.unique()) == 50
    again = gradient_penalty(real, made, judge, generator(2))
    assert torch.equal(seen[0], seen[1]) and again.item() == pytest.approx(9), "gradient 1 in 16 pixels: (4 - 1)²"


def test_flatness_of_a_quadratic() -> None:
    """Of a/2 |x|² the gradient is a x: half of E a² |x|²."""
    images = torch.randn(8, 1, 4, 4, generator=generator(3))
    found = flatness(*scored(images, lambda seen: 1.5 * seen.square().sum((1, 2, 3)) / 2))
    expected = 1.5**2 * images.square().sum((1, 2, 3)).mean() / 2
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize(
    "judge",
    [Discriminator(16, 1, 4, 16, "layer"), Discriminator(16, 1, 4, 16, "none"), ResidualDiscriminator(16, 1, 8, 16)],
    ids=["layer norm", "no norm", "residual"],
)
def test_each_score_is_of_its_own_image(judge: nn.Module) -> None:
    """What penalties rest on: the gradient of one score by another image is nothing."""
    images = torch.randn(3, 1, 16, 16, generator=generator(4)).requires_grad_(True)
    (gradient,) = torch.autograd.grad(judge(images)[1], images)
    assert (gradient[[0, 2]] == 0).all() and gradient[1].abs().max() > 0
    alone = slope(*scored(images[1:2], judge))
    assert slope(*scored(images, judge))[1].item() == pytest.approx(alone.item(), rel=1e-4)


def test_batch_norm_mixes_images() -> None:
    """Which is why a penalty with it is refused (``config.check``)."""
    images = torch.randn(3, 1, 16, 16, generator=generator(4)).requires_grad_(True)
    (gradient,) = torch.autograd.grad(Discriminator(16, 1, 4, 16, "batch")(images)[1], images)
    assert gradient[[0, 2]].abs().max() > 0


@pytest.mark.parametrize("penalty", ["wgan-gp", "r1"])
@pytest.mark.parametrize("kind", ["layer", "residual"])
def test_gradients_of_the_penalties_by_the_weights_agree_with_finite_differences(penalty: str, kind: str) -> None:
    torch.manual_seed(0)
    judge = Discriminator(16, 1, 4, 16, "layer") if kind == "layer" else ResidualDiscriminator(16, 1, 8, 16)
    judge = judge.double()
    for weight in judge.parameters():
        # Away from the beginning, where the second convolution of each residual block is 0.
        weight.data += 0.1 * torch.randn(weight.shape, generator=generator(5, str(tuple(weight.shape)))).double()
    real, made = torch.randn(2, 3, 1, 16, 16, generator=generator(6)).double()

    def value() -> Tensor:
        if penalty == "r1":
            return flatness(*scored(real, judge))
        return gradient_penalty(real, made, judge, generator(7))

    value().backward()
    for name, weight in judge.named_parameters():
        if weight.grad is None or weight.dim() < 2:
            continue  # a bias after which nothing bends adds nothing to the gradient by the image
        place = weight.grad.abs().flatten().argmax()
        slope_by = weight.grad.flatten()[place].item()
        assert slope_by != 0, name
        values = []
        for change in (1e-6, -2e-6):
            weight.data.view(-1)[place] += change
            values.append(value().item())
        weight.data.view(-1)[place] += 1e-6
        assert (values[0] - values[1]) / 2e-6 == pytest.approx(slope_by, rel=1e-3, abs=1e-7), name


def test_clipped_weights_from_the_first_moment() -> None:
    network = nn.Linear(5, 5)
    network.weight.data.fill_(1)
    optimizer = ClippedRMSprop(network.parameters(), lr=0.05, clip=0.01)
    assert network.weight.abs().max() <= 0.01
    network(torch.ones(1, 5)).sum().backward()
    optimizer.step()
    assert network.weight.min().item() == pytest.approx(-0.01), "one step of 0.05 would lead beyond"

import pytest
import torch

from napari_cellsynth.nets.augment import augment
from napari_cellsynth.stack.modality import SHADOWLESS


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def shaded(count: int = 64, channels: int = 1) -> torch.Tensor:
    """Bright on the left, dark on the right, a bright top row: what mirroring and turning would show."""
    ramp = torch.linspace(0.5, -0.5, 16).expand(count, channels, 16, 16).clone()
    ramp[:, :, 0] += 0.3
    return ramp


def test_nothing_happens_at_share_zero() -> None:
    images = shaded()
    assert augment(images, 0.0, draws(), modality="fluorescence") is images


def test_same_draws_same_images_and_others_differ() -> None:
    first = augment(shaded(), 1.0, draws(3), modality="dic")
    assert torch.equal(first, augment(shaded(), 1.0, draws(3), modality="dic"))
    assert not torch.equal(first, augment(shaded(), 1.0, draws(4), modality="dic"))


@pytest.mark.parametrize("modality", ["dic", None])
def test_shadow_keeps_its_direction(modality: str | None) -> None:
    out = augment(shaded(), 1.0, draws(), modality=modality)
    # The left half stays the brighter one in every image: never mirrored, never turned.
    assert (out[..., :8].mean((1, 2, 3)) > out[..., 8:].mean((1, 2, 3))).all()


@pytest.mark.parametrize("modality", SHADOWLESS)
def test_images_without_a_shadow_are_mirrored_and_turned(modality: str) -> None:
    out = augment(shaded(), 1.0, draws(), modality=modality)
    left_brighter = (out[..., :8].mean((1, 2, 3)) > out[..., 8:].mean((1, 2, 3))).float().mean()
    assert 0.1 < left_brighter < 0.9


def test_masks_move_with_the_image_and_keep_their_values() -> None:
    images = torch.zeros(32, 2, 16, 16)
    images[:, 0, 4:9, 6:11] = 0.8
    images[:, 1] = -1
    images[:, 1, 4:9, 6:11] = 1
    out = augment(images, 1.0, draws(1), modality="fluorescence")
    assert set(out[:, 1].unique().tolist()) == {-1.0, 1.0}
    inside, outside = out[:, 1] > 0, out[:, 1] < 0
    for index in range(len(out)):
        assert out[index, 0][inside[index]].min() > out[index, 0][outside[index]].max()


def test_gradient_reaches_every_pixel_that_is_seen() -> None:
    images = shaded(8).requires_grad_()
    augment(images, 1.0, draws(), modality="fluorescence").square().sum().backward()
    assert images.grad is not None and (images.grad.abs().sum((1, 2, 3)) > 0).all()


def test_shift_is_an_integer_number_of_pixels() -> None:
    """A pixel's values are moved, never blended: the sorted interior values stay those of the original."""
    images = torch.rand(4, 2, 16, 16, generator=draws(9))
    out = augment(images, 1.0, draws(2), modality="dic")[:, 1]
    for before, after in zip(images[:, 1], out, strict=True):
        assert torch.isin(after, before).all()

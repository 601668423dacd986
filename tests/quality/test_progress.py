import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.baselines import mean_image_with_noise
from napari_cellsynth.quality.progress import gain


def blobs(count: int, seed: int) -> np.ndarray:
    """Round cells of varying size and place, uint8."""
    draws = np.random.default_rng(seed)
    y, x = np.mgrid[:32, :32]
    centre, radius = draws.normal(16, 1, (2, count, 1, 1)), draws.uniform(5, 9, (count, 1, 1))
    away = np.hypot(y - centre[0], x - centre[1]) / radius
    return np.clip(80 + 100 / (1 + away**6) + draws.normal(0, 3, (count, 32, 32)), 0, 255).astype(np.uint8)


def test_baseline_has_mean_and_spread_of_every_pixel_and_no_neighbours() -> None:
    real = blobs(400, 0)
    made = mean_image_with_noise(real, 400, seed=1)
    assert made.dtype == np.uint8 and made.shape == real.shape
    np.testing.assert_allclose(made.mean(0), real.mean(0), atol=12)
    ring = real.std(0) > 15
    np.testing.assert_allclose(made.std(0)[ring].mean(), real.std(0)[ring].mean(), rtol=0.15)


def test_a_generator_that_draws_real_cells_has_learned_and_noise_has_not() -> None:
    training, held_out = blobs(200, 0), blobs(64, 1)
    noise = np.random.default_rng(2).integers(0, 255, (64, 32, 32)).astype(np.uint8)
    good = gain(held_out, training, first=noise, last=blobs(64, 3))
    assert good.learned and good.last < 3 * good.halves < good.mean_with_noise < good.first
    assert not gain(held_out, training, first=noise, last=noise).learned
    assert not gain(held_out, training, first=blobs(64, 4), last=blobs(64, 3)).learned, "good from the beginning on"
    assert not gain(held_out, training, first=noise, last=mean_image_with_noise(training, 64, 5)).last < good.halves


def test_text_names_all_four_and_too_few_are_refused() -> None:
    training = blobs(40, 0)
    text = gain(blobs(10, 1), training, blobs(10, 2), blobs(10, 3)).text()
    assert all(words in text for words in ("first preview", "at the end", "matched noise", "two halves"))
    with pytest.raises(BadInput):
        gain(blobs(1, 1), training, blobs(10, 2), blobs(10, 3))

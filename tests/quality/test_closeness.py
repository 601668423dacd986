"""Copies and sameness, on images of which both are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.closeness import HELD_OUT, MADE, SIDE, Closeness, pooled, versions


def cells(count: int, seed: int, size: int = 32) -> np.ndarray:
    """Blobs of one kind, all different: smooth noise under a round window, (N, S, S) uint16."""
    noise = np.random.default_rng(seed).standard_normal((count, size, size))
    place = np.linspace(-2, 2, size)
    window = np.exp(-(place[:, None] ** 2) - place**2)
    smooth = gaussian_filter(noise, (0, size / 16, size / 16))
    return (1000 + 400 * window * (1 + 2 * smooth / smooth.std())).clip(0).astype(np.uint16)


@pytest.fixture(scope="module")
def closeness() -> Closeness:
    return Closeness(cells(150, 0), cells(60, 1))


def test_copies_are_near_and_new_ones_as_far_as_held_out_ones(closeness: Closeness) -> None:
    assert closeness.nearest(cells(100, 2)) == pytest.approx(1, abs=0.05)
    assert closeness.nearest(closeness.training[:100]) == pytest.approx(0, abs=1e-5)


def test_brightness_contrast_and_noise_do_not_hide_a_copy(closeness: Closeness) -> None:
    draws = np.random.default_rng(3)
    copies = closeness.training[:80].astype(float)
    changed = 300 + 0.5 * copies + 40 * draws.standard_normal(copies.shape)
    assert closeness.nearest(changed) < 0.25


def test_what_all_cells_have_in_common_is_no_copy(closeness: Closeness) -> None:
    """A generator that makes the mean cell again and again has learned little, and copied nothing."""
    mean = closeness.training.mean(0) + np.random.default_rng(4).standard_normal((50, 32, 32))
    assert closeness.nearest(mean) > 0.75


def test_turned_copies_are_copies_where_training_turns() -> None:
    training, held_out = cells(100, 0), cells(60, 1)
    turned = np.concatenate([np.rot90(training[:30], k, (1, 2))[:, :, ::-1] for k in range(4)])
    assert Closeness(training, held_out, turned=True).nearest(turned) == pytest.approx(0, abs=1e-5)
    assert Closeness(training, held_out, turned=False).nearest(turned) > 0.8
    assert len({version.tobytes() for version in versions(training[:1])}) == 8


def test_half_copies_are_half_way(closeness: Closeness) -> None:
    """An image between a training image and another is nearer than a new one, and no copy."""
    training = closeness.training.astype(float)
    between = 0.65 * training[:100] + 0.35 * cells(100, 5)
    assert 0.1 < closeness.nearest(between) < 0.6


def test_variety_counts_different_images_however_different_they_are(closeness: Closeness) -> None:
    new = cells(200, 6)
    assert closeness.variety(new) == pytest.approx(1, abs=0.1)
    ten = new[np.random.default_rng(7).integers(0, 10, 200)]
    assert closeness.variety(ten) == pytest.approx(0, abs=1e-5)
    noisy = ten + 20 * np.random.default_rng(8).standard_normal(ten.shape)
    assert closeness.variety(noisy) < 0.2
    assert closeness.variety(np.repeat(new[:1], 200, axis=0)) == pytest.approx(0, abs=1e-5)


def test_frames_of_one_cell_do_not_make_the_yardstick_of_variety() -> None:
    """Ten moments of each cell, nearly alike: with the cells' numbers, variety is against different cells."""
    once = cells(40, 9).astype(float)
    draws = np.random.default_rng(10)
    training = np.concatenate([once + 5 * draws.standard_normal(once.shape) for _ in range(10)])
    groups = np.tile(np.arange(40), 10)
    new = cells(100, 11)
    assert Closeness(training, new[:20], groups).variety(new) == pytest.approx(1, abs=0.35)
    assert Closeness(training, new[:20]).variety(new) > 2
    one = Closeness(training[:2] * 1.0, new[:20], [7, 7])
    assert np.isnan(one.variety(new)), "one cell is no yardstick"


def test_large_sets_are_looked_at_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_cellsynth.quality import closeness as room

    monkeypatch.setattr(room, "TRAINING", 50)
    large = room.Closeness(cells(300, 0, size=16), cells(HELD_OUT + 40, 1, size=16))
    assert large._small.shape == (50, SIDE**2)
    assert large.nearest(cells(MADE + 30, 2, size=16)) == pytest.approx(1, abs=0.05)


def test_numbers_that_cannot_be_had() -> None:
    few = Closeness(cells(20, 0), cells(3, 1))
    assert np.isnan(few.nearest(cells(10, 2))), "three held-out images are no yardstick"
    assert few.variety(cells(10, 2)) == pytest.approx(1, abs=0.3)
    assert np.isnan(few.variety(cells(1, 2)))
    flat = np.zeros((5, 32, 32))
    assert np.isfinite(few.variety(flat)), "flat images are no trouble"
    with pytest.raises(BadInput, match="at least 2"):
        Closeness(cells(1, 0), cells(10, 1))
    with pytest.raises(BadInput, match="3 groups given for 20"):
        Closeness(cells(20, 0), cells(10, 1), [1, 2, 3])


@pytest.mark.parametrize("shape", [(16, 16), (64, 64), (40, 50), (10, 100)])
def test_pooling_keeps_the_mean_and_a_gradient(shape: tuple[int, int]) -> None:
    ramp = np.arange(shape[0])[:, None] + np.zeros(shape)
    small = pooled(ramp[None])[0]
    assert small.shape == (SIDE, SIDE)
    assert small.mean() == pytest.approx(ramp.mean(), rel=1e-5)
    assert (np.diff(small, axis=0) >= 0).all() and np.ptp(small, axis=1).max() < 1e-4

"""Shifts that are known, and noise that is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_cellsynth.stack.pairs.register import grain, measure_shift, noise


def field(seed: int = 0, size: int = 240) -> np.ndarray:
    """Blobs of several sizes."""
    draws = np.random.default_rng(seed)
    spots = draws.random((size, size)) < 0.004
    return 100 + 4000 * ndimage.gaussian_filter(spots.astype(float), 2.5) + 30 * draws.normal(size=(size, size)) / 10


def dim(plane: np.ndarray, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).poisson(plane / 10).astype(np.uint16)


@pytest.mark.parametrize("shift", [(0, 0), (3, -2), (0, 7), (-11, 5), (-20, -30)])
def test_whole_shifts_under_noise(shift: tuple[int, int]) -> None:
    whole = field()
    low = dim(whole[40:200, 40:200])
    high = whole[40 - shift[0] : 200 - shift[0], 40 - shift[1] : 200 - shift[1]]
    found = measure_shift(low, high)
    assert found.measured and found.whole == shift
    assert np.hypot(found.dy - shift[0], found.dx - shift[1]) < 0.2


def test_parts_of_a_pixel() -> None:
    whole = field()
    found = measure_shift(whole, ndimage.shift(whole, (0.5, -0.3), order=3, mode="nearest"))
    assert (found.dy, found.dx) == pytest.approx((0.5, -0.3), abs=0.1)


def test_what_has_nothing_in_common_is_not_measured() -> None:
    draws = np.random.default_rng(0)
    assert not measure_shift(draws.normal(size=(200, 200)), draws.normal(size=(200, 200))).measured
    assert not measure_shift(dim(field(0)), field(9)).measured
    assert not measure_shift(np.zeros((64, 64)), np.ones((64, 64))).measured
    assert measure_shift(np.zeros((64, 64)), np.ones((64, 64))).whole == (0, 0)


def test_noise_of_known_size() -> None:
    draws = np.random.default_rng(0)
    slope = np.linspace(0, 500, 300)[None] + np.linspace(0, 100, 300)[:, None]
    assert noise(slope + 7 * draws.normal(size=(300, 300))) == pytest.approx(7, rel=0.03)
    assert noise(slope) < 0.1
    assert grain(dim(field())) > grain(field())
    assert grain(np.ones((30, 30))) == 0

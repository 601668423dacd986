"""What counts as content, on pictures of which we know."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellsynth.stack.clips.content import APART, Shares, find_threshold, local_deviation, spread_frames


def picture(cells: int, *, dtype: str = "uint16", noise: float = 3.0) -> np.ndarray:
    """Noise with discs of texture on it."""
    draws = np.random.default_rng(1)
    image = 100 + noise * draws.normal(size=(160, 160))
    y, x = np.mgrid[:160, :160]
    for n in range(cells):
        inside = (y - 30 - 50 * (n // 3)) ** 2 + (x - 30 - 50 * (n % 3)) ** 2 < 12**2
        image[inside] += 40 * draws.normal(size=int(inside.sum()))
    return image.clip(0, 255).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_cells_are_told_from_noise(dtype: str) -> None:
    image = picture(4, dtype=dtype)
    threshold = find_threshold([image])
    assert threshold.told
    content = threshold.content(image)
    assert content[30, 30]
    assert not content[140:, 140:].any()
    assert 4 * np.pi * 11**2 < content.sum() < 4 * np.pi * 18**2


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_noise_alone_is_not_called_empty(dtype: str) -> None:
    threshold = find_threshold([picture(0, dtype=dtype)])
    assert 1 <= threshold.ratio < APART
    assert threshold.content(picture(0, dtype=dtype)).all()


@pytest.mark.parametrize("plane", [np.zeros((40, 40), np.uint8), np.full((40, 40), np.nan, np.float32)])
def test_pictures_of_nothing(plane: np.ndarray) -> None:
    assert not find_threshold([plane]).told
    assert not find_threshold([]).told


def test_local_deviation_of_known_values() -> None:
    draws = np.random.default_rng(0)
    noise = (1000 + 5 * draws.normal(size=(200, 200))).astype(np.float32)
    assert np.median(local_deviation(noise)) == pytest.approx(5, rel=0.03)
    assert local_deviation(np.zeros((20, 20), np.uint8)).max() == pytest.approx(np.sqrt(1 / 12))


def test_shares_are_counts() -> None:
    content = np.random.default_rng(0).random((30, 40)) < 0.3
    shares = Shares(content)
    for top, left, height, width in ((0, 0, 30, 40), (3, 5, 7, 11), (29, 39, 1, 1)):
        assert shares.share(top, left, height, width) == pytest.approx(
            content[top : top + height, left : left + width].mean()
        )


def test_frames_are_spread() -> None:
    assert spread_frames(list(range(0, 100, 2)), 3) == [0, 48, 98]
    assert spread_frames([4, 5], 8) == [4, 5]
    assert spread_frames([]) == []

"""Pixels of the camera that shine, flicker or are dead neither cut a recording, nor move it, nor hold it still."""

from __future__ import annotations

import numpy as np
import pytest
import scenes
from scipy import ndimage

from napari_cellsynth.stack.fitness.hot_pixels import without_hot_pixels


def with_hot(frames: np.ndarray, how: str, *, share: float = 0.001, value: int = 65535) -> np.ndarray:
    """A share of the pixels is hot: in one frame, in each frame others, on and off, or all the time."""
    random = np.random.default_rng(0)
    made, size = frames.copy(), frames.shape[1:]
    places = random.random(size) < share
    for t in range(len(made)):
        if how == "once" and t != len(made) // 2:
            continue
        now = random.random(size) < share if how == "others" else places
        made[t][now & (random.random(size) < 0.5) if how == "flicker" else now] = value
    return made


@pytest.mark.parametrize("how", ["once", "others", "flicker", "always"])
def test_hot_pixels_cut_nothing(how: str) -> None:
    fitness = scenes.judged(scenes.stack_of(with_hot(scenes.film(1), how)))
    assert (fitness.jumps, fitness.unfit, fitness.jitter) == ((), frozenset(), 0.0)
    assert fitness.told


@pytest.mark.parametrize(("how", "value"), [("others", 65535), ("flicker", 4095), ("always", 4095), ("always", 0)])
def test_the_stage_is_followed_past_hot_and_dead_pixels(how: str, value: int) -> None:
    path = scenes.path("walk")
    fitness = scenes.judged(scenes.stack_of(with_hot(scenes.field(path), how, share=0.005, value=value)))
    assert fitness.offsets == pytest.approx(path, abs=0.3)


def test_what_a_lens_makes_stays() -> None:
    """The finest spot that pixels sample properly (a standard deviation of 0.7), edges, lines, noise."""
    frame = np.full((64, 64), 100, np.float32)
    frame[10, 10] = 10_000
    frame = ndimage.gaussian_filter(frame, 0.7)
    frame[30:, 40:] += 500
    frame[50] += 300
    frame[:, 20] -= 80
    assert np.array_equal(without_hot_pixels(frame), frame)
    noisy = frame + np.random.default_rng(0).normal(0, 5, frame.shape).astype(np.float32)
    assert np.array_equal(without_hot_pixels(noisy), noisy)


def test_single_pixels_and_two_beside_each_other_go() -> None:
    frame = np.random.default_rng(0).normal(100, 2, (64, 64)).astype(np.float32)
    hot = frame.copy()
    for y, x in ((0, 0), (63, 30), (20, 20), (40, 40), (40, 41)):
        hot[y, x] = 4095
    hot[50, 50] = 0
    clear = without_hot_pixels(hot)
    assert np.abs(clear - frame).max() < 15
    assert (clear != hot).sum() == 6

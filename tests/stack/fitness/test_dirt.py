"""Dirt on the camera stands still while the stage moves; a little of it, however strong, does not bias the steps."""

from __future__ import annotations

import numpy as np
import pytest
import scenes


def with_dirt(frames: np.ndarray, count: int, depth: float) -> np.ndarray:
    """Fixed dark blobs, 2 to 6 px in standard deviation, that take ``depth`` of the light."""
    random = np.random.default_rng(5)
    y, x = np.mgrid[: frames.shape[1], : frames.shape[2]]
    light = np.ones(frames.shape[1:])
    for _ in range(count):
        at_y, at_x, size = random.uniform(0, frames.shape[1]), random.uniform(0, frames.shape[2]), random.uniform(2, 6)
        light *= 1 - depth * np.exp(-((y - at_y) ** 2 + (x - at_x) ** 2) / (2 * size**2))
    return np.rint(frames * light).astype(frames.dtype)


@pytest.mark.parametrize("depth", [0.5, 0.9])
@pytest.mark.parametrize("kind", ["jitter", "walk", "drift"])
def test_strong_dirt_does_not_bias_the_steps(kind: str, depth: float) -> None:
    path = scenes.path(kind)
    fitness = scenes.judged(scenes.stack_of(with_dirt(scenes.field(path), 5, depth)))
    assert np.hypot(*(fitness.offsets - path).T).max() < 0.25
    steps = (fitness.steps - np.diff(path, axis=0, prepend=path[:1]))[1:]
    assert abs(steps.mean(0)).max() < 0.02, "pulled neither one way nor towards standing still"
    assert fitness.jumps == ()


def test_dirt_on_a_steady_stage_is_no_news() -> None:
    fitness = scenes.judged(scenes.stack_of(with_dirt(scenes.film(0), 15, 0.8)))
    assert (fitness.jumps, fitness.jitter, fitness.unfit) == ((), 0.0, frozenset())
    assert not fitness.moves

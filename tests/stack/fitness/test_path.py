"""The stage's path is found to a fraction of a pixel while cells move, and none is made up where only cells are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import scenes
from scipy import ndimage

from napari_cellsynth.stack.fitness.reduce import reduce
from napari_cellsynth.stack.fitness.register import match


@pytest.mark.parametrize("kind", ["jitter", "walk", "drift"])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_path_is_recovered_while_cells_crawl(kind: str, seed: int) -> None:
    true = scenes.path(kind, seed=seed)
    fitness = scenes.judged(scenes.stack_of(scenes.field(true, seed=seed)))
    off = np.hypot(*(fitness.offsets - true).T)
    assert off.max() < 0.2
    assert np.nanmax(np.hypot(*(fitness.steps[1:] - np.diff(true, axis=0)).T)) < 0.25
    assert fitness.jumps == ()
    assert fitness.moves


def test_errors_do_not_add_up_over_many_frames() -> None:
    true = scenes.path("jitter", frames=60)
    fitness = scenes.judged(scenes.stack_of(scenes.field(true, side=128, crawling=0.2)))
    off = fitness.offsets - true
    assert np.hypot(*off.T).max() < 0.2
    # Steps alone, added up, go astray much further.
    reduced = [reduce(frame.astype(np.float32)) for frame in scenes.field(true, side=128, crawling=0.2)]
    steps = [match(a, b).shift for a, b in pairwise(reduced)]
    summed = np.cumsum([(0.0, 0.0), *steps], axis=0) - true
    assert np.hypot(*summed.T).max() > 2 * np.hypot(*off.T).max()


@pytest.mark.parametrize("seed", [3, 5])
def test_cells_that_happen_to_go_one_way_are_no_stage(seed: int) -> None:
    # A few cells on ground without features, whose mean velocity is 0.7 pixels a frame.
    fitness = scenes.judged(scenes.stack_of(scenes.film(seed)))
    assert not fitness.moves
    assert fitness.drift.still


@pytest.mark.parametrize("seed", [0, 1])
def test_jitter_is_told_from_the_slow_motion_of_cells(seed: int) -> None:
    true = scenes.path("jitter", seed=seed)
    film = np.stack(
        [scenes.exposed(_moved(frame, offset), seed) for frame, offset in zip(scenes.clean(seed), true, strict=True)]
    )
    fitness = scenes.judged(scenes.stack_of(film[:, 5:-5, 5:-5]))
    steps = np.diff(true, axis=0)
    left = np.hypot(*(np.diff(fitness.offsets, axis=0) - steps).T)
    assert fitness.jitter == pytest.approx(np.median(np.hypot(*steps.T)), abs=0.35)
    assert np.median(left) < 0.35


def _moved(frame: np.ndarray, offset: np.ndarray) -> np.ndarray:
    return ndimage.shift(frame, offset, order=3, mode="nearest")


def test_a_fixed_pattern_of_the_camera_does_not_hold_the_stage_still() -> None:
    """Dirt on the camera is everywhere, cells are few, as in a field of stained nuclei."""
    true = scenes.path("jitter")
    dirt = ndimage.gaussian_filter(np.random.default_rng(0).normal(0, 1, (scenes.SIDE, scenes.SIDE)), 2)
    frames = scenes.field(true, crawling=0, each=800) + 2 * dirt / dirt.std()
    fitness = scenes.judged(scenes.stack_of(np.rint(frames).astype(np.uint16)))
    assert np.hypot(*(fitness.offsets - true).T).max() < 0.2


def test_where_all_change_at_random_nothing_is_said() -> None:
    frames = np.stack([scenes.field(np.zeros((1, 2)), side=96, seed=seed)[0] for seed in range(12)])
    fitness = scenes.judged(scenes.stack_of(frames))
    assert not fitness.told
    assert np.isnan(fitness.steps[1:]).all()
    assert [f.words for f in fitness.findings() if f.kind == "stage"] == [
        "whether the stage moves cannot be told: cells move each by itself"
    ]


def test_large_frames_are_reduced_and_still_measured() -> None:
    true = scenes.path("jitter", frames=5) * 2
    frames = scenes.field(true, side=800, crawling=0.1)
    reduced = [reduce(frame.astype(np.float32)) for frame in frames]
    assert reduced[0].factor == 2
    found = [match(a, b).shift for a, b in pairwise(reduced)]
    assert np.abs(np.array(found) - np.diff(true, axis=0)).max() < 0.15


def test_cosmic_rays_change_nothing() -> None:
    frames = scenes.field(scenes.path("jitter", frames=10))
    struck = frames.copy()
    for t, y, x in np.random.default_rng(0).integers(0, (10, scenes.SIDE, scenes.SIDE), (12, 3)):
        struck[t, y, x] = 65535
    clean, hit = (scenes.judged(scenes.stack_of(one)) for one in (frames, struck))
    assert hit.jumps == ()
    assert np.abs(hit.offsets - clean.offsets).max() < 0.05

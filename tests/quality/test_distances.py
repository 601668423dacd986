"""Distances beside their floors: what real sets give, what worse ones give, and that all of it can be written down."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.beside import Sets, frechet, kernel, same_size
from napari_cellsynth.quality.distances import Distances, distances
from napari_cellsynth.quality.features import MEASURES


def gaussian(count: int, seed: int, middle: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, 6)) + middle


def sets(made: float = 0.0, unseen: float = 0.0, seed: int = 0, **more: object) -> Sets:
    parts = gaussian(120, 4 * seed), gaussian(50, 4 * seed + 1, unseen), gaussian(60, 4 * seed + 2, made)
    return Sets(*parts, gaussian(60, 4 * seed + 3, 9), seed=seed, **more)  # type: ignore[arg-type]


def test_all_sets_have_one_size() -> None:
    assert [same_size(*sizes) for sizes in ((400, 90, 100), (400, 100, 90), (100, 90, 90))] == [90, 90, 50]
    assert sets().count == 50
    few = Sets(gaussian(40, 0), gaussian(50, 1), gaussian(60, 2), gaussian(60, 3))
    assert few.count == 20


@pytest.mark.parametrize("apart", [frechet, kernel])
def test_real_ones_are_as_near_as_real_ones(apart: object) -> None:
    """The excess over the floor holds 0 about as often as it says."""
    held = 0
    for seed in range(20):
        found = sets(seed=seed, resamples=60).beside(apart)  # type: ignore[arg-type]
        held += found.excess.low <= 0 <= found.excess.high
        assert found.made.low <= found.made.value <= found.made.high < found.free.low
    assert held >= 16


@pytest.mark.parametrize("apart", [frechet, kernel])
def test_what_is_further_is_told_and_floors_stay(apart: object) -> None:
    near, far = (sets(made=shift, resamples=60).beside(apart) for shift in (0.0, 1.0))  # type: ignore[arg-type]
    assert far.excess.low > 0 and far.made.value > near.made.value
    assert far.across == near.across and far.halves == near.halves and far.free == near.free


def test_the_two_floors_tell_another_day() -> None:
    """Held-out crops that are of another kind: halves stay near 0, across does not, and hides what is nearer."""
    same, other = (sets(made=0.5, unseen=shift).beside(kernel) for shift in (0.0, 1.0))
    assert abs(other.halves.value) < 0.1 < other.across.value
    assert same.excess.low > 0 > other.excess.high, "half a step away, and nearer to the other day than training is"


def test_few_cells_widen_intervals() -> None:
    draws = np.random.default_rng(0)
    cells = np.repeat(np.arange(10), 6)
    unseen = draws.standard_normal((10, 6))[cells] + 0.1 * draws.standard_normal((60, 6))
    parts = gaussian(120, 0), unseen, gaussian(60, 1), gaussian(60, 2, 9)
    by_cell, by_crop = (Sets(*parts, unseen_cells=one).beside(kernel).made for one in (1000 + cells, None))
    assert by_cell.high - by_cell.low > 1.5 * (by_crop.high - by_crop.low)
    single = Sets(*parts, unseen_cells=np.zeros(60, int)).beside(kernel).made
    assert single.value == by_crop.value and np.isnan([single.low, single.high]).all(), "it cannot be drawn again"
    alone = Sets(*parts, unseen_cells=np.zeros(60, int))
    assert np.isnan(alone.shares()[0].coverage.low) and np.isnan(alone.beside(frechet).excess.low)
    one_learned = Sets(*parts, training_cells=np.zeros(120, int)).beside(kernel)
    assert np.isnan(one_learned.excess.low) and np.isfinite(one_learned.excess.value)


def test_shares_of_none_or_all_are_not_for_certain() -> None:
    far, _ = sets(made=9).shares()
    assert far.precision.value == 0 and 0 < far.precision.high < 0.1
    near, _ = Sets(gaussian(120, 0), gaussian(50, 1), 0.01 * gaussian(60, 2), gaussian(60, 3, 9)).shares()
    assert near.precision.value == 1 and 0.9 < near.precision.low < 1


def test_shares_beside_their_control() -> None:
    made, control = sets().shares()
    assert made.precision.value == pytest.approx(control.precision.value, abs=0.15)
    assert made.coverage.low <= made.coverage.value <= made.coverage.high
    far, same = sets(made=5).shares()
    assert far.precision.value < 0.2 and far.coverage.value < 0.2 and same == control
    for one in sets(seed=2, resamples=60).shares():
        assert max(one.precision.high, one.recall.high, one.coverage.high) <= 1, "a share is no more than all"
    tiny = Sets(gaussian(10, 0), gaussian(5, 1), gaussian(5, 2), gaussian(5, 3)).shares()
    assert np.isnan(tiny[0].precision.value)


def blobs(count: int, seed: int, size: int = 24) -> np.ndarray:
    draws = np.random.default_rng(seed)
    place = np.linspace(-2, 2, size)
    window = np.exp(-(place[:, None] ** 2) - place**2)
    smooth = gaussian_filter(draws.standard_normal((count, size, size)), (0, 2, 2))
    return (1000 + 400 * window * (1 + smooth / smooth.std()) + draws.normal(0, 8, smooth.shape)).astype(np.uint16)


@pytest.fixture(scope="module")
def measured() -> Distances:
    return distances(blobs(100, 0), blobs(40, 1), blobs(40, 2), unseen_cells=np.arange(40) // 2, seed=3, resamples=20)


def test_of_images_in_all_spaces(measured: Distances) -> None:
    for one in measured.spaces:
        assert one.count == 40
        for beside in (one.frechet, one.kid):
            assert beside.made.value < beside.free.value / 5
    assert measured["measures"].words == MEASURES.words
    with pytest.raises(KeyError):
        measured["taste"]


def test_small_numbers_are_warned_of(measured: Distances) -> None:
    told = " ".join(measured.warnings)
    assert "With 40 images, the Fréchet distance of two sets of one kind is not 0 but " in told
    assert "(measures) and " in told and "(encoder)." in told
    assert "uncertain with 40 images of 20 held-out cells" in told
    many = distances(blobs(500, 0), blobs(200, 1), blobs(200, 2), spaces=[MEASURES], resamples=5)
    assert many.warnings == ()


def test_it_can_be_written_down(measured: Distances) -> None:
    said = json.loads(json.dumps(measured.as_json(), allow_nan=False))
    assert set(said) == {"spaces", "warnings", "intervals", "seed"} and said["seed"] == 3
    one = said["spaces"]["measures"]
    assert set(one) == {"space", "words", "features", "count", "frechet", "kid", "made", "control"}
    assert set(one["kid"]) == {"made", "across", "halves", "free", "excess"}
    assert set(one["kid"]["made"]) == {"value", "low", "high"}
    assert set(one["made"]) == set(one["control"]) == {"precision", "recall", "density", "coverage"}


def test_the_same_seed_gives_the_same_numbers(measured: Distances) -> None:
    again = {"unseen_cells": np.arange(40) // 2, "resamples": 20, "spaces": [MEASURES]}
    parts = blobs(100, 0), blobs(40, 1), blobs(40, 2)
    assert distances(*parts, seed=3, **again)["measures"] == measured["measures"]  # type: ignore[arg-type]
    assert distances(*parts, seed=4, **again)["measures"] != measured["measures"]  # type: ignore[arg-type]


def test_what_cannot_be_compared() -> None:
    with pytest.raises(BadInput, match="at least 4, 2 and 2"):
        distances(blobs(3, 0), blobs(9, 1), blobs(9, 2))
    with pytest.raises(BadInput, match="one size"):
        distances(blobs(9, 0), blobs(9, 1), blobs(9, 2, 32))


@pytest.mark.slow
def test_hundreds_of_images_take_seconds() -> None:
    sets_of = blobs(1000, 0, 64), blobs(500, 1, 64), blobs(500, 2, 64)
    began = time.process_time()
    distances(*sets_of)
    assert time.process_time() - began < 40, "about 6 s on one core alone"

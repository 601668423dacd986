"""Intervals hold the truth as often as they say, and know that crops of one cell are not many."""

from __future__ import annotations

import json

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.resampling import UNKNOWN, Estimate, drawn_again, interval, numbered, spread


def means(values: np.ndarray, cells: np.ndarray, seed: int) -> Estimate:
    draws = np.random.default_rng(seed)
    again = [float(np.average(values, weights=drawn_again(cells, draws))) for _ in range(200)]
    return interval(float(values.mean()), again)


def test_an_interval_of_a_mean_holds_it() -> None:
    held = 0
    for seed in range(100):
        values = np.random.default_rng(seed).standard_normal(60)
        found = means(values, np.arange(60), seed)
        held += found.low <= 0 <= found.high
    assert 88 <= held <= 99


def test_crops_of_ten_cells_are_ten() -> None:
    """Twenty crops each: an interval that took them for two hundred would hold the truth in a third of the cases."""
    cells = np.repeat(np.arange(10), 20)
    by_cell = by_crop = 0
    for seed in range(100):
        values = np.random.default_rng(seed).standard_normal(10)[cells]
        wide, narrow = means(values, cells, seed), means(values, np.arange(200), seed)
        by_cell += wide.low <= 0 <= wide.high
        by_crop += narrow.low <= 0 <= narrow.high
    assert by_cell >= 80 and by_crop <= 60


def test_what_is_drawn_again() -> None:
    cells = np.array([7, 7, 3, -1, 7])
    for seed in range(20):
        times = drawn_again(cells, np.random.default_rng(seed))
        assert times[0] == times[1] == times[4] and times[0] + times[2] + times[3] == 3


def test_an_interval_lies_about_its_value() -> None:
    found = interval(5.0, [101, 102, 103], least=4.5)
    assert (found.value, found.low) == (5.0, 4.5) and found.high == pytest.approx(5.95)
    assert interval(0.97, [0.9, 0.95, 1.0], least=0.0, most=1.0).high == 1, "a share is no more than all"
    assert json.dumps(UNKNOWN.as_json()) == '{"value": null, "low": null, "high": null}'
    assert interval(float("nan"), [1, 2]).as_json()["low"] is None
    assert spread([3, 1, float("nan"), 2]) == Estimate(2, 1, 3) and spread([]) is UNKNOWN


def test_numbers_of_cells() -> None:
    assert numbered(None, 3).tolist() == [-1, -2, -3] and numbered(None, 2, first=3).tolist() == [-4, -5]
    with pytest.raises(BadInput, match="one each needed"):
        numbered([1], 2)

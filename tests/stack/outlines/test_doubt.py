"""Outlines that look wrong are said to: dented ones, and those that are smaller than cells were said to be."""

from __future__ import annotations

import numpy as np

from napari_cellsynth.stack.outlines.doubt import doubt

PLACES = [(y, x) for y in (20, 60, 100) for x in (20, 60, 100)]
Y, X = np.mgrid[:120, :120]


def discs(radius: float) -> np.ndarray:
    labels = np.zeros((120, 120), np.int32)
    for number, (y, x) in enumerate(PLACES, start=1):
        labels[(Y - y) ** 2 + (X - x) ** 2 < radius**2] = number
    return labels


def test_round_cells_of_the_size_that_was_said_are_not_doubted() -> None:
    assert doubt(discs(12), 24.0) == ""
    assert doubt(discs(12), 20.0) == "", "larger ones are no news"


def test_two_cells_in_one_are_dented() -> None:
    joined = discs(12)
    for number, (y, x) in enumerate(PLACES[:4], start=1):
        joined[(Y - y - 15) ** 2 + (X - x - 12) ** 2 < 81] = number
    said = doubt(joined, 24.0)
    assert said.startswith("4 of 9 outlines are dented") and "larger" in said and "smaller" in said


def test_a_diameter_that_is_too_large_is_said() -> None:
    assert "smaller than the cell diameter" in doubt(discs(8), 24.0)


def test_of_few_outlines_nothing_is_said() -> None:
    few = discs(8)
    few[few > 4] = 0
    assert doubt(few, 60.0) == "" and doubt(np.zeros((9, 9), np.int32), 5.0) == ""

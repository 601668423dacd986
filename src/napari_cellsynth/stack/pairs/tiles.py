"""The pieces of a pair that go into a training set, within what both exposures show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_cellsynth.stack.clips.places import starts_along
from napari_cellsynth.stack.pairs.check import Checked
from napari_cellsynth.stack.pairs.plan import Pair, PairPlan


@dataclass(frozen=True)
class Tile:
    """A piece of a pair: its corner in the low exposure, and how far the high one is moved."""

    pair: Pair
    y0: int
    x0: int
    moved: tuple[int, int]


def tiles_of(plan: PairPlan, pair: Pair, checked: Checked) -> list[Tile]:
    """The pieces of a pair, within what both exposures show."""
    settings = plan.settings
    moved = checked.moved(pair, settings)
    frame = plan.couples[pair.couple].frame
    if settings.size is None:
        # Whole frames are all of one size; what a moved one lacks at the border is cut off all of them.
        edge = _edge(plan, checked)
        return [Tile(pair, *edge, moved)]
    starts = [
        [start + max(0, -by) for start in starts_along(length - abs(by), settings.size, settings.overlap)]
        for length, by in zip(frame, moved, strict=True)
    ]
    return [Tile(pair, y0, x0, moved) for y0 in starts[0] for x0 in starts[1]]


def _edge(plan: PairPlan, checked: Checked) -> tuple[int, int]:
    """Pixels cut off at each side of whole frames so that all that were moved have them."""
    moves = [checked.moved(pair, plan.settings) for pair in plan.pairs if pair not in checked.refused]
    return max((abs(y) for y, _ in moves), default=0), max((abs(x) for _, x in moves), default=0)


def size_of(plan: PairPlan, checked: Checked) -> tuple[int, int]:
    """Height and width of every tile."""
    if plan.settings.size is not None:
        return plan.settings.size, plan.settings.size
    (height, width), (y, x) = plan.couples[0].frame, _edge(plan, checked)
    return height - 2 * y, width - 2 * x


def cut_pair(low: np.ndarray, high: np.ndarray, tile: Tile, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The tile of both exposures, the high one moved onto the low."""
    y, x = tile.y0 + tile.moved[0], tile.x0 + tile.moved[1]
    return low[tile.y0 : tile.y0 + size[0], tile.x0 : tile.x0 + size[1]], high[y : y + size[0], x : x + size[1]]

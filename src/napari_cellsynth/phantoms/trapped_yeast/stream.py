"""The flow through the channel: it takes cells, brings others, and carries off what the trap does not shelter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_cellsynth.phantoms.trapped_yeast import crowd, places
from napari_cellsynth.phantoms.trapped_yeast.cell import MOTHER, Cell
from napari_cellsynth.phantoms.trapped_yeast.settings import PITCH, WASH

if TYPE_CHECKING:
    from napari_cellsynth.phantoms.trapped_yeast.colony import Colony

TAKES = 0.55
"""Share of the flow's events that take a cell; the others bring one."""
PASSING = 0.4
"""Share of the cells brought that are seen once, far out of focus, and gone."""


class Stream:
    """What the flow does at one trap; its random numbers are its own, so that growth does not depend on it."""

    def __init__(self, colony: Colony) -> None:
        self._colony = colony
        self._random = np.random.default_rng([*colony.key, 1])
        self._passing: set[int] = set()
        chosen = colony.settings.wash
        self._rate = WASH[colony.settings.condition].rate if chosen is None else chosen

    def wash(self, minutes: float) -> None:
        """Take and bring what comes in that time; what was passing is gone."""
        cells = self._colony.cells
        for serial in sorted(self._passing & set(cells)):
            self._take(cells[serial], "washed out")
        if MOTHER not in cells:
            return
        for _ in range(int(self._random.poisson(self._rate * minutes / 60))):
            if self._random.random() >= TAKES:
                self._bring()
            elif loose := self._loose():
                self._take(loose[int(self._random.integers(len(loose)))], "washed out")

    def clear(self) -> None:
        """What has grown out of the field is gone, and of more cells than the trap shelters the outermost."""
        cells = self._colony.cells
        for cell in self._loose():
            if max(abs(cell.oval.x), abs(cell.oval.y)) + cell.oval.axes[0] > PITCH / 2 - crowd.GAP:
                self._take(cell, "grown out")
        while len(cells) > self._colony.settings.most and (loose := self._loose()):
            middle = cells[MOTHER].oval
            far = max(loose, key=lambda c: np.hypot(c.oval.x - middle.x, c.oval.y - middle.y))
            self._take(far, "carried off")

    def _loose(self) -> list[Cell]:
        return [c for c in self._colony.cells.values() if c.serial != MOTHER and not c.attached]

    def _take(self, cell: Cell, why: str) -> None:
        """A cell is gone, and the bud it carries."""
        for gone in (cell.serial, cell.bud):
            if gone is not None:
                self._colony.note(why, self._colony.cells.pop(gone))

    def _bring(self) -> None:
        radius, others = self._random.uniform(1.6, 3.0), self._colony.others()
        passing = self._random.random() < PASSING
        oval = (places.passing if passing else places.at_rest)(self._random, radius, others)
        if oval is None:
            return
        cell = self._colony.add(0, oval, brought=True)
        self._colony.note("washed in", cell)
        if passing:
            cell.z = float(self._random.choice([-1, 1]) * self._random.uniform(2.5, 4.5))
            self._passing.add(cell.serial)

"""Where a cell can be: beside another, at rest above the trap, or passing by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_cellsynth.phantoms.trapped_yeast import crowd, pillars
from napari_cellsynth.phantoms.trapped_yeast.body import Oval

TRIES = 12
DROP = 0.3
"""Micrometres from place to place of a cell that comes down."""


def beside(cell: Oval, angle: float, radius: float, aspect: float) -> Oval:
    """A bud's place at a cell's rim, in that direction (radians)."""
    reach = cell.reach(angle) + crowd.NECK * radius * aspect**0.5
    return Oval(cell.x + reach * np.cos(angle), cell.y + reach * np.sin(angle), radius, aspect, angle)


def at_rest(random: np.random.Generator, radius: float, others: Sequence[Oval]) -> Oval | None:
    """Where a cell comes to rest that the flow brings from above; None where it slips past the trap."""
    aspect, angle = random.uniform(1.0, 1.2), random.uniform(0, np.pi)
    for _ in range(TRIES):
        x, y = random.uniform(-8, 8), -15.0
        while y < pillars.TIP + 3 and crowd.crowding(Oval(x, y + DROP, radius, aspect, angle), others) <= 0:
            y += DROP
        if -10 < y < pillars.TIP:
            return Oval(x, y, radius, aspect, angle)
    return None


def passing(random: np.random.Generator, radius: float, others: Sequence[Oval]) -> Oval | None:
    """A free place anywhere in the square around the trap; None where there is none."""
    for _ in range(TRIES):
        oval = Oval(random.uniform(-12, 12), random.uniform(-12, 12), radius, 1.1, 0.0)
        if crowd.crowding(oval, others) <= 0:
            return oval
    return None

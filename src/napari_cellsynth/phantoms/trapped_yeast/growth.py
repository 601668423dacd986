"""How a cell grows, buds and divides.

The law: a cell together with its bud grows exponentially,

    d(V + V_bud) / dt = (ln 2 / doubling time) (V + V_bud),

and while there is a bud, all of it goes into the bud (Hartwell and Unger, "Unequal division in Saccharomyces
cerevisiae and its implications for the control of cell division", 1977).  V is the volume of the spheroid
whose outline is seen.  A bud comes when the cell is large enough and has waited since its last division; it becomes
a cell of its own when it has reached a share of the mother's volume.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SMALLEST = 0.35
"""Radius in micrometres at which a bud shows."""
LARGEST = 4.9
"""Radius in micrometres beyond which a cell without a bud does not grow."""


def volume(radius: float) -> float:
    """Cubic micrometres of a sphere."""
    return 4 / 3 * np.pi * radius**3


def radius(volume: float) -> float:
    """Micrometres of a sphere."""
    return float((3 * volume / (4 * np.pi)) ** (1 / 3))


@dataclass(frozen=True)
class Nature:
    """What is drawn once for a cell."""

    doubling: float
    """Minutes in which it doubles its volume and that of its bud."""
    buds_at: float
    """Radius in micrometres below which it has no bud."""
    rest: float
    """Minutes between a division and the next bud."""
    parts_at: float
    """The bud's volume at division, as a share of its mother's."""


def draw_nature(random: np.random.Generator, doubling: float) -> Nature:
    return Nature(
        doubling=doubling * float(np.clip(random.normal(1, 0.08), 0.75, 1.25)),
        buds_at=random.uniform(2.25, 2.6),
        rest=doubling * random.uniform(0.1, 0.25),
        parts_at=random.uniform(0.45, 0.65),
    )


def grown(nature: Nature, own: float, bud: float | None, minutes: float) -> tuple[float, float | None]:
    """Volumes of a cell and of its bud, if it has one, some minutes later (cubic micrometres)."""
    factor = 2 ** (minutes / nature.doubling)
    if bud is None:
        return (own * factor if own < volume(LARGEST) else own), None
    return own, bud + (own + bud) * (factor - 1)

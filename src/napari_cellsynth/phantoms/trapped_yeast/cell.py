"""One cell at a trap while it is simulated, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_cellsynth.phantoms.trapped_yeast.body import Form, Oval
from napari_cellsynth.phantoms.trapped_yeast.growth import Nature

MOTHER = 1
"""Serial of the trapped mother."""


@dataclass
class Cell:
    """One cell and the record of it."""

    serial: int
    """Number within the trap; 1 is the trapped mother, and what the flow brings counts from 1001."""
    parent: int
    """Serial of the cell it budded from; 0 for none."""
    oval: Oval
    volume: float
    """Cubic micrometres."""
    nature: Nature
    form: Form
    z: float
    """Height of its middle in micrometres."""
    bud: int | None = None
    """Serial of the bud it carries."""
    attached: bool = False
    """Whether it is a bud."""
    rested: float = 0.0
    """Minutes since its last division."""
    side: float = 0.0
    """Direction in which it last budded, in radians."""
    ovals: dict[int, Oval] = field(default_factory=dict)
    """Where it was in each frame in which it was there."""
    of_interest: set[int] = field(default_factory=set)
    """Frames in which it was the trapped mother or the bud she carried."""


@dataclass(frozen=True)
class Event:
    """Something that happened between frame t - 1 and frame t."""

    t: int
    what: str
    """"bud", "division", "washed in", "washed out", "carried off" or "grown out"."""
    serial: int

"""Where chance comes from: every draw follows from the seed, what it is for, and numbers of cells or frames."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

ROOM = 61
"""So that no other room's draws of the same seed are the same."""


class For(IntEnum):
    """What is drawn."""

    CELLS = 1
    TURNS = 2
    PATHS = 3
    PLACES = 4
    ORDER = 5
    NOISE = 6


def draws(seed: int, what: For, *numbers: int) -> np.random.Generator:
    """A generator that depends on these alone."""
    return np.random.default_rng([ROOM, seed, int(what), *numbers])

"""Where the cells go: persistent crawling with pushes and turns, keeping apart and within the field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.phantoms.neutrophils.settings import Vigour

INNER_STEP = 0.25
"""Longest time step of the simulation in seconds."""
MAX_TURN = 0.025
"""Fastest turning of the body in radians per second: its shading then changes little from frame to frame."""
FOLLOW = 5.0
"""Seconds in which the body turns into the direction of crawling."""
MEMORY = 5.0
"""Seconds for which a cell goes on veering the way it does."""
GIVE_WAY = 0.25
"""Veering in radians per second of a cell that is held back sideways by a neighbour or the edge."""


def place(random: np.random.Generator, radii: NDArray[np.float64], side: float, margin: float) -> NDArray[np.float64]:
    """(N, 2) places at which cells of these radii do not touch, in a square field (all in micrometres).

    Starts anywhere and lets the cells push each other apart.

    Raises:
        BadInput: so many cells do not fit in the field.
    """
    centres = random.uniform(margin, max(side - margin, margin + 1e-6), (radii.size, 2))
    for _ in range(600):
        centres = _keep_apart(centres, radii, side, margin, rounds=1)
        if _overlap(centres, radii) < 1e-3:
            return centres
    raise BadInput(
        f"{radii.size} cells given for a field of {side:.0f} x {side:.0f} um; ask for fewer cells or a larger size"
    )


def crawl(
    random: list[np.random.Generator],
    start: NDArray[np.float64],
    radii: NDArray[np.float64],
    seconds: NDArray[np.float64],
    vigour: Vigour,
    *,
    side: float,
    margin: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Paths and headings of all cells at the times ``seconds`` (T,).

    A cell crawls at a speed that comes in pushes, in a direction whose rate of change is
    an Ornstein-Uhlenbeck process; it veers off what holds it back, and its body turns after.

    Args:
        random: one generator for each of N cells, so that a cell does not depend on how many there are.
        start: (N, 2) micrometres.
        radii: (N,) micrometres that a cell may reach from its centre.

    Returns:
        (T, N, 2) places in micrometres, x then y, and (T, N) headings in radians.
    """
    count = len(random)
    direction = np.array([r.uniform(0, 2 * np.pi) for r in random])
    pace = vigour.speed / 60 * np.array([r.uniform(0.6, 1.4) for r in random])
    push = np.array([(r.uniform(12, 25), r.uniform(0, 2 * np.pi)) for r in random])
    veering, heading, now, centres = np.zeros(count), direction, float(seconds[0]), start
    places, headings = [], []
    for time in seconds:
        steps = int(np.ceil((time - now) / INNER_STEP - 1e-9))
        dt = (time - now) / steps if steps else 0.0
        for _ in range(steps):
            now += dt
            noise = np.array([r.normal() for r in random]) * vigour.turning * np.sqrt(2 * dt / MEMORY)
            veering = veering * (1 - dt / MEMORY) + noise
            speed = pace * (1 + 0.5 * np.sin(2 * np.pi * now / push[:, 0] + push[:, 1]))
            wish = dt * speed[:, None] * _unit(direction)
            moved = _keep_apart(centres + wish, radii, side, margin, rounds=8)
            held = (moved - centres - wish) / (dt * pace[:, None])
            aside = _unit(direction)[:, 0] * held[:, 1] - _unit(direction)[:, 1] * held[:, 0]
            direction = direction + dt * (veering + vigour.ruffling * GIVE_WAY * np.clip(aside, -1, 1))
            rate = np.clip(_turn(direction - heading) / FOLLOW, -MAX_TURN, MAX_TURN)
            heading = heading + dt * vigour.ruffling * rate
            centres = moved
        now = float(time)
        places.append(centres)
        headings.append(heading)
    return np.stack(places), np.stack(headings)


def _unit(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _turn(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same angle within [-pi, pi]."""
    return np.angle(np.exp(1j * angle))


def _keep_apart(
    centres: NDArray[np.float64], radii: NDArray[np.float64], side: float, margin: float, *, rounds: int
) -> NDArray[np.float64]:
    """Push touching cells apart, each by half of what they overlap, and all into the field."""
    for _ in range(rounds):
        away, distance, overlap = _pairs(centres, radii)
        if overlap.max() <= 0:
            return np.clip(centres, margin, side - margin)
        push = (0.5 * overlap / np.maximum(distance, 1e-6))[..., None] * away
        centres = np.clip(centres + push.sum(axis=1), margin, side - margin)
    return centres


def _overlap(centres: NDArray[np.float64], radii: NDArray[np.float64]) -> float:
    """The deepest overlap of two cells in micrometres."""
    return float(_pairs(centres, radii)[2].max())


def _pairs(
    centres: NDArray[np.float64], radii: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Way from each cell to each other (N, N, 2), its length, and by how much they overlap (N, N)."""
    away = centres[:, None] - centres[None, :]
    distance = np.hypot(away[..., 0], away[..., 1])
    np.fill_diagonal(distance, np.inf)
    return away, distance, np.clip(radii[:, None] + radii[None, :] - distance, 0, None)

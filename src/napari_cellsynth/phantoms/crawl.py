"""Where the cells go: persistent crawling with pushes and turns, keeping apart and within the field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.phantoms.settings import Vigour

INNER_STEP = 0.25
"""Longest time step of the simulation in seconds."""
MAX_TURN = 0.03
"""Fastest turning in radians per second: the shading of a turning cell then changes little from frame to frame."""
MEMORY = 4.0
"""Seconds for which a cell goes on turning the way it does."""


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

    A cell goes the way it heads at a speed that comes in pushes; its turning rate is
    an Ornstein-Uhlenbeck process, bent away from the field's edge.

    Args:
        random: one generator for each of N cells, so that a cell does not depend on how many there are.
        start: (N, 2) micrometres.
        radii: (N,) micrometres that a cell may reach from its centre.

    Returns:
        (T, N, 2) places in micrometres, x then y, and (T, N) headings in radians.
    """
    count = len(random)
    heading = np.array([r.uniform(0, 2 * np.pi) for r in random])
    pace = vigour.speed / 60 * np.array([r.uniform(0.6, 1.4) for r in random])
    push = np.array([(r.uniform(12, 25), r.uniform(0, 2 * np.pi)) for r in random])
    turning, now, centres = np.zeros(count), float(seconds[0]), start
    places, headings = [], []
    for time in seconds:
        steps = int(np.ceil((time - now) / INNER_STEP - 1e-9))
        dt = (time - now) / steps if steps else 0.0
        for _ in range(steps):
            now += dt
            noise = np.array([r.normal() for r in random]) * vigour.turning * np.sqrt(2 * dt / MEMORY)
            turning = turning * (1 - dt / MEMORY) + noise + dt * _steer(centres, heading, side, margin, pace)
            turning = np.clip(turning, -MAX_TURN, MAX_TURN)
            heading = heading + dt * turning
            speed = pace * (1 + 0.5 * np.sin(2 * np.pi * now / push[:, 0] + push[:, 1]))
            centres = centres + dt * speed[:, None] * np.stack([np.cos(heading), np.sin(heading)], axis=1)
            centres = _keep_apart(centres, radii, side, margin, rounds=8)
        now = float(time)
        places.append(centres)
        headings.append(heading)
    return np.stack(places), np.stack(headings)


def _steer(
    centres: NDArray[np.float64],
    heading: NDArray[np.float64],
    side: float,
    margin: float,
    pace: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Change of the turning rate (N,) that turns cells near the edge towards the middle."""
    to_middle = side / 2 - centres
    near = np.clip(np.abs(to_middle).max(axis=1) / max(side / 2 - margin, 1e-6) - 0.6, 0, 1)
    wanted = np.arctan2(to_middle[:, 1], to_middle[:, 0])
    off = np.angle(np.exp(1j * (wanted - heading)))
    return 0.1 * pace * near * np.sin(off / 2) * 2


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

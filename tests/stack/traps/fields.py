"""Drawn fields of many traps with known places: pillar pairs, cells that stay, come, go and bud, noise, shadow."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from napari_cellsynth.stack.stack import Stack

BOX = (52, 56)
"""Height and width of the box that a user would draw around a pillar pair."""


@dataclass(frozen=True)
class Cell:
    """A round cell: place against its trap's centre, radius, and the frames in which it is there."""

    dy: float
    dx: float
    radius: float = 9.0
    first: int = 0
    last: int = 10_000
    grows: float = 0.0
    """Pixels of radius per frame."""


@dataclass
class Field:
    """What was drawn, and where."""

    stack: Stack
    labels: Stack
    traps: np.ndarray
    """Centres (N, 2) of the pillar pairs, y and x, in the first frame."""
    cells: list[list[Cell]] = field(default_factory=list)


SLOTS = ((-33, -19), (-36, 0), (-33, 19), (-13, 31), (-13, -31))
"""Places around a trap, against its centre, in which cells do not touch each other nor the mother."""
MOTHER = (-17.0, 0.0)


def one_mother(draws: np.random.Generator) -> list[Cell]:
    """A mother between the pillars and up to three more above, there from first to last."""
    more = draws.permutation(len(SLOTS))[: draws.integers(0, 4)]
    return [Cell(*MOTHER, draws.uniform(7, 9)), *(Cell(*SLOTS[i], draws.uniform(5, 8)) for i in more)]


def with_events(draws: np.random.Generator, frames: int) -> tuple[list[Cell], list[tuple[int, str]]]:
    """A mother, perhaps her bud, and cells of which some are washed in or out; and when that happens."""
    cells, events = [Cell(*MOTHER, 8)], []
    if draws.random() < 0.5:
        cells.append(Cell(MOTHER[0] - 8, MOTHER[1] - 7, 2.5, first=int(draws.integers(3, frames // 2)), grows=0.2))
    for i in draws.permutation(len(SLOTS))[: draws.integers(0, 4)]:
        kind = draws.choice(["stays", "comes", "goes"])
        when = int(draws.integers(3, frames - 2))
        first, last = (when, 10_000) if kind == "comes" else (0, when - 1 if kind == "goes" else 10_000)
        cells.append(Cell(*SLOTS[i], draws.uniform(7, 8), first, last))
        if kind != "stays":
            events.append((when, str(kind)))
    return cells, events


def grid(draws: np.random.Generator, shape: tuple[int, int], pitch: tuple[int, int], turn: float) -> np.ndarray:
    """Places of a slightly turned grid with a little play, well inside the field and some beside it."""
    y, x = np.mgrid[60 : shape[0] - 30 : pitch[0], 50 : shape[1] - 30 : pitch[1]]
    places = np.stack([y.ravel(), x.ravel()], 1).astype(float)
    places[:, 1] += np.where((y.ravel() // pitch[0]) % 2, pitch[1] / 3, 0)
    middle, angle = np.array(shape) / 2, np.deg2rad(turn)
    turned = (places - middle) @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) + middle
    inside = (turned > (45, 35)).all(1) & (turned < np.array(shape) - (30, 35)).all(1)
    return turned[inside]


def draw_field(
    seed: int = 0,
    *,
    frames: int = 6,
    planes: int = 0,
    shape: tuple[int, int] = (360, 480),
    pitch: tuple[int, int] = (96, 110),
    noise: float = 0.05,
    shadow: float = 0.3,
    turn: float = 1.0,
    drift: np.ndarray | None = None,
    places: np.ndarray | None = None,
    cells: list[list[Cell]] | None = None,
) -> Field:
    """A recording of ``frames`` (T, Y, X), with ``planes`` of z (T, Z, Y, X) uint16, contrast about 1000 on 3000.

    ``noise`` is its standard deviation against the contrast, ``shadow`` the
    relative fall of the light over the field, ``turn`` the angle of the chip
    in degrees, ``drift`` the stage's (T, 2) in pixels.
    """
    draws = np.random.default_rng(seed)
    traps = grid(draws, shape, pitch, turn) if places is None else np.asarray(places, float)
    cells = [one_mother(draws) for _ in traps] if cells is None else cells
    drift = np.zeros((frames, 2)) if drift is None else np.asarray(drift, float)
    light = 3000 * (1 - shadow * np.linspace(0, 1, shape[1])[None] * np.linspace(1, 0.5, shape[0])[:, None])
    stack = np.zeros((frames, max(planes, 1), *shape), np.uint16)
    labels = np.zeros((frames, *shape), np.uint16)
    play = draws.normal(0, 0.4, (frames, len(traps), 12, 2))
    for t in range(frames):
        sharp = np.zeros(shape)
        number = 0
        for n, (centre, inside) in enumerate(zip(traps + drift[t], cells, strict=True)):
            for side in (-1, 1):
                pillar(sharp, centre, side, turn)
            for i, cell in enumerate(inside):
                number += 1
                if cell.first <= t <= cell.last:
                    place = centre + (cell.dy, cell.dx) + play[t, n, i % 12]
                    radius = cell.radius + cell.grows * (t - cell.first)
                    disc(sharp, labels[t], place, radius, number)
        for z in range(max(planes, 1)):
            seen = blurred(sharp, 1.2 * abs(z - planes // 2)) if planes else sharp
            made = light * (1 + seen / 3) + draws.normal(0, 1000 * noise, shape)
            stack[t, z] = made.clip(0, 65535).astype(np.uint16)
    known = {"pixel_size": (0.2, 0.2), "frame_interval": 600.0}
    movie = (
        Stack(stack, "TZYX", name="chip", z_step=1.0, **known)
        if planes
        else Stack(stack[:, 0], "TYX", name="chip", **known)
    )
    return Field(movie, Stack(labels, "TYX", name="cells", **known), traps, cells)


def pillar(image: np.ndarray, centre: np.ndarray, side: int, turn: float) -> None:
    """A teardrop, its thin end up: dark rim, bright halo."""
    window, y, x = around(image.shape, centre, 34)
    angle = np.deg2rad(turn)
    y, x = y - centre[0], x - centre[1]
    y, x = np.cos(angle) * y - np.sin(angle) * x, np.sin(angle) * y + np.cos(angle) * x
    distance = teardrop(y + 12, x - 14 * side, 4.0, 9.0, 22.0)
    image[window] += rim(distance)


def teardrop(y: np.ndarray, x: np.ndarray, top: float, bottom: float, length: float) -> np.ndarray:
    """Signed distance to a drop from a circle of radius ``top`` at the origin to one of ``bottom`` below it."""
    share = np.clip(y / length, 0, 1)
    radius = top + (bottom - top) * share
    return np.hypot(y - share * length, x) - radius


def disc(image: np.ndarray, labels: np.ndarray, place: np.ndarray, radius: float, number: int) -> None:
    """A cell with a darker rim and halo than a pillar's, and its outline."""
    window, y, x = around(image.shape, place, int(radius) + 12)
    distance = np.hypot(y - place[0], x - place[1]) - radius
    image[window] += 0.9 * rim(distance) - 0.15 * (distance < -3)
    labels[window][distance < 0] = number


def rim(distance: np.ndarray) -> np.ndarray:
    return -np.exp(-(((distance + 1.5) / 1.6) ** 2)) + 0.5 * np.exp(-(((distance - 3) / 2.2) ** 2))


def around(
    shape: tuple[int, ...], centre: np.ndarray, reach: int
) -> tuple[tuple[slice, slice], np.ndarray, np.ndarray]:
    """A window of the image, and the coordinates of its pixels."""
    low = np.maximum(0, np.floor(centre).astype(int) - reach)
    high = np.maximum(low, np.minimum(shape, np.floor(centre).astype(int) + reach))
    window = (slice(low[0], high[0]), slice(low[1], high[1]))
    y, x = np.mgrid[window]
    return window, y.astype(float), x.astype(float)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(image, sigma) if sigma else image


def box_around(place: np.ndarray) -> str:
    """The user's box around a trap, as typed."""
    top, left = np.round(place - np.array(BOX) / 2).astype(int)
    return f"{top}:{top + BOX[0]},{left}:{left + BOX[1]}"

"""Where cells are: none over another in the first frame, none through another later; what happens at the border."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.simulation.compose import centroid
from napari_cellsynth.simulation.draws import For, draws
from napari_cellsynth.simulation.look import Look

GAP = 2
"""Pixels around a cell that are its own in the first frame; a cell that is to touch another lies right beside it."""
TRIES = 400
"""Places that are tried for a cell."""
DIRECTIONS, FURTHEST = 6, 200
"""For a cell that is to touch another: directions that are tried, and pixels up to which it is looked for room."""
ROUNDS = 4
"""How often cells are pushed apart in a frame: a push may bring another too near."""
TOUCH = 0.95
"""Share of the sum of two cells' radii below which their centres are too near."""


class NoRoom(BadInput):
    """There is no room for so many cells; fewer may find some."""


def start_places(looks: Sequence[Look], area: tuple[int, int], seed: int, touching: float = 0.0) -> np.ndarray:
    """(N, 2) places (y, x) of the cells' centroids in a field (Y, X): every cell whole, none over another.

    Place i depends on the seed and on the cells before it.  ``touching`` is
    the share of cells that lie against one of those.

    Raises:
        NoRoom: there is no room for so many.
        BadInput: the field is smaller than a cell.
    """
    taken, bodies, places = np.zeros(area, bool), np.zeros(area, bool), np.zeros((len(looks), 2))
    for i, look in enumerate(looks):
        rng = draws(seed, For.PLACES, i)
        rows, columns = np.nonzero(_wide(look.mask))
        y, x = centroid(look.mask)
        low = np.array([np.ceil(-rows.min() + GAP), np.ceil(-columns.min() + GAP)])
        high = np.array([area[0] - 1 - rows.max() - GAP, area[1] - 1 - columns.max() - GAP])
        if (high < low).any():
            raise BadInput(f"a field of {area[0]} x {area[1]} pixels given, smaller than a cell; give a larger one")
        corners = rng.integers(low.astype(int), high.astype(int) + 1, (TRIES, 2))
        corner = None
        body = np.nonzero(look.mask)
        if i and rng.random() < touching:
            beside = _beside(places[rng.integers(i)] - (y, x), rng)
            corner = _first(beside[((beside >= low) & (beside <= high)).all(axis=1)], body, bodies)
        if corner is None:
            corner = _first(corners, (rows, columns), taken)
        if corner is None:
            raise NoRoom(_no_room(i, len(looks), area))
        top, left = corner
        taken[rows + top, columns + left] = True
        bodies[body[0] + top, body[1] + left] = True
        places[i] = top + y + rng.uniform(-0.5, 0.5), left + x + rng.uniform(-0.5, 0.5)
    return places


def _first(corners: np.ndarray, pixels: tuple[np.ndarray, ...], taken: np.ndarray) -> np.ndarray | None:
    """The first corner from which none of the pixels is taken."""
    rows, columns = pixels
    return next((one for one in corners if not taken[rows + one[0], columns + one[1]].any()), None)


def _beside(corner: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Corners (n, 2) around one, from near to far, in a few directions one after the other: the first free touches."""
    ways = []
    for angle in rng.uniform(0, 2 * np.pi, DIRECTIONS):
        far = np.arange(2, FURTHEST, 1.0)[:, None]
        ways.append(corner + far * (np.sin(angle), np.cos(angle)))
    return np.rint(np.concatenate(ways)).astype(int)


def _wide(mask: np.ndarray) -> np.ndarray:
    from scipy.ndimage import binary_dilation

    made: np.ndarray = binary_dilation(np.pad(mask, GAP), iterations=GAP)
    return made[GAP:-GAP, GAP:-GAP]


def _no_room(fit: int, wanted: int, area: tuple[int, int]) -> str:
    return (
        f"{wanted} cells asked for, but only {fit} find room in {area[0]} x {area[1]} pixels without lying over"
        " each other; ask for fewer cells or a larger field (height, width)"
    )


def radius_of(look: Look) -> float:
    """Of the disc with the cell's area, in pixels."""
    return float(np.sqrt(look.mask.sum() / np.pi))


@dataclass
class Crowd:
    """All cells of a movie from frame to frame.

    Slot i follows path i; who stands in it changes where a cell has left and
    another came in.
    """

    places: np.ndarray
    """(N, 2) y and x in pixels, in the frame that is shown."""
    radii: np.ndarray
    """(N,) pixels, of the cells as they are in the frame to which they step; who moves them says it anew each time."""
    field: tuple[int, int]
    margin: float
    """Pixels outside the field at which nothing of a cell is seen any more."""
    keep_apart: bool = True
    turn_at_border: bool = False
    ids: np.ndarray = dataclasses.field(init=False)
    """(N,) the number of the cell in each slot, from 1."""
    fresh: np.ndarray = dataclasses.field(init=False)
    """(N,) whether the cell is new in this frame."""
    pushed: float = 0.0
    """Sum of all pushes so far, in pixels."""
    _sign: np.ndarray = dataclasses.field(init=False)
    _next: int = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        count = len(self.places)
        self.places = self.places.copy()
        self.ids, self.fresh = np.arange(1, count + 1), np.ones(count, bool)
        self._sign, self._next = np.ones((count, 2)), count + 1

    def step(self, steps: np.ndarray) -> None:
        """Go on to the next frame by steps (N, 2) in pixels."""
        self.fresh[:] = False
        self.places += steps * self._sign
        if self.turn_at_border:
            self._turn()
        if self.keep_apart:
            before = self.places.copy()
            self._push()
            self.pushed += float(np.hypot(*(self.places - before).T).sum())
        if not self.turn_at_border:
            self._replace()

    def _turn(self) -> None:
        """Mirror place and direction of who would leave with its middle."""
        sides = np.asarray(self.field) - 1.0
        for beyond, edge in ((self.places < 0, 0.0), (self.places > sides, sides)):
            self.places = np.where(beyond, 2 * edge - self.places, self.places)
            self._sign = np.where(beyond, -self._sign, self._sign)
        self.places = np.clip(self.places, 0, sides)

    def _push(self) -> None:
        """Half of what is missing between two centres to each of the two."""
        from scipy.spatial import cKDTree

        for _ in range(ROUNDS):
            pairs = cKDTree(self.places).query_pairs(2 * TOUCH * float(self.radii.max()), output_type="ndarray")
            pairs = pairs[np.lexsort(pairs.T[::-1])] if len(pairs) else pairs
            apart = self.places[pairs[:, 0]] - self.places[pairs[:, 1]]
            distance = np.hypot(*apart.T)
            missing = TOUCH * (self.radii[pairs[:, 0]] + self.radii[pairs[:, 1]]) - distance
            near = missing > 1e-6
            if not near.any():
                return
            along = apart[near] / np.maximum(distance[near], 1e-9)[:, None]
            half = along * missing[near, None] / 2
            np.add.at(self.places, pairs[near, 0], half)
            np.subtract.at(self.places, pairs[near, 1], half)

    def _replace(self) -> None:
        """Who has left comes in on the other side as another cell; so there are always about as many."""
        sides = np.asarray(self.field, float)
        span = sides + 2 * self.margin
        gone = (self.places < -self.margin) | (self.places > sides + self.margin)
        left = gone.any(axis=1)
        wrapped = (self.places + self.margin) % span - self.margin
        self.places = np.where(gone, wrapped, self.places)
        for slot in np.nonzero(left)[0]:
            self.ids[slot], self._next = self._next, self._next + 1
        self.fresh |= left

"""From cells and pillars to contrast, labels and flow of a field, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.phantoms.trapped_yeast import optics, pillars
from napari_cellsynth.phantoms.trapped_yeast.body import Form, Oval, distance
from napari_cellsynth.phantoms.trapped_yeast.inside import Inside

EDGE = 0.12
"""Micrometres over which an outline covers the halos of others."""
LEAK = 0.12
"""Share of the halos of others that is seen on a cell or a pillar."""
TRAP, INTEREST, OTHER = 1, 2, 3
"""Classes; 0 is background."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Actor:
    """One cell of a recording, in micrometres of the field."""

    form: Form
    z: float
    """Height of its middle in micrometres."""
    lit: tuple[float, float]
    """By how much its rim is darker at one side (a fraction), and where that is, in radians of its matter."""
    ovals: dict[int, Oval]
    """Where it is, by frame."""
    of_interest: frozenset[int]
    """Frames in which it is the trapped mother, or the bud she carries."""
    insides: tuple[Inside, ...]
    """As seen in each plane."""


@dataclass(frozen=True)
class Field:
    """The grid of pixels, and what stays: pillars and light."""

    shape: tuple[int, int]
    pixel_size: float
    heights: tuple[float, ...]
    """Height of each plane of focus in micrometres above the cells' middle."""
    pillars: NDArray[np.bool_]
    """(Y, X)."""
    rims: Array
    """(Z, Y, X) contrast of the pillars themselves."""
    halos: Array
    """(Z, Y, X) contrast of the light they throw around them."""
    covered: Array
    """(Y, X) from 0 to 1: where pillars cover the halos of others."""

    def places(self, rows: slice, columns: slice) -> Array:
        """Micrometres (2, h, w), x then y, of the pixels' middles."""
        y, x = np.mgrid[rows, columns].astype(np.float64)
        return (np.stack([x, y]) + 0.5) * self.pixel_size

    def window(self, oval: Oval, reach: float) -> tuple[slice, slice]:
        """Rows and columns within ``reach`` micrometres of a cell; empty where it is outside the field."""
        far = oval.axes[0] * 1.05 + reach
        spans = []
        for middle, length in ((oval.y, self.shape[0]), (oval.x, self.shape[1])):
            start, stop = (round((middle + side * far) / self.pixel_size) for side in (-1, 1))
            spans.append(slice(min(max(start, 0), length), max(min(stop, length), 0)))
        return spans[0], spans[1]


def make_field(
    shape: tuple[int, int],
    pixel_size: float,
    heights: Sequence[float],
    traps: Sequence[tuple[float, float]],
    random: np.random.Generator,
) -> Field:
    """The field with its pillars.

    Args:
        random: of the mould, whose small faults are the same at every trap.
        traps: (x, y) of each trap's middle in micrometres.
    """
    planes = (len(heights), *shape)
    field = Field(
        shape, pixel_size, tuple(heights), np.zeros(shape, bool), np.zeros(planes), np.zeros(planes), np.zeros(shape)
    )
    reach, outlines = pillars.REACH + optics.HALO, pillars.outlines(random)
    for x, y in traps:
        window = field.window(Oval(x, y, 0.0, 1.0, 0.0), reach)
        places = field.places(*window) - np.array([x, y]).reshape(2, 1, 1)
        for outline in outlines:
            _add_pillar(field, window, pillars.to_polygon(places, outline))
    return field


def _add_pillar(field: Field, window: tuple[slice, slice], away: Array) -> None:
    from scipy.ndimage import gaussian_filter

    field.pillars[window] |= away < 0
    field.covered[window] += _cover(away)
    smooth = gaussian_filter(away, 0.5 / field.pixel_size)
    down, right = np.gradient(smooth, field.pixel_size)
    facing = (optics.LEAN[0] * right + optics.LEAN[1] * down) / np.maximum(np.hypot(right, down), 0.2)
    facing = np.clip(1.25 * facing, -1, 1)
    for z, height in enumerate(field.heights):
        field.rims[z][window] += optics.pillar_profile(optics.PILLAR_RIMS, away, facing, height)
        field.halos[z][window] += optics.pillar_profile(optics.PILLAR_HALOS, away, facing, height)


def _cover(away: Array) -> Array:
    return 1 / (1 + np.exp(np.clip((away + 0.05) / EDGE, -50, 50)))


def contrast(field: Field, actors: Sequence[Actor], t: int) -> Array:
    """Contrast (Z, Y, X) of frame ``t`` in ``optics`` units."""
    rims, halos, covered = field.rims.copy(), field.halos.copy(), field.covered.copy()
    far = optics.HALO * max(optics.widening(h) for h in field.heights)
    for actor in actors:
        if t in actor.ovals:
            reach = max(far, optics.HALO * max(optics.widening(h - actor.z) for h in field.heights))
            _add_cell(field, actor, t, reach, (rims, halos, covered))
    return rims + halos * (1 - (1 - LEAK) * np.clip(covered, 0, 1))


def _together(one: Array, other: Array) -> Array:
    """Two rims where they meet: at a bud's neck or between cells there is one dark line and not twice the darkness."""
    shared = np.where(one * other > 0, np.minimum(np.abs(one), np.abs(other)), 0)
    return one + other - 0.8 * np.sign(one) * shared


def _add_cell(field: Field, actor: Actor, t: int, reach: float, sums: tuple[Array, Array, Array]) -> None:
    oval, (rims, halos, covered) = actor.ovals[t], sums
    window = field.window(oval, reach)
    u = oval.to_matter(field.places(*window))
    if not u.size:
        return
    away = distance(oval, actor.form, u)
    covered[window] += _cover(away)
    near = away < 0.3
    small, thick = min(1.0, oval.radius / 1.6), min(1.0, oval.radius / 2.5)
    for z, height in enumerate(field.heights):
        h = height - actor.z
        rim = optics.profile(optics.CELL_RIM, away, h) + sum(bell(away) for bell in optics.CELL_ABSORBS)
        rim *= 1 + actor.lit[0] * np.cos(np.arctan2(u[1], u[0]) - actor.lit[1])
        rim[near] += thick * actor.insides[z].at(u[:, near])
        rims[z][window] = _together(rims[z][window], small * rim)
        halos[z][window] += small * optics.profile(optics.CELL_HALO, away, h)


def mark(
    field: Field, actors: Sequence[Actor], t: int
) -> tuple[NDArray[np.uint16], NDArray[np.uint8], NDArray[np.float32]]:
    """Labels (Y, X), classes (Y, X) and backward flow (2, Y, X) of frame ``t``; earlier actors lie on top.

    A label is the actor's place, from 1.  Flow is 0 outside cells, NaN in cells that were not there a frame before.
    """
    labels, classes = np.zeros(field.shape, np.uint16), np.zeros(field.shape, np.uint8)
    flow = np.zeros((2, *field.shape), np.float32)
    classes[field.pillars] = TRAP
    for label, actor in enumerate(actors, start=1):
        oval = actor.ovals.get(t)
        if oval is None:
            continue
        window = field.window(oval, 0.5)
        places = field.places(*window)
        u = oval.to_matter(places)
        own = (actor.form.depth(u) < 1) & (labels[window] == 0) & ~field.pillars[window]
        labels[window][own] = label
        classes[window][own] = INTEREST if t in actor.of_interest else OTHER
        before = actor.ovals.get(t - 1)
        step = (before.to_field(u) - places) / field.pixel_size if before else np.full(u.shape, np.nan)
        flow[:, *window][:, own] = step[:, own]
    return labels, classes, flow

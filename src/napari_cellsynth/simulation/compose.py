"""One frame of a simulated movie out of background and looks: soft masks, who covers whom, exact labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_cellsynth.simulation.look import Look

SOFT = 0.7
"""Pixels (standard deviation) over which a cell covers what is below it."""
MARGIN = 2
"""Pixels that moving by a part of a pixel adds to each side."""


@dataclass(frozen=True, eq=False)
class Placed:
    """A cell in a frame."""

    id: int
    y: float
    x: float
    """Where the centroid of its mask lies, in pixels of the field."""
    look: Look


@dataclass(frozen=True, eq=False)
class Composed:
    """A frame before noise is added."""

    clean: np.ndarray
    """(Y, X) float32."""
    labels: np.ndarray
    """(Y, X) uint16, or uint32 where a number needs it."""
    kept: np.ndarray
    """(Y, X) float32: share of the noise that is there already."""


def compose(ground: np.ndarray, cells: Sequence[Placed]) -> Composed:
    """Lay cells upon a background (Y, X); later ones cover earlier ones.

    Halos add up, as they nearly do in the microscope, and bodies lie upon
    them: what is seen of a cell's body does not depend on who stands near.
    """
    clean, labels = ground.astype(np.float32).copy(), np.zeros(ground.shape, type_of(cell.id for cell in cells))
    kept = np.zeros(ground.shape, np.float32)
    there = [(cell.id, piece, *piece.overlap(ground.shape)) for cell in cells for piece in (Piece.of(cell),)]
    seen = [(number, piece, field, patch) for number, piece, field, patch in there if field is not None]
    for _, piece, field, patch in seen:
        clean[field] += piece.light[patch]
        kept[field] = np.minimum(1.0, np.hypot(kept[field], piece.kept[patch]))
    for number, piece, field, patch in seen:
        cover = piece.cover[patch]
        clean[field] += cover * (ground[field] + piece.light[patch] - clean[field])
        kept[field] += cover * (piece.kept[patch] - kept[field])
        labels[field][piece.body[patch]] = number
    return Composed(clean, labels, kept)


def type_of(numbers: Iterable[int]) -> np.dtype[Any]:
    """uint16, or uint32 where a number is beyond it: cells that come in have new numbers, without an end."""
    return np.promote_types(np.uint16, np.min_scalar_type(max(numbers, default=0)))


@dataclass(frozen=True, eq=False)
class Piece:
    """A look at its place: arrays (h, w) whose first pixel is pixel (top, left) of the field."""

    top: int
    left: int
    light: np.ndarray
    cover: np.ndarray
    body: np.ndarray
    kept: np.ndarray

    @classmethod
    def of(cls, cell: Placed) -> Piece:
        from scipy.ndimage import gaussian_filter

        look = cell.look
        y, x = centroid(look.mask)
        top, left = cell.y - y, cell.x - x
        whole = (int(np.floor(top)), int(np.floor(left)))
        part = (top - whole[0], left - whole[1])
        mask = look.mask.astype(np.float32)
        noise = np.zeros_like(mask) if look.kept is None else look.kept * look.alpha
        soft = np.minimum(gaussian_filter(mask, SOFT), look.alpha)
        return cls(
            whole[0] - MARGIN,
            whole[1] - MARGIN,
            moved(look.light * look.alpha, *part, cubic=True),
            moved(soft, *part),
            moved(mask, *part) >= 0.5,
            moved(noise, *part),
        )

    def overlap(self, shape: tuple[int, ...]) -> tuple[tuple[slice, slice] | None, tuple[slice, slice] | None]:
        """Where it lies in a field, and which part of it does; None where it is outside."""
        starts = (max(0, self.top), max(0, self.left))
        ends = (
            min(shape[0], self.top + self.light.shape[0]),
            min(shape[1], self.left + self.light.shape[1]),
        )
        if ends[0] <= starts[0] or ends[1] <= starts[1]:
            return None, None
        field = (slice(starts[0], ends[0]), slice(starts[1], ends[1]))
        patch = (
            slice(starts[0] - self.top, ends[0] - self.top),
            slice(starts[1] - self.left, ends[1] - self.left),
        )
        return field, patch


def centroid(mask: np.ndarray) -> tuple[float, float]:
    """Of a mask (h, w) with at least one pixel."""
    y, x = np.nonzero(mask)
    return float(y.mean()), float(x.mean())


def moved(patch: np.ndarray, y: float, x: float, *, cubic: bool = False) -> np.ndarray:
    """A patch (h, w), with ``MARGIN`` zeros added around it, moved down and right by y and x in [0, 1) pixels.

    Linear (never beyond the values there are), or cubic (Keys, 1981), which
    keeps fine texture; whole pixels are copied.
    """
    wide = np.pad(np.asarray(patch, np.float32), MARGIN)
    for axis, part in ((0, y), (1, x)):
        if part > 1e-6:
            wide = _along(wide, axis, weights(part, cubic))
    return wide


def weights(part: float, cubic: bool) -> list[tuple[int, float]]:
    """Of the pixels at these offsets, for a value that lies ``part`` of a pixel before a pixel's middle."""
    if not cubic:
        return [(0, 1 - part), (-1, part)]
    s = part
    return [
        (1, -0.5 * s + s**2 - 0.5 * s**3),
        (0, 1 - 2.5 * s**2 + 1.5 * s**3),
        (-1, 0.5 * s + 2 * s**2 - 1.5 * s**3),
        (-2, -0.5 * s**2 + 0.5 * s**3),
    ]


def _along(wide: np.ndarray, axis: int, parts: list[tuple[int, float]]) -> np.ndarray:
    made = np.zeros_like(wide)
    n = wide.shape[axis]
    for offset, weight in parts:
        to, source = [slice(None)] * 2, [slice(None)] * 2
        to[axis] = slice(max(0, -offset), n - max(0, offset))
        source[axis] = slice(max(0, offset), n - max(0, -offset))
        made[tuple(to)] += np.float32(weight) * wide[tuple(source)]
    return made

"""Which outline is which in the next frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.motion.tracks.cells import Edge, FrameCells

SIZE = 4.0
"""A change of radius by a diameter over this counts as much as the largest distance: of two outlines equally near the
one of the cell's own size is taken."""


@dataclass(frozen=True)
class Limits:
    """What may be the same cell a frame later."""

    reach: float
    """Largest distance in pixels."""
    diameter: float
    """Usual one of a cell, in pixels."""
    shrink: float
    """Smallest area, as a share of that of the frame before."""

    @property
    def size(self) -> float:
        """Pixels of distance that a pixel of radius counts for."""
        return SIZE * self.reach / self.diameter


def link_frames(
    t: int, before: FrameCells, after: FrameCells, moved: NDArray[np.float64], limits: Limits
) -> list[Edge]:
    """Link the cells of frame ``t`` to those of the next, each to one at most, at the least cost in all.

    The cost is the squared distance and that of the radii (``SIZE``).

    Args:
        moved: (2,) motion that all cells share, which is left out of account.
    """
    if not len(before.numbers) or not len(after.numbers):
        return []
    apart = ((before.places[:, None] + moved - after.places[None]) ** 2).sum(-1)
    grown = limits.size * (after.radii[None] - before.radii[:, None])
    costs = np.where(after.areas[None] < limits.shrink * before.areas[:, None], np.inf, apart + grown**2)
    # laptrack takes places and a measure between them: here the places are rows and columns of the costs.
    places = [np.arange(n, dtype=np.float64)[:, None] for n in costs.shape]
    limit = limits.reach**2
    nothing = {"track_start_cost": 1.05 * limit, "track_end_cost": 1.05 * limit}
    tracker = lap_track(metric=lambda i, j: costs[int(i[0]), int(j[0])], cutoff=limit, **nothing)
    return [((t, int(i)), (t + 1, int(j))) for (_, i), (_, j) in tracker.predict(places).edges()]


def lap_track(**settings: Any) -> Any:
    """laptrack's LapTrack, which closes no gaps and splits no tracks unless it is told."""
    from laptrack import LapTrack

    return LapTrack(**{"gap_closing_cutoff": False, "splitting_cutoff": False, "merging_cutoff": False, **settings})

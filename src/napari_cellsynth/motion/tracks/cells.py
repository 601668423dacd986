"""The cells of a recording as linking sees them: where they are, how large, and which is which in the next frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Edge = tuple[tuple[int, int], tuple[int, int]]
"""From a cell to the same cell, or its daughter, in a later frame; a cell is (frame, place in the frame)."""


@dataclass(frozen=True, eq=False)
class FrameCells:
    """The outlines of one frame, by their numbers."""

    numbers: NDArray[np.int64]
    """(n,) as the labels have them, ascending."""
    places: NDArray[np.float64]
    """(n, 2) centroids y, x in pixels, as filmed."""
    areas: NDArray[np.float64]
    """(n,) in pixels."""

    @classmethod
    def of(cls, frame: NDArray[np.integer]) -> FrameCells:
        """Of labels (Y, X)."""
        from napari_cellsynth.motion.tracks.from_labels import outlines_of

        found = outlines_of(frame)
        return cls(found[:, 0].astype(np.int64), found[:, 1:3], found[:, 3])

    @property
    def radii(self) -> NDArray[np.float64]:
        """(n,) of circles of the same area."""
        return np.sqrt(self.areas / np.pi)


def usual_diameter(frames: list[FrameCells]) -> float:
    """Median diameter of a circle of a cell's area, in pixels; 1 where there is no cell."""
    radii = np.concatenate([frame.radii for frame in frames])
    return float(2 * np.median(radii)) if len(radii) else 1.0

"""What outlines that were found look like when they are wrong: cells in pieces, or several in one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FEW = 5
"""Outlines below which nothing is said of them together."""
DENTED, SHARE = 0.9, 0.25
"""Area over that of the convex hull below which an outline is dented; and share of outlines that are then too many.

Of 20 frames of yeast in phase contrast, simulated neutrophils and their
outlines: with a fitting diameter 0 to 19 % were dented, with one of 0.5 to
0.7 times that 29 to 60 %, of true outlines at most 5 %."""
NARROW = 0.88
"""Median diameter over the usual one below which that is too large: 0.5 to 0.85 where 1.4 to 3 times the fitting one
was given, above 1 where it fitted."""
SMALLEST = 16
"""Pixels of an outline whose shape can be told."""


def doubt(labels: NDArray[Any], diameter: float) -> str:
    """What to look at in the outlines of a frame (Y, X), found for cells of ``diameter`` pixels, and what to change.

    Empty where nothing looks wrong, which says nothing of single cells.
    """
    from skimage.measure import regionprops

    cells = [cell for cell in regionprops(labels) if cell.area >= SMALLEST]
    if len(cells) < FEW:
        return ""
    dented = sum(float(cell.solidity) < DENTED for cell in cells)
    if dented >= SHARE * len(cells):
        return (
            f"{dented:,} of {len(cells):,} outlines are dented: if cells are cut in pieces give a larger cell diameter,"
            " if several are in one a smaller."
        )
    widths = np.sqrt(4 / np.pi * np.array([cell.area for cell in cells]))
    if float(np.median(widths)) < NARROW * diameter:
        return (
            "Most outlines are smaller than the cell diameter: a smaller one finds small cells and parts joined ones."
        )
    return ""

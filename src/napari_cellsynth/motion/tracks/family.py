"""Who came from whom, where the outlines' numbers are kept: linking finds no divisions then, and need not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TRACKED, TRUTH = ".tracked.tif", ".labels.tif"
"""Ends of the names of outlines that tracking wrote, and of those of a simulated movie."""
UNKNOWN_FAMILY = (
    "the outlines' numbers were kept, and nobody says which cell came from which: no division is among the tracks"
)


def carried(parents: Mapping[int, int], numbers: Sequence[NDArray[np.int64]]) -> dict[int, int]:
    """The parents that still hold for the numbers of each frame: both are there, and no child before its mother."""
    first: dict[int, int] = {}
    for t, here in enumerate(numbers):
        for number in here.tolist():
            first.setdefault(number, t)
    return {
        child: mother
        for child, mother in parents.items()
        if child in first and mother in first and first[mother] <= first[child]
    }


def parents_beside(outlines: Path | None) -> dict[int, int]:
    """What the files beside outlines say, by their numbers; empty where there are none.

    That is the table ``x.csv`` of ``x.tracked.tif``, ``x.tracks.csv`` of a
    simulated movie's ``x.labels.tif``, or the table of a folder of the Cell
    Tracking Challenge.  BadInput where it is damaged.
    """
    from napari_cellsynth.motion.tracks.csv_files import is_ours, read_csv
    from napari_cellsynth.motion.tracks.ctc import find_table, lines_of

    if outlines is None:
        return {}
    if outlines.is_dir():
        table = find_table(outlines)
        lines = {} if table is None else lines_of(table)
        return {label: parent for label, (_, _, parent) in lines.items() if parent}
    for ending, other in ((TRACKED, ".csv"), (TRUTH, ".tracks.csv")):
        if outlines.name.endswith(ending):
            table = outlines.with_name(outlines.name.removesuffix(ending) + other)
            if table.exists() and (ending == TRUTH or is_ours(table)):
                return dict(read_csv(table).parents)
    return {}

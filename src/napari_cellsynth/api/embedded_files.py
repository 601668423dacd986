"""Files of images that were made again: the images, a table with a row for each, and the points that were found."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_cellsynth.api.embeddings import Embedded

TABLE, LATENTS = "csv", "latents.npy"
"""Endings of the files beside the reconstructions."""


def places(image: Path) -> tuple[Path, Path, Path]:
    """Where images, table and latents go; BadInput where that would cost another's file."""
    from napari_cellsynth.stack.files.outputs import beside, refuse_others

    sides = (beside(image, TABLE), beside(image, LATENTS))
    refuse_others(image, sides)
    return image, *sides


def write(paths: tuple[Path, Path, Path], found: Embedded) -> None:
    """All three files, or none."""
    import numpy as np

    from napari_cellsynth.stack.files.replacing import replacing
    from napari_cellsynth.stack.files.write import write_stack

    image, table, latents = paths
    with ExitStack() as both:
        with open(both.enter_context(replacing(table)), "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows(found))
        with open(both.enter_context(replacing(latents)), "wb") as numbers:
            np.save(numbers, found.embedding.latents, allow_pickle=False)
        # The largest last: where it fails, the others are not there either.
        write_stack(image, found.stack)


def rows(found: Embedded) -> list[list[object]]:
    """Head and a row for each image."""
    e = found.embedding
    starts = e.of_starts.shape[1]
    head = ["index", "error", "error_units", "nll", "length2", "start", "iterations"]
    columns = (found.indices, e.errors, e.errors_in_units, e.nll, e.lengths, e.starts, e.iterations)
    table: list[list[object]] = [[*head, *(f"error_start_{start}" for start in range(starts))]]
    for number in range(len(e.errors)):
        table.append([*(column[number].item() for column in columns), *(each.item() for each in e.of_starts[number])])
    return table

"""Outlines that were drawn before a recording was steadied, on the steady recording."""

from __future__ import annotations

from pathlib import Path

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.labels import read_labels
from napari_cellsynth.stack.provenance import MADE_ON, ground_of_block
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.steady.stabilise import stabilise_labels
from napari_cellsynth.stack.steady.steadied import Steadied

UNKNOWN = "do not say whether they were drawn before or after the stage's motion was taken out of"
"""In the note on outlines of which nobody can tell."""
MOVED = "were moved along as the stage's motion was taken out of"
"""In the note on outlines that were moved."""


def labels_for(path: Path, like: Stack) -> Stack:
    """:func:`read_labels`, and :func:`moved_along`; also of frames as large as before the edges were cropped."""
    try:
        return moved_along(read_labels(path, like), like)
    except BadInput:
        how = Steadied.of(like)
        if how is None or how.shape is None or how.shape == tuple(like.shape[-2:]):
            raise
        import dask.array as da

        try:
            filmed = like.with_(data=da.zeros((*like.shape[:-2], *how.shape), dtype=like.dtype, chunks=-1))
            moved = moved_along(read_labels(path, filmed), like)
        except BadInput:
            moved = None
        if moved is None or moved.shape[-2:] != like.shape[-2:]:
            raise
        return moved


def moved_along(labels: Stack, like: Stack) -> Stack:
    """Outlines for the steady recording ``like``: moved where they are surely of the recording as it was filmed.

    That is so where they have the frames of the recording before its edges
    were cropped, or came with a phantom.  Others may have been drawn before
    or after: they stay, and a note says so, and what to do.
    """
    how = Steadied.of(like)
    if how is None or how.drift.still or ground_of_block(labels.provenance) is not None:
        return labels
    name = like.name if like.path is None else like.path.name
    shape = (labels.shape[-2], labels.shape[-1])
    cropped = how.shape is not None and shape == how.shape != tuple(like.shape[-2:])
    if labels.size("T") == how.drift.frames and (cropped or _of_a_phantom(labels, like, how)):
        moved = stabilise_labels(labels, how.drift, border="crop" if cropped else "zero")
        if moved.shape[-2:] == like.shape[-2:]:
            block = {**(labels.provenance or {}), MADE_ON: ground_of_block(like.provenance)}
            notes = (*labels.notes, f"the outlines {MOVED} {name}")
            return moved.with_(provenance=block, path=labels.path, notes=notes)
    note = (
        f"the outlines {labels.name} {UNKNOWN} {name}: if before, move them along first (cellsynth stabilise MASKS OUT"
        f" --labels --drift {name})"
    )
    return labels.with_(notes=(*labels.notes, note))


def _of_a_phantom(labels: Stack, like: Stack, how: Steadied) -> bool:
    made_by = str((labels.provenance or {}).get("made_by", ""))
    return "phantom" in made_by and how.shape == tuple(like.shape[-2:]) and how.origin == (0, 0)

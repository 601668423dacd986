"""Outlines that were drawn before a recording was steadied, on the steady recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.labels import read_labels
from napari_cellsynth.stack.provenance import MADE_ON, ground_of_block
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.steady.drift import Drift
from napari_cellsynth.stack.steady.stabilise import stabilise_labels
from napari_cellsynth.stack.steady.steadied import Steadied

UNKNOWN = "do not say whether they were drawn before or after the stage's motion was taken out of"
"""In the note on outlines of which nobody can tell."""
MOVED = "were moved along as the stage's motion was taken out of"
"""In the note on outlines that were moved."""
PAIRS = 24
"""Pairs of successive frames, those with the largest steps of the stage, in which outlines are asked whose they are."""
SEEN, FEW, AGREED, CLEAR = 0.005, 3, 0.8, 0.2
"""Difference of two overlaps that counts; pairs that are few, of which all have to agree, by a clear difference on
average; share of more pairs that has to."""


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
    """Outlines for the steady recording ``like``: moved where they are of the recording as it was filmed.

    That is so where they have the frames of the recording before its edges
    were cropped, came with a phantom, or jump when the stage does.  Where they
    stand still instead they are of the steady recording.  Others may have been
    drawn before or after: they stay, and a note says so, and what to do.
    """
    how = Steadied.of(like)
    if how is None or how.drift.still or ground_of_block(labels.provenance) is not None:
        return labels
    name = like.name if like.path is None else like.path.name
    before = drawn_before(labels, like, how)
    if before is None:
        note = (
            f"the outlines {labels.name} {UNKNOWN} {name}: if before, move them along first (cellsynth stabilise MASKS"
            f" OUT --labels --drift {name})"
        )
        return labels.with_(notes=(*labels.notes, note))
    return moved_as(labels, like, how) if before else _on(like, labels)


def moved_as(labels: Stack, like: Stack, how: Steadied) -> Stack:
    """Outlines that are known to be of the recording as it was filmed, moved as ``like`` was, with a note."""
    name = like.name if like.path is None else like.path.name
    cropped = tuple(labels.shape[-2:]) != tuple(like.shape[-2:])
    moved = stabilise_labels(labels, how.drift, border="crop" if cropped else "zero")
    notes = (*labels.notes, f"the outlines {MOVED} {name}")
    return _on(like, moved.with_(path=labels.path, notes=notes, provenance=labels.provenance))


def _on(like: Stack, labels: Stack) -> Stack:
    """Marked as lying on a steady recording, so that nobody moves them once more."""
    return labels.with_(provenance={**(labels.provenance or {}), MADE_ON: ground_of_block(like.provenance)})


def drawn_before(labels: Stack, like: Stack, how: Steadied) -> bool | None:
    """Whether outlines are of the recording as it was filmed, or of the steady one; None where nobody can tell."""
    mine, theirs = tuple(labels.shape[-2:]), tuple(like.shape[-2:])
    if labels.size("T") != how.drift.frames:
        return None
    if how.shape is not None and how.shape != theirs:
        valid = how.drift.valid(how.shape)
        fits = (valid[1] - valid[0], valid[3] - valid[2]) == theirs
        return False if mine == theirs else True if mine == how.shape and fits else None
    if mine != theirs or how.origin != (0, 0):
        return None
    return True if "phantom" in str((labels.provenance or {}).get("made_by", "")) else follows(labels, how.drift)


def follows(labels: Stack, drift: Drift) -> bool | None:
    """Whether outlines jump when the stage does (True) or stand still then (False); None where that is not seen.

    Outlines of successive frames overlap most where they belong: as they
    are, on the steady recording, or a step of the stage apart, on the one as
    it was filmed.  Cells that move by themselves do so in any direction.
    """
    path = np.rint(drift.applied).astype(int)
    steps = np.diff(path, axis=0)
    largest = np.argsort(-np.abs(steps).max(axis=1, initial=0), kind="stable")[:PAIRS]
    z = labels.size("Z") // 2
    gains = []
    for t in sorted(int(t) for t in largest if steps[t].any()):
        one, next_one = (labels.frame(at, z=z) > 0 for at in (t, t + 1))
        apart, together = _overlaps(one, next_one, steps[t])
        if max(apart, together) > 0 and abs(apart - together) > SEEN:
            gains.append(apart - together)
    if not gains:
        return None
    share = float(np.mean(np.array(gains) > 0))
    few = len(gains) < FEW
    least = 1.0 if few else AGREED
    if max(share, 1 - share) < least or (few and abs(float(np.mean(gains))) < CLEAR):
        return None
    return share > 0.5


def _overlaps(one: NDArray[np.bool_], other: NDArray[np.bool_], step: NDArray[np.int_]) -> tuple[float, float]:
    """Intersection over union of two masks (Y, X), the other moved by a step, and as it is, where both show."""
    (h, w), (dy, dx) = one.shape, (int(n) for n in step)
    if abs(dy) >= h or abs(dx) >= w:
        return 0.0, 0.0
    rows, columns = slice(max(0, -dy), h - max(0, dy)), slice(max(0, -dx), w - max(0, dx))
    moved = other[rows.start + dy : rows.stop + dy, columns.start + dx : columns.stop + dx]
    return _iou(one[rows, columns], moved), _iou(one[rows, columns], other[rows, columns])


def _iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    union = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / union if union else 0.0

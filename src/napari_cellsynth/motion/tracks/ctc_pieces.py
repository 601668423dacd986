"""Tracks as lines of the table ``L B E P`` of the Cell Tracking Challenge.

A parent ends before its child begins, and a label is in every frame from B to
E.  So a gap, and a mother that goes on when her bud begins, become several
labels there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from napari_cellsynth.motion.tracks.tracks import Tracks


@dataclass(frozen=True)
class Piece:
    """A line of the table."""

    label: int
    first: int
    last: int
    parent: int
    """Label of another piece; 0 for none."""
    track: int
    """The track that it is of."""


def pieces(tracks: Tracks) -> list[Piece]:
    """The lines of the table, by first frame; the first piece of a track keeps its number."""
    cuts = {
        number: {int(tracks.t[rows.start])} for number in tracks.numbers().tolist() if (rows := tracks.rows(number))
    }
    for number, begins in cuts.items():
        t = tracks.t[tracks.rows(number)]
        begins |= {int(u) for u in t[1:][np.diff(t) > 1]}
    for child, parent in tracks.parents.items():
        began = int(tracks.t[tracks.rows(child).start])
        hers = tracks.t[tracks.rows(parent)]
        later = hers[hers >= began]
        if len(later) and hers[0] < began:
            cuts[parent].add(int(later[0]))
    return _numbered(tracks, {number: sorted(begins) for number, begins in cuts.items()})


def _numbered(tracks: Tracks, cuts: dict[int, list[int]]) -> list[Piece]:
    free = max(cuts, default=0) + 1
    made: dict[int, list[Piece]] = {}
    for number, begins in cuts.items():
        t = tracks.t[tracks.rows(number)]
        for k, first in enumerate(begins):
            stop = begins[k + 1] if k + 1 < len(begins) else int(t[-1]) + 1
            last = int(t[(t >= first) & (t < stop)][-1])
            before = made[number][-1].label if k else 0
            made.setdefault(number, []).append(Piece(number if not k else free, first, last, before, number))
            free += bool(k)
    for child, parent in tracks.parents.items():
        begun = made[child][0]
        mother = [piece for piece in made[parent] if piece.last < begun.first]
        if mother:
            made[child][0] = replace(begun, parent=mother[-1].label)
    return sorted((piece for line in made.values() for piece in line), key=lambda piece: (piece.first, piece.label))

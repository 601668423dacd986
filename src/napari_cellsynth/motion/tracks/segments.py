"""Pieces of tracks put together: over gaps, and where a cell divides.

After Jaqaman et al. 2008 ("Robust single-particle tracking in live-cell
time-lapse sequences"): one assignment for the ends and beginnings of all
pieces.  What a division must look like is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.motion.tracks.cells import Edge, FrameCells
from napari_cellsynth.motion.tracks.frame_links import Limits, lap_track

DAUGHTERS_ALIKE = 0.4
"""Area of the smaller daughter as a share of the larger one's, at least."""
DAUGHTERS_AREA = 1.6
"""Area of both daughters together, in areas of their mother, at most: a cell that comes near another doubles it."""
MOTHER_BETWEEN = 0.5
"""Diameters by which the middle of the daughters may lie off their mother."""
DIVISION_REACH = 1.5
"""Diameters that a daughter may lie from her mother's middle."""
DAUGHTER_LASTS = 3
"""Frames for which a daughter is there at least."""
T, Y, X, RADIUS, AREA, NEXT_Y, NEXT_X, NEXT_AREA = range(8)
"""What stands where in the vector of a cell; the last three are of the same cell in the next frame, else NaN."""


def join_pieces(
    cells: Sequence[FrameCells],
    places: Sequence[NDArray[np.float64]],
    links: Sequence[Edge],
    *,
    limits: Limits,
    gap: int,
    divide: bool,
) -> list[Edge]:
    """The links that are to be added to those from frame to frame.

    Args:
        cells: of every frame.
        places: (n, 2) of every frame's cells, without the motion that all share.
        links: from frame to frame.
        limits: what may be the same cell a frame later.
        gap: frames for which a cell may be missing.
        divide: whether a cell may have two daughters.
    """
    pieces = pieces_of(cells, links)
    if len(pieces) < 2 or not (gap or divide):
        return []
    vectors, limit, far = _vectors(cells, places, links), limits.reach**2, DIVISION_REACH * limits.diameter
    # laptrack is told of the ends, the beginnings and possible mothers alone: else its time grows with frames squared.
    needed = _needed(pieces, places, far if divide else 0.0)
    chosen = [sorted(i for i in range(len(frame)) if (t, i) in needed) for t, frame in enumerate(places)]
    short = {(t, i): (t, k) for t, frame in enumerate(chosen) for k, i in enumerate(frame)}
    chains = [[short[cell] for cell in piece if cell in short] for piece in pieces]
    tracker = lap_track(
        cutoff=1e-12,  # from frame to frame nothing is linked any more
        gap_closing_metric=lambda end, start: gap_cost(end, start, limits),
        gap_closing_cutoff=limit if gap else False,
        gap_closing_max_frame_count=gap + 1,
        splitting_metric=lambda daughter, mother: division_cost(daughter, mother, limits.diameter) * limit,
        splitting_cutoff=limit if divide else False,
        **dict.fromkeys(("segment_start_cost", "segment_end_cost", "no_splitting_cost"), 1.05 * limit),
    )
    known = [pair for chain in chains for pair in pairwise(chain)]
    tree = tracker.predict([frame[i] for frame, i in zip(vectors, chosen, strict=True)], connected_edges=known)
    full = {after: before for before, after in short.items()}
    found = {tuple((int(t), int(k)) for t, k in edge) for edge in tree.edges()} - set(known)
    return sorted((full[a], full[b]) for a, b in found)


def pieces_of(cells: Sequence[FrameCells], links: Sequence[Edge]) -> list[list[tuple[int, int]]]:
    """Cells (frame, place) that hang together without a branch, in the order of time, by their beginnings."""
    after = dict(links)
    started = set(after.values())
    pieces = []
    for first in ((t, i) for t, frame in enumerate(cells) for i in range(len(frame.numbers))):
        if first not in started:
            piece = [first]
            while piece[-1] in after:
                piece.append(after[piece[-1]])
            pieces.append(piece)
    return pieces


def _needed(
    pieces: list[list[tuple[int, int]]], places: Sequence[NDArray[np.float64]], far: float
) -> set[tuple[int, int]]:
    """Ends and beginnings, and who may be the mother of a beginning: within ``far`` in the frame before."""
    needed = {cell for piece in pieces for cell in (piece[0], piece[-1])}
    for t, i in (piece[0] for piece in pieces if piece[0][0] and far):
        near = np.flatnonzero(np.hypot(*(places[t - 1] - places[t][i]).T) <= far)
        needed |= {(t - 1, int(k)) for k in near}
    return needed


def _vectors(
    cells: Sequence[FrameCells], places: Sequence[NDArray[np.float64]], links: Sequence[Edge]
) -> list[NDArray[np.float64]]:
    vectors = []
    for t, (frame, place) in enumerate(zip(cells, places, strict=True)):
        later = np.full((len(place), 3), np.nan)
        vectors.append(np.column_stack([np.full(len(place), t), place, frame.radii, frame.areas, later]))
    for (t, i), (u, j) in links:
        vectors[t][i, NEXT_Y:] = vectors[u][j, [Y, X, AREA]]
    return vectors


def gap_cost(end: NDArray[np.float64], start: NDArray[np.float64], limits: Limits) -> float:
    """Squared distance a frame, since that of a random walk grows with time, and that of the radii; inf for others."""
    if start[AREA] < limits.shrink * end[AREA]:
        return np.inf
    apart = np.sum((end[Y : X + 1] - start[Y : X + 1]) ** 2) / (start[T] - end[T])
    return float(apart + (limits.size * (end[RADIUS] - start[RADIUS])) ** 2)


def division_cost(daughter: NDArray[np.float64], mother: NDArray[np.float64], diameter: float) -> float:
    """From 0 to 1, for a new cell and a cell of the frame before; inf where it cannot be its daughter.

    The mother goes on as the other daughter: both must be alike, together not
    much larger than the mother, and lie on two sides of where she was.
    """
    own, other = daughter[AREA], mother[NEXT_AREA]
    if not np.isfinite(other) or min(own, other) < DAUGHTERS_ALIKE * max(own, other):
        return np.inf
    middle = (daughter[Y : X + 1] + mother[NEXT_Y : NEXT_X + 1]) / 2
    off, far = (np.hypot(*(place - mother[Y : X + 1])) / diameter for place in (middle, daughter[Y : X + 1]))
    if own + other > DAUGHTERS_AREA * mother[AREA] or off > MOTHER_BETWEEN or far > DIVISION_REACH:
        return np.inf
    return float((far / DIVISION_REACH) ** 2)


def lasting(links: Sequence[Edge], frames: int) -> list[Edge]:
    """Links without those to daughters that are gone after ``DAUGHTER_LASTS`` frames: an outline that flickered.

    A daughter lasts to the last frame of the movie, or has daughters herself.
    """
    after: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for a, b in links:
        after.setdefault(a, []).append(b)

    def lasts(cell: tuple[int, int]) -> bool:
        seen = 1
        while len(after.get(cell, ())) == 1 and seen < DAUGHTER_LASTS:
            cell, seen = after[cell][0], seen + 1
        return seen >= DAUGHTER_LASTS or len(after.get(cell, ())) == 2 or cell[0] == frames - 1

    return [(a, b) for a, b in links if len(after[a]) == 1 or lasts(b) or not any(lasts(one) for one in after[a])]

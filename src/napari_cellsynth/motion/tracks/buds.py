"""From which cell a bud came: from the larger one at whose rim it grows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.stack.stack import Stack

SMALL = 0.6
"""A bud's area when it is first seen, as a share of its mother's, at most."""
WATCHED = 5
"""Frames after its beginning over which it is seen whose rim a bud keeps to."""
NEAR = 0.25
"""Diameters between the rims of a bud and its mother, at most."""


def mothers(tracked: Stack, tracks: Tracks, diameter: float) -> Iterator[int | dict[int, int]]:
    """From buds to their mothers; yields the frame looked at, then the dictionary.

    A bud is a track that begins after the first frame, small, at the rim of a
    larger cell that was there before; of several the one to whose rim it
    stays nearest over its first frames.

    Args:
        tracked: labels (axes TYX) with the tracks' numbers.
        diameter: usual one of a cell, pixels.
    """
    first = {int(n): int(t) for n, t in zip(tracks.numbers(), tracks.t[tracks.starts()], strict=True)}
    area = {(p.id, p.t): float(a) for p, a in zip(tracks, tracks.features["area"], strict=True)}
    gaps: dict[int, dict[int, list[float]]] = {number: {} for number, t in first.items() if t > 0}
    for t in sorted({u for n in gaps for u in range(first[n], first[n] + WATCHED)}):
        if t >= tracked.size("T"):
            break
        frame = tracked.frame(t)
        for bud in (n for n in gaps if first[n] <= t < first[n] + WATCHED and (n, t) in area):
            for other, distance in rims(frame, bud, NEAR * diameter).items():
                if first[other] < first[bud] and area[bud, t] <= SMALL * area[other, t]:
                    gaps[bud].setdefault(other, []).append(distance)
        yield t
    watched = {bud: sum((bud, first[bud] + k) in area for k in range(WATCHED)) for bud in gaps}
    chosen = {bud: _nearest(found, watched[bud], NEAR * diameter) for bud, found in gaps.items()}
    yield {bud: mother for bud, mother in chosen.items() if mother}


def _nearest(found: Mapping[int, Sequence[float]], frames: int, reach: float) -> int:
    """The cell whose rim was nearest on average; where it was out of reach, the reach counts.  0 for none."""
    mean = {n: (sum(gaps) + (frames - len(gaps)) * reach) / frames for n, gaps in found.items()}
    return min(mean, key=lambda n: (mean[n], n)) if mean else 0


def rims(frame: NDArray[np.integer], number: int, reach: float) -> dict[int, float]:
    """Other cells of a frame (Y, X) within ``reach`` pixels of a cell's rim, and how far their rims are."""
    from scipy.ndimage import distance_transform_edt

    rows, columns = np.nonzero(frame == number)
    pad = int(np.ceil(reach)) + 1
    box = tuple(slice(max(0, at.min() - pad), at.max() + pad + 1) for at in (rows, columns))
    part = frame[box]
    apart = distance_transform_edt(part != number)
    near = (part != 0) & (part != number) & (apart <= max(reach, 1.5))
    return {int(n): float(apart[near & (part == n)].min()) for n in np.unique(part[near])}

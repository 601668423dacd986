"""What was found, in sentences for a person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.motion.tracks.common_motion import FEWEST
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.stack.numbers_in_words import counted

MOVES = 0.75
"""Pixels a frame of common motion from which it is mentioned."""


def in_words(tracks: Tracks) -> str:
    """One sentence: how many tracks, how long, what happens in them, and where they break off."""
    if not len(tracks):
        return "no tracks"
    lengths = tracks.lengths()
    parts = [
        f"{counted(len(lengths), 'track')} of {counted(len(tracks), 'outline')} in {counted(tracks.frames, 'frame')}"
    ]
    parts.append(_how_long(lengths, tracks.frames))
    divisions, buds = families(tracks)
    parts.append(counted(divisions, "division") if divisions else "")
    parts.append(counted(buds, "bud") if buds else "")
    begun, ended = broken(tracks)
    if begun or ended:
        appear = [f"{begun} appear{'s' if begun == 1 else ''}"] if begun else []
        vanish = [f"{ended} vanish{'es' if ended == 1 else ''}"] if ended else []
        parts.append(f"{' and '.join(appear + vanish)} within the field")
    return "; ".join(part for part in parts if part)


def _how_long(lengths: NDArray[np.int64], frames: int) -> str:
    whole, half = int((lengths == frames).sum()), int(np.median(lengths))
    if whole == len(lengths):
        return "all from the first frame to the last"
    return f"{whole} in all frames, half in {half} or more"


def families(tracks: Tracks) -> tuple[int, int]:
    """Cells that divide (and end), and buds (whose mothers go on)."""
    ends = {n: int(tracks.t[tracks.rows(n).stop - 1]) for n in set(tracks.parents.values())}
    starts = {n: int(tracks.t[tracks.rows(n).start]) for n in tracks.parents}
    buds = sum(ends[parent] >= starts[child] for child, parent in tracks.parents.items())
    divided = {parent for child, parent in tracks.parents.items() if ends[parent] < starts[child]}
    return len(divided), buds


def broken(tracks: Tracks) -> tuple[int, int]:
    """Tracks that begin without a parent after the first frame, and that end without children before the last, inside.

    Inside is a cell's diameter (where areas are known, else 10 pixels) or more from the
    border.  In a good movie few cells come from nowhere.
    """
    if tracks.shape is None:
        return 0, 0
    area = usual_area(tracks)
    margin = 10.0 if area is None else 2 * float(np.sqrt(area / np.pi))
    inside = _inside(tracks, margin)
    first = tracks.starts()
    last = np.append(first[1:], len(tracks)) - 1
    own, mothers = set(tracks.parents), set(tracks.parents.values())
    begun = [inside[r] and tracks.t[r] > 0 and int(tracks.ids[r]) not in own for r in first.tolist()]
    ended = [inside[r] and tracks.t[r] < tracks.frames - 1 and int(tracks.ids[r]) not in mothers for r in last.tolist()]
    return sum(map(bool, begun)), sum(map(bool, ended))


def usual_area(tracks: Tracks) -> float | None:
    """The median area of an outline in pixels; None where nobody said."""
    area = tracks.features.get("area")
    return tracks.cell_area if area is None or not len(area) else float(np.median(area))


def _inside(tracks: Tracks, margin: float) -> NDArray[np.bool_]:
    height, width = tracks.shape or (0, 0)
    away = np.minimum.reduce([tracks.y, height - 1 - tracks.y, tracks.x, width - 1 - tracks.x])
    return away >= min(margin, min(height, width) / 4)


def about_common_motion(tracks: Tracks) -> str | None:
    """That the cells move together more than each for itself, and what to do; None where they do not."""
    shared, own = common_and_own(tracks)
    if shared < max(MOVES, own):
        return None
    long = "" if tracks.pixel_size is None else f" ({shared * float(np.mean(tracks.pixel_size)):.2g} µm)"
    return (
        f"the cells move together by {shared:.1f} px{long} a frame, which positions and speeds contain: if that is the"
        " stage's doing, make the movie steady first"
    )


def common_and_own(tracks: Tracks) -> tuple[float, float]:
    """Pixels a frame that cells move together, and each for itself; medians over frames with four cells or more."""
    follows = (np.diff(tracks.ids) == 0) & (np.diff(tracks.t) == 1)
    rows = np.flatnonzero(follows) + 1
    steps = np.stack([np.diff(tracks.y)[follows], np.diff(tracks.x)[follows]], axis=1)
    shared, own = [], []
    for t in np.unique(tracks.t[rows]):
        here = steps[tracks.t[rows] == t]
        if len(here) >= FEWEST:
            middle = np.median(here, axis=0)
            shared.append(float(np.hypot(*middle)))
            own.append(float(np.median(np.hypot(*(here - middle).T))))
    return (float(np.median(shared)), float(np.median(own))) if shared else (0.0, 0.0)

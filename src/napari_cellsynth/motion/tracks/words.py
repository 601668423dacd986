"""What was found, in sentences for a person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.motion.tracks.link import COMMON
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.quantity import format_length

MOVES = 0.75
"""Pixels a frame of common motion from which it is mentioned."""


def in_words(tracks: Tracks) -> str:
    """One sentence: how many tracks, how long, what happens in them, and where they break off."""
    if not len(tracks):
        return "no tracks"
    lengths = tracks.lengths()
    parts = [f"{counted(len(lengths), 'track')} of {counted(len(tracks), 'outline')} in {tracks.frames} frames"]
    parts.append(_how_long(lengths, tracks.frames))
    divisions, buds = families(tracks)
    parts.append(counted(divisions, "division") if divisions else "")
    parts.append(counted(buds, "bud") if buds else "")
    begun, ended = broken(tracks)
    if begun or ended:
        parts.append(f"{begun} appear and {ended} vanish within the field")
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

    Inside is a cell's diameter (where areas are known) or more from the
    border.  In a good movie few cells come from nowhere.
    """
    if tracks.shape is None:
        return 0, 0
    area = tracks.features.get("area")
    margin = 2 * float(np.sqrt(np.median(area) / np.pi)) if area is not None and len(area) else 10.0
    inside = _inside(tracks, margin)
    first = tracks.starts()
    last = np.append(first[1:], len(tracks)) - 1
    own, mothers = set(tracks.parents), set(tracks.parents.values())
    begun = [inside[r] and tracks.t[r] > 0 and int(tracks.ids[r]) not in own for r in first.tolist()]
    ended = [inside[r] and tracks.t[r] < tracks.frames - 1 and int(tracks.ids[r]) not in mothers for r in last.tolist()]
    return sum(map(bool, begun)), sum(map(bool, ended))


def _inside(tracks: Tracks, margin: float) -> NDArray[np.bool_]:
    height, width = tracks.shape or (0, 0)
    away = np.minimum.reduce([tracks.y, height - 1 - tracks.y, tracks.x, width - 1 - tracks.x])
    return away >= min(margin, min(height, width) / 4)


def about_common_motion(tracks: Tracks) -> str | None:
    """That most cells move alike, and what to do; None where they do not."""
    moved = ((tracks.provenance or {}).get("settings") or {}).get(COMMON)
    if moved is None or moved < MOVES:
        return None
    long = "" if tracks.pixel_size is None else f" ({format_length(moved * float(np.mean(tracks.pixel_size)))})"
    return (
        f"most cells move alike by {moved:.1f} px{long} a frame, perhaps with the stage: that was left out of account"
        " while linking, but positions and speeds contain it; make the movie steady first for speeds without it"
    )

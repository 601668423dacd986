"""Which movies, or frames of them, are for what, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_cellsynth.gui.words import how_many, listed, ranges
from napari_cellsynth.stack.split import SPLITS

if TYPE_CHECKING:
    from napari_cellsynth.stack.recordings.recording import Recording
    from napari_cellsynth.stack.traps.sequences import SequencePlan

VERBS = {"train": "learns from", "validation": "tunes on", "test": "is tested on"}


def split_words(recordings: Sequence[Recording]) -> str:
    """``learns from frames 0–15, tunes on 17, is tested on 19``; of several recordings, how many are for what.

    Frames are counted from 0, as the slider does.
    """
    if len(recordings) == 1:
        return _frames(recordings[0])
    alone = {part: [one for one in recordings if set(one.split.parts.values()) == {part}] for part in SPLITS}
    divided = [one for one in recordings if len(set(one.split.parts.values())) > 1]
    said = [f"{VERBS[part]} {how_many(len(alone[part]), 'movie')}" for part in SPLITS if alone[part]]
    if divided:
        said.append(f"{how_many(len(divided), 'movie')} {'is' if len(divided) == 1 else 'are'} divided by time")
    return ", ".join(said)


def _frames(recording: Recording) -> str:
    parts = [(part, [recording.file_frame(t) for t in recording.split.frames(part)]) for part in SPLITS]
    there = [(part, frames) for part, frames in parts if frames]
    first = f"{VERBS[there[0][0]]} frames {ranges(there[0][1])}" if there else ""
    return listed([first, *(f"{VERBS[part]} {ranges(frames)}" for part, frames in there[1:])]) if there else ""


def traps_words(plan: SequencePlan) -> str:
    """``learns from 8 traps, tunes on 1 trap``, where whole traps are held out."""
    traps = {
        part: len({(one.place.source, one.place.row.trap) for one in plan.sequences if one.split == part})
        for part in SPLITS
    }
    said = [f"{VERBS[part]} {how_many(count, 'trap')}" for part, count in traps.items() if count]
    return f"{listed(said)}, with all their planes and frames"

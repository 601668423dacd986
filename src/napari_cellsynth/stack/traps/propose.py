"""Which traps to take, and which of their frames: what the rules say before anybody has looked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.traps.judge import Judged, TrapFacts, looks_empty
from napari_cellsynth.stack.traps.settings import TrapSettings

FEW = 2
"""Washes that reject no trap, however short it is."""


@dataclass(frozen=True)
class Proposal:
    """Whether to take a trap, from which frame to which, and why (not)."""

    accept: bool
    first: int
    last: int
    reason: str


def propose(seen: TrapFacts, judged: Judged, settings: TrapSettings, cuts: Collection[int] = ()) -> Proposal:
    """The longest stretch of usable frames of a trap, or why there is none long enough.

    As in the thesis: no frame with too many cells or none, and no trap in
    which cells are washed in and out all the time.  The stretch is as long
    as possible and crosses none of ``cuts`` (frames that do not follow the
    one before).
    """
    frames = sorted(seen.cells or seen.filled)
    whole = frames[0], frames[-1]
    if seen.outside:
        return Proposal(False, *whole, f"its crop leaves the frame by {seen.outside} px when the stage moves")
    many = [t for t in frames if _too_many(seen, t, settings)]
    none = [] if settings.keep_empty else [t for t in frames if _is_empty(seen, t, judged)]
    good = sorted(set(frames) - set(many) - set(none))
    reasons = _reasons(len(many), len(none), len(frames), judged.with_outlines, settings)
    first, last = longest(good, cuts)
    if last - first + 1 < settings.min_frames:
        return Proposal(False, *whole, f"{reasons or 'too few frames'}: {max(0, last - first + 1)} left in a row")
    steps = last - first
    washes = [t for t in seen.washed if first < t <= last]
    if len(washes) > max(FEW, settings.max_washed * steps):
        return Proposal(False, first, last, f"cells washed in or out in {len(washes)} of {steps} steps")
    if settings.washed == "reject" and washes:
        calm_first, calm_last = longest(range(first, last + 1), {*cuts, *washes})
        left = calm_last - calm_first + 1
        often = f"{len(washes)} of {counted(steps, 'step')}"
        said = f"cells washed in or out in {often}: {counted(left, 'frame')} in a row without"
        return Proposal(left >= settings.min_frames, first, last, said)
    return Proposal(True, first, last, reasons)


def longest(frames: Sequence[int], cuts: Collection[int] = ()) -> tuple[int, int]:
    """First and last of the longest run of ascending ``frames`` without a hole or a cut; else (0, -1)."""
    return max(runs(frames, cuts), key=lambda run: (run[1] - run[0], -run[0]), default=(0, -1))


def runs(frames: Sequence[int], cuts: Collection[int] = ()) -> list[tuple[int, int]]:
    """First and last of each run of ascending ``frames`` that has neither a hole nor a cut (t not after t - 1)."""
    found: list[tuple[int, int]] = []
    for t in frames:
        if found and found[-1][1] == t - 1 and t not in cuts:
            found[-1] = found[-1][0], t
        else:
            found.append((t, t))
    return found


def _too_many(seen: TrapFacts, t: int, settings: TrapSettings) -> bool:
    if seen.cells:
        return seen.cells[t] > settings.max_cells
    return seen.filled[t] > settings.max_filled


def _is_empty(seen: TrapFacts, t: int, judged: Judged) -> bool:
    if seen.cells:
        return seen.cells[t] == 0
    return judged.empty_known and looks_empty(seen.filled[t])


def _reasons(many: int, none: int, frames: int, outlined: bool, settings: TrapSettings) -> str:
    crowd = f"more than {settings.max_cells} cells" if outlined else f"more than {settings.max_filled:.0%} filled"
    said = [f"{crowd} in {many} of {frames} frames" if many else "", f"no cell in {none} of {frames}" if none else ""]
    return ", ".join(text for text in said if text)

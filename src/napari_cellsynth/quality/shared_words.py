"""What the cells of a field did together, in sentences: what was taken out before fitting, and what was kept."""

from __future__ import annotations

from collections.abc import Sequence

from napari_cellsynth.motion.autoregressive.model import MotionFit
from napari_cellsynth.motion.paths import MICROMETRE
from napari_cellsynth.motion.shake import Found, Shared
from napari_cellsynth.motion.steps import FEWEST
from napari_cellsynth.stack.numbers_in_words import counted

MOST = 3
"""Recordings that are named one by one."""


def about_shared(fit: MotionFit) -> list[str]:
    """A sentence for each kind of thing that was found; none where each cell moves alone."""
    unit = "\u00b5m" if fit.units == MICROMETRE else "px"
    said = [_taken(fit.shared, found, unit) for found in ("shake", "wished")]
    said += [_lasting(fit.shared, unit), _drifting(fit.shared, unit)]
    if few := _those(fit.shared, "few"):
        said.append(
            f"too few cells ({FEWEST} in eight pairs of frames are needed) to tell whether the stage shook:"
            f" {_listed([one.recording for one in few])}"
        )
    if _those(fit.shared, "kept"):
        said.append("what cells do together was kept as wished, and not looked for")
    return [one for one in said if one]


def simulated_without(fit: MotionFit) -> str:
    """That simulated cells do not shake as the recordings did; empty where nothing was taken out."""
    taken = [one for one in fit.shared if one.taken_out]
    if not taken:
        return ""
    what = "the stage's shake was" if all(one.found == "shake" for one in taken) else "what cells do together was"
    return f"{what} taken out before fitting, so simulated cells do not have it"


def methods_of_shared(fits: Sequence[MotionFit]) -> str:
    """A sentence for a paper; empty where nothing was taken out."""
    shared = [one for fit in fits for one in fit.shared]
    if not any(one.taken_out for one in shared):
        return ""
    if any(one.found == "wished" for one in shared):
        return "Before fitting, the median displacement of all cells from frame to frame was subtracted."
    return (
        "Before fitting, the median displacement of all cells from frame to frame, less its lasting part, was"
        f" subtracted in {counted(sum(one.taken_out for one in shared), 'recording')} of {len(shared)}, in which it"
        " exceeded that of independent cells (sign-flipping test between both sides of the field, p < 0.01) and was"
        " not correlated from frame to frame."
    )


def _those(shared: Sequence[Shared], found: Found) -> list[Shared]:
    return [one for one in shared if one.found == found]


def _taken(shared: Sequence[Shared], found: Found, unit: str) -> str:
    taken = _those(shared, found)
    if not taken:
        return ""
    shook, wished = "the whole field shook, as where the stage does;", "what cells do together, a drift as well, was"
    each = [
        f"{_name(one, shared)}{one.size:.3g} {unit} a frame, at most {one.largest:.3g},"
        f" {one.frames} of {one.pairs} times"
        for one in taken
    ]
    return f"{shook if found == 'shake' else wished} taken out: {_listed(each)}"


def _lasting(shared: Sequence[Shared], unit: str) -> str:
    lasting = _those(shared, "lasting")
    if not lasting:
        return ""
    each = [f"{_name(one, shared)}{one.beyond:.3g} {unit} a frame" for one in lasting]
    return (
        f"cells move together in a way that lasts over frames, as where they flow or a stage drifts; kept:"
        f" {_listed(each)} (shared motion 'remove' takes it out)"
    )


def _drifting(shared: Sequence[Shared], unit: str) -> str:
    drifting = [one for one in shared if one.drift]
    if not drifting:
        return ""
    each = [f"{_name(one, shared)}{one.drift:.3g} {unit} a frame" for one in drifting]
    return f"all cells drift steadily in one direction, their own or the stage's; kept: {_listed(each)}"


def _name(one: Shared, shared: Sequence[Shared]) -> str:
    """Before a number; empty where there is one recording."""
    return f"{one.recording} " if len(shared) > 1 else ""


def _listed(each: Sequence[str]) -> str:
    more = f"; and {len(each) - MOST} more" if len(each) > MOST else ""
    return "; ".join(each[:MOST]) + more

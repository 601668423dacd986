"""The sentences about a recording's fitness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from napari_cellsynth.stack.fitness.fitness import JITTER, Finding, Fitness

NAMED = 5
"""Frames, or runs of them, that a sentence lists; all stand in the finding."""
STEADY = 0.2
"""Pixels per frame: no stage is called steadier than that."""


def findings_of(fitness: Fitness) -> list[Finding]:
    """In the order in which they matter; what was looked for and is in order is said, too."""
    if fitness.constant:
        # Of frames without anything in them nothing else is worth a sentence.
        nothing = Finding("content", (), "bad", "every frame is one value: nothing to learn")
        return [*_readable(fitness), nothing]
    stage = () if fitness.noise else _stage(fitness)
    return [*_readable(fitness), *_content(fitness), *_frames(fitness), *stage, *_jumps(fitness)]


def listed(frames: Sequence[int]) -> str:
    """``frame 41``, ``frames 3, 7-9 and 12``, ``frames 0-4, 9, … (31 in all)``."""
    runs: list[list[int]] = []
    for t in frames:
        if runs and t == runs[-1][-1] + 1:
            runs[-1].append(t)
        else:
            runs.append([t])
    said = [str(run[0]) if len(run) == 1 else f"{run[0]}\u2013{run[-1]}" for run in runs]
    word = "frame" if len(frames) == 1 else "frames"
    if len(said) > NAMED:
        return f"{word} {', '.join(said[:NAMED])}, … ({len(frames)} in all)"
    return f"{word} " + (" and ".join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else said[0])


def _readable(fitness: Fitness) -> Iterator[Finding]:
    if fitness.unreadable:
        words = f"{listed(fitness.unreadable)} cannot be read; clips leave {_it(fitness.unreadable)} out"
        yield Finding("readable", fitness.unreadable, "bad", words)


def _content(fitness: Fitness) -> Iterator[Finding]:
    if fitness.noise:
        yield Finding("content", (), "warning", "looks like noise: no structure larger than a pixel was found")


def _frames(fitness: Fitness) -> Iterator[Finding]:
    for frames, word in ((fitness.dark, "dark"), (fitness.bright, "too bright")):
        if frames:
            words = f"{listed(frames)} {_is(frames)} {word}; clips leave {_it(frames)} out"
            yield Finding("light", frames, "warning", words)
    if fitness.blurred:
        words = f"{listed(fitness.blurred)} {_is(fitness.blurred)} blurred; clips leave {_it(fitness.blurred)} out"
        yield Finding("sharp", fitness.blurred, "warning", words)
    elif fitness.frames > 2 and not fitness.noise:
        yield Finding("sharp", (), "ok", "sharp")
    if fitness.saturated:
        where = "all frames" if len(fitness.saturated) == fitness.frames else listed(fitness.saturated)
        words = f"{where} saturated: up to {fitness.share:.1%} of the pixels are at {fitness.ceiling:g}"
        yield Finding("saturated", fitness.saturated, "warning", words)
    else:
        yield Finding("saturated", (), "ok", "not saturated")
    if fitness.doubled:
        times = "repeat the frames before them" if len(fitness.doubled) > 1 else "repeats the frame before it"
        words = f"{listed(fitness.doubled)} {times}; clips leave {_it(fitness.doubled)} out"
        yield Finding("doubled", fitness.doubled, "warning", words)


def _stage(fitness: Fitness) -> Iterator[Finding]:
    if fitness.frames < 2:
        return
    if fitness.jitter >= JITTER:
        yield Finding("stage", (), "warning", f"stage moves {fitness.usual_step:.1f} px per frame")
    elif not fitness.told:
        yield Finding("stage", (), "ok", "whether the stage moves cannot be told: cells move each by itself")
    else:
        least = max(STEADY, fitness.jitter, fitness.error)
        yield Finding("stage", (), "ok", f"stage steady (to {least:.1f} px per frame)")
    if fitness.drifted:
        yield Finding("drift", (), "warning", f"stage drifts by {fitness.drifted:.0f} px over the recording")


def _jumps(fitness: Fitness) -> Iterator[Finding]:
    shifts = tuple(t for t in fitness.jumps if t not in fitness.scenes)
    if shifts:
        far = max(float(np.hypot(*(fitness.offsets[t] - fitness.offsets[t - 1]))) for t in shifts)
        by = f"by {far:.0f} px " if len(shifts) == 1 else f"by up to {far:.0f} px "
        where = listed(shifts)
        words = f"{'jump' if len(shifts) == 1 else 'jumps'} {by}at {where}; clips will not cross {_it(shifts)}"
        yield Finding("jumps", shifts, "warning", words)
    if fitness.scenes:
        words = f"another scene begins at {listed(fitness.scenes)}; clips will not cross {_it(fitness.scenes)}"
        yield Finding("jumps", fitness.scenes, "warning", words)


def _is(frames: Sequence[int]) -> str:
    return "is" if len(frames) == 1 else "are"


def _it(frames: Sequence[int]) -> str:
    return "it" if len(frames) == 1 else "them"

"""Recordings learn what was found, and lose the stage's motion with their outlines."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import scenes

from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.fitness.recordings import steady, with_fitness
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.recording import Recording, recordings_of
from napari_cellsynth.stack.steady.drift import Drift

NOTHING_HELD_OUT = HoldOut(by="time", validation_fraction=0, test_fraction=0)


def recording(offsets: np.ndarray) -> Recording:
    stack = scenes.stack_of(scenes.field(offsets), name="field")
    labels = stack.with_(data=(np.asarray(stack.data) > 300).astype(np.int32), name="outlines")
    (made,) = recordings_of([(stack, labels)], NOTHING_HELD_OUT)
    return made


def test_jumps_are_cuts_and_dark_frames_unfit() -> None:
    offsets = scenes.path("still")
    offsets[11:] = 12, -5
    one = recording(offsets)
    np.asarray(one.stack.data)[4] = 200
    found = with_fitness(one, scenes.judged(one.stack))
    assert found.cuts == {11}
    assert found.unfit == {4}


def test_outlines_are_steadied_with_the_pixels() -> None:
    moving = recording(scenes.path("jitter"))
    fitness = scenes.judged(moving.stack)
    after = steady(with_fitness(moving, fitness), fitness.drift)
    assert after.stack.shape < moving.stack.shape
    assert not scenes.judged(after.stack).moves
    assert after.labels is not None
    assert np.array_equal(after.labels.frame(7), after.stack.frame(7) > 300)


def test_it_says_what_was_taken_out_and_where_it_is() -> None:
    drift = Drift(np.array([[0, 0], [2.2, -1]] + [[0, 0]] * 18))
    one = recording(scenes.path("still"))
    after = steady(one, drift)
    assert after.selection.origin == (0, 1)
    assert after.file_place(5, 5) == (5, 6)
    assert after.stack.frame(1)[5, 5] == one.stack.frame(1)[5 + 2, 6 - 1]
    told = after.describe()
    assert Drift.from_json(told["drift"]).applied.tolist() == drift.applied.tolist()
    assert told["selection"]["region"] == "0:158,1:160"
    assert (after.split, after.cuts) == (one.split, one.cuts)
    assert steady(one, Drift(np.zeros((20, 2)))) is one


def test_real_stage(real_data: Callable[[str], Path]) -> None:
    stack = read_stack(real_data("yeast_pos13_phase") / "yeast_phase.tif", axes="TYX")
    stack = stack.with_(data=stack.data[:10, 100:400, 200:500])
    before = scenes.judged(stack)
    assert 0.8 < before.jitter < 1.6
    (one,) = recordings_of([stack], NOTHING_HELD_OUT)
    after = steady(one, before.drift)
    assert _change(after) < 0.85 * _change(one, cut=after)
    assert scenes.judged(after.stack).jitter < 0.5


def _change(one: Recording, cut: Recording | None = None) -> float:
    """Mean squared difference of neighbouring frames, in what both show."""
    (y, x), (h, w) = (one.selection.origin, one.selection.shape) if cut is None else ((0, 0), cut.selection.shape)
    y, x = (0, 0) if cut is None else cut.selection.origin
    frames = [one.stack.frame(t)[y : y + h, x : x + w].astype(float) for t in range(one.frames)]
    return float(np.mean([np.mean((b - a) ** 2) for a, b in pairwise(frames)]))

"""Where clips begin: what must hold for every field, every split and every recording."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellsynth.stack.clips.places import apart, starts_along, starts_in_time
from napari_cellsynth.stack.split import by_time

quick = settings(max_examples=200, deadline=None)


@quick
@given(
    st.integers(8, 3000), st.floats(4, 400), st.floats(0, 0.95), st.integers(0, 40), st.booleans()
)  # fmt: skip
def test_windows_fit_and_share_what_was_asked(
    length: int, side: float, overlap: float, margin: int, leave_rest: bool
) -> None:
    starts = starts_along(length, side, overlap, margin=margin, leave_rest=leave_rest)
    if length - 2 * margin < side:
        assert starts == []
        return
    assert starts[0] == margin
    assert starts[-1] + side <= length - margin + 1e-6
    assert starts == sorted(set(starts))
    # Neighbours share at least the share asked for, but for what whole pixels do not allow.
    assert all(b - a <= max(1, (1 - overlap) * side + 1e-6) + leave_rest for a, b in pairwise(starts))


@quick
@given(st.integers(16, 2000), st.integers(4, 300), st.floats(0, 0.9))
def test_every_pixel_is_covered_up_to_the_border(length: int, side: int, overlap: float) -> None:
    starts = starts_along(length, side, overlap)
    covered = np.zeros(length, bool)
    for start in starts:
        covered[start : start + side] = True
    assert covered.all() == (side <= length)


def test_as_published() -> None:
    assert starts_along(1400, 128, 0.25, leave_rest=True) == list(range(0, 1400 - 128 + 1, 96))
    assert starts_along(1400, 128, 0.25)[-1] == 1400 - 128


@pytest.mark.parametrize(("every", "step", "wanted"), [(1, 3, [0, 3, 6]), (2, 6, [0]), (1, 1, list(range(8)))])
def test_starts_without_obstacles(every: int, step: int, wanted: list[int]) -> None:
    parts = dict.fromkeys(range(10), "train")
    found = list(starts_in_time(10, parts, stored=3, every=every, step=step))
    assert [t for t, _ in found][: len(wanted)] == wanted
    assert all(t + 2 * every < 10 for t, _ in found)


@quick
@given(st.data())
def test_no_clip_straddles_anything(data: st.DataObject) -> None:
    frames = data.draw(st.integers(9, 60))
    stored, every = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 3))
    step = data.draw(st.integers(1, 8))
    some_frames = st.frozensets(st.integers(0, frames - 1), max_size=4)
    cuts, unfit = data.draw(some_frames), data.draw(some_frames)
    gap = data.draw(st.integers(0, 2))
    parts = by_time(frames, validation=0.2, test=0.2, gap=gap, name="x").parts
    found = list(starts_in_time(frames, parts, stored=stored, every=every, step=step, cuts=cuts, unfit=unfit))

    def possible(t: int) -> bool:
        taken = range(t, t + stored * every, every)
        reach = range(t, taken[-1] + 1)
        return (
            taken[-1] < frames
            and {parts.get(s) for s in taken} == {parts.get(t)} - {None}
            and len({parts[s] for s in reach if s in parts}) == 1
            and not unfit & set(taken)
            and not cuts & set(reach[1:])
        )

    starts = [t for t, _ in found]
    assert all(possible(t) and parts[t] == part for t, part in found)
    for a, b in pairwise(starts):
        anew = any(s in cuts or parts.get(s, parts[a]) != parts[a] for s in range(a + 1, b + 1))
        assert b - a >= step or anew
    # Nothing possible is passed over: each start comes as soon as it may.
    for t in range(frames):
        if possible(t):
            assert any(t - step < start <= t for start in starts)


def test_how_many_share_nothing() -> None:
    places = [(float(y), float(x)) for y in (0, 6, 12) for x in (0, 8)]
    assert apart(places, (12, 12)) == 2
    assert apart(places, (6, 8)) == 6
    assert apart([], (4, 4)) == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30), st.integers(0, 30)), max_size=40))
def test_only_near_boxes_are_compared_and_the_number_is_the_same(boxes: list[tuple[float, ...]]) -> None:
    sides = (3.0, 8.0, 8.5)
    kept: list[tuple[float, ...]] = []
    for box in sorted(boxes):
        if all(any(abs(a - b) >= side for a, b, side in zip(box, other, sides, strict=True)) for other in kept):
            kept.append(box)
    assert apart(boxes, sides) == len(kept)


def test_a_long_recording_is_counted_at_once() -> None:
    boxes = [(10.0 * t, 96.0 * y, 96.0 * x) for t in range(150) for y in range(10) for x in range(10)]
    start = time.process_time()
    assert apart(boxes, (10, 128, 128)) == 150 * 25
    assert time.process_time() - start < 5  # each against all took a minute

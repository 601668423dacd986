"""Where clips begin, in space and in time; whole numbers only, nothing of pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, floor

from napari_cellsynth.stack.split import Split


def starts_along(length: int, side: float, overlap: float, *, margin: int = 0, leave_rest: bool = False) -> list[int]:
    """First pixels of windows of ``side`` pixels along an axis of ``length``, ascending.

    Windows begin at most ``(1 - overlap) * side`` apart, so that
    neighbours share at least that part.  They are moved evenly closer
    together so that the last ends at the border, less than a pixel away;
    with ``leave_rest`` (as published: x = x + 0.75 w) what is left over at
    the end is not covered.  Empty where no window fits.
    """
    room = length - 2 * margin - side
    if room < 0:
        return []
    stride = (1 - overlap) * side
    if leave_rest:
        # Starts are whole pixels: rounded down, so that the share in common is never less than asked for.
        count = floor(room / stride + 1e-9) + 1
        return sorted({margin + floor(i * stride + 1e-9) for i in range(count)})
    last = floor(room + 1e-9)
    step = max(1, floor(stride + 1e-9))  # whole pixels: rounding spread starts must not part them further
    gaps = max(1, ceil(last / step))
    return sorted({margin + floor(i * last / gaps + 0.5) for i in range(gaps + 1)})


def starts_in_time(
    frames: int,
    parts: Mapping[int, Split],
    *,
    stored: int,
    every: int,
    step: int,
    cuts: frozenset[int] = frozenset(),
    unfit: frozenset[int] = frozenset(),
) -> Iterator[tuple[int, Split]]:
    """First frames of clips and their part, in order of time.

    A clip takes ``stored`` frames, ``every`` apart, all in one part, none of
    them unfit; between its first and its last lies no cut (a frame that
    does not follow the one before) and no frame of another part.  Clips begin
    ``step`` frames apart, anew with each part and after each cut; where one
    is impossible the next possible start is taken.
    """
    span = (stored - 1) * every
    t = 0
    while t + span < frames:
        part = parts.get(t)
        if part is not None and _possible(range(t, t + span + 1), every, part, parts, cuts, unfit):
            yield t, part
            t = _next(t, step, part, parts, cuts)
        else:
            t += 1


def _next(t: int, step: int, part: Split, parts: Mapping[int, Split], cuts: frozenset[int]) -> int:
    for s in range(t + 1, t + step):
        if s in cuts or parts.get(s, part) != part:
            return s
    return t + step


def _possible(
    reach: range, every: int, part: Split, parts: Mapping[int, Split], cuts: frozenset[int], unfit: frozenset[int]
) -> bool:
    """Whether a clip may reach over these frames; those that it passes over may be unfit, or not be used."""
    if not cuts.isdisjoint(reach[1:]) or not unfit.isdisjoint(reach[::every]):
        return False
    if any(parts.get(s) != part for s in reach[::every]):
        return False
    return every == 1 or all(parts.get(s, part) == part for s in reach)


def apart(boxes: list[tuple[float, ...]], sides: tuple[float, ...]) -> int:
    """How many of these boxes (corners) share nothing, taken greedily in order."""
    near: list[tuple[float, ...]] = []
    count = 0
    for box in sorted(boxes):
        # Sorted by the first axis: what lies a side back on it meets none that is still to come.
        near = [other for other in near if box[0] - other[0] < sides[0]]
        if all(any(abs(a - b) >= side for a, b, side in zip(box, other, sides, strict=True)) for other in near):
            near.append(box)
            count += 1
    return count

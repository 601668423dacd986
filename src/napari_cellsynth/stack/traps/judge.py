"""One pass over a recording: for each trap and frame, how crowded it is, and what was washed in or out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.traps.boxes import PixelBox
from napari_cellsynth.stack.traps.cells_seen import Outlined, washed_between
from napari_cellsynth.stack.traps.drift import Followed
from napari_cellsynth.stack.traps.filled import ALIKE, EmptyTrap, Seen, came_and_went, reduced
from napari_cellsynth.stack.traps.find import Trap, TrapMap
from napari_cellsynth.stack.traps.settings import TrapSettings
from napari_cellsynth.stack.traps.still import moved_back, some_frames

EMPTY_FROM = 9
"""Frames, evenly spaced, that the look of an empty trap is taken from."""
THUMBNAIL = 96
"""Pixels along a side of the small images for review, at most."""


@dataclass
class TrapFacts:
    """What was seen of one trap, by frame of the recording, counted from 0."""

    trap: Trap
    cells: dict[int, int] = field(default_factory=dict)
    """Cells with their middle in the crop; empty without outlines."""
    filled: dict[int, float] = field(default_factory=dict)
    """Share of the crop that differs from an empty trap; empty with outlines."""
    washed: dict[int, int] = field(default_factory=dict)
    """Frames that show something washed in or out since the one before, and how many cells of it."""
    thumbnails: list[np.ndarray] = field(default_factory=list)
    """Of the first, a middle and the last frame, (S, S) float32."""
    outside: int = 0
    """Pixels by which its crop leaves the frame when the stage moves."""


@dataclass(frozen=True, eq=False)
class Judged:
    """All traps of a recording, with what was seen of them."""

    found: TrapMap
    followed: Followed
    facts: tuple[TrapFacts, ...]
    with_outlines: bool
    empty_known: bool
    """Whether empty traps can be told without outlines."""


def judge_traps(
    stack: Stack,
    found: TrapMap,
    settings: TrapSettings,
    *,
    labels: Stack | None = None,
    unfit: Collection[int] = (),
) -> Iterator[SetProgress | Judged]:
    """Look at every frame once; yields progress, last of all the :class:`Judged`.

    ``labels`` are outlines (T, Y, X), or of all planes; then cells are
    counted and followed by overlap.  Else proxies are measured
    (:mod:`.filled`).  ``unfit`` frames are passed over.
    """
    still = found.still
    frames = [t for t in still.frames if t not in unfit]
    seer = _Outlines(labels, still.z, found) if labels is not None else _Proxies(stack, found, settings, frames)
    followed = still.given or Followed()
    followed.follow = not settings.stay
    facts = {trap: TrapFacts(trap) for trap in found.traps}
    shown = {frames[0], frames[len(frames) // 2], frames[-1]} if found.traps else set()
    for done, t in enumerate(frames, start=1):
        plane = stack.frame(t, z=still.z)
        if still.given is None:
            followed.note(t, still.offset(plane, t))
        offset = followed.offsets[t] if not settings.stay else (0.0, 0.0)
        seer.see(t, plane, offset, facts)
        if t in shown:
            moved = moved_back(plane, *whole(offset))
            for trap, seen in facts.items():
                seen.thumbnails.append(thumbnail(moved, found.box(trap)))
        yield SetProgress(done, len(frames), f"looking at the traps of {stack.name}")
    _leaving(found, followed, facts, frames)
    known = labels is None and settings.box_is_empty and isinstance(seer, _Proxies) and seer.knows_empty
    yield Judged(found, followed, tuple(facts.values()), labels is not None, known)


def whole(offset: tuple[float, float]) -> tuple[int, int]:
    return round(offset[0]), round(offset[1])


def thumbnail(plane: np.ndarray, box: PixelBox) -> np.ndarray:
    """A small image (S, S) float32 of a crop, by leaving pixels away."""
    crop = plane[box.slices]
    step = max(1, -(-max(crop.shape) // THUMBNAIL))
    return crop[::step, ::step].astype(np.float32)


def _leaving(found: TrapMap, followed: Followed, facts: dict[Trap, TrapFacts], frames: list[int]) -> None:
    moves = {followed.whole(t) for t in frames}
    for trap, seen in facts.items():
        seen.outside = max(found.box(trap).moved(*move).beyond(found.frame) for move in moves)


class _Outlines:
    """Counts cells by their outlines."""

    def __init__(self, labels: Stack, z: int, found: TrapMap) -> None:
        self.labels, self.found = labels, found
        self.z = z if labels.size("Z") > 1 else 0
        self.before: tuple[int, Outlined] | None = None

    def see(self, t: int, plane: np.ndarray, offset: tuple[float, float], facts: dict[Trap, TrapFacts]) -> None:
        numbers = self.labels.frame(t, z=self.z)
        if numbers.shape != plane.shape:
            raise BadInput(f"{self.labels.name} has frames of {numbers.shape}, the recording of {plane.shape} pixels")
        here = Outlined.of(moved_back(numbers, *whole(offset)))
        follows = self.before is not None and self.before[0] == t - 1
        washed = washed_between(self.before[1], here) if follows and self.before is not None else None
        for trap, seen in facts.items():
            box = self.found.box(trap)
            seen.cells[t] = int(here.inside(box.top, box.bottom, box.left, box.right).sum())
            if washed is not None and self.before is not None:
                count = int(washed.came_into(here, box).sum() + washed.gone_from(self.before[1], box).sum())
                if count:
                    seen.washed[t] = count
        self.before = t, here


class _Proxies:
    """Measures how much of each crop differs from an empty trap."""

    def __init__(self, stack: Stack, found: TrapMap, settings: TrapSettings, frames: list[int]) -> None:
        self.found = found
        self.before: tuple[int, dict[Trap, Seen]] | None = None
        still = found.still
        self.knows_empty = settings.box_is_empty and found.template.recording == stack.name
        if not found.traps:
            return
        crops = []
        for t in some_frames(frames, frames[0], EMPTY_FROM):
            plane = stack.frame(t, z=still.z)
            offset = still.offset(plane, t) if not settings.stay else None
            crops += self._crops(plane, offset or (0.0, 0.0))
        known = None
        if self.knows_empty:
            known = self._boxed(stack.frame(found.template.frame, z=still.z))
            self.knows_empty = known is not None
        self.empty = EmptyTrap.of(np.stack(crops), known)

    def see(self, t: int, plane: np.ndarray, offset: tuple[float, float], facts: dict[Trap, TrapFacts]) -> None:
        here = dict(zip(facts, self._seen(plane, offset), strict=True))
        follows = self.before is not None and self.before[0] == t - 1
        for trap, seen in facts.items():
            seen.filled[t] = float(here[trap].filled.mean())
            if follows and self.before is not None:
                count = sum(came_and_went(self.before[1][trap], here[trap]))
                if count:
                    seen.washed[t] = count
        self.before = t, here

    def _seen(self, plane: np.ndarray, offset: tuple[float, float]) -> list[Seen]:
        return [self.empty.see(crop) for crop in self._crops(plane, offset)]

    def _crops(self, plane: np.ndarray, offset: tuple[float, float]) -> list[np.ndarray]:
        """The reduced crop of each trap, where it lies in this frame."""
        dy, dx = whole(offset)
        moved, rest = moved_back(plane, dy, dx), (offset[0] - dy, offset[1] - dx)
        return [reduced(moved[self.found.box(trap).slices], rest) for trap in self.found.traps]

    def _boxed(self, plane: np.ndarray) -> np.ndarray | None:
        """The crop of the boxed trap, which is empty; None where the border cuts it."""
        y, x = self.found.template.box.middle
        dy, dx = self.found.shape.offset
        box = self.found.shape.around(y + dy, x + dx)
        return None if box.beyond(plane.shape) else reduced(plane[box.slices])


def looks_empty(filled: float) -> bool:
    """Whether a crop looks like that of a trap which is known to be empty."""
    return filled < ALIKE

"""Looking through a recording once, frame by frame, to find out whether it is fit for use."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.fitness import faults
from napari_cellsynth.stack.fitness.fitness import Fitness
from napari_cellsynth.stack.fitness.hot_pixels import without_hot_pixels
from napari_cellsynth.stack.fitness.look import Look, look_at
from napari_cellsynth.stack.fitness.path import LAGS, Path, follow
from napari_cellsynth.stack.fitness.reduce import Reduced, factor_for, reduce
from napari_cellsynth.stack.fitness.register import Match, match
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.stack import Stack

SMALLEST = 8
"""Pixels along a side below which the stage's motion is not looked for."""


def judge(stack: Stack, *, channel: int = 0, z: int = 0) -> Iterator[SetProgress | Fitness]:
    """Look through one channel and plane of a recording; yields progress after every frame, last the :class:`Fitness`.

    Every frame is read once.  No more than two are held at a time, and
    sixteen reduced to half a million pixels at most.  A frame that cannot be
    read is named and gone on from.

    Raises
    ------
    BadInput
        For a channel or plane that is not there, or where no frame can be read.
    """
    for axis, wanted in (("C", channel), ("Z", z)):
        if not 0 <= wanted < stack.size(axis):
            what = {"C": "channel", "Z": "z plane"}[axis]
            raise BadInput(f"{what} {wanted} of {stack.name} asked for; it has {stack.size(axis)}, counted from 0")
    seen = _Seen(stack, channel, z)
    total = stack.size("T")
    for t in range(total):
        seen.add(t)
        yield SetProgress(t + 1, total, f"looking at frame {t} of {stack.name}")
    yield seen.fitness()


class _Seen:
    """What has been seen so far."""

    def __init__(self, stack: Stack, channel: int, z: int) -> None:
        self.stack, self.channel, self.z = stack, channel, z
        self.looks: list[Look | None] = []
        self.differences: list[float] = []
        self.pairs: dict[tuple[int, int], Match] = {}
        self.reasons: list[str] = []
        self._last: NDArray[Any] | None = None
        self._reduced: deque[tuple[int, Reduced]] = deque(maxlen=max(LAGS))

    def add(self, t: int) -> None:
        frame = self._read(t)
        clear = None if frame is None else without_hot_pixels(frame.astype(np.float32))
        self.looks.append(None if frame is None or clear is None else look_at(frame, clear))
        before, self._last = self._last, frame
        self.differences.append(np.nan if frame is None or before is None else _difference(before, frame))
        if clear is not None and min(clear.shape) >= SMALLEST:
            self._compare(t, reduce(clear))

    def _read(self, t: int) -> NDArray[Any] | None:
        """A frame with finite numbers; None where it cannot be read, or holds next to none."""
        try:
            frame = self.stack.frame(t, channel=self.channel, z=self.z)
        except (BadInput, OSError) as error:
            self.reasons.append(str(error))
            return None
        if frame.dtype.kind == "b":
            return frame.astype(np.uint8)
        if frame.dtype.kind != "f":
            return frame
        finite = np.isfinite(frame)
        if finite.all():
            return frame
        if finite.mean() < 0.5:
            self.reasons.append(f"frame {t} of {self.stack.name} holds next to no numbers")
            return None
        return np.where(finite, frame, np.median(frame[finite]))

    def _compare(self, t: int, now: Reduced) -> None:
        for other, reduced in self._reduced:
            if t - other in LAGS:
                self.pairs[other, t] = match(reduced, now)
        self._reduced.append((t, now))

    def fitness(self) -> Fitness:
        """From all that was seen."""
        unreadable = tuple(t for t, look in enumerate(self.looks) if look is None)
        if len(unreadable) == len(self.looks):
            raise BadInput(f"no frame of {self.stack.name} can be read: {self.reasons[0]}")
        dark, bright = faults.dark_and_bright(self.looks)
        blurred = faults.blurred(self.looks, frozenset(unreadable + dark + bright))
        doubled = faults.doubled(self.looks, np.array(self.differences), frozenset(unreadable + dark + bright))
        saturated = faults.saturated(self.looks, self.stack.dtype)
        path = self._path(frozenset(unreadable + dark + bright + blurred + doubled))
        tops = [look for t in saturated if (look := self.looks[t]) is not None]
        return Fitness(
            frames=len(self.looks), steps=path.steps, offsets=path.offsets, jitter=path.jitter, error=path.error,
            told=path.told, drifts=path.drifts, jumps=path.jumps, scenes=path.scenes, dark=dark, bright=bright,
            saturated=saturated, ceiling=max((look.top for look in tops), default=None),
            share=max((look.at_top for look in tops), default=0.0), blurred=blurred, doubled=doubled,
            unreadable=unreadable, constant=faults.constant(self.looks), noise=faults.noise_only(self.looks),
            channel=self.channel, z=self.z,
        )  # fmt: skip

    def _path(self, unfit: frozenset[int]) -> Path:
        usable = np.array([t not in unfit for t in range(len(self.looks))])
        return follow(self.pairs, usable, factor=factor_for((self.stack.size("Y"), self.stack.size("X"))))


def _difference(before: NDArray[Any], now: NDArray[Any]) -> float:
    """Root mean square of what changed."""
    if before.shape != now.shape:
        return np.nan
    if np.array_equal(before, now):
        return 0.0
    change = now.astype(np.float32) - before.astype(np.float32)
    return float(np.sqrt(np.mean(change * change, dtype=np.float64)))

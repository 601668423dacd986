"""What a run has said so far, kept small: the material of curves, progress and the sentence about its health.

Loads no torch: the shell and the panels read it, too.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from napari_cellsynth.engine.events import (
    Estimate,
    Event,
    Failed,
    Health,
    MemoryMet,
    PreviewMade,
    Started,
    Step,
    Validation,
)
from napari_cellsynth.engine.time_left import STRETCHES, longer, seconds_left
from napari_cellsynth.engine.words import IMAGES, Things

KEPT = 2000
"""Points of a curve at most; a longer one is thinned to every second mean."""
NO_MEMORY = "out of memory"
"""How the words of :class:`.events.MemoryMet` begin."""


@dataclass
class Curve:
    """Step and value, thinned by averaging neighbours so that an endless run stays small."""

    steps: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, step: int | float, value: int | float) -> None:
        if not math.isfinite(value):
            return
        self.steps.append(float(step))
        self.values.append(float(value))
        if len(self.values) > KEPT:
            self.steps, self.values = _halved(self.steps), _halved(self.values)

    def last(self, count: int = 1) -> float | None:
        """Mean of the newest ``count`` values."""
        newest = self.values[-count:]
        return sum(newest) / len(newest) if newest else None

    def after(self, step: int | float) -> list[float]:
        """Values of the steps past this one."""
        return self.values[bisect_right(self.steps, step) :]


@dataclass
class History:
    """The story of one run; ``add`` takes events in the order in which they were written."""

    makes: Things = IMAGES
    """What its model makes, in the words of its family."""
    step: int = 0
    steps: int = 0
    device: str = ""
    losses: dict[str, Curve] = field(default_factory=dict)
    """``phase/name`` to curve."""
    validation: dict[str, Curve] = field(default_factory=dict)
    estimate: Estimate | None = None
    failed: str = ""
    """Why it ended, where it failed since it was last started."""
    preview: PreviewMade | None = None
    """The newest."""
    notes: tuple[str, ...] = ()
    stretches: list[float] = field(default_factory=list)
    """Seconds a step, newest last, since it was last started: what :mod:`.time_left` needs of them."""
    learning_rate: dict[str, float] = field(default_factory=dict)
    """Phase to value, the newest."""
    health: Health | None = None
    """What the run last said of itself."""

    def add(self, events: Iterable[Event]) -> None:
        for event in events:
            self._add(event)

    def _add(self, event: Event) -> None:
        if hasattr(event, "step"):
            self.step = event.step
        if isinstance(event, Started):
            self._begin(event)
        elif isinstance(event, Step):
            self._took(event)
        elif isinstance(event, Validation):
            for name, value in event.values.items():
                self.validation.setdefault(name, Curve()).add(event.step, value)
        elif isinstance(event, PreviewMade):
            self.preview = event
        elif isinstance(event, Estimate):
            self.estimate = event
        elif isinstance(event, Health):
            self.health = event
        elif isinstance(event, MemoryMet):
            # The newest says it all, and may be said at every preview.
            self.notes = (*(note for note in self.notes if not note.startswith(NO_MEMORY)), event.words)
        elif isinstance(event, Failed):
            self.failed = event.reason

    def _begin(self, event: Started) -> None:
        self.stretches = []
        memory = [note for note in self.notes if note.startswith(NO_MEMORY)]
        self.steps, self.device, self.notes, self.failed = event.steps, event.device, (*event.notes, *memory), ""
        for curves in (self.losses, self.validation):
            for curve in curves.values():
                # A resumed run goes back to its checkpoint; what came after it is done again.
                while curve.steps and curve.steps[-1] > event.step:
                    curve.steps.pop()
                    curve.values.pop()
        if self.health is not None and self.health.step > event.step:
            self.health = None

    def _took(self, event: Step) -> None:
        self.learning_rate = event.learning_rate
        for name, value in event.losses.items():
            self.losses.setdefault(name, Curve()).add(event.step, value)
        self.stretches = [*self.stretches, event.seconds][-STRETCHES:]

    def share(self) -> float:
        """How much is done, 0 to 1."""
        return min(1.0, self.step / self.steps) if self.steps else 0.0

    def seconds_left(self) -> float | None:
        """None until a few steps have been timed."""
        if not self.steps:
            return None
        told = self.estimate
        beside = 1.0 if told is None else longer(told.seconds, told.seconds_per_step, self.steps)
        return seconds_left(self.stretches, self.steps - self.step, beside)


def _halved(values: list[float]) -> list[float]:
    pairs = zip(values[::2], values[1::2], strict=False)
    return [(first + second) / 2 for first, second in pairs] + (values[-1:] if len(values) % 2 else [])

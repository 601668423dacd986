"""What a training tells of its steps: losses, pictures, numbers on held-out data, time and memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from napari_cellsynth.engine.estimate import Pace, cost_of
from napari_cellsynth.engine.events import Event, MemoryMet, PreviewMade, Step, Validation
from napari_cellsynth.engine.looks import look
from napari_cellsynth.engine.loop import Loop
from napari_cellsynth.engine.previews import keep_preview
from napari_cellsynth.engine.record import PatientRecord
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.settings import Settings

STRETCH = 20
"""Steps after which the losses are fetched at the latest, and a loss that is not finite is noticed."""
MOMENT = 0.5
"""Seconds after which they are fetched sooner."""


class Telling:
    """Takes the steps of a loop and writes down what there is to say of them."""

    def __init__(
        self, folder: RunFolder, record: PatientRecord, loop: Loop, settings: Settings, described: dict[str, Any]
    ) -> None:
        self._folder, self._record, self._loop = folder, record, loop
        self._settings, self._described = settings, described
        self._pace = Pace(loop)
        self._stretch = 0
        """Steps since the last Step event."""
        self.rest()

    def step(self) -> Iterator[Event]:
        """Take a step; the first few with the clock in hand."""
        measuring = self._pace.measuring
        if measuring:
            self._pace.step()
        else:
            self._loop.step()
        self._stretch += 1
        last = self._loop.done == self._settings.steps
        yield from self._memory_met()
        if last or self._stretch >= STRETCH or time.perf_counter() - self._clock >= MOMENT:
            yield from self.losses()
        if measuring and not self._pace.measuring:
            yield from self.losses()
            yield from self._estimate()
        if last or self._loop.done % self._settings.preview_every == 0:
            yield from self._preview()

    def rest(self) -> None:
        """Time that is not for steps: the clock of the stretch starts anew."""
        self._clock = time.perf_counter()

    def losses(self) -> Iterator[Event]:
        """Fetch the losses, which waits for the device, and say them."""
        steps, self._stretch = self._stretch, 0
        if steps:
            losses = self._loop.fetch_losses()
            seconds = (time.perf_counter() - self._clock) / steps
            self._loop.clock.stretch(steps, seconds)
            rates = self._loop.learning_rates()
            yield self._folder.append(Step(step=self._loop.done, losses=losses, learning_rate=rates, seconds=seconds))
        self.rest()

    def _estimate(self) -> Iterator[Event]:
        """Say what the run will take; one that was made before the start stays in run.json."""
        estimate = self._pace.estimate()
        if self._record.lacks("estimate"):
            self._record.put(estimate=cost_of(estimate))
        yield self._folder.append(estimate)
        self.rest()

    def _memory_met(self) -> Iterator[Event]:
        """Say and keep that there was no memory for as many examples at once as before."""
        for event in self._loop.memory_news():
            self._folder.log(event.words)
            self._record.put(memory_met=[met.to_json() for met in self._loop.memory.met])
            yield self._folder.append(event)

    def _preview(self) -> Iterator[Event]:
        yield from self.losses()
        step = self._loop.done
        seen = look(self._loop)
        for words in seen.words:
            self._folder.log(words)
            at_once = self._loop.micro_batch or self._settings.batch_size
            yield self._folder.append(MemoryMet(step=step, micro_batch=at_once, words=words))
        if seen.images is not None:
            path = keep_preview(self._folder.path, seen.images, step, self._settings, self._described)
            if path is not None:
                yield self._folder.append(PreviewMade(step=step, path=path))
        if seen.values:
            yield self._folder.append(Validation(step=step, values=seen.values))
        self.rest()

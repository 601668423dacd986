"""What a run will take, from three real steps."""

from __future__ import annotations

import statistics
import time

from napari_cellsynth.engine.devices import peak_memory, synchronise
from napari_cellsynth.engine.events import Estimate
from napari_cellsynth.engine.loop import Loop

WARM, REAL = 1, 3
"""Steps that warm up and are not counted, and steps that count."""
COPYING = 1e9
"""Bytes a second at which a state is copied to be saved; it is written while training goes on."""


class Pace:
    """Takes the first four steps of a loop with the clock in hand."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._seconds: list[float] = []

    @property
    def measuring(self) -> bool:
        return len(self._seconds) < WARM + REAL

    def step(self) -> None:
        self._seconds.append(self._loop.timed_step())

    def estimate(self) -> Estimate:
        """Of the whole run of ``settings.steps`` steps, one preview and one look at held-out data made on trial."""
        loop, settings = self._loop, self._loop.settings
        start = time.perf_counter()
        with loop.looking() as networks:
            preview = loop.recipe.preview(networks)
            loop.recipe.validate(networks)
        synchronise(loop.device)
        looking = time.perf_counter() - start
        per_step = statistics.median(self._seconds[WARM:])
        previews, saves = settings.steps // settings.preview_every + 1, settings.steps // settings.checkpoint_every + 1
        state = loop.state_bytes()
        kept = min(saves, settings.keep_checkpoints) + 1
        seconds = settings.steps * per_step + previews * looking + saves * state / COPYING
        disk = kept * state + previews * preview.nbytes
        return Estimate(seconds_per_step=per_step, seconds=seconds, memory=peak_memory(loop.device), disk=int(disk))

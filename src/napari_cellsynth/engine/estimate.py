"""What a run will take, from three real steps."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_cellsynth.engine.events import Estimate
from napari_cellsynth.engine.settings import Settings

if TYPE_CHECKING:
    from napari_cellsynth.engine.loop import Loop

WARM, REAL = 1, 3
"""Steps that warm up and are not counted, and steps that count."""
LONG, FEW = 5.0, 2
"""Of steps that take longer (seconds), so many are enough, and warming up is lost in them."""
COPYING = 1e9
"""Bytes a second at which a state is copied to be saved; it is written while training goes on."""


@dataclass(frozen=True)
class Cost:
    """What was measured; how long the run is, and how often it saves and shows, changes nothing in it."""

    seconds_per_step: float
    look: float
    """Seconds of one preview with its look at held-out data."""
    memory: int
    """Peak bytes: on the GPU for cuda, of the process else."""
    state: int
    """Bytes of a saved state."""
    preview: int
    """Bytes of a preview."""
    micro_batch: int | None = None
    """Examples at once, where the whole batch did not fit into the memory."""
    busy: bool = False
    """Whether the computer had much else to do meanwhile."""

    @classmethod
    def of(cls, said: Estimate) -> Cost:
        """Back from the estimate of any run with these settings."""
        return cls(said.seconds_per_step, said.look, said.memory, said.state, said.preview, said.micro_batch, said.busy)

    def estimate(self, settings: Settings) -> Estimate:
        """Of a whole run with these settings."""
        previews, saves = settings.steps // settings.preview_every + 1, settings.steps // settings.checkpoint_every + 1
        room = max(1, int(settings.keep_gb * 1e9 // max(self.state, 1)))
        # One more is there while it is written.
        kept = min(saves, settings.keep_checkpoints, room) + 1
        return Estimate(
            seconds_per_step=self.seconds_per_step,
            seconds=settings.steps * self.seconds_per_step + previews * self.look + saves * self.state / COPYING,
            memory=self.memory,
            disk=kept * self.state + min(previews, settings.keep_previews) * self.preview,
            micro_batch=self.micro_batch,
            look=self.look,
            state=self.state,
            preview=self.preview,
            busy=self.busy,
        )


def cost_of(estimate: Estimate) -> dict[str, Any]:
    """What run.json and the shell keep of an estimate: the keys of ``took``, and the parts it will take a batch in."""
    about = estimate.to_json()
    return {name: about[name] for name in ("seconds_per_step", "seconds", "memory", "disk", "micro_batch")}


NOT_COST = ("steps", "seed", "preview_every", "checkpoint_every", "keep_checkpoints", "keep_gb", "keep_previews")
"""Settings that every run has and that change nothing in a :class:`Cost`."""


def settings_that_cost(settings: Settings) -> dict[str, Any]:
    """All settings but those, as JSON has them."""
    return {name: value for name, value in settings.model_dump(mode="json").items() if name not in NOT_COST}


class Pace:
    """Takes the first steps of a loop with the clock in hand."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._seconds: list[float] = []
        self._parts = loop.micro_batch

    @property
    def measuring(self) -> bool:
        return len(self._seconds) < (FEW if self._long else WARM + REAL)

    @property
    def _long(self) -> bool:
        return bool(self._seconds) and min(self._seconds) > LONG

    def step(self) -> None:
        from napari_cellsynth.engine.devices import reset_peak

        seconds = self._loop.timed_step()
        if self._loop.micro_batch != self._parts:
            # Memory ran out: what came before was another step, and the attempt took all there was.
            self._parts, self._seconds = self._loop.micro_batch, []
            reset_peak(self._loop.device)
            return
        self._seconds.append(seconds)

    def estimate(self) -> Estimate:
        """Of the whole run of ``settings.steps`` steps, one preview and one look at held-out data made on trial."""
        from napari_cellsynth.engine.devices import peak_memory, synchronise
        from napari_cellsynth.engine.looks import look

        loop, settings = self._loop, self._loop.settings
        start = time.perf_counter()
        images = look(loop).images
        synchronise(loop.device)
        # The first of two long steps has warmed up as well: the shorter one is nearer to all that follow.
        per_step = min(self._seconds) if self._long else statistics.median(self._seconds[WARM:])
        return Cost(
            seconds_per_step=per_step,
            look=time.perf_counter() - start,
            memory=peak_memory(loop.device),
            state=loop.state_bytes(),
            preview=0 if images is None else images.nbytes,
            micro_batch=loop.micro_batch if loop.memory.met else None,
        ).estimate(settings)

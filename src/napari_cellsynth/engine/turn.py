"""Trainings one after the other: each has its process, which waits until the run before it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from napari_cellsynth.engine.control import Ask
from napari_cellsynth.engine.events import Event, Waiting
from napari_cellsynth.engine.heartbeat import Alive
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.run_state import LIVE
from napari_cellsynth.engine.waiting import Wait
from napari_cellsynth.errors import BadInput

AFTER = "after"
"""Key in run.json: name of the run beside it that goes first."""
PATIENCE = 300.0
"""Seconds for which a run that nobody has begun is waited for."""


class AfterAnother(Wait):
    """Waits until the run beside it that goes first has ended, however it did; one that is not there is not waited for.

    A run that nobody has begun is waited for, too, since both are started at
    once; but not one whose process has come and gone, or does not come.
    """

    OVER = "it is this run's turn, on {}"

    def __init__(self, folder: RunFolder, device: str, asked: Callable[[], Ask | None] | None = None) -> None:
        super().__init__(folder, device, None, asked=asked)
        name = folder.record.get(AFTER)
        self._before = folder.path.parent / Path(name).name if isinstance(name, str) and name else None
        if self._before is not None and self._before.name == folder.path.name:
            self._before = None
        self._begun = time.monotonic()

    def _look(self) -> str | None:
        state = self._state()
        return None if state in LIVE or (state == "new" and self._may_still_begin()) else self._name

    def _may_still_begin(self) -> bool:
        """Of a run that is new: its process leaves a sign of life before anything else."""
        sign = None if self._before is None else Alive.read(self._before / "alive.json")
        if sign is not None:
            return sign.lives()
        return time.monotonic() - self._begun < PATIENCE

    def _state(self) -> str:
        """Of the run that goes first; empty where there is none."""
        if self._before is None or not RunFolder.is_run(self._before):
            return ""
        try:
            return RunFolder(self._before).state().state
        except BadInput:  # being removed as we look
            return ""

    def _say(self) -> Iterator[Event]:
        state = self._state()
        words = f"waits for {self._before.name if self._before else ''}"
        words += f", which is {state}" if state in ("paused", "waiting") else ""
        if words != self._said:
            self._said = words
            self._folder.log(words)
            yield self._folder.append(Waiting(because=words, step=self._step))

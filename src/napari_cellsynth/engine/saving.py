"""States of a training on their way to the disk: one at a time, written beside the training."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from napari_cellsynth.engine import checkpoint
from napari_cellsynth.engine.events import CheckpointSaved, DamagedRemoved, Event
from napari_cellsynth.engine.keeping import keep_newest
from napari_cellsynth.engine.loop import Loop
from napari_cellsynth.engine.patience import Absence, must_be_there, patiently
from napari_cellsynth.engine.run_folder import RunFolder, step_of
from napari_cellsynth.engine.settings import Settings
from napari_cellsynth.engine.trouble import check_room

LOSS_LIMIT = 600.0
"""Seconds of work that a crash may cost: a state is saved at least this often."""
SPARE = 1 << 20
"""Bytes that a state takes beside its tensors, at most."""


class Saving:
    """The states of one loop; ``saved`` is the step of the newest on disk."""

    def __init__(
        self, folder: RunFolder, loop: Loop, settings: Settings, saved: int | None, damaged: Collection[str] = ()
    ) -> None:
        self.saved = saved
        self._damaged = set(damaged)
        self._folder, self._loop, self._settings = folder, loop, settings
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._writing: Future[Path] | None = None
        self._absence, self._enough = Absence(folder.path), threading.Event()
        self._last = time.monotonic()

    def due(self) -> bool:
        """Whether a state is to be saved after this step; not while the one before waits for the folder."""
        if self.stuck:
            return False
        return self._loop.done % self._settings.checkpoint_every == 0 or time.monotonic() - self._last > LOSS_LIMIT

    @property
    def stuck(self) -> bool:
        """Whether the state before waits for the folder to come back; training need not wait with it."""
        return self._writing is not None and not self._writing.done() and self._absence.lasts

    def begin(self) -> Iterator[Event]:
        """Begin to save the state, unless it is on disk already; says what was written meanwhile."""
        yield from self.written(wait=True)
        if self.saved != self._loop.done:
            needs, snapshot = self._loop.state_bytes() + SPARE, self._loop.snapshot()
            self._writing = self._writer.submit(self._write, snapshot, needs)
        self._last = time.monotonic()

    def _write(self, snapshot: checkpoint.Snapshot, needs: int) -> Path:
        def write() -> Path:
            must_be_there(self._folder.path)
            self._absence.may_be_over()
            check_room(self._folder.path, needs, "a checkpoint")
            return checkpoint.save(self._folder.path / "checkpoints", snapshot)

        return patiently(write, self._absence, self._enough)

    def written(self, *, wait: bool = False) -> Iterator[Event]:
        """Say that the state that was being written is on disk; raises what kept it from being written."""
        if self._writing is None or not (wait or self._writing.done()):
            return
        writing, self._writing = self._writing, None
        path = writing.result()
        self.saved = step_of(path)
        gone = self._tidy(path.name)
        yield self._folder.append(CheckpointSaved(step=self.saved, path=path.relative_to(self._folder.path).as_posix()))
        if gone:
            words = f"{', '.join(gone)}, which {'was' if len(gone) == 1 else 'were'} damaged, made way for {path.name}"
            self._folder.log(words)
            yield self._folder.append(DamagedRemoved(step=self.saved, names=tuple(gone), words=words))

    def _tidy(self, written: str) -> list[str]:
        """Remove old states, and damaged ones that are of no use any more: the names of these."""
        overwritten = [written] if written in self._damaged else []
        self._damaged.discard(written)
        count, gigabytes = self._settings.keep_checkpoints, self._settings.keep_gb
        removed = keep_newest(self._folder, count, gigabytes, damaged=self._damaged)
        self._damaged.difference_update(removed)
        return overwritten + removed

    def collect(self) -> None:
        """Wait for a state that is being written, but for no folder; if it fails, there are greater troubles now."""
        self._enough.set()
        with suppress(Exception):
            for _ in self.written(wait=True):
                pass

    def close(self) -> None:
        self._enough.set()
        self._writer.shutdown()

"""One training of one run folder, from taking it up to letting go of it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from napari_cellsynth.engine import checkpoint
from napari_cellsynth.engine.control import Wish, Wishes
from napari_cellsynth.engine.devices import hardware, peak_memory
from napari_cellsynth.engine.estimate import Pace, cost_of
from napari_cellsynth.engine.events import (
    CancelledByUser,
    CheckpointSaved,
    Event,
    Failed,
    Finished,
    MemoryMet,
    Paused,
    PreviewMade,
    Resumed,
    Started,
    Step,
    Stopped,
    Validation,
)
from napari_cellsynth.engine.heartbeat import Heartbeat
from napari_cellsynth.engine.looks import look
from napari_cellsynth.engine.loop import Loop
from napari_cellsynth.engine.previews import write_preview
from napari_cellsynth.engine.recipe import Recipe
from napari_cellsynth.engine.run_folder import RunFolder, versions
from napari_cellsynth.engine.settings import Settings
from napari_cellsynth.engine.trouble import check_room, in_words
from napari_cellsynth.errors import BadInput, RunFailed

STRETCH = 20
"""Steps after which the losses are fetched at the latest, and a loss that is not finite is noticed."""
MOMENT = 0.5
"""Seconds after which they are fetched sooner."""
LOSS_LIMIT = 600.0
"""Seconds of work that a crash may cost: a state is saved at least this often."""
NEWBORN = 60.0
"""A process younger than this was started for the run: what was asked since its birth is for it."""
LAST_WORDS = 1 << 16
"""Bytes kept for the last events, so that a full disk can be reported in the folder."""


class Job:
    """The writer of a run folder; :meth:`run` may be called once."""

    def __init__(
        self, folder: RunFolder, recipe: Recipe, settings: Settings, device: str, heartbeat: Heartbeat, threads: int
    ) -> None:
        self._folder, self._recipe, self._settings, self._device = folder, recipe, settings, device
        self._heartbeat, self._threads = heartbeat, threads
        self._notes: list[str] = []
        self._begun = self._over = False
        self._saved: int | None = None
        """Step of the newest state on disk."""
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._writing: Future[Path] | None = None
        self._stretch = 0
        """Steps since the last Step event."""
        self._rest()

    def run(self, resume: bool, began: float) -> Iterator[Event]:
        """Take the run up and train; ``began`` is when the user's command arrived (seconds since 1970)."""
        try:
            self._take_up(resume, began)
            yield self._emit(self._started())
            yield from self._steps()
        except GeneratorExit:
            self._let_go()
            raise
        except KeyboardInterrupt:
            # It may have come in the middle of an optimiser's step: only what is saved is sound.
            if self._begun and not self._over:
                self._collect()
                self._end(Stopped(step=self._saved or 0))
            raise
        except Exception as error:
            if isinstance(error, BadInput) and not self._begun:
                raise
            failed = self._fail(error)
            yield failed
            raise RunFailed(failed.reason) from error
        finally:
            self._writer.shutdown()

    # Taking it up

    def _take_up(self, resume: bool, began: float) -> None:
        folder, before = self._folder, self._folder.record
        (folder.path / ".reserve").write_bytes(b"\0" * LAST_WORDS)
        checkpoint.clear_away(folder.path / "checkpoints")
        self._described = self._recipe.describe()
        self._micro_batch = _micro_batch(before, self._settings)
        self._loop = Loop(self._recipe, self._settings, self._device, micro_batch=self._micro_batch)
        answered = folder.log_of_events.answered()
        self._wishes = Wishes(folder.path / "control.json", answered=answered, since=_asked_since(resume, began))
        if resume:
            self._go_back()
            self._loop.expect_memory(before.get("memory_met"))
        self._write_record(before, resume)
        self._pace = Pace(self._loop)
        self._last_save = time.monotonic()

    def _go_back(self) -> None:
        """To the newest checkpoint that is whole; the events past it are forgotten."""
        found = self._folder.checkpoints()
        for path in reversed(found):
            try:
                self._loop.restore(path)
            except checkpoint.Damaged as error:
                self._notes.append(f"{error}; went back to the one before")
                continue
            self._saved = self._loop.done
            break
        if found and self._saved is None:
            raise BadInput(f"no checkpoint of {self._folder.path} is whole ({len(found)} tried); train it anew")
        self._folder.log_of_events.cut_back(self._loop.done)

    def _write_record(self, before: dict[str, Any], resume: bool) -> None:
        now: dict[str, Any] = {
            "device": self._device,
            "hardware": hardware(self._loop.device),
            "threads": self._threads,
            "micro_batch": self._micro_batch,
            "versions": versions(),
        }
        wanted = before.get("threads")
        if resume and "hardware" in before:
            self._notes += _changes(before, now)
        elif isinstance(wanted, int) and wanted != self._threads:
            self._notes.append(f"{wanted} threads were asked for, torch uses {self._threads}")
        self._folder.update_record(**now, model=self._described)

    def _started(self) -> Event:
        self._begun = True
        self._heartbeat.step = self._loop.done
        for note in self._notes:
            self._folder.log(note)
        steps = self._settings.steps
        self._folder.log(f"training from step {self._loop.done} to {steps} on {self._device}, threads: {self._threads}")
        return Started(step=self._loop.done, steps=steps, device=self._device, notes=tuple(self._notes))

    # Training

    def _steps(self) -> Iterator[Event]:
        self._rest()
        while self._loop.done < self._settings.steps:
            yield from self._answer()
            if self._over:
                return
            start = time.perf_counter()
            yield from self._step()
            self._loop.clock.seconds += time.perf_counter() - start
        yield from self._keep()
        yield self._end(Finished(step=self._loop.done))

    def _step(self) -> Iterator[Event]:
        measuring = self._pace.measuring
        if measuring:
            self._pace.step()
        else:
            self._loop.step()
        done, settings = self._loop.done, self._settings
        self._heartbeat.step = done
        yield from self._memory_met()
        self._stretch += 1
        last = done == settings.steps
        if last or self._stretch >= STRETCH or time.perf_counter() - self._clock >= MOMENT:
            yield from self._losses()
        if measuring and not self._pace.measuring:
            yield from self._losses()
            yield from self._estimate()
        if last or done % settings.preview_every == 0:
            yield from self._preview()
        if done % settings.checkpoint_every == 0 or time.monotonic() - self._last_save > LOSS_LIMIT:
            yield from self._save()
        yield from self._written()

    def _estimate(self) -> Iterator[Event]:
        """Say what the run will take; one that was made before the start stays in run.json."""
        estimate = self._pace.estimate()
        if not isinstance(self._folder.record.get("estimate"), dict):
            self._folder.update_record(estimate=cost_of(estimate))
        yield self._emit(estimate)
        self._rest()

    def _memory_met(self) -> Iterator[Event]:
        """Say and keep that there was no memory for as many examples at once as before."""
        for event in self._loop.memory_news():
            self._folder.log(event.words)
            self._folder.update_record(memory_met=[met.to_json() for met in self._loop.memory.met])
            yield self._emit(event)

    def _losses(self) -> Iterator[Event]:
        """Fetch the losses, which waits for the device, and say them."""
        steps, self._stretch = self._stretch, 0
        if steps:
            losses = self._loop.losses.fetch()
            seconds = (time.perf_counter() - self._clock) / steps
            self._loop.clock.stretch(steps, seconds)
            rates = self._loop.learning_rates()
            yield self._emit(Step(step=self._loop.done, losses=losses, learning_rate=rates, seconds=seconds))
        self._rest()

    def _preview(self) -> Iterator[Event]:
        yield from self._losses()
        step = self._loop.done
        seen = look(self._loop)
        for words in seen.words:
            self._folder.log(words)
            at_once = self._loop.micro_batch or self._settings.batch_size
            yield self._emit(MemoryMet(step=step, micro_batch=at_once, words=words))
        if seen.images is not None:
            path = write_preview(self._folder.path, seen.images, step, self._settings.seed, self._described)
            yield self._emit(PreviewMade(step=step, path=path))
        if seen.values:
            yield self._emit(Validation(step=step, values=seen.values))
        self._rest()

    def _save(self) -> Iterator[Event]:
        """Begin to save the state, unless it is on disk already; a state at a time is written, beside the training."""
        yield from self._losses()
        yield from self._written(wait=True)
        if self._saved != self._loop.done:
            check_room(self._folder.path, self._loop.state_bytes() + (1 << 20), "a checkpoint")
            where = self._folder.path / "checkpoints"
            self._writing = self._writer.submit(checkpoint.save, where, self._loop.snapshot())
        self._last_save = time.monotonic()
        self._rest()

    def _written(self, *, wait: bool = False) -> Iterator[Event]:
        """Say that the state that was being written is on disk; raises what kept it from being written."""
        if self._writing is None or not (wait or self._writing.done()):
            return
        writing, self._writing = self._writing, None
        path = writing.result()
        self._saved = int(path.name.removeprefix("step-"))
        checkpoint.keep_newest(self._folder, self._settings.keep_checkpoints)
        yield self._emit(CheckpointSaved(step=self._saved, path=path.relative_to(self._folder.path).as_posix()))

    def _keep(self) -> Iterator[Event]:
        """Save the state and wait until it is on disk."""
        yield from self._save()
        yield from self._written(wait=True)
        self._rest()

    def _rest(self) -> None:
        """Time that is not for steps: the clock of the stretch starts anew."""
        self._clock = time.perf_counter()

    # What the user asks

    def _answer(self) -> Iterator[Event]:
        wish = self._wishes.new()
        if wish is None:
            return
        if wish.ask == "pause":
            yield from self._pause(wish)
        elif wish.ask == "resume":
            yield self._emit(Resumed(step=self._loop.done, n=wish.n))
        else:
            yield from self._leave(wish)
        self._rest()

    def _pause(self, wish: Wish) -> Iterator[Event]:
        yield from self._keep()
        while wish.ask == "pause":
            yield self._emit(Paused(step=self._loop.done, n=wish.n))
            wish = self._wait()
        if wish.ask == "resume":
            yield self._emit(Resumed(step=self._loop.done, n=wish.n))
        else:
            yield from self._leave(wish)

    def _wait(self) -> Wish:
        while (wish := self._wishes.new()) is None:
            time.sleep(0.1)
        return wish

    def _leave(self, wish: Wish) -> Iterator[Event]:
        if wish.ask == "cancel":
            yield self._end(CancelledByUser(step=self._loop.done, n=wish.n))
        else:
            yield from self._keep()
            yield self._end(Stopped(step=self._loop.done, n=wish.n))

    # Ending

    def _emit(self, event: Event) -> Event:
        return self._folder.append(event)

    def _end(self, event: Finished | Stopped | CancelledByUser | Failed) -> Event:
        self._over = True
        (self._folder.path / ".reserve").unlink(missing_ok=True)
        if self._begun:
            self._loop.unfreeze()
            self._keep_what_it_took()
        self._folder.log(f"{event.kind} at step {event.step}{': ' + event.reason if isinstance(event, Failed) else ''}")
        return self._emit(event)

    def _keep_what_it_took(self) -> None:
        """Beside the estimate, in run.json; a full disk has greater troubles."""
        with suppress(OSError, BadInput):
            took = self._loop.clock.took(peak_memory(self._loop.device), self._folder.size())
            self._folder.update_record(took=took)

    def _let_go(self) -> None:
        """The generator is being closed: save and say so, without a word to whoever closes it."""
        if not self._begun or self._over:
            return
        try:
            for _ in self._keep():
                pass
            self._end(Stopped(step=self._loop.done))
        except Exception as error:
            self._fail(error)

    def _collect(self) -> None:
        """Wait for a state that is being written; if it cannot be, there are greater troubles now."""
        with suppress(Exception):
            for _ in self._written(wait=True):
                pass

    def _fail(self, error: Exception) -> Failed:
        """Write down why, whatever it takes."""
        folder = self._folder
        self._collect()
        reason = in_words(error, settings=self._settings, device=self._device, folder=folder.path, kept=self._saved)
        failed = Failed(step=self._loop.done if self._begun else 0, reason=reason)
        # On a full disk the reserve, which goes first, makes room for the last words.
        with suppress(OSError):
            self._end(failed)
        folder.log("".join(traceback.format_exception(error)))
        return failed


def _micro_batch(record: dict[str, Any], settings: Settings) -> int | None:
    """As recorded, unless the settings say otherwise."""
    recorded = record.get("micro_batch")
    if settings.micro_batch is None and isinstance(recorded, int) and recorded > 0:
        return recorded
    return settings.micro_batch


def _changes(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What differs from the time before the resume, so that the weights may differ in the last digits."""
    notes = []
    words = {"device": "device", "hardware": "hardware", "threads": "number of threads", "micro_batch": "micro-batch"}
    for key, word in words.items():
        if before.get(key) not in (None, "auto", now[key]):
            notes.append(f"the {word} was {before[key]} and is {now[key]} now")
    old, new = before.get("versions") or {}, now["versions"]
    for package in ("torch", "napari-cellsynth"):
        if old.get(package) not in (None, new.get(package)):
            notes.append(f"{package} was {old[package]} and is {new.get(package)} now")
    return [f"{note}: the weights will not be digit for digit those of a run that was never stopped" for note in notes]


def _asked_since(resume: bool, began: float) -> float:
    """Wishes made before this moment were for an earlier process, which is no more."""
    if not resume:
        return 0.0
    born = psutil.Process().create_time()
    return born if began - born < NEWBORN else began

"""One training of one run folder, from taking it up to letting go of it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from napari_cellsynth.engine.control import Ask, Wish, Wishes
from napari_cellsynth.engine.devices import peak_memory
from napari_cellsynth.engine.events import (
    CancelledByUser,
    Event,
    Failed,
    Finished,
    Paused,
    Resumed,
    Started,
    Stopped,
)
from napari_cellsynth.engine.heartbeat import Heartbeat
from napari_cellsynth.engine.patience import TakenOver
from napari_cellsynth.engine.recipe import Recipe
from napari_cellsynth.engine.record import PatientRecord
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.saving import Saving
from napari_cellsynth.engine.settings import Settings
from napari_cellsynth.engine.taking_up import asked_since, take_up
from napari_cellsynth.engine.team import Team, first_line
from napari_cellsynth.engine.telling import Telling
from napari_cellsynth.engine.trouble import in_words
from napari_cellsynth.errors import BadInput, RunFailed

RESERVE, LAST_WORDS = ".reserve", 1 << 16
"""A file of so many bytes that makes room for the last events, so that a full disk can be reported in the folder."""


class Job:
    """The writer of a run folder; :meth:`run` may be called once.

    ``asked`` says what was asked of this very process, by a signal; ``notes``
    are said when it begins, beside what could not be restored.
    """

    def __init__(
        self,
        folder: RunFolder,
        recipe: Recipe,
        settings: Settings,
        device: str,
        heartbeat: Heartbeat,
        threads: int,
        asked: Callable[[], Ask | None] | None = None,
        team: Team | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self._folder, self._recipe, self._settings, self._device = folder, recipe, settings, device
        self._heartbeat, self._threads, self._asked, self._team = heartbeat, threads, asked, team
        self._said_before = notes
        self._begun = self._over = False
        self._record = PatientRecord(folder)

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
                self._saving.collect()
                self._end(Stopped(step=self._saving.saved or 0))
            raise
        except Exception as error:
            if isinstance(error, BadInput) and not self._begun:
                self._free_reserve()
                raise
            failed = self._fail(error)
            yield failed
            raise RunFailed(failed.reason) from error
        finally:
            if self._begun:
                self._saving.close()

    # Taking it up

    def _take_up(self, resume: bool, began: float) -> None:
        folder = self._folder
        self._alone()
        (folder.path / RESERVE).write_bytes(b"\0" * LAST_WORDS)
        since = asked_since(folder, began) if resume else 0.0
        answered = folder.log_of_events.answered()
        self._wishes = Wishes(folder.path / "control.json", answered=answered, since=since, here=self._asked)
        taken = take_up(
            folder, self._recipe, self._settings, self._device, self._threads, resume=resume, team=self._team
        )
        self._loop, self._notes = taken.loop, (*self._said_before, *taken.notes)
        self._saving = Saving(folder, self._loop, self._settings, taken.saved, taken.damaged)
        self._telling = Telling(folder, self._record, self._loop, self._settings, taken.described)

    def _started(self) -> Event:
        self._begun = True
        self._heartbeat.step = self._loop.done
        for note in self._notes:
            self._folder.log(note)
        steps = self._settings.steps
        self._folder.log(f"training from step {self._loop.done} to {steps} on {self._device}, threads: {self._threads}")
        return Started(step=self._loop.done, steps=steps, device=self._device, notes=self._notes)

    # Training

    def _steps(self) -> Iterator[Event]:
        self._telling.rest()
        while self._loop.done < self._settings.steps:
            self._alone()
            yield from self._answer()
            if self._over:
                return
            start = time.perf_counter()
            yield from self._step()
            self._loop.clock.seconds += time.perf_counter() - start
        yield from self._keep()
        yield self._end(Finished(step=self._loop.done))

    def _step(self) -> Iterator[Event]:
        yield from self._telling.step()
        self._heartbeat.step = self._loop.done
        if self._saving.due():
            yield from self._save()
        yield from self._saving.written()

    def _alone(self) -> None:
        """While the folder was away from here, somebody may have taken the run for interrupted and resumed it."""
        rival = self._heartbeat.rival
        if rival is not None:
            raise TakenOver(self._folder.path, rival)

    def _save(self) -> Iterator[Event]:
        """Begin to save the state."""
        yield from self._telling.losses()
        yield from self._saving.begin()
        self._telling.rest()

    def _keep(self) -> Iterator[Event]:
        """Save the state and wait until it is on disk."""
        yield from self._save()
        yield from self._saving.written(wait=True)
        self._telling.rest()

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
        self._telling.rest()

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
            self._loop.rest()
            self._alone()
            self._folder.log_of_events.catch_up()
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
        self._free_reserve()
        if self._begun:
            self._loop.unfreeze()
            self._keep_what_it_took()
        self._folder.log(f"{event.kind} at step {event.step}{': ' + event.reason if isinstance(event, Failed) else ''}")
        try:
            said = self._emit(event)
        finally:
            self._dismiss(event)
        if self._begun and not isinstance(event, Failed):
            self._folder.log_of_events.settle()
        return said

    def _free_reserve(self) -> None:
        with suppress(OSError):
            (self._folder.path / RESERVE).unlink(missing_ok=True)

    def _dismiss(self, event: Event) -> None:
        """Let the other processes go, however the folder does."""
        if self._team is not None:
            self._team.dismiss(event.to_json())

    def _keep_what_it_took(self) -> None:
        """Beside the estimate, in run.json; a full disk has greater troubles."""
        with suppress(OSError, BadInput):
            self._record.put(took=self._loop.clock.took(peak_memory(self._loop.device), self._folder.size()))

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

    def _reason(self, error: Exception, saved: int | None) -> str:
        """In words; where even these cannot be found (a GPU that answers nothing, a folder that is gone), plainly."""
        try:
            return in_words(error, settings=self._settings, device=self._device, folder=self._folder.path, kept=saved)
        except Exception:
            return f"{type(error).__name__}: {first_line(error)}"

    def _fail(self, error: Exception) -> Failed:
        """Write down why, whatever it takes; in a folder that is another's, nothing."""
        folder, theirs = self._folder, isinstance(error, TakenOver)
        if self._begun and not theirs:
            self._saving.collect()
        saved = self._saving.saved if self._begun else None
        reason = self._reason(error, saved)
        failed = Failed(step=self._loop.done if self._begun else 0, reason=reason)
        if theirs:
            self._over = True
            if self._begun:
                self._loop.unfreeze()
            self._dismiss(failed)
            return failed
        # On a full disk the reserve, which goes first, makes room for the last words.
        with suppress(OSError, RunFailed):
            self._end(failed)
        folder.log("".join(traceback.format_exception(error)))
        return failed

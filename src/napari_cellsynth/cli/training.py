"""Driving a training from the shell: what it says, and what signals ask of it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from napari_cellsynth.cli.failures import CANCELLED, FAILED, explain
from napari_cellsynth.cli.progress import ProgressLine, about_so_long, in_bytes, lasting
from napari_cellsynth.cli.signals import Signals
from napari_cellsynth.engine.events import (
    CancelledByUser,
    CheckpointSaved,
    DamagedRemoved,
    Estimate,
    Event,
    Failed,
    Finished,
    Health,
    MemoryMet,
    Paused,
    Resumed,
    Started,
    Step,
    Stopped,
    Validation,
    Waiting,
)
from napari_cellsynth.engine.history import History
from napari_cellsynth.engine.processes import find_place
from napari_cellsynth.engine.run_folder import RunFolder


def follow(run: Path, *, resume: bool, quiet: bool, wait: bool = False, needs: int | None = None) -> int:
    """Train to the end, saying how it goes; the exit status."""
    from napari_cellsynth import api

    folder = RunFolder(run)
    place = find_place()
    leads = place is None or place.leads
    # Of several processes the first one speaks; all hear the signals of their launcher and go when it does.
    signals, quiet = Signals(folder, aloud=leads), quiet or not leads
    last: Event | None = None
    with signals.listening(), ProgressLine(run.name, quiet=quiet) as line:
        teller = Teller(line)
        for last in api.train(run, resume=resume, asked=signals.asked, wait=wait, needs=needs):
            # The terminal may have been closed; the training has heard of that by a signal.
            with suppress(OSError):
                teller.tell(last)
    return _end(run, last, quiet)


def _end(run: Path, last: Event | None, quiet: bool) -> int:
    match last:
        case Finished() | Stopped():
            if not quiet:
                done = "finished" if isinstance(last, Finished) else "stopped, weights kept,"
                print(f"{run}: {done} at step {last.step}")
            return 0
        case CancelledByUser():
            return explain(f"{run}: cancelled at step {last.step}", CANCELLED)
        case Failed():
            return explain(f"{run}: failed at step {last.step}: {last.reason}", FAILED)
        case _:
            return explain(f"{run}: the training ended without saying why", FAILED)


class Teller:
    """Events in words."""

    def __init__(self, line: ProgressLine) -> None:
        self._line = line
        self._history = History()
        self._checked = ""

    def tell(self, event: Event) -> None:
        self._history.add([event])
        match event:
            case Started():
                self._started(event)
            case Estimate():
                self._line.say(f"{about_so_long(event.seconds)}, {in_bytes(event.memory)} of memory")
            case Step():
                self._step(event)
            case Validation():
                self._checked = ", ".join(f"{name} {value:.3g}" for name, value in event.values.items())
            case Health():
                self._line.say(f"step {event.step}: {event.words}")
            case CheckpointSaved():
                self._line.at(event.step, self._history.steps, "weights saved")
            case Waiting():
                self._line.say(f"waiting: {event.because}")
            case MemoryMet() | DamagedRemoved():
                self._line.say(f"note: {event.words}")
            case Paused():
                self._line.say(f"paused at step {event.step}")
            case Resumed():
                self._line.say("going on")
            case _:
                pass

    def _started(self, event: Started) -> None:
        begin = f"from step {event.step}" if event.step else f"{event.steps} steps"
        self._line.say(f"training on {event.device}, {begin}")
        for note in event.notes:
            self._line.say(f"note: {note}")

    def _step(self, event: Step) -> None:
        losses = ", ".join(
            f"{name.removesuffix('/loss')} {value:.3g}"
            for name, value in event.losses.items()
            if name.endswith("/loss")
        )
        left = self._history.seconds_left()
        news = [losses, self._checked, f"{lasting(left)} left" if left else ""]
        self._line.at(event.step, self._history.steps, ", ".join(part for part in news if part))

"""Driving a training from the shell: what it says, and what signals ask of it."""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from napari_cellsynth.cli.failures import CANCELLED, FAILED, explain, on_signal
from napari_cellsynth.cli.progress import ProgressLine, in_bytes, lasting
from napari_cellsynth.engine.events import (
    CancelledByUser,
    CheckpointSaved,
    Estimate,
    Event,
    Failed,
    Finished,
    Health,
    Paused,
    Resumed,
    Started,
    Step,
    Stopped,
    Validation,
)
from napari_cellsynth.engine.run_folder import RunFolder


def follow(run: Path, *, resume: bool, quiet: bool) -> int:
    """Train to the end, saying how it goes; the exit status."""
    from napari_cellsynth import api

    folder = RunFolder(run)
    wishes = Signals(folder)
    last: Event | None = None
    with ExitStack() as stack:
        for number in (signal.SIGINT, signal.SIGTERM):
            stack.enter_context(on_signal(number, wishes.heard))
        line = stack.enter_context(ProgressLine(run.name, quiet=quiet))
        teller = Teller(line)
        for last in api.train(run, resume=resume):
            wishes.begun(last)
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


class Signals:
    """Ctrl-C or a termination signal asks the run to stop and keep its weights; a second Ctrl-C cancels it."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._heard = 0
        self._started = False

    def heard(self, number: int, frame: FrameType | None) -> None:
        self._heard += 1
        if self._heard > 2 and number == signal.SIGINT:
            raise KeyboardInterrupt
        if self._heard == 1 or number == signal.SIGINT:
            word = "stopping: the weights are being saved" if self._heard == 1 else "cancelling"
            print(f"\ncellsynth: {word}", file=sys.stderr, flush=True)
            if self._started:
                self._ask()

    def begun(self, event: Event) -> None:
        """A wish from before the run was ready is passed on once it is: it takes none from an earlier life."""
        if isinstance(event, Started):
            self._started = True
            if self._heard:
                self._ask()

    def _ask(self) -> None:
        self._folder.ask("stop" if self._heard == 1 else "cancel")


class Teller:
    """Events in words."""

    def __init__(self, line: ProgressLine) -> None:
        self._line = line
        self._steps = 1
        self._per_step: float | None = None
        self._checked = ""

    def tell(self, event: Event) -> None:
        match event:
            case Started():
                self._started(event)
            case Estimate():
                self._line.say(f"about {lasting(event.seconds)}, {in_bytes(event.memory)} of memory")
            case Step():
                self._step(event)
            case Validation():
                self._checked = ", ".join(f"{name} {value:.3g}" for name, value in event.values.items())
            case Health():
                self._line.say(f"step {event.step}: {event.words}")
            case CheckpointSaved():
                self._line.at(event.step, self._steps, "weights saved")
            case Paused():
                self._line.say(f"paused at step {event.step}")
            case Resumed():
                self._line.say("going on")
            case _:
                pass

    def _started(self, event: Started) -> None:
        self._steps = event.steps
        begin = f"from step {event.step}" if event.step else f"{event.steps} steps"
        self._line.say(f"training on {event.device}, {begin}")
        for note in event.notes:
            self._line.say(f"note: {note}")

    def _step(self, event: Step) -> None:
        self._smooth(event.seconds)
        losses = ", ".join(
            f"{name.removesuffix('/loss')} {value:.3g}"
            for name, value in event.losses.items()
            if name.endswith("/loss")
        )
        left = (self._per_step or 0.0) * (self._steps - event.step)
        news = [losses, self._checked, f"{lasting(left)} left" if left else ""]
        self._line.at(event.step, self._steps, ", ".join(part for part in news if part))

    def _smooth(self, seconds: float) -> None:
        self._per_step = seconds if self._per_step is None else 0.9 * self._per_step + 0.1 * seconds

"""Training as a generator of events over a run folder.

The same for the shell, the tests and napari: what happens is written down
in the folder first and yielded then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from typing import Any

from napari_cellsynth.engine.claim import claim
from napari_cellsynth.engine.control import Ask
from napari_cellsynth.engine.devices import repeatable, resolve_device
from napari_cellsynth.engine.estimate import Pace
from napari_cellsynth.engine.events import Estimate, Event, Step
from napari_cellsynth.engine.follow import follow
from napari_cellsynth.engine.heartbeat import Heartbeat
from napari_cellsynth.engine.job import Job
from napari_cellsynth.engine.loop import Loop
from napari_cellsynth.engine.patience import PatientLog
from napari_cellsynth.engine.recipe import Recipe
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.settings import Settings
from napari_cellsynth.engine.taking_up import asked_since
from napari_cellsynth.engine.team import Team, joined
from napari_cellsynth.engine.trouble import in_words
from napari_cellsynth.engine.turn import AfterAnother
from napari_cellsynth.engine.waiting import Wait
from napari_cellsynth.engine.watch import watched
from napari_cellsynth.engine.words import IMAGES, Things
from napari_cellsynth.errors import BadInput, RunFailed

NO_WAIT = (
    "it does not wait for room on the GPUs, though that was asked for: its {} processes were started together by {}, "
    "and whoever starts several sees to their GPUs"
)


def train(
    folder: RunFolder,
    recipe: Recipe,
    settings: Settings,
    *,
    device: str = "auto",
    resume: bool = False,
    asked: Callable[[], Ask | None] | None = None,
    wait: bool = False,
    needs: int | None = None,
    expected: int | None = None,
    makes: Things = IMAGES,
) -> Iterator[Event]:
    """Train until ``settings.steps`` steps are done or the user asks otherwise through ``folder.ask``.

    With ``resume``, goes on from the newest whole checkpoint, or from the
    start where there is none yet.  Closing the generator stops the run and
    leaves a checkpoint.  ``asked`` is looked at between two steps: what was
    asked of this very process, by a signal; each answer is one wish.  With
    ``wait``, nothing is computed before ``needs`` bytes (None: the
    ``expected`` ones, else most of the GPU) are free on the device, or for
    ``auto`` on any GPU; several processes do not wait, which is said.
    ``makes`` is what the family calls its products: the training's word on
    itself is written with it.

    Raises :class:`BadInput` where the run cannot be started (it has steps, it
    is finished, another process trains it) and :class:`RunFailed` after the
    :class:`~.events.Failed` event of a run that broke.
    """
    began = time.time()
    name = resolve_device(device)
    with joined(name, settings.precision) as team:
        if team is None:
            named = device if device == "auto" else name
            room = [Wait(folder, named, needs, expected=expected, asked=asked)] if wait else []
            waits = [AfterAnother(folder, named, asked), *room]
            yield from _lead(folder, recipe, settings, name, resume, began, asked, None, waits, makes)
        elif team.leads:
            notes = [NO_WAIT.format(team.place.count, team.place.launcher)] if wait else []
            yield from _lead(folder, recipe, settings, team.device, resume, began, asked, team, [], makes, notes)
        else:
            with repeatable(_threads(folder)):
                yield from follow(team, folder, recipe, settings)


def _lead(
    folder: RunFolder,
    recipe: Recipe,
    settings: Settings,
    name: str,
    resume: bool,
    began: float,
    asked: Callable[[], Ask | None] | None,
    team: Team | None,
    waits: Sequence[Wait],
    makes: Things,
    notes: Sequence[str] = (),
) -> Iterator[Event]:
    """As the one writer of the folder."""
    # Before the run is claimed: a sign of life newer than its end would make a finished run look interrupted.
    _check_startable(folder, settings, resume)
    with claim(folder):
        _check_startable(folder, settings, resume)
        folder.log_of_events = PatientLog(folder.path)
        after = getattr(folder.log_of_events.recent().turn, "time", 0.0)
        with (
            Heartbeat(folder.path / "alive.json", after=after) as heartbeat,
            repeatable(_threads(folder)) as threads,
            ExitStack() as held,
        ):
            for wait in waits:
                held.callback(wait.let_go)
                yield from wait.run(asked_since(folder, began) if resume else 0.0)
                if wait.device is None:
                    return
                name = resolve_device(wait.device)
            job = Job(folder, recipe, settings, name, heartbeat, threads, asked, team, notes)
            yield from _let_go_when_taken(watched(job.run(resume, began), folder, makes), held)


def _let_go_when_taken(events: Iterator[Event], held: ExitStack) -> Iterator[Event]:
    """The events of a training, a generator; with its first steps it has taken the room that was held for it.

    Closing this closes ``events``.
    """
    writer: Any = events
    with closing(writer):
        for event in writer:
            if isinstance(event, Step):
                held.close()
            yield event


def measure(recipe: Recipe, settings: Settings, device: str = "auto", *, threads: int | None = None) -> Estimate:
    """Time, memory and disk of a run, from three real steps after one that warms up; writes nothing.

    The recipe's networks are trained by four steps and of no use afterwards.
    Raises :class:`RunFailed`, in plain words, where the steps cannot be taken.
    """
    name = resolve_device(device)
    with repeatable(threads):
        try:
            pace = Pace(Loop(recipe, settings, name))
            while pace.measuring:
                pace.step()
            return pace.estimate()
        except BadInput:
            raise
        except Exception as error:
            raise RunFailed(in_words(error, settings=settings, device=name, folder=None, kept=None)) from error


def _check_startable(folder: RunFolder, settings: Settings, resume: bool) -> None:
    turn, last = folder.log_of_events.last()
    step = getattr(last, "step", 0)
    if not resume and last is not None:
        raise BadInput(f"{folder.path} has been trained already ({step} steps); go on with it by --resume")
    if resume and turn is not None and turn.kind == "finished" and step >= settings.steps:
        raise BadInput(f"{folder.path} is finished: all {settings.steps} steps are done; there is nothing to resume")


def _threads(folder: RunFolder) -> int | None:
    threads = folder.record.get("threads")
    return threads if isinstance(threads, int) and threads > 0 else None

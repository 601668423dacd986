"""How a run is doing, told from its last events and its last sign of life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from napari_cellsynth.engine.control import read_wish
from napari_cellsynth.engine.event_log import Recent
from napari_cellsynth.engine.events import (
    CancelledByUser,
    Event,
    Failed,
    Finished,
    Paused,
    Started,
    Step,
    Stopped,
    Waiting,
)
from napari_cellsynth.engine.files import modified
from napari_cellsynth.engine.heartbeat import Alive
from napari_cellsynth.engine.time_left import seconds_left
from napari_cellsynth.engine.why import NO_SIGN, why_interrupted

State = Literal[
    "new", "running", "paused", "waiting", "interrupted", "finished", "stopped", "cancelled", "failed", "away"
]
LIVE: tuple[State, ...] = ("running", "paused", "waiting")
"""States in which a process works on the run."""
GOES_ON_FROM: tuple[State, ...] = ("interrupted", "stopped", "cancelled", "failed")
"""States from which a run can be resumed."""


@dataclass(frozen=True)
class RunState:
    """How a run is doing; ``since`` in seconds since 1970."""

    state: State
    step: int
    """Steps done."""
    steps: int
    """Steps asked for."""
    since: float | None = None
    """When it came into this state; for an interrupted run, its last sign of life."""
    because: str = ""
    """Why it waits, was interrupted, failed or is away, in words."""
    pid: int | None = None
    host: str | None = None
    seconds_left: float | None = None
    """Of a run that is worked on, by the pace of its last steps; None until some have been timed."""
    last_lines: tuple[str, ...] = ()
    """The end of log.txt."""
    bytes: int | None = None
    """Of all files, where it was asked for."""


def state_of(folder: Path, steps: int, recent: Recent, alive: Alive | None, beside: float = 1.0) -> RunState:
    """The state of the run in ``folder``, asked to take ``steps`` steps; ``beside``: see :mod:`.time_left`."""
    state = RunState("new", recent.step, steps)
    if alive is not None:
        state = replace(state, pid=alive.pid, host=alive.host)
    done = _ended(state, recent.turn)
    # A writer may have come after that event and gone again in good order, refused by something.
    if done is not None and (alive is None or alive.ended or not _before(recent.turn, alive)):
        return done
    if recent.turn is None and recent.last is None and (alive is None or alive.ended):
        return state
    if alive is None:
        return replace(state, state="interrupted", since=getattr(recent.last, "time", None), because=NO_SIGN)
    if alive.lives():
        return _working(state, alive, recent, beside)
    if _cancelled(folder, alive):
        # It was too busy to answer and has been killed.
        return replace(state, state="cancelled", since=alive.time)
    return replace(state, state="interrupted", since=alive.time, because=why_interrupted(folder, alive))


def _before(turn: Event | None, alive: Alive) -> bool:
    """Whether an event is older than the writer; by its name, for their clocks may be those of two computers."""
    if turn is None:
        return True
    return turn.time == alive.after if alive.after else turn.time < alive.since


def _working(state: RunState, alive: Alive, recent: Recent, beside: float) -> RunState:
    step = max(state.step, alive.step)
    state = replace(state, step=step, seconds_left=seconds_left(_timed(recent.events), state.steps - step, beside))
    turn = recent.turn
    if turn is not None and not _before(turn, alive):
        if isinstance(turn, Paused):
            return replace(state, state="paused", since=turn.time)
        if isinstance(turn, Waiting):
            return replace(state, state="waiting", since=turn.time, because=turn.because)
    return replace(state, state="running", since=alive.since)


def _timed(events: Sequence[Event]) -> list[float]:
    """``events`` are the newest, oldest first; what was timed before the run was last taken up does not count."""
    begun = max((place for place, event in enumerate(events) if isinstance(event, Started)), default=-1)
    return [event.seconds for event in events[begun + 1 :] if isinstance(event, Step)]


def _cancelled(folder: Path, alive: Alive) -> bool:
    """Whether the user asked the writer to cancel; by the clock of the disk where that is known."""
    wish = read_wish(folder / "control.json")
    if wish is None or wish.ask != "cancel":
        return False
    if alive.taken:
        return modified(folder / "control.json") >= alive.taken
    return wish.time >= alive.since


def _ended(state: RunState, turn: Event | None) -> RunState | None:
    """The state after an event that ends a run; None for other events."""
    match turn:
        case Finished():
            return replace(state, state="finished", since=turn.time)
        case Stopped():
            return replace(state, state="stopped", since=turn.time)
        case CancelledByUser():
            return replace(state, state="cancelled", since=turn.time)
        case Failed():
            return replace(state, state="failed", since=turn.time, because=turn.reason)
        case _:
            return None

"""What is said of a training in every state, and of what can be done with it."""

from __future__ import annotations

from napari_cellsynth.engine.history import History
from napari_cellsynth.engine.run_state import RunState
from napari_cellsynth.gui.health import Health, ended, health
from napari_cellsynth.gui.train_words import qualified, since

USABLE = "What was saved last can be used; Resume goes on from it."


def verdict(state: RunState, history: History, usable: bool, preset: str | None = None) -> Health:
    """The sentence under the progress bar, in every state."""
    if state.state == "interrupted":
        kept = USABLE if usable else "Resume starts from 0: nothing had been saved yet."
        return Health("warning", f"Interrupted {since(state.since)}: {state.because}. {kept}")
    if state.state == "failed":
        return Health("bad", f"It failed at step {state.step:,}: {state.because or history.failed}")
    if state.state == "stopped":
        return ended("quiet", f"Stopped at step {state.step:,}; what it learned is kept.", history)
    if state.state == "cancelled":
        return Health("quiet", "Cancelled.")
    if state.state == "finished":
        but = qualified(preset, state.step)
        return ended("quiet" if but else "good", f"Finished after {state.step:,} steps. {but}".strip(), history)
    if state.state == "paused":
        return ended("quiet", f"Paused at step {state.step:,}.", history)
    if state.state == "waiting":
        return Health("quiet", f"Waiting: {state.because}.")
    if state.state == "away":
        return Health("warning", f"{state.because}.")
    if state.state == "new":
        return Health("quiet", "Not started yet.")
    said = health(history)
    notes = " ".join(history.notes)
    return Health(said.level, f"{said.sentence} {notes}".strip())


def goes_on_from(state: str, usable: bool) -> str:
    """What Start or Resume begins with; ``usable``: something was saved."""
    known = {"new": "Begin it on this computer.", "paused": "It goes on where it was paused."}
    last = "It goes on from what was saved last."
    return known.get(state, last if usable else "It starts from 0: nothing had been saved yet.")


def usable_when(first_saved: int) -> str:
    """From when on what it learns can be used; 0 where that is not known."""
    if not first_saved:
        return ""
    return f"It can be used from step {first_saved:,} on, when it is saved for the first time."

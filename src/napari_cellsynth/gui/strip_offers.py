"""What can be done with a job in the state it is in; what cannot is absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from napari_cellsynth.engine.run_state import GOES_ON_FROM, LIVE

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Offer:
    """A button, or a line of the menu."""

    words: str
    tip: str
    asks: bool = False
    """It is asked of the job, whose answer is waited for."""


OFFERS = {
    "start": Offer("Start", "Begin it on this computer.", asks=True),
    "pause": Offer("Pause", "The processor or GPU is free meanwhile.", asks=True),
    "resume": Offer("Resume", "It goes on where it was paused.", asks=True),
    "take_up": Offer("Resume", "It goes on, on this computer, from what was saved last.", asks=True),
    "stop": Offer("Stop and keep", "End now; what it learned is kept.", asks=True),
    "stop_waiting": Offer("Stop waiting", "It does not begin; it can be resumed later.", asks=True),
    "cancel": Offer("Cancel…", "End it now; nothing of the training set stays.", asks=True),
    "use_done": Offer("Use it", "What it can make with what it has learned, in the Use tab."),
    "use": Offer("Use as it is", "What it can make with what it has learned so far, in the Use tab."),
    "open": Offer("Open", "What came of it, in the tab where it is used."),
    "why": Offer("Why?", "What happened, and its last lines."),
    "lines": Offer("Last lines…", "What it said last."),
    "delete": Offer("Delete…", "To the bin; you are asked once. What is at work is ended first."),
    "look": Offer("Look again", "See whether the folder is there now."),
    "forget": Offer("Remove from the list", "Its jobs are listed no more; nothing in the folder is touched."),
    "show": Offer("Show in Train", "How it does, with pictures and curves."),
    "folder": Offer("Show folder", "In the file manager."),
    "command": Offer("Copy command", "The line that does the same in a shell."),
    "fewer": Offer("Keep fewer saved states…", "Make room on the disk: only the newest stay."),
    "pack": Offer("Pack for another computer…", "A folder or .zip with all that another computer needs to train it."),
}


def tip(key: str, job: Row) -> str:
    """The tool tip of an offer, for this job."""
    if key != "take_up":
        return OFFERS[key].tip
    if not job.get("weights"):
        return "It starts from 0, on this computer: nothing had been saved yet."
    return f"It goes on, on this computer, from step {job.get('weights_step') or 0:,}, which was saved last."


def buttons(job: Row) -> tuple[str, ...]:
    """Keys of :data:`OFFERS` that stand beside a job, in their order."""
    if job["state"] == "away":
        return ("look", "forget") if job["kind"] == "place" else ("look",)
    if job.get("kind", "training") == "training set":
        return _of_a_set(job["state"])
    if not job.get("run", True):
        return ("why",) if job["state"] in ("interrupted", "failed") else ()
    return tuple(key for key in _of_a_run(job["state"]) if key not in ("use", "use_done") or job.get("weights"))


def _of_a_run(state: str) -> tuple[str, ...]:
    return {
        "new": ("start", "delete"),
        "running": ("pause", "stop", "use", "delete"),
        "paused": ("resume", "stop", "use", "delete"),
        "waiting": ("stop_waiting", "delete"),
        "interrupted": ("take_up", "use", "why", "delete"),
        "failed": ("take_up", "use", "why", "delete"),
        "finished": ("use_done", "delete"),
    }.get(state, ("take_up", "use", "delete"))


def _of_a_set(state: str) -> tuple[str, ...]:
    if state in (*LIVE, "new"):
        return ("cancel",)
    return ("open",) if state == "finished" else ("why", "delete")


def rarer(job: Row) -> tuple[str, ...]:
    """Keys of :data:`OFFERS` that stand in a job's menu."""
    if job["state"] == "away":
        return ()
    state, run = job["state"], job.get("run", True)
    found = ["show"] if run and job.get("kind", "training") == "training" else []
    if "why" not in buttons(job) and job.get("last_lines"):
        found.append("lines")
    found += ["folder", "command"]
    if run and state not in LIVE and job.get("saved", 0) > 1:
        found.append("fewer")
    if run and state in ("new", *GOES_ON_FROM):
        found.append("pack")
    return tuple(found)

"""What the strip says of a job: one line of numbers, one of words, and a sentence."""

from __future__ import annotations

import html
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_cellsynth.engine.run_state import LIVE
from napari_cellsynth.gui.train_words import MARKS, duration, percent, since, size
from napari_cellsynth.gui.words import capital

Row = Mapping[str, Any]
COUNTED = {"new": "starting", **{state: state for state in ("running", "paused", "waiting", "interrupted", "failed")}}
"""States that the one line counts first."""
OVER = ("finished", "stopped", "cancelled")
"""States that it counts last: no news."""
COLOURS = {"running": "good", "interrupted": "warning", "away": "warning", "failed": "bad", "finished": "good"}
"""Levels of the marks."""
TOLD = {"new": "starting", "waiting": "waiting", "away": "not there now"}
"""States as they are said, where not by their own name."""
ENDED = ("finished", "stopped", "cancelled", "failed")
BEGINS_S = 120.0
"""For which a new job counts as one that is just being started."""
WAITS = "not started"


def summary(jobs: Sequence[Row]) -> str:
    """``Jobs: 1 running · 1 interrupted``."""
    real = [job for job in jobs if job.get("kind") != "place"]
    counts = Counter(_counted(job) for job in real if job["state"] in COUNTED)
    told = [f"{counts[word]} {word}" for word in (*dict.fromkeys(COUNTED.values()), WAITS) if counts[word]]
    ended = Counter(job["state"] for job in real if job["state"] not in COUNTED)
    told += [f"{ended[state]} {state}" for state in OVER if ended[state]]
    rest = sum(ended.values()) - sum(ended[state] for state in OVER)
    if rest:
        told.append(f"{rest} not there now")
    away = len(jobs) - len(real)
    if away:
        told.append("1 folder away" if away == 1 else f"{away} folders away")
    return "Jobs: " + (" · ".join(told) or "none yet")


def _counted(job: Row) -> str:
    return WAITS if _lies(job) else COUNTED[job["state"]]


def _lies(job: Row) -> bool:
    """Whether it was made a while ago and nobody has started it."""
    return job["state"] == "new" and time.time() - (job.get("created") or math.inf) > BEGINS_S


def mark(job: Row) -> str:
    return "–" if _lies(job) else MARKS.get(job["state"], "–")


def place(job: Row) -> str:
    """``this PC``, the computer that works or worked on it, or the shared folder in which it lies."""
    if job.get("kind") == "place":
        return "shared folder"
    elsewhere = job.get("host") if not job.get("here", True) else None
    if elsewhere and (job["state"] in LIVE or job["state"] == "interrupted"):
        return str(elsewhere)
    return "this PC" if job.get("own", True) else Path(job["place"]).name or str(job["place"])


def numbers(job: Row) -> str:
    """``37 % · 25 min left`` while somebody works on it or it could go on; else its size on the disk."""
    if job.get("kind") == "place":
        return ""
    state, steps = job["state"], job["steps"]
    if state in ("finished", "away") or not steps:
        return amount(job)
    share = percent(job["step"] / steps)
    left = job.get("seconds_left")
    return f"{share} · {duration(left)} left" if state == "running" and left else share


def amount(job: Row) -> str:
    """Bytes on the disk, in words; empty where nobody knows."""
    return size(job["bytes"]) if job["bytes"] else ""


def told(job: Row) -> str:
    """``interrupted since Fri 23:41, because the disk is full``, ``finished Sun 03:12``; one line."""
    state, because = job["state"], flat(job["because"])
    words, when = str(TOLD.get(state, state)), since(job["since"])
    if state in ENDED:
        when = when.removeprefix("since ")
    if state == "new":
        return WAITS if _lies(job) else words
    said = f"{words} {when}".strip()
    if state == "waiting":
        return f"{said}: {because}" if because else said
    return f"{said}, because {because}" if because and state in ("interrupted", "failed") else said


def about(job: Row) -> str:
    """The second line: ``training · this PC · interrupted since …``."""
    if job.get("kind") == "place":
        return "shared folder · not there now"
    return f"{job.get('kind', 'training')} · {place(job)} · {told(job)}"


def sentence(job: Row) -> str:
    """What is to be said of a job beyond its two lines; empty where that is all."""
    state, because = job["state"], flat(job["because"])
    if state == "away":
        return f"{capital(because)}." if because else "It is not there now."
    if state in ("interrupted", "failed"):
        what = "Interrupted" if state == "interrupted" else f"Failed at step {job['step']:,}"
        return f"{what} {since(job['since'])}: {because.rstrip('.')}. {kept(job)}".strip()
    if state == "waiting":
        return f"Waits {since(job['since'])}: {because.rstrip('.')}."
    found = job.get("health") or {}
    if state in LIVE and found.get("state") in ("warning", "bad"):
        return flat(found.get("words", ""))
    return ""


def level(job: Row) -> str:
    """How the sentence is meant."""
    if job["state"] in LIVE:
        return str((job.get("health") or {}).get("state", "quiet")) if job["state"] != "waiting" else "quiet"
    return COLOURS.get(job["state"], "quiet") if job["state"] in ("interrupted", "failed", "away") else "quiet"


def kept(job: Row) -> str:
    """What a training that broke off has saved."""
    if not job.get("run"):
        return ""
    if not job.get("weights"):
        return "Resume starts from 0: nothing had been saved yet."
    when = since(job.get("kept")).removeprefix("since ")
    last = f"Last saved at {when}" if when[:1].isdigit() and " " not in when else f"Last saved {when}".strip()
    return f"{last}: Resume goes on from step {job.get('weights_step') or 0:,}."


def heard(job: Row) -> str:
    """All of it in one line, for those who hear it."""
    parts = [job.get("kind", "training"), job["name"], place(job), told(job), numbers(job), amount(job)]
    return ", ".join(dict.fromkeys(part for part in parts if part))


def tip(job: Row) -> str:
    """All of it, where a pointer rests."""
    title = f"<b>{html.escape(job['name'])}</b>"
    lines = [title, html.escape(about(job)), html.escape(str(job["path"]))]
    if job["steps"]:
        done = f"step {job['step']:,} of {job['steps']:,}" if job.get("run") else numbers(job)
        lines.append(" · ".join(part for part in (done, amount(job)) if part))
    return f"<qt>{'<br>'.join(line for line in lines if line)}</qt>"


def flat(text: str) -> str:
    """On one line."""
    return " ".join(str(text).split())

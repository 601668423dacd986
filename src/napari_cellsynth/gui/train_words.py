"""Numbers and states of a training in a biologist's words."""

from __future__ import annotations

import time
from datetime import datetime

from napari_cellsynth.engine.events import Estimate

STATES = {
    "new": "starting",
    "running": "training",
    "paused": "paused",
    "waiting": "waiting",
    "away": "not there now",
    "interrupted": "interrupted",
    "finished": "finished",
    "stopped": "stopped",
    "cancelled": "cancelled",
    "failed": "failed",
}
"""Engine's states as the panels say them."""
MARKS = {
    "running": "●",
    "new": "●",
    "paused": "❚❚",
    "waiting": "…",
    "interrupted": "?",
    "away": "?",
    "failed": "!",
    "finished": "✓",
}
"""What stands in front of a job in the list."""
QUICK = "Quick test: not for results."
"""Said of what was trained with the preset ``tiny``."""
JUDGED = 300
"""Steps below which nothing can be said about the health of a training."""


def qualified(preset: str | None, step: int) -> str:
    """What one should know of a training that has ended: that it was a test, or too short to be judged."""
    said = [QUICK] if preset == "tiny" else []
    if step < JUDGED:
        said.append(f"Fewer than {JUDGED} steps: whether it learns well could not be judged.")
    return " ".join(said)


YEAR = 365 * 24.0
"""Hours above which nobody plans."""


def duration(seconds: float) -> str:
    """``40 s``, ``4 min``, ``2 h 10 min``, ``3 days``: as exact as anyone plans by."""
    if seconds < 50:
        return f"{max(1, round(seconds))} s"
    minutes = seconds / 60
    if minutes < 59.5:
        return f"{max(1, round(minutes))} min"
    hours = minutes / 60
    if hours < 9.75:
        whole, rest = divmod(round(minutes / 10) * 10, 60)
        return f"{whole} h {rest} min" if rest else f"{whole} h"
    if hours > YEAR:
        return "more than a year"
    return f"{round(hours)} h" if hours < 47.5 else f"{round(hours / 24)} days"


def size(amount: float) -> str:
    """Bytes with one digit where it says something: ``20 MB``, ``0.6 GB``."""
    if amount < 1e5:
        return f"{max(1, round(amount / 1e3))} kB"
    if amount < 1e8:
        return f"{amount / 1e6:.0f} MB" if amount >= 1e6 else "1 MB"
    return f"{amount / 1e9:.1f} GB"


def estimate_words(estimate: Estimate, device: str) -> str:
    """``About 4 min · 0.6 GB memory · 20 MB on disk``."""
    where = "on the GPU" if device.startswith(("cuda", "mps")) else "memory"
    long = estimate.seconds > YEAR * 3600
    time_words = "More than a year: fewer steps, or smaller images" if long else f"About {duration(estimate.seconds)}"
    words = f"{time_words} · {size(estimate.memory)} {where} · {size(estimate.disk)} on disk"
    if estimate.busy:
        words = f"{words} (measured while the computer was busy)"
    if estimate.micro_batch is None:
        return words
    return f"{words} · each step in parts of {estimate.micro_batch}, since more do not fit into the memory"


def since(moment: float | None) -> str:
    """``since 14:05``, ``since Fri 23:41``, ``since 3 May 14:05``; empty where it is not known."""
    if not moment:
        return ""
    then, now = datetime.fromtimestamp(moment), datetime.fromtimestamp(time.time())
    if then.date() == now.date():
        return f"since {then:%H:%M}"
    if (now - then).days < 6:
        return f"since {then:%a %H:%M}"
    return f"since {then.day} {then:%b %H:%M}"


def percent(share: float) -> str:
    """Whole per cent, and 100 only when all is done."""
    return f"{100 if share >= 1 else min(99, int(share * 100))} %"

"""Is it learning?  The engine's finding, as the panels show it."""

from __future__ import annotations

from dataclasses import dataclass

from napari_cellsynth.engine.health import Severity, judge, verdict
from napari_cellsynth.engine.history import History


@dataclass(frozen=True)
class Health:
    """A sentence, and how it is meant."""

    level: Severity
    sentence: str


def health(history: History) -> Health:
    """The most important thing to say about a running training."""
    found = verdict(history)
    return Health(found.severity, found.words)


def ended(level: Severity, sentence: str, history: History) -> Health:
    """What is said of a training that runs no more: how it ended, and what is wrong with what it has learned."""
    wrong = judge(history)
    if not wrong:
        return Health(level, sentence)
    return Health("warning" if level in ("quiet", "good") else level, f"{sentence} {wrong[0].words}")

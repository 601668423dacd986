"""Is it learning?  One sentence for a biologist, from what a run says of itself.

Nothing here knows a family.  The numbers that are understood are
``validation`` values named ``frechet`` (distance of made to held-out real
images, smaller is better) and ``variety`` (spread of the made ones, 1 as the
real ones), and losses that say how often a critic takes real and made images
for real (``…/real_taken_for_real``, ``…/made_taken_for_real``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_cellsynth.gui.history import Curve, History

Level = Literal["quiet", "good", "warning", "bad"]

FEW = 3
"""Previews before which nothing is said about a trend."""
STANDSTILL = 6
"""Previews without a better one after which standing still is mentioned."""


@dataclass(frozen=True)
class Health:
    """A sentence, and how it is meant."""

    level: Level
    sentence: str


def health(history: History) -> Health:
    """The most important thing to say about a running training."""
    if history.step == 0:
        return Health("quiet", "Starting; the first steps take a few seconds longer.")
    variety = history.validation.get("variety", Curve())
    distance = history.validation.get("frechet", Curve())
    if len(distance.values) >= FEW and (said := variety_lost(variety)):
        return said
    if said := one_sided(history):
        return said
    return trend(distance, variety)


def variety_lost(variety: Curve) -> Health | None:
    """A generator that makes the same image over and over."""
    now = variety.last(2)
    if now is None or now >= 0.5:
        return None
    level: Level = "bad" if now < 0.2 else "warning"
    return Health(level, f"The made cells are too much alike ({variety_words(now)}). If this stays, start again.")


def one_sided(history: History) -> Health | None:
    """A critic that tells real from made every single time teaches the generator nothing."""
    real = average(history, "real_taken_for_real")
    made = average(history, "made_taken_for_real")
    if real is None or made is None or history.share() < 0.02:
        return None
    if real > 0.995 and made < 0.005:
        return Health("warning", "The made cells are told from real ones every time; learning has become slow.")
    return None


def trend(distance: Curve, variety: Curve) -> Health:
    """Are the made images coming nearer to the real ones?"""
    tail = f" {variety_words(now).capitalize()}." if (now := variety.last(2)) is not None else ""
    values = distance.values
    if len(values) < FEW:
        return Health("quiet", "Learning; too early to say how well.")
    best = min(range(len(values)), key=values.__getitem__)
    if len(values) - 1 - best >= STANDSTILL:
        step = int(distance.steps[best])
        return Health("warning", f"No nearer to real cells since step {step:,}; you can stop and keep it.{tail}")
    if min(values[-2:]) < 0.9 * values[0]:
        return Health("good", f"Learning well.{tail}")
    return Health("quiet", f"Learning; not yet nearer to real cells than at first.{tail}")


def variety_words(variety: float) -> str:
    return f"variety of made cells: {variety:.1f} of real"


def average(history: History, name: str) -> float | None:
    """Mean of the newest stretch of the losses of that name, whatever their phase."""
    found = [curve.last(10) for key, curve in history.losses.items() if key.rpartition("/")[2] == name]
    known = [value for value in found if value is not None]
    return sum(known) / len(known) if known else None

"""Is a training going well?  Findings in words, from what a run says of itself.

Nothing here knows a family, and nothing loads torch; what a model makes is
named by its family (``History.makes``).  What is understood are numbers by conventional names:

=============================  ==================================================================================
``…/loss``                     of a phase, in the log of losses
``…/real_taken_for_real``      share of real images that a discriminator takes for real, in the log of losses
``…/made_taken_for_real``      share of made images, likewise
``…/apart``                    how far apart a critic's scores are; where it is logged, losses have no scale, and their
                               growth is not judged
``frechet``, ``distance``,     of made or predicted images to held-out ones, among the validation values; smaller
``error``                      is better; the first of these that there is
``variety``                    how different made images are from each other; 1 as real ones, 0 all the same
``nearest``                    how near made images are to training images, held-out images being 1; 0 for copies
=============================  ==================================================================================

docs/health.md has the runs, broken on purpose and healthy, on which the
thresholds were set, and those on which they were checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_cellsynth.engine import trends
from napari_cellsynth.engine.history import History
from napari_cellsynth.engine.trends import FEW, SOME

Severity = Literal["quiet", "good", "warning", "bad"]

BEGINNING, LATE = 0.02, 0.25
"""Share of a training in which nothing is held against it; and that after which no more previews are waited for."""
BLOWN_UP, HUGE, FLUNG = 50.0, 1e5, 8.0
"""Exploding: a loss this many times what it was at first; or this large, whatever it was in steps that were not
written one by one; or the distance this many times its best."""
ALIKE, ALL_ALIKE, RISING = 0.3, 0.15, 0.03
"""Collapse: variety below the first; grave below the second; unless it has just risen by the third."""
COPIED, ALL_COPIED = 0.85, 0.6
"""Memorising: nearest below the first; grave below the second."""
WON, WON_OUTRIGHT = 0.95, 0.995
"""Winning: share of images that the discriminator tells right; above the second it is grave and said sooner."""
NOT_NEARER, NOT_NEARER_OUTRIGHT = 4, 2
"""Previews without a better one before something is said: a sharp discriminator is no harm while images improve."""
NO_BETTER, WORSE = 0.95, 1.5
"""Plateau: no distance is below the first share of the one at first, or it is the second times its best."""
SETTLED = 10
"""Previews, and half of all, without a better one after which a training may be ended."""


@dataclass(frozen=True)
class Finding:
    """Something that is seen in a run."""

    code: str
    """``exploding``, ``collapse``, ``memorising``, ``winning``, ``plateau``; of :func:`verdict` also ``starting``,
    ``early``, ``learning``, ``settled``."""
    severity: Severity
    words: str
    """What is seen, what it means, what to do."""


def judge(history: History) -> list[Finding]:
    """What is wrong with a training, the gravest first; empty where nothing is."""
    if history.step == 0:
        return []
    found = [look(history) for look in (exploding, idle, collapse, memorising, winning, worse)]
    return sorted((one for one in found if one is not None), key=lambda one: one.severity != "bad")


def verdict(history: History) -> Finding:
    """The most important thing to say about a training, be it good or bad."""
    if history.step == 0:
        return Finding("starting", "quiet", "Starting; the first steps take a few seconds longer.")
    wrong = judge(history)
    return wrong[0] if wrong else progress(history)


def progress(history: History) -> Finding:
    """Are the made images coming nearer to the real ones?"""
    best, values = trends.best(history), trends.distance(history).values
    if best is None or len(values) < FEW:
        return Finding("early", "quiet", "Learning; too early to say how well.")
    variety = trends.latest(history.validation["variety"]) if "variety" in history.validation else None
    things = history.makes
    amount = "" if variety is None else f"{min(max(variety, 0.0), 1.0):.1f} of {things.real}"
    tail = f" Variety of {things.made_ones}: {amount}." if amount else ""
    if len(values) - 1 - best[0] >= max(SETTLED, len(values) // 2):
        words = f"No nearer to {things.real_ones} since step {_step_of_best(history)}: you can stop and keep it."
        return Finding("settled", "good", words + tail)
    if best[1] < 0.9 * values[0]:
        return Finding("learning", "good", "Learning well." + tail)
    return Finding("early", "quiet", f"Learning; not yet nearer to {things.real_ones} than at first.{tail}")


def exploding(history: History) -> Finding | None:
    """Losses, or the distance of what is made, grow without bound."""
    cure = "The training has come apart: start again with a smaller learning rate (a tenth)."
    grown, away = trends.loss_growth(history), trends.worsening(history)
    if grown is not None and grown[1] > BLOWN_UP:
        return Finding("exploding", "bad", f"The loss of the {grown[0]} has grown {_times(grown[1])}-fold. {cure}")
    largest = trends.largest_loss(history)
    if largest is not None and largest[1] > HUGE:
        return Finding("exploding", "bad", f"The loss of the {largest[0]} is beyond reason. {cure}")
    if away is None or away <= FLUNG or len(trends.distance(history).values) < SOME:
        return None
    things, best = history.makes, _step_of_best(history)
    words = f"What is {things.made} is {_times(away)} times as far from {things.real_ones} as at step {best}."
    return Finding("exploding", "bad", f"{words} {cure}")


def idle(history: History) -> Finding | None:
    """It never got better."""
    rates = history.learning_rate.values()
    if rates and not any(rates) and BEGINNING < history.share() < 1 - BEGINNING:
        return Finding("plateau", "bad", "The learning rate is 0: nothing is learned. Set one and start again.")
    gain = trends.gain(history)
    if gain is None or gain <= NO_BETTER:
        return None
    count = len(trends.distance(history).values) - 1
    words = (
        f"No nearer to {history.makes.real_ones} than at the first preview, {count} previews ago: it does not learn. "
        "Start again with the learning rate of the preset, and look at the training set."
    )
    return Finding("plateau", "bad", words)


def collapse(history: History) -> Finding | None:
    """A generator that makes the same few images over and over."""
    now = trends.variety(history)
    if now is None or now >= ALIKE or history.share() < BEGINNING or trends.rise_of_variety(history) > RISING:
        return None
    things = history.makes
    words = (
        f"The {things.made_ones} are too much alike: the same few come again and again (variety {max(now, 0):.2f} of "
        f"{things.real}). Start again with another seed, a smaller learning rate or more different "
        f"{things.learned_from}."
    )
    return Finding("collapse", "bad" if now < ALL_ALIKE else "warning", words)


def memorising(history: History) -> Finding | None:
    """What is made are copies of training images."""
    now = trends.nearest(history)
    if now is None or now >= COPIED:
        return None
    things = history.makes
    words = (
        f"The {things.made_ones} lie nearer to training {things.many} than {things.many} never shown do ({now:.2f} of "
        f"their distance): the training {things.many} are being learned by heart. Train on more different "
        f"{things.learned_from}, augment, or stop earlier."
    )
    return Finding("memorising", "bad" if now < ALL_COPIED else "warning", words)


def winning(history: History) -> Finding | None:
    """A discriminator that tells real from made nearly every time teaches the generator nothing."""
    right, since = trends.told_right(history), trends.since_best(history)
    if right is None or right < WON:
        return None
    if since is not None and since < (NOT_NEARER if right < WON_OUTRIGHT else NOT_NEARER_OUTRIGHT):
        return None
    if since is None and (right < WON_OUTRIGHT or history.share() < LATE):
        return None
    often = "every time" if right >= WON_OUTRIGHT else f"{100 * right:.0f} times in 100"
    words = (
        f"The network that judges (discriminator) is right {often}: the other learns nothing from it any more. "
        "Start again with a smaller learning rate of the discriminator, with augmentation, or with more "
        f"{history.makes.learned_from}."
    )
    return Finding("winning", "bad" if right >= WON_OUTRIGHT else "warning", words)


def worse(history: History) -> Finding | None:
    """It got better once, and has got worse since."""
    away, since = trends.worsening(history), trends.since_best(history)
    if away is None or since is None or away <= WORSE or since < NOT_NEARER:
        return None
    things = history.makes
    words = (
        f"The {things.made_ones} were nearest to {things.real} ones at step {_step_of_best(history)} and have got "
        f"worse since. A new run of that many steps, with augmentation or with more {things.learned_from}, gives more."
    )
    return Finding("plateau", "warning", words)


def _step_of_best(history: History) -> str:
    found = trends.best(history)
    return "" if found is None else f"{int(trends.distance(history).steps[found[0]]):,}"


def _times(factor: float) -> str:
    return f"{factor:,.0f}" if factor < 1e6 else f"{factor:.0e}"

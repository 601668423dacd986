"""Is a training going well?  Findings in words, from what a run says of itself.

Nothing here knows a family, and nothing loads torch.  What is understood are
numbers by conventional names:

=============================  ==================================================================================
``…/loss``                     of a phase, in the log of losses
``…/real_taken_for_real``      share of real images that a discriminator takes for real, in the log of losses
``…/made_taken_for_real``      share of made images, likewise
``frechet``, ``distance``,     of made or predicted images to held-out ones, among the validation values; smaller
``error``                      is better; the first of these that there is
``variety``                    how different made images are from each other; 1 as real ones, 0 all the same
``nearest``                    how near made images are to training images, held-out images being 1; 0 for copies
=============================  ==================================================================================

``docs/health.md`` has the runs, broken on purpose and healthy, on which the
thresholds were set and checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Literal

from napari_cellsynth.engine.history import Curve, History

Severity = Literal["quiet", "good", "warning", "bad"]

FEW = 3
"""Previews before which nothing is said about a trend; also those of which the newest median is taken."""
SOME = 5
"""Previews before which a value that is bad at every beginning is not held against a training."""
BEGINNING, LATE = 0.02, 0.25
"""Share of a training in which nothing is held against it; and that after which no more previews are waited for."""
DISTANCES = ("frechet", "distance", "error")

BLOWN_UP, FLUNG, SMALL = 50.0, 8.0, 0.1
"""Exploding: a loss this many times what it was at first, or the distance this many times its best; losses below the
last count as that."""
ALIKE, ALL_ALIKE = 0.3, 0.15
"""Collapse: variety below this; below the second it is grave."""
RISING = 0.03
"""A variety that has grown by this since the preview before the last ones is on its way."""
COPIED, ALL_COPIED = 0.75, 0.5
"""Memorisation: nearest below this; below the second it is grave."""
WON, WON_OUTRIGHT = 0.95, 0.995
"""Winning: share of images that the discriminator tells right; above the second it is grave and said sooner."""
STRETCH = 0.15
"""Share of the steps so far over which the discriminator is watched, at least ``WATCHED`` of its values."""
WATCHED = 20
NOT_NEARER = 4
"""Previews without a better one after which a discriminator that is nearly always right is held responsible."""
NO_BETTER = 0.95
"""Plateau: no preview after the first is below this share of the first."""
WORSE = 1.5
"""Plateau: the distance this many times its best, for ``NOT_NEARER`` previews."""
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
    found = [look(history) for look in (exploding, idle, collapse, memorising, winning, plateau)]
    return sorted((one for one in found if one is not None), key=lambda one: one.severity != "bad")


def verdict(history: History) -> Finding:
    """The most important thing to say about a training, be it good or bad."""
    if history.step == 0:
        return Finding("starting", "quiet", "Starting; the first steps take a few seconds longer.")
    wrong = judge(history)
    return wrong[0] if wrong else trend(history)


def trend(history: History) -> Finding:
    """Are the made images coming nearer to the real ones?"""
    variety = latest(history.validation.get("variety"))
    tail = "" if variety is None else f" Variety of made cells: {min(variety, 1.0):.1f} of real."
    values = distance(history)
    if len(values) < FEW:
        return Finding("early", "quiet", "Learning; too early to say how well.")
    best, since = best_of(values)
    if len(values) - 1 - best >= max(SETTLED, len(values) // 2):
        words = f"It has come as near to real cells as it will (best at step {step_of(history, best):,}): you can stop"
        return Finding("settled", "good", f"{words} and keep it.{tail}")
    if since < 0.9 * values[0]:
        return Finding("learning", "good", f"Learning well.{tail}")
    return Finding("early", "quiet", f"Learning; not yet nearer to real cells than at first.{tail}")


def exploding(history: History) -> Finding | None:
    """Losses, or the distance of what is made, grow without bound."""
    cure = "The training has come apart: start again with a smaller learning rate (a tenth)."
    for name, curve in history.losses.items():
        if not name.endswith("/loss") or len(curve.values) < 3 * FEW:
            continue
        sizes = [abs(value) for value in curve.values]
        # The least of the first ones: a learning rate that is far too large takes one step to fling it away.
        usual, now = max(min(sizes[: 2 * FEW]), SMALL), median(sizes[-2 * FEW :])
        if now > BLOWN_UP * usual:
            words = f"The loss of the {name.partition('/')[0]} has grown {now / usual:,.0f}-fold."
            return Finding("exploding", "bad", f"{words} {cure}")
    values = distance(history)
    if len(values) >= SOME and (now := median(values[-FEW:])) > FLUNG * best_of(values)[1]:
        words = f"What is made was nearer to real cells at step {step_of(history, best_of(values)[0]):,}"
        return Finding("exploding", "bad", f"{words} and is now {now / min(values):,.0f} times as far away. {cure}")
    return None


def collapse(history: History) -> Finding | None:
    """A generator that makes the same few images over and over."""
    values = history.validation.get("variety", Curve()).values
    if len(values) < SOME or history.share() < BEGINNING:
        return None
    now = median(values[-FEW:])
    if now >= ALIKE or now > values[-FEW - 1] + RISING:
        return None
    words = (
        f"The made cells are too much alike: the same few come again and again (variety {max(now, 0):.1f} of real). "
        "Waiting seldom mends this: start again with another seed, a smaller learning rate or more different cells."
    )
    return Finding("collapse", "bad" if now < ALL_ALIKE else "warning", words)


def memorising(history: History) -> Finding | None:
    """What is made are copies of training images."""
    values = history.validation.get("nearest", Curve()).values
    if len(values) < FEW or (now := median(values[-FEW:])) >= COPIED:
        return None
    words = (
        f"The made cells come close to copies of training cells ({now:.1f} of the distance that cells never shown have "
        "to them): they add nothing new. Train on more different cells, augment, or stop earlier."
    )
    return Finding("memorising", "bad" if now < ALL_COPIED else "warning", words)


def winning(history: History) -> Finding | None:
    """A discriminator that tells real from made nearly every time teaches the generator nothing."""
    right = told_right(history)
    if right is None or right < WON or history.share() < BEGINNING:
        return None
    values = distance(history)
    if len(values) < FEW and history.share() < LATE:
        return None
    patience = NOT_NEARER if right < WON_OUTRIGHT else 2
    if values and len(values) - 1 - best_of(values)[0] < patience:
        # A sharp critic is no harm as long as what is made comes nearer to real.
        return None
    words = (
        f"The network that judges (discriminator) is right {percent(right)}: the other learns nothing from it. "
        "Start again with a smaller learning rate of the discriminator, with augmentation, or with more cells."
    )
    return Finding("winning", "bad" if right >= WON_OUTRIGHT else "warning", words)


def idle(history: History) -> Finding | None:
    """It never got better."""
    rates = history.learning_rate.values()
    if rates and not any(rates) and BEGINNING < history.share() < 1 - BEGINNING:
        return Finding("plateau", "bad", "The learning rate is 0: nothing is learned. Set one and start again.")
    values = distance(history)
    if len(values) < SOME or min(values[1:]) <= NO_BETTER * values[0]:
        return None
    words = (
        f"No nearer to real cells than at the first preview, {len(values) - 1} previews ago: it does not learn. "
        "Start again with the learning rate of the preset, and look at the training set."
    )
    return Finding("plateau", "bad", words)


def plateau(history: History) -> Finding | None:
    """It got better once, and gets worse since."""
    values = distance(history)
    if len(values) < SOME:
        return None
    best, least = best_of(values)
    if len(values) - 1 - best < NOT_NEARER or median(values[-FEW:]) <= WORSE * least:
        return None
    words = (
        f"The made cells were nearest to real ones at step {step_of(history, best):,} and have got worse since. "
        "A new run of that many steps, with augmentation or with more cells, gives more."
    )
    return Finding("plateau", "warning", words)


# -- the numbers behind the words; docs/health.md shows how near healthy runs come to the thresholds


def distance(history: History) -> list[float]:
    """The distance to held-out images, preview by preview; empty where there is none."""
    for name in DISTANCES:
        if name in history.validation:
            return history.validation[name].values
    return []


def step_of(history: History, preview: int) -> int:
    """The step of a preview's distance."""
    name = next(name for name in DISTANCES if name in history.validation)
    return int(history.validation[name].steps[preview])


def best_of(values: list[float]) -> tuple[int, float]:
    """Place and size of the smallest value, each the median of it and its neighbours: one lucky preview is none."""
    smooth = [median(values[max(0, i - 1) : i + 2]) for i in range(len(values))]
    best = min(range(len(smooth)), key=smooth.__getitem__)
    return best, smooth[best]


def told_right(history: History) -> float | None:
    """How often a discriminator was right of late about real and made images, 0.5 by guessing."""
    real, made = (average(history, name) for name in ("real_taken_for_real", "made_taken_for_real"))
    return None if real is None or made is None else (real + 1 - made) / 2


def average(history: History, name: str) -> float | None:
    """Mean over the last stretch of the losses of that name, whatever their phase."""
    found = []
    for key, curve in history.losses.items():
        if key.rpartition("/")[2] == name and len(curve.values) >= WATCHED:
            found.append(curve.last(max(WATCHED, round(STRETCH * len(curve.values)))) or 0.0)
    return sum(found) / len(found) if found else None


def latest(curve: Curve | None) -> float | None:
    """The usual value of the last previews."""
    return median(curve.values[-FEW:]) if curve is not None and curve.values else None


def percent(share: float) -> str:
    return "every time" if share >= WON_OUTRIGHT else f"{100 * share:.0f} times in 100"

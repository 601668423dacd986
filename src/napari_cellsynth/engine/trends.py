"""The numbers that :mod:`.health` judges a training by, each from its history so far; None where there is none yet."""

from __future__ import annotations

from statistics import median

from napari_cellsynth.engine.history import Curve, History

DISTANCES = ("frechet", "distance", "error")
"""Validation values of which smaller is better, by conventional names; the first that there is counts."""
FEW = 3
"""Previews before which nothing is said about a trend; also those of which the newest median is taken."""
SOME = 5
"""Previews before which a value that is bad at every beginning is not held against a training."""
UNSCALED = "apart"
"""Name of a loss that is logged where losses have no scale of their own (critics): their growth says nothing."""
SMALL = 0.1
"""Losses below this count as this: what has become small may grow again."""
WATCHED, STRETCH = 100, 0.15
"""Steps over which a discriminator is watched: at least so many, and this share of the steps so far."""
POINTS = 2
"""Values that there must be within them."""


def loss_growth(history: History) -> tuple[str, float] | None:
    """The phase whose loss has grown most, and how many times it is what it was at first; None of losses without scale.

    A critic's scores may move up or down together for as long as it likes.
    """
    if any(name.endswith(f"/{UNSCALED}") for name in history.losses):
        return None
    # The least of the first ones: a learning rate that is far too large takes one step to fling it away.
    grown = [(median(sizes[-2 * FEW :]) / max(min(sizes[: 2 * FEW]), SMALL), phase) for phase, sizes in _sizes(history)]
    return max(grown)[::-1] if grown else None


def largest_loss(history: History) -> tuple[str, float] | None:
    """The phase whose loss is largest of late, and its size."""
    sizes = [(median(sizes[-2 * FEW :]), phase) for phase, sizes in _sizes(history)]
    return max(sizes)[::-1] if sizes else None


def _sizes(history: History) -> list[tuple[str, list[float]]]:
    """Phases and the sizes of their losses, where there are enough."""
    curves = [(name.partition("/")[0], curve) for name, curve in history.losses.items() if name.endswith("/loss")]
    return [(phase, [abs(value) for value in curve.values]) for phase, curve in curves if len(curve.values) >= 3 * FEW]


def distance(history: History) -> Curve:
    """The distance to held-out images, preview by preview; empty where there is none."""
    return next((history.validation[name] for name in DISTANCES if name in history.validation), Curve())


def best(history: History) -> tuple[int, float] | None:
    """Place and size of the smallest distance, each the median of it and its neighbours: one lucky preview is none."""
    values = distance(history).values
    smooth = [median(values[max(0, i - 1) : i + 2]) for i in range(len(values))]
    place = min(range(len(smooth)), key=smooth.__getitem__, default=None)
    return None if place is None else (place, smooth[place])


def since_best(history: History) -> int | None:
    """Previews without a better one."""
    found = best(history)
    return None if found is None else len(distance(history).values) - 1 - found[0]


def worsening(history: History) -> float | None:
    """How many times its best the distance is now."""
    found, now = best(history), latest(distance(history))
    return None if found is None or now is None else now / max(found[1], 1e-12)


def gain(history: History) -> float | None:
    """The smallest distance after the first preview, as a share of the distance then."""
    values = distance(history).values
    return min(values[1:]) / max(values[0], 1e-12) if len(values) >= SOME else None


def variety(history: History) -> float | None:
    """How different made images are from each other of late; real ones 1."""
    curve = history.validation.get("variety", Curve())
    return latest(curve) if len(curve.values) >= SOME else None


def rise_of_variety(history: History) -> float:
    """What it has gained since the preview before the last ones."""
    values = history.validation["variety"].values
    return median(values[-FEW:]) - values[-FEW - 1]


def nearest(history: History) -> float | None:
    """How near made images are to training images of late; held-out ones 1."""
    curve = history.validation.get("nearest", Curve())
    return latest(curve) if len(curve.values) >= FEW else None


def told_right(history: History) -> float | None:
    """How often a discriminator was right of late about real and made images, 0.5 by guessing."""
    real, made = (_average(history, name) for name in ("real_taken_for_real", "made_taken_for_real"))
    return None if real is None or made is None else (real + 1 - made) / 2


def latest(curve: Curve) -> float | None:
    """The usual value of the last previews."""
    return median(curve.values[-FEW:]) if curve.values else None


def _average(history: History, name: str) -> float | None:
    """Mean over the last stretch of the losses of that name, whatever their phase."""
    begin = history.step - max(WATCHED, STRETCH * history.step)
    found = []
    for key, curve in history.losses.items():
        if key.rpartition("/")[2] == name and begin >= 0:
            values = curve.after(begin)
            if len(values) >= POINTS:
                found.append(sum(values) / len(values))
    return sum(found) / len(found) if found else None

"""What adding simulated frames does, tested in pairs of one seed, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from napari_cellsynth.stack.numbers_in_words import counted

LEVEL = 0.05
"""p after Holm below which a difference is said: by chance alone, one study in twenty says any at all."""
FEWEST = 2
"""Seeds with which a difference can be tested."""


@dataclass(frozen=True)
class Interval:
    """A mean over seeds with the interval that holds it in 95 % of repetitions (Student's t)."""

    mean: float
    low: float
    high: float
    """As the mean where there is one seed alone."""
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Interval:
        from scipy.stats import t

        array = np.asarray(values, float)
        mean = float(array.mean())
        if len(array) < 2:
            return cls(mean, mean, mean, len(array))
        half = float(t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array)))
        return cls(mean, mean - half, mean + half, len(array))

    def within(self, least: float, most: float) -> Interval:
        """Cut off where no value can lie."""
        return replace(self, low=max(least, self.low), high=min(most, self.high))


@dataclass(frozen=True)
class Effect:
    """What learning from one kind of frames does beside learning from the same real ones alone."""

    frames: int
    before: float
    after: float
    difference: Interval
    """After less before, seed by seed; its interval is of this comparison alone, as if it were the only one."""
    p: float | None
    """Two-sided, of the paired t test over seeds; None with one seed."""
    p_corrected: float | None = None
    """After Holm, for all comparisons of the study together; None where it is not tested."""

    @classmethod
    def of(cls, frames: int, pairs: Sequence[tuple[float, float]]) -> Effect:
        """Of before and after in each seed."""
        before, after = np.mean(pairs, axis=0)
        differences = [b - a for a, b in pairs]
        return cls(frames, float(before), float(after), Interval.of(differences), paired_p(differences))

    @property
    def outcome(self) -> Literal["raises", "lowers", "not shown"]:
        """What is left after Holm; ``not shown`` does not mean that there is nothing."""
        if self.p_corrected is None or self.p_corrected >= LEVEL:
            return "not shown"
        return "raises" if self.difference.mean > 0 else "lowers"


def paired_p(differences: Sequence[float]) -> float | None:
    """Two-sided p of Student's t test that the mean difference is 0; None for fewer than two."""
    from scipy.stats import t

    array = np.asarray(differences, float)
    if len(array) < FEWEST:
        return None
    mean, error = float(array.mean()), float(array.std(ddof=1) / np.sqrt(len(array)))
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * t.sf(abs(mean) / error, len(array) - 1))


def corrected(effects: dict[str, list[Effect]]) -> dict[str, list[Effect]]:
    """With p after Holm, over every comparison that could be tested in a study, of all arms together."""
    from napari_cellsynth.quality.differences import holm

    tested = [(arm, i) for arm, of_arm in effects.items() for i, one in enumerate(of_arm) if one.p is not None]
    p = holm(np.array([effects[arm][i].p for arm, i in tested], float))
    made = {arm: list(of_arm) for arm, of_arm in effects.items()}
    for (arm, i), value in zip(tested, p.tolist(), strict=True):
        made[arm][i] = replace(made[arm][i], p_corrected=value)
    return made


def verdict(effects: Sequence[Effect], what: str, seeds: int) -> str:
    """Such as ``With 2 labelled frames, adding simulated ones raises average precision from 0.6 to 0.7; with 10 …``."""
    if not effects:
        return ""
    groups: list[list[Effect]] = []
    for effect in effects:
        if groups and groups[-1][0].outcome == effect.outcome == "not shown":
            groups[-1].append(effect)
        else:
            groups.append([effect])
    parts = [_group(group, what if n == 0 else "", seeds) for n, group in enumerate(groups)]
    return "; ".join(parts) + "."


def _group(group: Sequence[Effect], what: str, seeds: int) -> str:
    numbers = [str(effect.frames) for effect in group]
    listed = numbers[0] if len(numbers) == 1 else f"{', '.join(numbers[:-1])} and {numbers[-1]}"
    many = "labelled frame" if listed == "1" else "labelled frames"
    head = f"With {listed} {many}, adding {what}" if what else f"with {listed} it"
    if group[0].outcome == "not shown":
        spans = ", ".join(f"{effect.before:.2f} to {effect.after:.2f}" for effect in group)
        return f"{head} is not shown to change average precision ({spans}; {counted(seeds, 'seed')})"
    effect = group[0]
    return f"{head} {effect.outcome} average precision from {effect.before:.2f} to {effect.after:.2f}"

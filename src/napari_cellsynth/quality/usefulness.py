"""Is it useful?  A segmentation trained with and without simulated frames, scored on real frames it never saw.

A learning curve over the number of real frames with labels, several seeds
each.  Trainings of one seed share their real frames, so that with and
without are compared in pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import inf
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.numbers_in_words import counted

REAL, CUT_OUTS, MIXED, MADE, MADE_MIXED = "real", "cut-outs", "real + cut-outs", "made", "real + made"
ARMS = {
    REAL: "real frames, augmented as usual",
    CUT_OUTS: "simulated from cut-outs of these frames alone",
    MIXED: "real and simulated from cut-outs",
    MADE: "simulated from cells that a model makes",
    MADE_MIXED: "real and simulated from made cells",
}
"""What a network learns from, and the same in words."""
MEASURES = ("average_precision", "dice", "count_error")
WORDS = {
    "average_precision": "average precision",
    "dice": "Dice",
    "count_error": "count error",
}


BOUNDS = {"average_precision": (0.0, 1.0), "dice": (0.0, 1.0), "count_error": (0.0, inf)}


@dataclass(frozen=True)
class Trial:
    """One training and its score on held-out real frames."""

    arm: str
    """One of ``ARMS``."""
    frames: int
    """Real frames with labels that were to be had."""
    seed: int
    average_precision: float
    """TP / (TP + FP + FN) at an overlap of 0.5."""
    dice: float
    count_error: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Trial:
        try:
            numbers = {name: float(record[name]) for name in MEASURES}
            return cls(str(record["arm"]), int(record["frames"]), int(record["seed"]), **numbers)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"no trial: {error!r}") from error


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
    """What adding simulated frames does with so many real ones."""

    frames: int
    before: float
    after: float
    difference: Interval
    """After less before, seed by seed."""

    @property
    def outcome(self) -> str:
        """``raises``, ``lowers``, or ``nothing`` where the interval holds 0, or there is one seed alone."""
        if self.difference.count < 2:
            return "nothing"
        return "raises" if self.difference.low > 0 else "lowers" if self.difference.high < 0 else "nothing"


@dataclass(frozen=True, eq=False)
class Usefulness:
    """All trials, and what they say."""

    trials: tuple[Trial, ...]
    free: Mapping[str, float]
    """The measures of our outlines without training (``auto``) on the same frames; empty where nobody looked."""
    held_out: int
    """Pieces of real frames that were scored."""
    held_out_cells: int
    part: str
    """``validation`` or ``test``."""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def arms(self) -> list[str]:
        return [arm for arm in ARMS if any(one.arm == arm for one in self.trials)]

    @property
    def levels(self) -> list[int]:
        """Numbers of real frames, ascending."""
        return sorted({one.frames for one in self.trials})

    @property
    def seeds(self) -> int:
        return len({one.seed for one in self.trials})

    def values(self, arm: str, frames: int, measure: str) -> dict[int, float]:
        """By seed."""
        return {one.seed: getattr(one, measure) for one in self.trials if (one.arm, one.frames) == (arm, frames)}

    def interval(self, arm: str, frames: int, measure: str = "average_precision") -> Interval | None:
        found = list(self.values(arm, frames, measure).values())
        return Interval.of(found).within(*BOUNDS[measure]) if found else None

    def effects(self, arm: str = MIXED, measure: str = "average_precision") -> list[Effect]:
        """Of adding simulated frames, for each number of real ones, in pairs of one seed."""
        made = []
        for frames in self.levels:
            before, after = (self.values(each, frames, measure) for each in (REAL, arm))
            both = sorted(set(before) & set(after))
            if both:
                pairs = [(before[seed], after[seed]) for seed in both]
                means = np.mean(pairs, axis=0)
                difference = Interval.of([b - a for a, b in pairs])
                made.append(Effect(frames, float(means[0]), float(means[1]), difference))
        return made

    def sentence(self) -> str:
        """What to know first."""
        said = [_verdict(self.effects(arm), words, self.seeds) for arm, words in ADDED.items() if arm in self.arms]
        return " ".join(said) or "Nothing was compared yet."

    @property
    def level(self) -> str:
        """How the sentence is meant: ``good``, ``quiet`` or ``warning``."""
        outcomes = [effect.outcome for arm in ADDED for effect in self.effects(arm)]
        return "warning" if "lowers" in outcomes else "good" if "raises" in outcomes else "quiet"

    def notes(self) -> list[str]:
        """What the numbers stand on, a sentence each."""
        pieces = counted(self.held_out, "piece")
        scored = f"Scored on {pieces} of held-out real frames ({self.part} part) with {self.held_out_cells:,} cells"
        said = [f"{scored}; intervals over {counted(self.seeds, 'seed')} hold a mean in 95 % of repetitions."]
        if self.seeds < 2:
            said.append("One seed says nothing about chance: take three.")
        elif self.seeds < 5:
            said.append("So few seeds see large differences only.")
        best = max((one.average_precision for one in self.trials), default=0.0)
        if self.free and self.free.get("average_precision", 0.0) >= best:
            said.append("Outlines without training (auto) do better than any of these: use them, or train longer.")
        for effect in self.effects(CUT_OUTS):
            how = {"raises": "better", "lowers": "worse"}.get(effect.outcome)
            if how is not None:
                frames = counted(effect.frames, "labelled frame")
                said.append(
                    f"Of {frames}, simulated ones alone do {how} than the real ones alone ({effect.after:.2f} against"
                    f" {effect.before:.2f})."
                )
        return said

    def rows(self) -> list[tuple[str, int, dict[str, Interval]]]:
        """Arm, real frames, and the interval of each measure."""
        made = []
        for arm in self.arms:
            for frames in self.levels:
                found = {name: self.interval(arm, frames, name) for name in MEASURES}
                known = {name: one for name, one in found.items() if one is not None}
                if known:
                    made.append((arm, frames, known))
        return made


ADDED = {MIXED: "simulated ones (cut-outs)", MADE_MIXED: "simulated ones (made cells)"}
"""Arms in which simulated frames are added to real ones, and what is added, in words."""


def _verdict(effects: Sequence[Effect], what: str, seeds: int) -> str:
    """Such as ``With 2 labelled frames, adding simulated ones raises average precision from 0.6 to 0.7; with 10 …``."""
    if not effects:
        return ""
    groups: list[list[Effect]] = []
    for effect in effects:
        if groups and groups[-1][0].outcome == effect.outcome == "nothing":
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
    if group[0].outcome == "nothing":
        spans = ", ".join(f"{effect.before:.2f} to {effect.after:.2f}" for effect in group)
        shown = f"{counted(seeds, 'seed')} show" if seeds != 1 else "one seed can show"
        return f"{head} changes nothing that {shown} (average precision {spans})"
    effect = group[0]
    return f"{head} {effect.outcome} average precision from {effect.before:.2f} to {effect.after:.2f}"

"""Is it useful?  A segmentation trained with and without simulated frames, scored on real frames it never saw.

A learning curve over the number of real frames with labels, several seeds
each.  Trainings of one seed share their real frames, so that with and
without are compared in pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from math import inf
from typing import Any

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.usefulness_effects import FEWEST, Effect, Interval, corrected, verdict
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
    filmed: bool = True
    """Whether it is known how the frames were filmed; otherwise nothing was mirrored or turned."""
    of_the_run: tuple[str, ...] = ()
    """What is to be said of the run whose cells are shown, such as that it has seen held-out frames."""
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

    def effects(self, arm: str = MIXED) -> list[Effect]:
        """On average precision, for each number of real frames, in pairs of one seed.

        Of adding simulated frames (``ADDED``) the outcomes are tested, all of
        the study together; of simulated ones alone they are only described.
        """
        return self._tested[arm] if arm in ADDED else self._described(arm)

    @cached_property
    def _tested(self) -> dict[str, list[Effect]]:
        return corrected({arm: self._described(arm) for arm in ADDED})

    def _described(self, arm: str) -> list[Effect]:
        made = []
        for frames in self.levels:
            before, after = (self.values(each, frames, "average_precision") for each in (REAL, arm))
            if both := sorted(set(before) & set(after)):
                made.append(Effect.of(frames, [(before[seed], after[seed]) for seed in both]))
        return made

    def sentence(self) -> str:
        """What to know first."""
        said = [verdict(self.effects(arm), words, self.seeds) for arm, words in ADDED.items() if arm in self.arms]
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
        said += [*self._on_chance(), *self.of_the_run]
        if not self.filmed:
            said.append(
                "How the frames were filmed was not said: nothing was mirrored or turned, and auto guessed; both may do"
                " better where it is."
            )
        best = max((one.average_precision for one in self.trials), default=0.0)
        if self.free and self.free.get("average_precision", 0.0) >= best:
            said.append("Outlines without training (auto) do better than any of these: use them, or train longer.")
        return said + [self._alone(arm, what) for arm, what in ALONE.items() if self.effects(arm)]

    def _on_chance(self) -> list[str]:
        """How the verdict was reached, and what so few seeds cannot see."""
        if self.seeds < FEWEST:
            return ["One seed says nothing about chance: take three."]
        count = sum(effect.p is not None for arm in ADDED for effect in self.effects(arm))
        if not count:
            return []
        how = "Tested in pairs by Student's t over the seeds"
        how += f", after Holm for the {count} comparisons of the study." if count > 1 else "."
        few = ": so few seeds see large differences only" if self.seeds < 5 else ""
        return [how, f"Not shown does not mean that there is no difference{few}."]

    def _alone(self, arm: str, what: str) -> str:
        """Simulated frames without the real ones: numbers, no verdict."""
        each = [
            f"{effect.after:.2f} against {effect.before:.2f} of {counted(effect.frames, 'real frame')}"
            for effect in self.effects(arm)
        ]
        return f"{what} alone, which is described and not tested: average precision {', '.join(each)}."

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
"""Arms in which simulated frames are added to real ones, and what is added, in words: the question that is asked."""
ALONE = {CUT_OUTS: "Simulated ones (cut-outs)", MADE: "Simulated ones (made cells)"}
"""Arms without real frames, in words."""

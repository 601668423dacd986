"""What came of pairing: how many pairs of how many fields, how far they are shifted, and what was left out and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from napari_cellsynth.stack.split import SPLITS
from napari_cellsynth.stack.training_sets.base import PART_WORDS

BRIGHTER = 1.1
"""Times the mean of the high exposures above which the low ones are suspiciously bright."""


@dataclass(frozen=True)
class PairReport:
    """Numbers of a finished training set of pairs; ``text()`` says them in words."""

    made: int
    """Tiles, or whole frames."""
    frames: int
    """Low exposures that gave them."""
    highs: int
    """Different high exposures among them."""
    fields: int
    """Different fields of view."""
    sessions: int
    """Different sessions, as far as they are known; 0 where nobody said."""
    per_split: dict[str, int]
    fields_per_split: dict[str, int]
    left_out: dict[str, int]
    """Pairs of exposures that were not taken, by reason."""
    size: tuple[int, int]
    """Height and width of a tile."""
    whole_frames: bool
    shift: tuple[float, float] | None
    """Median and largest shift in pixels between low and high, where it could be measured."""
    aligned: int
    """Pairs moved by whole pixels."""
    not_measured: int
    """Pairs with too little in common to say how they are shifted."""
    low_mean: float
    """Mean intensities of the exposures, and pixel noise over contrast."""
    high_mean: float
    low_grain: float
    high_grain: float
    by_time: bool
    """Whether parts are held apart by time within one field."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> PairReport:
        known = {f.name: record[f.name] for f in fields(cls)}
        return cls(**(known | {key: known[key] and tuple(known[key]) for key in ("size", "shift")}))

    def text(self) -> str:
        """A few lines in plain words."""
        what = "whole frames" if self.whole_frames else f"tiles of {self.size[0]} px"
        highs = f" ({self.highs} different high ones)" if self.highs < self.frames else ""
        of = f"{self.fields} field{'s' if self.fields != 1 else ''}"
        sessions = f" of {self.sessions} session{'s' if self.sessions != 1 else ''}" if self.sessions else ""
        parts = [
            f"{self.per_split[part]} for {PART_WORDS[part]} ({self.fields_per_split[part]} "
            f"field{'s' if self.fields_per_split[part] != 1 else ''})"
            for part in SPLITS
            if self.per_split[part]
        ]
        lines = [
            f"{self.made} pairs, {what}, from {self.frames} low exposures{highs} of {of}{sessions}.",
            ", ".join(parts) + ".",
            self._shift(),
        ]
        if self.left_out:
            lines.append("Left out: " + ", ".join(f"{n} {reason}" for reason, n in self.left_out.items()) + ".")
        return "\n".join(lines + self.notes())

    def notes(self) -> list[str]:
        """What to know before trusting a model trained on this, a sentence each."""
        notes = []
        if not any(self.per_split[part] for part in SPLITS[1:]):
            notes.append("Nothing is held out: no number about a model trained on this can be trusted.")
        if self.by_time and any(self.per_split[part] for part in SPLITS[1:]):
            notes.append(
                "Held-out pairs show other moments of the fields that are trained on, not other fields; "
                "whole positions or sessions held out would."
            )
        brighter = self.low_mean > BRIGHTER * self.high_mean
        if brighter and self.low_grain >= self.high_grain:
            notes.append(
                f"The low exposures are the brighter ones on average ({self.low_mean:.4g} against "
                f"{self.high_mean:.4g}), though noisier: check that low and high are not swapped."
            )
        if self.low_grain < self.high_grain:
            looks = "brighter and cleaner" if brighter else "cleaner"
            notes.append(
                f"The low exposures look {looks} than the high ones (noise over contrast {self.low_grain:.2f} against "
                f"{self.high_grain:.2f}): are low and high swapped?"
            )
        return notes

    def _shift(self) -> str:
        if self.shift is None:
            return "How low and high are shifted could not be measured: they have too little in common."
        blind = f", {self.not_measured} could not be measured" if self.not_measured else ""
        moved = f"; {self.aligned} moved by whole pixels" if self.aligned else ""
        return f"Shift between low and high: median {self.shift[0]:.2f} px, at most {self.shift[1]:.2f}{blind}{moved}."

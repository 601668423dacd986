"""What came of pairing: how many pairs of how many fields, how far they are shifted, and what was left out and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.split import SPLITS
from napari_cellsynth.stack.training_sets.base import PART_WORDS

BRIGHTER = 1.1
"""Times the mean of the high exposures above which the low ones are suspiciously bright."""
CLEANER = 0.9
"""Times the noise over contrast of the high exposures below which the low ones look cleaner: exposures that are alike
differ by less from pair to pair."""


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
        one = self.made == 1
        what = "whole frame" if one else "whole frames"
        if not self.whole_frames:
            what = f"{'tile' if one else 'tiles'} of {self.size[0]} px"
        highs = f" ({counted(self.highs, 'different high one')})" if self.highs < self.frames else ""
        sessions = f" of {counted(self.sessions, 'session')}" if self.sessions else ""
        parts = [
            f"{self.per_split[part]} for {PART_WORDS[part]} ({counted(self.fields_per_split[part], 'field')})"
            for part in SPLITS
            if self.per_split[part]
        ]
        of = f"{counted(self.fields, 'field')}{sessions}"
        lines = [
            f"{counted(self.made, 'pair')}, {what}, from {counted(self.frames, 'low exposure')}{highs} of {of}.",
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
            why = " (one field cannot be held out from itself)" if self.fields == 1 else ""
            notes.append(f"Nothing is held out{why}: no number about a model trained on this can be trusted.")
        if self.by_time and any(self.per_split[part] for part in SPLITS[1:]):
            notes.append(
                "Held-out pairs show other moments of the fields that are trained on, not other fields; "
                "whole positions or sessions held out would."
            )
        brighter = self.low_mean > BRIGHTER * self.high_mean
        grains = f"{self.low_grain:.2f}", f"{self.high_grain:.2f}"
        cleaner = self.low_grain < CLEANER * self.high_grain and grains[0] != grains[1]
        if brighter and not cleaner:
            notes.append(
                f"The low exposures are the brighter ones on average ({self.low_mean:.4g} against "
                f"{self.high_mean:.4g}), though not cleaner: check that low and high are not swapped."
            )
        if cleaner:
            looks = "brighter and cleaner" if brighter else "cleaner"
            notes.append(
                f"The low exposures look {looks} than the high ones (noise over contrast {grains[0]} against "
                f"{grains[1]}): are low and high swapped?"
            )
        return notes

    def _shift(self) -> str:
        if self.shift is None:
            return "How low and high are shifted could not be measured: they have too little in common."
        blind = f", {self.not_measured} could not be measured" if self.not_measured else ""
        moved = f"; {self.aligned} moved by whole pixels" if self.aligned else ""
        return f"Shift between low and high: median {self.shift[0]:.2f} px, at most {self.shift[1]:.2f}{blind}{moved}."

"""What came of cutting out traps, in numbers and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from napari_cellsynth.stack.split import SPLITS
from napari_cellsynth.stack.training_sets.base import PART_WORDS

FEW_TRAPS = 30
"""Below so many traps a model learns these, not the kind."""


@dataclass(frozen=True)
class TrapReport:
    """Numbers of a finished training set; ``text()`` says them in words."""

    traps: dict[str, int]
    """Traps per part."""
    sequences: dict[str, int]
    """Sequences per part: a trap's planes of z, and stretches of frames, are sequences of their own."""
    frames: dict[str, int]
    """Frames per part."""
    refused: dict[str, int]
    """Traps that were not taken, by reason."""
    short: int
    """Sequences left away because they have too few frames."""
    planes: int
    """Planes of z of each trap; the most of all recordings."""
    by: str
    """How the parts were decided: ``traps``, or as the recordings say."""
    washed: str
    """``keep`` or ``reject``."""
    size: int
    """Pixels along a side of a crop."""
    crop: str
    """What was cut out and what became of it, in words."""
    drift: tuple[str, ...]
    """What was seen of the stage, a sentence for each recording."""
    labels: bool
    """Whether the outlines of cells were cut out, too."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> TrapReport:
        known = {field.name: record[field.name] for field in fields(cls)}
        return cls(**(known | {"drift": tuple(known["drift"])}))

    @property
    def made(self) -> int:
        """Sequences."""
        return sum(self.sequences.values())

    @property
    def all_traps(self) -> int:
        return sum(self.traps.values())

    def text(self) -> str:
        """A few lines in plain words."""
        randomness = "with cells washed in and out" if self.washed == "keep" else "without cells washed in or out"
        planes = f", in {self.planes} planes each" if self.planes > 1 else ""
        sequences, frames = sum(self.sequences.values()), sum(self.frames.values())
        lines = [
            f"{self.all_traps} traps{planes}: {sequences} sequences, {frames} frames, {randomness}.",
            f"Crops of {self.crop}, held fixed over time{', with outlines' if self.labels else ''}.",
            self._parts(),
            *self.drift,
        ]
        if self.refused:
            lines.append("Not taken: " + ", ".join(f"{n} {reason}" for reason, n in self.refused.items()) + ".")
        if self.short:
            lines.append(f"{self.short} sequences were left away because they have too few frames.")
        return "\n".join(lines + self.notes())

    def notes(self) -> list[str]:
        """What to know before trusting a model trained on this, a sentence each."""
        notes = []
        if not any(self.frames[part] for part in SPLITS[1:]):
            notes.append("Nothing is held out: no number about a model trained on this can be trusted.")
        elif self.by == "traps":
            notes.append(
                "Whole traps are held out, all their planes with them: other cells, but of the same chip, day and"
                " light. Whole recordings held out would show more."
            )
        if self.all_traps < FEW_TRAPS:
            notes.append(f"{self.all_traps} traps are enough for a look, not for a result.")
        return notes

    def _parts(self) -> str:
        said = [
            f"{self.sequences[part]} sequences ({self.frames[part]} frames of {self.traps[part]} traps) for"
            f" {PART_WORDS[part]}"
            for part in SPLITS
            if self.sequences[part]
        ]
        return ", ".join(said) + "."

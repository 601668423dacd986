"""What came of cutting out traps, in numbers and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from napari_cellsynth.stack.enough import not_measured
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.split import SPLITS
from napari_cellsynth.stack.training_sets.base import PART_WORDS


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
        planes = f", in {self.planes} planes{' each' if self.all_traps != 1 else ''}" if self.planes > 1 else ""
        sequences, frames = counted(self.made, "sequence"), counted(sum(self.frames.values()), "frame")
        lines = [
            f"{counted(self.all_traps, 'trap')}{planes}: {sequences}, {frames}, {randomness}.",
            f"Crops of {self.crop}, held fixed over time{', with outlines' if self.labels else ''}.",
            self._parts(),
            *self.drift,
        ]
        if self.refused:
            lines.append("Not taken: " + ", ".join(f"{n} {reason}" for reason, n in self.refused.items()) + ".")
        if self.short:
            one = self.short == 1
            were, have = ("was", "it has") if one else ("were", "they have")
            lines.append(f"{counted(self.short, 'sequence')} {were} left away because {have} too few frames.")
        return "\n".join([*lines, *self.notes(), self._enough()])

    def _enough(self) -> str:
        traps, sequences = self.traps["train"], counted(self.sequences["train"], "sequence")
        return not_measured("traps", traps, f"training {'trap' if traps == 1 else 'traps'} ({sequences})").words

    def notes(self) -> list[str]:
        """What to know before trusting a model trained on this, a sentence each."""
        notes = []
        if not any(self.frames[part] for part in SPLITS[1:]):
            notes.append("Nothing is held out: no number about a model trained on this can be trusted.")
        elif self.by == "traps":
            notes.append(
                "Whole traps are held out, all their planes with them: other cells, but of the same chip, day and"
                " light. Hold out whole recordings to see more."
            )
        return notes

    def _parts(self) -> str:
        said = [
            f"{counted(self.sequences[part], 'sequence')} ({counted(self.frames[part], 'frame')} of"
            f" {counted(self.traps[part], 'trap')}) for {PART_WORDS[part]}"
            for part in SPLITS
            if self.sequences[part]
        ]
        return ", ".join(said) + "."

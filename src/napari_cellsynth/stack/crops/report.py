"""What came of cutting: how many crops, of how many cells, and why others were refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from napari_cellsynth.stack.crops.plan import CropPlan
from napari_cellsynth.stack.crops.scan import Outline
from napari_cellsynth.stack.split import SPLITS
from napari_cellsynth.stack.training_sets.base import PART_WORDS

FEW_CELLS = 128
"""Below so many different cells a model learns these cells, not the kind: measured, and held by a test to what
:mod:`napari_cellsynth.stack.enough` says."""


@dataclass(frozen=True)
class CropReport:
    """Numbers of a finished training set; ``text()`` says them in words."""

    made: int
    """Crops."""
    refused: dict[str, int]
    """Outlines that gave no crop, by reason, the most frequent first."""
    cells: int
    """Different cells that the crops show."""
    cells_exact: bool
    """Whether labels keep their number over time; else cells were linked by overlap and the count is an estimate."""
    per_split: dict[str, int]
    """Crops per part."""
    cells_per_split: dict[str, int]
    """Different cells per part."""
    seen_in_training: dict[str, int]
    """Cells of a held-out part that training also sees, earlier."""
    size: int
    """Pixels along a side of a crop."""
    box_um: tuple[float, float] | None
    """Height and width of the box in micrometres."""
    box_px: tuple[tuple[float, float], ...]
    """The same in pixels, per recording."""
    pixel_size: tuple[float, float] | None
    """Height and width of a crop's pixel in micrometres."""
    frames_per_split: dict[str, int]
    """Frames per part, all recordings together."""
    recordings: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> CropReport:
        known = {f.name: record[f.name] for f in fields(cls)}
        pairs = {key: tuple(known[key]) if known[key] else None for key in ("box_um", "pixel_size")}
        return cls(**(known | pairs | {"box_px": tuple(tuple(box) for box in known["box_px"])}))

    @property
    def outlines(self) -> int:
        return self.made + sum(self.refused.values())

    def text(self) -> str:
        """A few lines in plain words."""
        about = "" if self.cells_exact else "about "
        lines = [
            f"{self.made} crops of {about}{self.cells} different cells, from {self.outlines} outlines.",
            f"Box {box_text(self.box_um, self.box_px, self.size)}{self._pixel()}.",
            self._parts(),
        ]
        if self.refused:
            lines.append("Refused: " + ", ".join(f"{n} {reason}" for reason, n in self.refused.items()) + ".")
        lines += self.notes()
        return "\n".join(lines)

    def notes(self) -> list[str]:
        """What to know before trusting a model trained on this, a sentence each."""
        notes = []
        held_out = {part: self.cells_per_split[part] for part in SPLITS[1:] if self.per_split[part]}
        if not held_out:
            notes.append("Nothing is held out: no number about a model trained on this can be trusted.")
        seen = [
            f"{self.seen_in_training[p]} of {n} {PART_WORDS[p]} cells"
            for p, n in held_out.items()
            if self.seen_in_training[p]
        ]
        if seen:
            notes.append(
                f"{' and '.join(seen)} are also in training, at an earlier time: held-out crops show other moments, "
                f"not other cells. Hold out whole recordings to see other cells."
            )
        if self.cells < FEW_CELLS:
            notes.append(f"{self.cells} different cells are enough for a look, not for a result.")
        zoom = self.size / max(max(box) for box in self.box_px)
        if zoom > 1.2:
            notes.append(f"Crops are enlarged {zoom:.1f} times: a smaller size would hold the same detail.")
        return notes

    def _pixel(self) -> str:
        return "" if self.pixel_size is None else f", a pixel is {max(self.pixel_size):.3g} µm"

    def _parts(self) -> str:
        parts = [
            f"{self.per_split[part]} for {PART_WORDS[part]} ({self.frames_per_split[part]} "
            f"frame{'s' if self.frames_per_split[part] != 1 else ''})"
            for part in SPLITS
            if self.frames_per_split[part]
        ]
        return ", ".join(parts) + "."


def box_text(
    box_um: tuple[float, float] | None, box_px: Sequence[tuple[float, float]], size: int, *, short: bool = False
) -> str:
    """The box in words, such as ``26 µm → 64 px``."""
    side = f"{max(box_px[0]):.4g} px" if box_um is None else f"{max(box_um):.4g} µm"
    exact = "" if short or set(box_px) != {(size, size)} else " (pixels as recorded)"
    return f"{side} → {size} px{exact}"


def report_of(
    plan: CropPlan,
    found: Sequence[Outline],
    cells: Mapping[tuple[int, int, int, int], int],
    refused: Mapping[tuple[int, int, int, int], str],
    exact: Sequence[bool],
) -> CropReport:
    """Count what was made and refused."""
    made = [o for o in found if o.key not in refused]
    part_of = {o.key: plan.sources[o.source].split[o.t] for o in made}
    cells_of = {part: {cells[o.key] for o in made if part_of[o.key] == part} for part in SPLITS}
    frames = Counter(part for source in plan.sources for part in source.split.values())
    return CropReport(
        made=len(made),
        refused=dict(Counter(refused.values()).most_common()),
        cells=len(set().union(*cells_of.values())),
        cells_exact=all(exact),
        per_split={part: sum(p == part for p in part_of.values()) for part in SPLITS},
        cells_per_split={part: len(cells_of[part]) for part in SPLITS},
        seen_in_training={part: len(cells_of[part] & cells_of["train"]) for part in SPLITS[1:]},
        size=plan.settings.size,
        box_um=plan.box_um,
        box_px=tuple(source.box for source in plan.sources),
        pixel_size=plan.pixel_size,
        frames_per_split={part: frames[part] for part in SPLITS},
        recordings=len(plan.sources),
    )

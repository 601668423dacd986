"""What came of cutting clips: how many, of how many places that share nothing, and which were left out and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any

from napari_cellsynth.stack.clips.content import APART, WINDOW, Threshold
from napari_cellsynth.stack.clips.places import apart
from napari_cellsynth.stack.clips.plan import Clip, ClipPlan, Source
from napari_cellsynth.stack.numbers_in_words import counted, ordinal
from napari_cellsynth.stack.quantity import format_duration, format_length
from napari_cellsynth.stack.split import SPLITS
from napari_cellsynth.stack.training_sets.base import PART_WORDS

SHOWN = 3
"""Recordings whose threshold is said in words; all are in dataset.json."""
MUCH = 0.2
"""Share of the clips in one held-out part from which it is said that a clip is the least it can hold."""


@dataclass(frozen=True)
class ClipReport:
    """Numbers of a finished training set of clips; ``text()`` says them in words."""

    made: int
    """Clips."""
    per_split: dict[str, int]
    left_out: dict[str, int]
    """Clips that were possible and not made, by reason."""
    recordings: int
    places: int
    """Places that share no pixel, all recordings together; planes and channels of a recording are one place."""
    independent: int
    """Clips that share no pixel of any frame, at most."""
    frames: int
    """Frames in a clip that training can use."""
    read: int
    """Frames of a clip that training reads."""
    for_flow: bool
    every: int
    size: int
    box_px: tuple[tuple[float, float], ...]
    """Height and width in pixels of each recording."""
    box_um: float | None
    overlap: float
    interval: float | None
    """Seconds between frames of a clip."""
    unfit: int
    """Frames of all recordings that no clip may hold."""
    cuts: int
    """Places in time that no clip crosses."""
    gap: int | None
    """Fewest frames between two parts of one recording; None where no recording holds two parts."""
    span: int
    """Frames of the recording that a clip reaches over."""
    thresholds: dict[str, dict[str, float]]
    """For each recording without outlines, what parted background from content."""
    by_outlines: int
    """Recordings in which outlines said what is content."""
    min_content: float
    labels: bool = False
    """Whether labels are stored with the clips: they are where all recordings have outlines."""
    stretched: tuple[str, ...] = ()
    """Parts held out by time that are larger than their share because they hold a whole clip."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> ClipReport:
        known = {f.name: record[f.name] for f in fields(cls) if f.name in record}
        known["stretched"] = tuple(known.get("stretched", ()))
        return cls(**(known | {"box_px": tuple((float(a), float(b)) for a, b in known["box_px"])}))

    def text(self) -> str:
        """A few lines in plain words."""
        places = self.places_text()
        parts = [f"{self.per_split[part]} for {PART_WORDS[part]}" for part in SPLITS if self.per_split[part]]
        lines = [
            f"{counted(self.made, 'clip')} of {places}; {self.independent} of them share nothing at all.",
            self._shape(),
            ", ".join(parts) + ".",
            *(["Labels are stored with the clips: a segmentation can learn from them."] if self.labels else []),
        ]
        for name, found in list(self.thresholds.items())[:SHOWN]:
            if found["ratio"] >= APART and self.min_content:
                lines.append(
                    f"{name}: a pixel shows something where the {WINDOW} x {WINDOW} pixels around it vary by more than "
                    f"{found['value']:.3g} (background {found['background']:.3g})."
                )
        if self.left_out:
            lines.append("Left out: " + ", ".join(f"{n} {reason}" for reason, n in self.left_out.items()) + ".")
        return "\n".join(lines + self.notes())

    def notes(self) -> list[str]:
        """What to know before trusting a model trained on this, a sentence each."""
        notes = []
        if self.by_outlines and not self.labels and self.by_outlines < len(self.box_px):
            notes.append(
                f"Only {self.by_outlines} of {len(self.box_px)} recordings have outlines, so no labels are stored with"
                " the clips."
            )
        if not any(self.per_split[part] for part in SPLITS[1:]):
            notes.append("Nothing is held out: no number about a model trained on this can be trusted.")
        if self.gap is not None and self.gap < self.span:
            notes.append(
                f"Only {counted(self.gap, 'frame')} {'lies' if self.gap == 1 else 'lie'} between training and held-out "
                f"frames of one recording, less than the {self.span} of a clip: they show nearly the same. Leave a "
                f"larger gap."
            )
        if self.stretched:
            notes.append(self._stretched())
        if self.unfit or self.cuts:
            notes.append(self._avoided())
        blind = [name for name, found in self.thresholds.items() if found["ratio"] < APART]
        if blind and self.min_content:
            notes.append(
                f"Background could not be told from content in {', '.join(blind)} (local variation has one heap, "
                f"not two): no clip of it counts as empty."
            )
        return notes

    def places_text(self) -> str:
        """Such as ``4 places that share no pixel, in 1 recording``."""
        share = "that share no pixel, " if self.places != 1 else ""
        return f"{counted(self.places, 'place')} {share}in {counted(self.recordings, 'recording')}"

    def _stretched(self) -> str:
        parts = " and ".join(f"{self.per_split[part] / self.made:.0%} for {part}" for part in self.stretched)
        return (
            f"{parts} of the clips: each part holds at least one clip of {counted(self.span, 'frame')}. "
            f"Shorter clips, or whole recordings held out, leave more for training."
        )

    def _avoided(self) -> str:
        frames = "the unfit frame" if self.unfit == 1 else f"any of {self.unfit} unfit frames"
        cuts = "the jump or hole in time" if self.cuts == 1 else f"any of {self.cuts} jumps or holes in time"
        said = [f"holds {frames}" if self.unfit else "", f"crosses {cuts}" if self.cuts else ""]
        return f"No clip {' or '.join(words for words in said if words)}."

    def _shape(self) -> str:
        time = "" if self.interval is None else f" ({format_duration(self.interval * (self.frames - 1))})"
        every = "" if self.every == 1 else f", every {ordinal(self.every)}"
        read = "" if self.read == self.frames else f", of which training reads the first {self.read}"
        flow = ", and one more for the flow" if self.for_flow else ""
        height, width = self.box_px[0]
        side = f"{max(height, width):.4g} px" if self.box_um is None else format_length(self.box_um)
        box = f"{side} → {self.size} px" if (height, width) != (self.size, self.size) else f"{self.size} px"
        frames = f"{counted(self.frames, 'frame')}{time}{every}{read}{flow}"
        return f"Each {frames}; {box}, {self.overlap:.0%} shared with the next."


def report_of(
    plan: ClipPlan, kept: Sequence[Clip], left_out: Mapping[str, int], thresholds: Mapping[int, Threshold]
) -> ClipReport:
    """Count what was made and left out."""
    settings = plan.settings
    return ClipReport(
        made=len(kept),
        per_split={part: sum(clip.split == part for clip in kept) for part in SPLITS},
        left_out=dict(left_out),
        recordings=len({field_of(plan, clip.source) for clip in kept}),
        places=sum(_apart(plan, kept, in_time=False).values()),
        independent=sum(_apart(plan, kept, in_time=True).values()),
        frames=settings.frames,
        read=settings.read or settings.frames,
        for_flow=settings.for_flow,
        every=settings.every,
        size=settings.size,
        box_px=tuple(source.box for source in plan.sources),
        box_um=settings.box_um,
        overlap=settings.overlap,
        interval=plan.frame_interval,
        unfit=sum(len(source.first.unfit) for source in plan.sources),
        cuts=sum(len(source.first.cuts) for source in plan.sources),
        gap=min((gap for source in plan.sources if (gap := _gap(source.first.split.parts)) is not None), default=None),
        span=settings.span,
        thresholds={
            plan.sources[n].first.name: {
                "value": found.value,
                "background": found.background,
                "ratio": round(found.ratio, 3),
            }
            for n, found in thresholds.items()
        },
        by_outlines=sum(source.first.labels is not None for source in plan.sources),
        min_content=settings.min_content,
        labels=all(source.first.labels is not None for source in plan.sources),
        stretched=tuple(part for part in SPLITS[1:] if _is_stretched(plan, kept, part)),
    )


def _is_stretched(plan: ClipPlan, kept: Sequence[Clip], part: str) -> bool:
    """Whether blocks of time as short as a clip are far more than the usual share of what was made."""
    blocks = [frames for source in plan.sources if _by_time(source) and (frames := _frames(source, part))]
    share = sum(clip.split == part for clip in kept) / max(1, len(kept))
    return bool(blocks) and min(blocks) == plan.settings.span and share > MUCH


def _by_time(source: Source) -> bool:
    row = source.first.row
    return source.first.split.by == "time" or (row is not None and row.split == "time")


def _frames(source: Source, part: str) -> int:
    return sum(one == part for one in source.first.split.parts.values())


def field_of(plan: ClipPlan, source: int) -> tuple[str, ...]:
    """The same for sources that show the same field: channels, planes and ranges of frames of one position."""
    one = plan.sources[source].first
    scene = one.row.scene if one.row is not None and one.row.scene is not None else 0
    return str(one.stack.path or one.name), str(scene), one.position or "", one.session or ""


def _apart(plan: ClipPlan, kept: Sequence[Clip], *, in_time: bool) -> dict[tuple[str, ...], int]:
    """Clips of each field that share no pixel, of any frame where ``in_time``."""
    places: dict[tuple[str, ...], set[tuple[float, ...]]] = {}
    sides: dict[tuple[str, ...], tuple[float, ...]] = {}
    for clip in kept:
        one = plan.sources[clip.source]
        y, x = one.first.file_place(clip.y0, clip.x0)
        key = field_of(plan, clip.source)
        places.setdefault(key, set()).add((one.first.file_frame(clip.t0), y, x) if in_time else (y, x))
        sides[key] = (plan.settings.span, *one.box) if in_time else one.box
    return {key: apart(list(found), sides[key]) for key, found in places.items()}


def _gap(parts: Mapping[int, str]) -> int | None:
    """Fewest frames between two frames of different parts; None where all are of one."""
    frames = sorted(parts)
    between = [b - a - 1 for a, b in pairwise(frames) if parts[a] != parts[b]]
    return min(between, default=None)

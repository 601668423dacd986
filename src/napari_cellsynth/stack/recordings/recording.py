"""A recording of a study: its pixels as selected, its outlines, and which of its frames are for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.hashing import content_hash, frame_hashes
from napari_cellsynth.stack.modality import Modality
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.row import Projection, Row
from napari_cellsynth.stack.recordings.select import Selection, check_outlines, frames_text, select, selection_of
from napari_cellsynth.stack.split import SPLITS, FrameSplit, Split, by_time, shares, whole
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.usable import check_usable


@dataclass(frozen=True)
class Asked:
    """How a recording was asked for, so that it can be asked for again."""

    hold_out: HoldOut
    by_table: bool
    """Whether the split is what ``hold_out`` makes of the rows of a table; else it was made without one."""
    looked: bool = False
    """Whether it was looked through for what is unfit."""
    steadied: bool = False
    """Whether the stage's motion was then taken out."""

    def to_json(self) -> dict[str, Any]:
        """JSON-safe."""
        said = {"by_table": self.by_table, "looked": self.looked, "steadied": self.steadied}
        return {"hold_out": self.hold_out.model_dump(mode="json"), **said}


@dataclass(frozen=True, eq=False)
class Recording:
    """What every kind of training set is made from.

    Frames, planes and pixels are counted in ``stack``; ``selection`` says
    which ones of the file they are.
    """

    stack: Stack
    """Channel, z, frames and region already taken, lazily: axes TYX, or TZYX where there are several planes."""
    labels: Stack | None
    """Outlines of the same frames and region; None where there are none."""
    split: FrameSplit
    """Part of each frame of ``stack``."""
    selection: Selection = field(default_factory=Selection)
    row: Row | None = None
    """What the table says of it."""
    cuts: frozenset[int] = frozenset()
    """Frames t that do not follow t - 1: at holes of the selection, and at jumps of the stage."""
    unfit: frozenset[int] = frozenset()
    """Frames that no clip may hold: dark, unreadable."""
    asked: Asked | None = None
    """None for one that was put together by hand."""

    @property
    def name(self) -> str:
        return (self.row and self.row.name) or self.stack.name

    @property
    def modality(self) -> Modality | None:
        return None if self.row is None else self.row.modality

    @property
    def condition(self) -> str | None:
        return None if self.row is None else self.row.condition

    @property
    def session(self) -> str | None:
        return None if self.row is None else self.row.session

    @property
    def position(self) -> str | None:
        return None if self.row is None else self.row.position

    @property
    def frames(self) -> int:
        return self.stack.size("T")

    def file_frame(self, t: int) -> int:
        """Number in the file of frame t of ``stack``."""
        return self.selection.frames[t] if self.selection.frames else t

    def file_place(self, y: float, x: float) -> tuple[float, float]:
        """Place in the file's pixels of a place in ``stack``."""
        return y + self.selection.origin[0], x + self.selection.origin[1]

    def with_found(self, *, cuts: frozenset[int] = frozenset(), unfit: frozenset[int] = frozenset()) -> Recording:
        """With frames that were found unfit, and cuts between frames, beside those known before."""
        return replace(self, cuts=self.cuts | cuts, unfit=self.unfit | unfit)

    def describe(self, *, hashes: bool = True) -> dict[str, Any]:
        """What dataset.json keeps of a recording: where it lies, what of it was taken, what is known about it.

        With ``hashes`` planes are read, up to 64 of its outlines and twice as many of the recording.
        """
        stack, labels, row = self.stack, self.labels, self.row
        told = ("session", "position", "condition", "modality", "fraction", "role", "scene")
        return {
            "name": self.name,
            "path": None if stack.path is None else str(stack.path),
            "hash": content_hash(stack) if hashes else None,
            "axes": stack.axes,
            "shape": list(stack.shape),
            "pixel_size": stack.pixel_size,
            "frame_interval": stack.frame_interval,
            "selection": self.selection.to_json(),
            "split": self.describe_split(),
            "frames_seen": self._frames_seen() if hashes else {},
            "labels": None if labels is None else {
                "name": labels.name,
                "path": None if labels.path is None else str(labels.path),
                "hash": content_hash(labels) if hashes else None,
            },
            **{key: None if row is None else getattr(row, key) for key in told},
            "row": None if row is None else row.model_dump(mode="json", exclude_none=True, exclude={"others"}),
            "asked": None if self.asked is None else self.asked.to_json(),
        }  # fmt: skip

    def _frames_seen(self) -> dict[str, list[str]]:
        """Fingerprints of frames in each part, by which a copy of the recording is known."""
        parts = self.split.parts
        seen = frame_hashes(self.stack, [self.file_frame(t) for t in range(self.frames)])
        return {part: [code for t, code in seen.items() if parts.get(t) == part] for part in SPLITS}

    def describe_split(self) -> dict[str, Any]:
        """How the parts were decided, and the frames of ``stack`` in each as ranges."""
        parts: dict[str, str] = {
            part: frames_text(self.split.frames(part)) for part in SPLITS if self.split.frames(part)
        }
        return {"by": self.split.by, **parts, "gap": frames_text(tuple(sorted(self.split.gap)))}


def check_copies(described: Sequence[Mapping[str, Any]]) -> None:
    """BadInput where two recordings, as ``describe`` says them, share frames that are for different parts.

    A copy under another name, or with other frames taken, would be its own
    test.  Known by sampled frames of the same numbers: a copy from which the
    beginning was cut off is not found.
    """
    seen: dict[str, tuple[str, int]] = {}
    for number, source in enumerate(described):
        for part, codes in source["frames_seen"].items():
            for code in codes:
                other_part, other = seen.setdefault(code, (part, number))
                if other != number and other_part != part:
                    raise BadInput(
                        f"{described[other]['name']} and {source['name']} hold the same pixels, but are used for"
                        f" {' and '.join(sorted({other_part, part}))}; leave one of them out"
                    )


Pair = tuple[Stack, Stack | None]


def recordings_of(
    given: Sequence[Recording | Pair | Stack],
    settings: HoldOut | None = None,
    *,
    roles: Sequence[Split] | None = None,
    channel: int | str | None = None,
    z: int | Projection | None = None,
    modality: Modality | None = None,
) -> list[Recording]:
    """Recordings without a table: of stacks, or pairs of a stack and its outlines.

    ``channel`` and ``z`` (None: 0, all) are taken of each.  Whole recordings
    are held out (the last ones, or as ``roles`` says) where there are enough
    or ``settings.by`` asks for it, else the last frames of each; nothing is
    known of positions and sessions.  What is a Recording already stays as it
    is.  BadInput where the settings cannot be met.
    """
    if not given:
        raise BadInput("no recording given; expected at least one")
    done = [one for one in given if isinstance(one, Recording)]
    if done and len(done) < len(given):
        raise BadInput("some recordings come from a table and some do not; put all of them into the table")
    if done:
        return done
    pairs: list[Pair] = [(one, None) if isinstance(one, Stack) else one for one in given]  # type: ignore[misc]
    row = Row.model_validate({"file": "-", "channel": channel, "z": z, "modality": modality})
    selections = [selection_of(stack, row) for stack, _ in pairs]
    for stack, labels in pairs:
        check_usable(stack)
        if labels is not None:
            check_outlines(labels, stack)
    splits = _splits([stack for stack, _ in pairs], settings or HoldOut(), roles)
    return [
        Recording(
            stack=select(stack, selection),
            labels=None if labels is None else select(labels, selection, like=stack),
            split=split,
            selection=selection,
            row=row.model_copy(update={"file": stack.path or Path(stack.name), "name": stack.name}),
            asked=Asked(settings or HoldOut(), by_table=False),
        )
        for (stack, labels), selection, split in zip(pairs, selections, splits, strict=True)
    ]


def _splits(stacks: Sequence[Stack], settings: HoldOut, roles: Sequence[Split] | None) -> list[FrameSplit]:
    lengths = [stack.size("T") for stack in stacks]
    by = settings.by
    sizes = shares(len(stacks), validation=settings.validation_fraction, test=settings.test_fraction)
    if by == "auto":
        by = "recording" if roles is not None or len(stacks) >= max(3, sum(sizes.values()) + 1) else "time"
    if by == "time":
        if roles is not None:
            raise BadInput("roles of recordings given while holding out by time; hold out by recording instead")
        return [_in_blocks(n, settings, stack.name) for n, stack in zip(lengths, stacks, strict=True)]
    if by != "recording":
        raise BadInput(f"holding out by {by} asked for, but nobody says the {by} of these recordings; use a table")
    chosen = _by_recording(len(stacks), sizes) if roles is None else list(roles)
    if len(chosen) != len(stacks) or "train" not in chosen or not set(chosen) <= set(SPLITS):
        raise BadInput(
            f"roles {', '.join(chosen)} given for {len(stacks)} recordings; "
            f"expected train, validation or test for each, and train at least once"
        )
    return [whole(n, role) for n, role in zip(lengths, chosen, strict=True)]


def _in_blocks(frames: int, settings: HoldOut, name: str) -> FrameSplit:
    return by_time(
        frames,
        validation=settings.validation_fraction,
        test=settings.test_fraction,
        gap=settings.gap,
        least=settings.least,
        name=name,
    )


def _by_recording(count: int, sizes: dict[Split, int]) -> list[Split]:
    """The last recordings for test, those before them for validation, the rest for training."""
    if sum(sizes.values()) >= count:
        raise BadInput(
            f"{count} recordings given; holding out whole recordings needs at least {sum(sizes.values()) + 1}: "
            f"add recordings, hold out by time, or set a fraction to 0"
        )
    held_out = [part for part, size in sizes.items() for _ in range(size)]
    training: list[Split] = ["train"] * (count - len(held_out))
    return training + held_out

"""From the reviewed traps to the sequences that are cut out: frames, planes, and the part that each belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.recordings.recording import Recording
from napari_cellsynth.stack.split import SPLITS, Split, shares
from napari_cellsynth.stack.traps.boxes import CropShape
from napari_cellsynth.stack.traps.counted import frames_by_file, origin
from napari_cellsynth.stack.traps.look_over import check_names
from napari_cellsynth.stack.traps.propose import longest, runs
from napari_cellsynth.stack.traps.review import ReviewRow
from napari_cellsynth.stack.traps.settings import TrapSettings

WHOLE = ("session", "position", "recording", "given")
"""How recordings may be held out as a whole; else their frames are divided."""


@dataclass(frozen=True)
class Place:
    """A trap in a recording as selected."""

    source: int
    row: ReviewRow
    y: int
    x: int
    reference: int
    """Frame in which it lies there."""
    frames: tuple[tuple[int, int], ...]
    """First and last frame of each stretch to take."""


@dataclass(frozen=True)
class TrapSequence:
    """Frames of one trap in one plane that follow each other, all for one part."""

    number: int
    place: Place
    z: int
    first: int
    last: int
    split: Split
    start: int
    """Number of its first frame in the set."""

    @property
    def frames(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class SequencePlan:
    """Everything that will be cut, in the order in which it will lie in the set."""

    sequences: tuple[TrapSequence, ...]
    refused: dict[str, int]
    """Traps that are not taken, by reason."""
    by: str
    """How the parts were decided."""
    short: int
    """Sequences left away because they have too few frames."""

    @property
    def frames(self) -> int:
        return sum(one.frames for one in self.sequences)


def plan_sequences(recordings: Sequence[Recording], rows: Sequence[ReviewRow], settings: TrapSettings) -> SequencePlan:
    """What is cut out of the recordings by a review table; BadInput where that is nothing, or does not fit."""
    check_names(recordings)
    _check_rows(recordings, rows)
    refused = Counter(_short(row) for row in rows if not row.accepted)
    places = [
        _place(source, recording, row, settings)
        for source, recording in enumerate(recordings)
        for row in rows
        if row.accepted and row.recording == recording.name
    ]
    if not places:
        why = ", ".join(f"{n} {reason}" for reason, n in refused.most_common(3))
        every = f"all {len(rows)} traps are" if len(rows) > 1 else "the only trap is"
        raise BadInput(f"{every} rejected ({why}); accept some in the review, or change the rules")
    whole = _by_traps(recordings, settings)
    parts = _parts_of_traps(recordings, places, settings) if whole else {}
    made: list[TrapSequence] = []
    short = start = 0
    for place in places:
        recording = recordings[place.source]
        for first, last, part in _stretches(place, recording, parts.get(id(place))):
            if last - first + 1 < settings.min_frames:
                short += recording.stack.size("Z")
                continue
            for z in range(recording.stack.size("Z")):
                made.append(TrapSequence(len(made), place, z, first, last, part, start))
                start += last - first + 1
    by = "traps" if whole else "/".join(sorted({one.split.by for one in recordings}))
    _check_parts(recordings, made, parts if whole else None, short, settings)
    return SequencePlan(tuple(made), dict(refused.most_common()), by, short)


def _check_rows(recordings: Sequence[Recording], rows: Sequence[ReviewRow]) -> None:
    names = {one.name for one in recordings}
    strange = next((row.recording for row in rows if row.recording not in names), None)
    if strange is not None:
        raise BadInput(
            f"the review table has traps of {strange}, which is not among the recordings ({', '.join(sorted(names))})"
        )


def _short(row: ReviewRow) -> str:
    """A reason by which rejected traps are counted."""
    if row.decision == "reject" and row.proposal == "accept":
        return "rejected by you"
    if row.reason.startswith("cells washed in or out"):
        return "with cells washed in or out"
    reason = row.reason.split(":")[0].split(" in ")[0]
    return f"with {reason}" if reason.startswith(("more than", "no cell")) else reason or "rejected"


def _place(source: int, recording: Recording, row: ReviewRow, settings: TrapSettings) -> Place:
    name = f"trap {row.trap} of {recording.name}"
    of_file = frames_by_file(recording)
    top, left = origin(recording)
    y, x = row.y - top, row.x - left
    if row.frame not in of_file:
        raise BadInput(f"{name} lies in frame {row.frame}, which is not among those that are taken")
    shape = CropShape.of(recording.stack, settings)
    beyond = shape.around(y, x).beyond((recording.stack.size("Y"), recording.stack.size("X")))
    if beyond:
        raise BadInput(f"the crop of {name} reaches {beyond} px beyond the frame: reject it, or choose a smaller crop")
    wanted = [
        t
        for frame, t in of_file.items()
        if (row.first is None or frame >= row.first) and (row.last is None or frame <= row.last)
        if t not in recording.unfit and settings.first <= frame and (settings.last is None or frame <= settings.last)
    ]
    if not wanted:
        raise BadInput(f"{name} shall have frames {row.first} to {row.last}, none of which is taken of the recording")
    washes = {of_file[frame] for frame in row.washed_at if frame in of_file} if settings.washed == "reject" else set()
    stretches = runs(wanted, recording.cuts)
    if washes:
        stretches = [longest(wanted, recording.cuts | washes)]
    return Place(source, row, y, x, of_file[row.frame], tuple(stretches))


def _stretches(place: Place, recording: Recording, part: Split | None) -> list[tuple[int, int, Split]]:
    """Frames that follow each other and are for one part: the trap's, else as the recording's frames are divided."""
    found: list[tuple[int, int, Split]] = []
    for first, last in place.frames:
        if part is not None:
            found.append((first, last, part))
            continue
        for one in SPLITS:
            mine = [t for t in range(first, last + 1) if recording.split.parts.get(t) == one]
            found += [(a, b, one) for a, b in runs(mine)]
    return sorted(found)


# -- whole traps held out --------------------------------------------------------------------------------------------


def _by_traps(recordings: Sequence[Recording], settings: TrapSettings) -> bool:
    """Whether whole traps are held out: a trap stays where it is and shows cells of its own."""
    if settings.split == "auto":
        held_out = any(set(one.split.parts.values()) - {"train"} for one in recordings)
        return not (held_out and any(one.split.by in WHOLE for one in recordings))
    return settings.split == "traps"


def _parts_of_traps(
    recordings: Sequence[Recording], places: Sequence[Place], settings: TrapSettings
) -> dict[int, Split]:
    """The part of each place, by its id.

    Traps whose crops overlap stay together, in all recordings of one field
    of view.  Held out are those at one end of the field, so that few of them
    stand beside a trap of another part, whose cells may be washed over.
    """
    parts: dict[int, Split] = {}
    fields: dict[tuple[object, ...], list[Place]] = {}
    for place in places:
        fields.setdefault(_field(recordings[place.source]), []).append(place)
    for mine in fields.values():
        groups = _together(mine, recordings, settings)
        sizes = shares(len(groups), validation=settings.validation_fraction, test=settings.test_fraction)
        held_out = [part for part, size in sizes.items() for _ in range(size)]
        if len(held_out) >= len(groups):
            held_out = []
        training: list[Split] = ["train"] * (len(groups) - len(held_out))
        for group, part in zip(groups, training + held_out, strict=True):
            parts.update((id(place), part) for place in group)
    return parts


def _field(recording: Recording) -> tuple[object, ...]:
    """The same for recordings that show the same field of view."""
    row = recording.row
    if row is not None and row.position is not None:
        return ("position", row.session, row.position)
    scene = row.scene if row is not None else 0
    path = recording.stack.path
    return ("file", str(path) if path is not None else recording.name, scene or 0)


def _together(places: Sequence[Place], recordings: Sequence[Recording], settings: TrapSettings) -> list[list[Place]]:
    """Places whose crops overlap, in groups, along the longer side of the field of traps."""
    groups: list[list[Place]] = []
    for place in places:
        shape = CropShape.of(recordings[place.source].stack, settings)
        touching = [
            group
            for group in groups
            if any(
                abs(place.row.y - one.row.y) < shape.height and abs(place.row.x - one.row.x) < shape.width
                for one in group
            )
        ]
        groups = [group for group in groups if group not in touching]
        groups.append([place, *(one for group in touching for one in group)])
    ys, xs = [place.row.y for place in places], [place.row.x for place in places]
    along_x = max(xs) - min(xs) >= max(ys) - min(ys)

    def where(group: list[Place]) -> tuple[float, float]:
        y = sum(one.row.y for one in group) / len(group)
        x = sum(one.row.x for one in group) / len(group)
        return (x, y) if along_x else (y, x)

    return sorted(groups, key=where)


def _check_parts(
    recordings: Sequence[Recording],
    made: Sequence[TrapSequence],
    traps: dict[int, Split] | None,
    short: int,
    settings: TrapSettings,
) -> None:
    there = {one.split for one in made}
    if traps is not None:
        fractions = {"train": 1.0, "validation": settings.validation_fraction, "test": settings.test_fraction}
        wanted = [part for part in SPLITS if fractions[part] > 0]
    else:
        wanted = [part for part in SPLITS if any(part in one.split.parts.values() for one in recordings)]
    missing = [part for part in wanted if part not in there]
    if not missing:
        return
    have = "has" if short == 1 else "have"
    left = f" ({counted(short, 'sequence')} {have} fewer than {settings.min_frames} frames)" if short else ""
    if traps is not None:
        raise BadInput(
            f"{counted(len(traps), 'trap')} {'leaves' if len(traps) == 1 else 'leave'} nothing for"
            f" {' and '.join(missing)}{left}: traps whose crops overlap stay"
            " together; accept more, choose a smaller crop, hold out by the table, or set fractions to 0"
        )
    raise BadInput(f"no sequence for {' and '.join(missing)}{left}: accept more traps, or hold out otherwise")

"""Which low exposure belongs to which high one, settled and checked before the first pixel is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.modality import Modality
from napari_cellsynth.stack.pairs.settings import PairSettings
from napari_cellsynth.stack.quantity import format_length
from napari_cellsynth.stack.recordings.recording import Recording
from napari_cellsynth.stack.split import Split
from napari_cellsynth.stack.training_sets.planes import check_dtype
from napari_cellsynth.stack.usable import mixed_types


@dataclass(frozen=True)
class Couple:
    """Low exposures and the high ones of the same field; one recording where they alternate."""

    number: int
    low: Recording
    high: Recording
    field: tuple[str, ...]
    """Says which field it shows."""

    @property
    def frame(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.low.stack.size("Y"), self.low.stack.size("X")

    @property
    def by_time(self) -> bool:
        """Whether its frames are divided into blocks of time, as decided here or as the table says."""
        row = self.low.row
        return self.low.split.by == "time" or (row is not None and row.split == "time")


@dataclass(frozen=True)
class Pair:
    """A low and a high exposure; frames and planes are of the recordings as selected."""

    couple: int
    t_low: int
    t_high: int
    z_low: int
    z_high: int
    split: Split


@dataclass(frozen=True)
class PairPlan:
    """Everything that follows from recordings and settings."""

    settings: PairSettings
    couples: tuple[Couple, ...]
    pairs: tuple[Pair, ...]
    pixel_size: tuple[float, float] | None
    modality: Modality | None
    low_dtype: np.dtype[Any]
    high_dtype: np.dtype[Any]

    def both(self, pair: Pair) -> tuple[Recording, Recording]:
        """The recordings of its low and its high exposure."""
        couple = self.couples[pair.couple]
        return couple.low, couple.high

    def read(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """The low and the high plane (Y, X)."""
        couple = self.couples[pair.couple]
        low = couple.low.stack.frame(pair.t_low, z=pair.z_low)
        return low, couple.high.stack.frame(pair.t_high, z=pair.z_high)


def plan_pairs(recordings: Sequence[Recording], settings: PairSettings | None = None) -> PairPlan:
    """Put low and high exposures together; no pixel is read.

    Recordings of different roles belong together by their name, else their
    position, else their file; a high exposure may serve several low ones of
    its field.  BadInput where one has no partner, where shapes differ, or where one field
    would stand on two sides of the split.
    """
    settings = settings or PairSettings()
    if not recordings:
        raise BadInput("no recording given; expected at least one")
    couples = _alternating(recordings) if settings.alternating else _by_role(recordings)
    pairs = tuple(pair for couple in couples for pair in _pairs_of(couple, settings))
    if not pairs:
        raise BadInput("no pair is possible: no low exposure has a high one in the same part; check frames and split")
    _check_sides(couples, pairs)
    _check_parts(recordings, pairs)
    sizes = {couple.frame for couple in couples}
    if settings.size is None and len(sizes) > 1:
        shapes = ", ".join(f"{y} x {x}" for y, x in sorted(sizes))
        raise BadInput(f"frames of {shapes} pixels given; whole frames need one size: cut tiles instead")
    for couple in couples:
        if settings.size is not None and settings.size > min(couple.frame):
            raise BadInput(
                f"tiles of {settings.size} pixels asked for, but {couple.low.name} has {couple.frame[0]} x "
                f"{couple.frame[1]}; ask for smaller tiles, or whole frames"
            )
    return PairPlan(
        settings=settings,
        couples=tuple(couples),
        pairs=pairs,
        pixel_size=_same([couple.low.stack.pixel_size for couple in couples]),
        modality=settings.modality or _same([one.modality for one in recordings]),
        low_dtype=_one_dtype([couple.low for couple in couples], "low"),
        high_dtype=_one_dtype([couple.high for couple in couples], "high"),
    )


def _role(recording: Recording) -> str | None:
    return None if recording.row is None else recording.row.role


def field_key(recording: Recording) -> tuple[str, ...]:
    """By which the exposures of one field are known, as the table knows them."""
    row = recording.row
    session, position = recording.session or "", recording.position or ""
    if row is not None and row.name is not None and not position:
        return "name", row.name, session
    if position:
        return "position", session, recording.condition or "", position
    scene = row.scene if row is not None and row.scene is not None else 0
    return "file", str(recording.stack.path or recording.name), str(scene)


def is_one_field(recordings: Sequence[Recording], settings: PairSettings) -> bool:
    """Whether single pictures of one field are all there is: nothing of them can be held out."""
    frames = 2 if settings.alternating else 1
    return len({field_key(one) for one in recordings}) == 1 and all(one.frames <= frames for one in recordings)


def _alternating(recordings: Sequence[Recording]) -> list[Couple]:
    for one in recordings:
        if _role(one) is not None:
            raise BadInput(
                f"{one.name} has the role {_role(one)!r}, but exposures are said to alternate; leave one out"
            )
        if one.frames < 2:
            raise BadInput(f"{one.name} has one frame; exposures that alternate need at least two")
    return [Couple(n, one, one, field_key(one)) for n, one in enumerate(recordings)]


def _by_role(recordings: Sequence[Recording]) -> list[Couple]:
    for one in recordings:
        if _role(one) is None:
            raise BadInput(
                f"nobody says whether {one.name} is the low or the high exposure; give it a role, or say that "
                f"exposures alternate in it"
            )
    fields: dict[tuple[str, ...], dict[str, list[Recording]]] = {}
    for one in recordings:
        fields.setdefault(field_key(one), {"low": [], "high": []})[str(_role(one))].append(one)
    couples: list[Couple] = []
    for key, roles in fields.items():
        for low, high in _partners(roles["low"], roles["high"]):
            _check_couple(low, high)
            couples.append(Couple(len(couples), low, high, key))
    return couples


def _partners(lows: Sequence[Recording], highs: Sequence[Recording]) -> Iterator[tuple[Recording, Recording]]:
    """Every low with the one high of the field, or as many of each in their order."""
    if not lows or not highs:
        lonely, missing = (lows[0], "high") if lows else (highs[0], "low")
        raise BadInput(
            f"{lonely.name} has no {missing} exposure; give both the same name or position, or put them into one file"
        )
    if len(highs) not in (1, len(lows)):
        raise BadInput(
            f"{len(lows)} low and {len(highs)} high exposures of one field ({lows[0].name}) given; expected one high "
            f"for all of them, or one for each: tell fields apart by their position"
        )
    if len(highs) == 1:
        yield from ((low, highs[0]) for low in lows)
    else:
        yield from zip(lows, highs, strict=True)


def _check_couple(low: Recording, high: Recording) -> None:
    a, b = low.stack, high.stack
    if (a.size("Y"), a.size("X")) != (b.size("Y"), b.size("X")):
        raise BadInput(
            f"{low.name} has {a.size('Y')} x {a.size('X')} pixels, {high.name} {b.size('Y')} x {b.size('X')}; "
            f"both exposures of a field need one size: choose the same region"
        )
    if a.pixel_size is not None and b.pixel_size is not None and not np.allclose(a.pixel_size, b.pixel_size, rtol=1e-3):
        raise BadInput(
            f"{low.name} has pixels of {format_length(a.pixel_size[1])}, {high.name} of"
            f" {format_length(b.pixel_size[1])}; both exposures of a field show the same place at one scale: correct it"
        )
    if b.size("T") not in (1, a.size("T")):
        raise BadInput(
            f"{low.name} has {a.size('T')} frames, {high.name} {b.size('T')}; expected as many, or one high exposure "
            f"for all"
        )
    if b.size("Z") not in (1, a.size("Z")):
        raise BadInput(f"{low.name} has {a.size('Z')} planes, {high.name} {b.size('Z')}; expected as many, or one")


def _pairs_of(couple: Couple, settings: PairSettings) -> Iterator[Pair]:
    one = couple.low
    planes = one.stack.size("Z")
    high_planes = couple.high.stack.size("Z")
    moments = _alternate(one, settings) if couple.high is one else _side_by_side(couple)
    for t_low, t_high, part in list(moments)[:: settings.every]:
        for z in range(planes):
            yield Pair(couple.number, t_low, t_high, z, z if high_planes > 1 else 0, part)


def _alternate(one: Recording, settings: PairSettings) -> Iterator[tuple[int, int, Split]]:
    """Frames 0 and 1, 2 and 3, … of the file, where both are there, fit, of one part, and follow each other."""
    for t in range(one.frames - 1):
        # Which is which is counted in the file: a selection may begin with an odd frame.
        if one.file_frame(t) % 2 or t + 1 in one.cuts or {t, t + 1} & one.unfit:
            continue
        part = one.split.parts.get(t)
        if part is not None and one.split.parts.get(t + 1) == part:
            yield (t, t + 1, part) if settings.first == "low" else (t + 1, t, part)


def _side_by_side(couple: Couple) -> Iterator[tuple[int, int, Split]]:
    """The same frame of both, or the one high exposure for every low."""
    low, high = couple.low, couple.high
    alone = high.frames == 1 and low.frames > 1
    for t in range(low.frames):
        s = 0 if alone else t
        part = low.split.parts.get(t)
        if part is None or t in low.unfit or s in high.unfit:
            continue
        if not alone and high.split.parts.get(s) != part:
            raise BadInput(
                f"frame {t} of {low.name} is for {part}, the same of {high.name} is not; put both on one side"
            )
        yield t, s, part


def _check_sides(couples: Sequence[Couple], pairs: Sequence[Pair]) -> None:
    """No high exposure, and no field that is held out as a whole, on two sides."""
    high_of: dict[tuple[int, int], Split] = {}
    side_of: dict[tuple[str, ...], Split] = {}
    for pair in pairs:
        couple = couples[pair.couple]
        place = (id(couple.high), pair.t_high)
        if high_of.setdefault(place, pair.split) != pair.split:
            raise BadInput(
                f"one high exposure of {couple.high.name} would be for {high_of[place]} and for {pair.split}; "
                f"hold out whole fields (positions or sessions), not time"
            )
        if not couple.by_time and side_of.setdefault(couple.field, pair.split) != pair.split:
            raise BadInput(
                f"the field of {couple.low.name} would be for {side_of[couple.field]} and for {pair.split}; "
                f"put all exposures of a field on one side"
            )


def _check_parts(recordings: Sequence[Recording], pairs: Sequence[Pair]) -> None:
    wanted = {part for one in recordings for part in one.split.parts.values()}
    missing = wanted - {pair.split for pair in pairs}
    if missing:
        raise BadInput(f"no pair for {', '.join(sorted(missing))}; hold out more, or other recordings")


def _one_dtype(recordings: Sequence[Recording], role: str) -> np.dtype[Any]:
    mixed = mixed_types([one.stack for one in recordings])
    if mixed is not None:
        raise BadInput(f"of the {role} exposures {mixed}")
    return check_dtype(recordings[0].stack.dtype)


def _same(values: Sequence[Any]) -> Any:
    """What all of them say; None where they differ."""
    return values[0] if all(value == values[0] for value in values) else None

"""What of a study cannot be told apart, because it was filmed together, in sentences.

Words are those of the panels: a session is a day.
"""

from __future__ import annotations

from collections.abc import Sequence

from napari_cellsynth.stack.recordings.row import Row, Use
from napari_cellsynth.stack.split import SPLITS

PLACES = (("session", "day"), ("position", "position"))
PARTS = {"train": "training", "validation": "tuning", "test": "test"}


def concerns(rows: Sequence[Row], uses: Sequence[Use]) -> list[str]:
    """Sentences on conditions and fractions that are bound to a day, a position, a recording or a part."""
    kept = [(row, use) for row, use in zip(rows, uses, strict=True) if use != "leave out"]
    said = []
    for kind, name in (("condition", "condition"), ("fraction", "proportion")):
        told = [(row, use) for row, use in kept if getattr(row, kind) is not None]
        values = sorted({getattr(row, kind) for row, _ in told})
        if len(values) < 2:
            continue
        for field, word in PLACES:
            said += _bound([row for row, _ in told], kind, name, values, field, word)
        said += _one_recording([row for row, _ in told], kind, values)
        said += _in_one_part(told, kind, values)
    said += _on_two_sides(kept)
    return list(dict.fromkeys(said))


def _named(kind: str, value: object) -> str:
    return f"proportion {value:g}" if kind == "fraction" else f"'{value}'"


def _bound(rows: Sequence[Row], kind: str, name: str, values: Sequence[object], field: str, word: str) -> list[str]:
    """Conditions filmed on one day only, and days that have one condition each."""
    known = [row for row in rows if getattr(row, field) is not None]
    places = {value: {getattr(row, field) for row in known if getattr(row, kind) == value} for value in values}
    everywhere = set().union(*places.values())
    if not everywhere:
        return []
    at = "on" if word == "day" else "at"
    if len(everywhere) == 1:
        return [f"everything was filmed {at} one {word}: whether it is so on others nobody knows"] if at == "on" else []
    found = {place: {getattr(row, kind) for row in known if getattr(row, field) == place} for place in everywhere}
    said = [
        f"{_named(kind, value)} was filmed {at} one {word} only ({next(iter(there))})"
        for value, there in places.items()
        if len(there) == 1
    ]
    if all(len(one) == 1 for one in found.values()):
        said.append(
            f"every {word} has one {name} only: what differs between {name}s and what differs between {word}s cannot"
            " be told apart"
        )
    return said


def _one_recording(rows: Sequence[Row], kind: str, values: Sequence[object]) -> list[str]:
    """A value with a single recording: n is recordings, not cells."""
    files = {v: {(row.file, row.scene, row.position) for row in rows if getattr(row, kind) == v} for v in values}
    single = [value for value in values if len(files[value]) == 1]
    if kind == "fraction" and len(single) == len(values):
        words = "each proportion was filmed in one recording: a model can tell the recordings apart without looking at"
        return [f"{words} the cells; film each at least twice"]
    return [f"{_named(kind, value)} is one recording only" for value in single]


def _in_one_part(told: Sequence[tuple[Row, Use]], kind: str, values: Sequence[object]) -> list[str]:
    """A condition that only one part has."""
    of_time = {part for _, use in told for part in (SPLITS if use == "time" else (use,))}
    if len(of_time) < 2:
        return []
    said = []
    for value in values:
        parts = {part for row, use in told if getattr(row, kind) == value for part in _parts(use)}
        if len(parts) == 1:
            said.append(_only_in(_named(kind, value), next(iter(parts))))
    return said


def _parts(use: Use) -> tuple[str, ...]:
    return SPLITS if use == "time" else (use,)


def _only_in(value: str, part: str) -> str:
    if part == "train":
        return f"{value} is in training only: what is learned of it cannot be tested"
    return f"{value} is in {PARTS[part]} only: no model will have seen it"


def _on_two_sides(kept: Sequence[tuple[Row, Use]]) -> list[str]:
    """Days and positions that were given to two parts."""
    said = []
    for field, word in PLACES:
        parts: dict[tuple[str | None, str | None], set[str]] = {}
        for row, use in kept:
            if getattr(row, field) is not None and use != "time":
                key = row.session, row.position if field == "position" else None
                parts.setdefault(key, set()).add(use)
        for (session, position), several in parts.items():
            if len(several) > 1:
                names = " and ".join(PARTS[part] for part in SPLITS if part in several)
                place = position if field == "position" else session
                said.append(f"{word} {place} is used for {names}: that is easier than a {word} never seen")
    return said

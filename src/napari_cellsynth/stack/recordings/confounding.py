"""What of a study cannot be told apart, because it was filmed together, in sentences.

Words are those of the panels: a session is a day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from napari_cellsynth.stack.recordings.row import Row, Use
from napari_cellsynth.stack.split import SPLITS

PLACES = (("session", "day"), ("position", "position"))
PARTS = {"train": "training", "validation": "tuning", "test": "test"}


def concerns(rows: Sequence[Row], uses: Sequence[Use]) -> list[str]:
    """Sentences on conditions and fractions that are bound to a day, a position, a recording or a part."""
    kept = [(row, use) for row, use in zip(rows, uses, strict=True) if use != "leave out"]
    said = []
    for kind in ("condition", "fraction"):
        told = [(row, use) for row, use in kept if getattr(row, kind) is not None]
        values = {value: [one for one in told if getattr(one[0], kind) == value] for value in _values(told, kind)}
        if len(values) < 2:
            continue
        for field, word in PLACES:
            said += _bound({_named(v): [row for row, _ in them] for v, them in values.items()}, kind, field, word)
        said += _one_recording({_named(v): [row for row, _ in them] for v, them in values.items()}, kind)
        said += _in_one_part({_named(v): [use for _, use in them] for v, them in values.items()})
    return said + _on_two_sides(kept)


def _values(told: Sequence[tuple[Row, Use]], kind: str) -> list[str | float]:
    return sorted({getattr(row, kind) for row, _ in told})


def _named(value: str | float) -> str:
    return f"'{value}'" if isinstance(value, str) else f"proportion {value:g}"


def _listed(things: Sequence[str]) -> str:
    return " and ".join([", ".join(things[:-1]), things[-1]] if len(things) > 1 else things)


def _bound(values: Mapping[str, Sequence[Row]], kind: str, field: str, word: str) -> list[str]:
    """Conditions filmed on one day only, and days that have one condition each."""
    places = {value: {getattr(row, field) for row in rows} - {None} for value, rows in values.items()}
    everywhere = set().union(*places.values())
    at = "on" if word == "day" else "at"
    if len(everywhere) < 2:
        one_day = bool(everywhere) and word == "day"
        return ["everything was filmed on one day: nobody knows whether others are alike"] if one_day else []
    single = [f"{value} ({next(iter(there))})" for value, there in places.items() if len(there) == 1]
    said = []
    if len(single) == 1:
        value = next(value for value, there in places.items() if len(there) == 1)
        said = [f"{value} was filmed {at} one {word} only ({next(iter(places[value]))})"]
    elif single:
        said = [f"{_listed(single)} were filmed {at} one {word} each"]
    conditions = [sum(place in there for there in places.values()) for place in everywhere]
    if max(conditions) == 1:
        name = "condition" if kind == "condition" else "proportion"
        said.append(f"every {word} has one {name} only: what the {word} does and what the {name} does look the same")
    return said


def _one_recording(values: Mapping[str, Sequence[Row]], kind: str) -> list[str]:
    """A value with a single recording: n is recordings, not cells."""
    single = [
        value for value, rows in values.items() if len({(row.file, row.scene, row.position) for row in rows}) == 1
    ]
    if kind == "fraction" and len(single) == len(values):
        words = "each proportion was filmed in one recording: a model can tell the recordings apart without looking at"
        return [f"{words} the cells; film each at least twice"]
    if not single:
        return []
    return [f"{_listed(single)} {'is one recording' if len(single) == 1 else 'are one recording each'}: n is 1"]


def _in_one_part(values: Mapping[str, Sequence[Use]]) -> list[str]:
    """Conditions that only one part has."""
    parts = {v: {part for use in uses for part in (SPLITS if use == "time" else (use,))} for v, uses in values.items()}
    if len(set().union(*parts.values())) < 2:
        return []
    said = []
    for part in SPLITS:
        only = [value for value, there in parts.items() if there == {part}]
        if only:
            why = "what is learned of it cannot be tested" if part == "train" else "no model will have seen it"
            said.append(f"{_listed(only)} {'is' if len(only) == 1 else 'are'} in {PARTS[part]} only: {why}")
    return said


def _on_two_sides(kept: Sequence[tuple[Row, Use]]) -> list[str]:
    """Days and positions that were given to two parts."""
    said = []
    for field, word in PLACES:
        parts: dict[tuple[str | None, str | None], set[str]] = {}
        for row, use in kept:
            if getattr(row, field) is not None and use != "time":
                key = row.session, row.position if field == "position" else None
                parts.setdefault(key, set()).add(use)
        for (session, position), several in sorted(parts.items(), key=str):
            if len(several) > 1:
                names = _listed([PARTS[part] for part in SPLITS if part in several])
                place = position if field == "position" else session
                said.append(f"{word} {place} is used for {names}: that is easier than a {word} never seen")
    return said

"""What is held out of a study: decided once, from the table alone, for every kind of training set.

Rows are first tied together: what shows the same cells is never parted.  Then
whole sessions, positions or recordings are held out, or blocks of time.  The
decision depends on what the rows say and not on the order in which they stand.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.recordings.row import Row, Use
from napari_cellsynth.stack.split import SPLITS, Split, shares

if TYPE_CHECKING:
    from napari_cellsynth.stack.recordings.table import Table

Level = Literal["session", "position", "recording", "time"]
LEVELS: tuple[Level, ...] = ("session", "position", "recording", "time")
"""What is held out as a whole, the most honest first."""
Key = tuple[Hashable, ...]
Box = tuple[int, int, int, int]
"""y0, y1, x0, x1, half open."""


class HoldOut(BaseModel):
    """What training does not learn from, and how it is chosen."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True, validate_default=True)

    by: Literal["auto", "recording", "position", "session", "time"] = "auto"
    """Hold out whole sessions (days), positions or recordings, or the last frames of each recording (auto: the first
    of these of which there are enough)."""
    validation_fraction: float = Field(0.1, ge=0.0, lt=1.0)
    """Share of what is held out as a whole (or of frames) that training looks at but does not learn from."""
    test_fraction: float = Field(0.1, ge=0.0, lt=1.0)
    """Share of what is held out as a whole (or of frames) kept for the final comparison."""
    gap: int = Field(1, ge=0)
    """Frames left out between two parts of one recording held apart by time: at least the length of a clip."""
    least: int = Field(1, ge=1)
    """Frames that a part of one recording has at least: the length of a clip."""

    @model_validator(mode="after")
    def _something_to_learn_from(self) -> HoldOut:
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError("validation and test together take everything; leave a share for training")
        return self

    @property
    def parts(self) -> tuple[Split, ...]:
        """Parts that shall get something."""
        wanted: dict[Split, bool] = {
            "train": True,
            "validation": self.validation_fraction > 0,
            "test": self.test_fraction > 0,
        }
        return tuple(part for part in SPLITS if wanted[part])


@dataclass(frozen=True)
class Decision:
    """What a row is for, and how that came about."""

    use: Use
    by: Literal["given", "session", "position", "recording", "time", "training"]
    """``given``: by the table itself; ``training``: nothing is held out."""
    tied: int = 0
    """Rows of the same number show the same cells: their time is divided alike."""


def decide(table: Table, settings: HoldOut) -> list[Decision]:
    """A decision for each row; BadInput in one line where it is impossible."""
    rows = table.rows
    tied = _tied(table)
    fixed = [row.split for row in rows]
    _check_given(rows, fixed, tied)
    used = [i for i, use in enumerate(fixed) if use != "leave out"]
    if not used:
        raise BadInput("every recording of the table is left out; use at least one for training")
    missing = [i for i in used if fixed[i] is None]
    if not missing:
        return [Decision(use or "train", "given", n) for use, n in zip(fixed, tied, strict=True)]
    if not settings.parts[1:]:
        return [Decision(use or "train", "given" if use else "training", n) for use, n in zip(fixed, tied, strict=True)]
    level, uses = _at_some_level(table, tied, used, settings)
    return [
        Decision(use, "given") if use == "leave out"
        else Decision(use or uses[i], "given" if use else level, tied[i])
        for i, use in enumerate(fixed)
    ]  # fmt: skip


def _at_some_level(table: Table, tied: list[int], used: list[int], settings: HoldOut) -> tuple[Level, dict[int, Use]]:
    if settings.by != "auto":
        return settings.by, _at_level(settings.by, table, tied, used, settings)
    for level in LEVELS[:-1]:
        try:
            uses = _at_level(level, table, tied, used, settings)
        except BadInput:
            continue
        return level, uses
    return "time", _at_level("time", table, tied, used, settings)


def _at_level(level: Level, table: Table, tied: list[int], used: list[int], settings: HoldOut) -> dict[int, Use]:
    """What each used row is for where whole sessions, positions or recordings are held out, or time."""
    groups = _groups(level, table, tied, used)
    given = [_given_to(table.rows, group) for group in groups]
    uses: dict[int, Use] = {}
    if level == "time":
        for group, use in zip(groups, given, strict=True):
            uses.update(dict.fromkeys(group, use or "time"))
        return uses
    chosen = _held_out(level, table, groups, given, settings)
    for group, one in zip(groups, chosen, strict=True):
        uses.update(dict.fromkeys(group, one))
    return uses


# -- what is tied together -------------------------------------------------------------------------------------------


def _tied(table: Table) -> list[int]:
    """A number for each row, the same for rows that show the same cells.

    Rows of one image of one file at one position (planes, channels, ranges
    of frames), or whose regions overlap; files of one position on one day;
    the exposures of a pair; rows that
    share their outlines.
    """
    rows = table.rows
    images = [_image(table, i) for i in range(len(rows))]
    keys: list[list[Key]] = []
    for row, image in zip(rows, images, strict=True):
        mine: list[Key] = [("place", image, row.position or "")]
        if row.session is not None and row.position is not None:
            mine.append(("spot", row.session, row.position))
        if row.role is not None:
            mine += [("pair", *pair) for pair in _pair_keys(row, image)]
        if row.labels is not None:
            mine.append(("outlines", _spelt(row.labels, table.folder), row.scene or 0, row.position or ""))
        keys.append(mine)
    joined = _Joined(len(rows))
    joined.by_keys(keys)
    of_image: dict[Key, list[int]] = {}
    boxes = [row.box for row in rows]
    for i, image in enumerate(images):
        for j in of_image.setdefault(image, []):
            if _overlap(boxes[i], boxes[j]):
                joined.join(i, j)
        of_image[image].append(i)
    return joined.numbers()


def _image(table: Table, i: int) -> Key:
    """The same for rows of one image of one file."""
    row = table.rows[i]
    return (_spelt(row.file, table.folder), row.scene or 0)


def _spelt(file: Path, folder: Path) -> str:
    """The same for one file however it is written; no disk is asked."""
    path = os.path.normcase(os.path.normpath(folder.absolute() / file))
    return unicodedata.normalize("NFC", path)


def _pair_keys(row: Row, image: Key) -> list[Key]:
    """By which the low and the high exposure of the same cells are known."""
    if row.name is not None:
        return [("name", row.name, row.session, row.position)]
    if row.position is not None:
        return [("position", row.session, row.condition, row.position)]
    return [image]


def _overlap(a: Box, b: Box) -> bool:
    """Whether two regions of one image share pixels of the plane."""
    ay0, ay1, ax0, ax1 = a
    by0, by1, bx0, bx1 = b
    return ay0 < by1 and by0 < ay1 and ax0 < bx1 and bx0 < ax1


class _Joined:
    """Which of n things hang together."""

    def __init__(self, count: int) -> None:
        self.parent = list(range(count))

    def root(self, i: int) -> int:
        while self.parent[i] != i:
            self.parent[i] = i = self.parent[self.parent[i]]
        return i

    def join(self, i: int, j: int) -> None:
        i, j = self.root(i), self.root(j)
        self.parent[max(i, j)] = min(i, j)

    def by_keys(self, keys: Sequence[Sequence[Key]]) -> None:
        """Join those that share a key."""
        first: dict[Key, int] = {}
        for i, mine in enumerate(keys):
            for key in mine:
                self.join(i, first.setdefault(key, i))

    def numbers(self) -> list[int]:
        return [self.root(i) for i in range(len(self.parent))]


def _groups(level: Level, table: Table, tied: list[int], used: list[int]) -> list[list[int]]:
    """Used rows that stay on one side, in an order that does not depend on theirs."""
    rows = table.rows
    if level in ("session", "position"):
        lacking = [i for i in used if getattr(rows[i], level) is None]
        if lacking:
            raise BadInput(
                f"row {lacking[0] + 2} ({rows[lacking[0]].title}) has no {level}; fill that column in all rows, or hold"
                f" out by recording or time"
            )
    own: dict[str, Callable[[int], Key]] = {
        "session": lambda i: ("session", rows[i].session),
        "position": lambda i: ("position", rows[i].session, rows[i].position),
        "recording": lambda i: _image(table, i),
        "time": lambda i: ("tied", tied[i]),
    }
    joined, taken = _Joined(len(rows)), set(used)
    joined.by_keys([[("tied", tied[i]), own[level](i)] if i in taken else [] for i in range(len(rows))])
    groups: dict[int, list[int]] = {}
    for i in used:
        groups.setdefault(joined.root(i), []).append(i)
    return sorted(groups.values(), key=lambda group: min(_order(table, i) for i in group))


def _order(table: Table, i: int) -> tuple[tuple[tuple[int, int, str], ...], ...]:
    """By which rows are sorted wherever they stand: session, position, name and file, numbers by their value."""
    row = table.rows[i]
    path, scene = _image(table, i)
    texts = (row.session, row.position, row.name, str(path), str(scene), str(row.channel), str(row.z), row.frames)
    return tuple(_natural(text or "") for text in (*texts, row.region, row.condition, row.role))


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    parts = [part for part in re.split(r"(\d+)", text) if part]
    return tuple((0, int(part), part) if part.isdigit() else (1, 0, part) for part in parts)


# -- who is held out -------------------------------------------------------------------------------------------------


def _check_given(rows: Sequence[Row], fixed: Sequence[Use | None], tied: Sequence[int]) -> None:
    """BadInput where the two exposures of a pair were given to different parts."""
    exposures = [i for i, row in enumerate(rows) if row.role is not None]
    for at, i in enumerate(exposures):
        row = rows[i]
        for j in exposures[:at]:
            uses = {fixed[i], fixed[j]} - {None, "leave out"}
            pair = tied[i] == tied[j] and {row.role, rows[j].role} == {"low", "high"}
            if pair and len(uses) > 1 and _spans_meet(row, rows[j]):
                raise BadInput(
                    f"rows {j + 2} and {i + 2} are the low and the high exposure of the same cells, but used for"
                    f" {fixed[j]} and {fixed[i]}; use both for the same"
                )


def _spans_meet(a: Row, b: Row) -> bool:
    return any(x0 <= y1 and y0 <= x1 for x0, x1 in a.spans for y0, y1 in b.spans)


def _given_to(rows: Sequence[Row], group: Sequence[int]) -> Use | None:
    """What the table itself gives a group to; None where it says nothing."""
    given = {rows[i].split for i in group} - {None}
    open_rows = [i for i in group if rows[i].split is None]
    if len(given) > 1 and open_rows:
        uses = " and ".join(sorted(str(use) for use in given))
        i = open_rows[0]
        raise BadInput(
            f"row {i + 2} ({rows[i].title}) belongs together with rows that are used for {uses};"
            " say what it is used for"
        )
    # Rows that were given to several parts keep them; the group as a whole then counts for training.
    return given.pop() if len(given) == 1 else "train" if given else None


def _held_out(
    level: Level, table: Table, groups: list[list[int]], given: list[Use | None], settings: HoldOut
) -> list[Use]:
    """A part for each group that has none: the last of their order, so that every condition stays in training."""
    uses = list(given)
    has = _parts_given(table.rows, groups)
    sizes = shares(len(groups), validation=settings.validation_fraction, test=settings.test_fraction)
    wanted = {part: max(0, size - has.get(part, 0)) for part, size in sizes.items()}
    free = [g for g, use in enumerate(uses) if use is None]
    needed = sum(wanted.values()) + (0 if has.get("train") else 1)
    if len(free) < needed:
        raise BadInput(_too_few(level, groups, free, has, settings))
    conditions = [frozenset(table.rows[i].condition for i in group) for group in groups]
    for part in ("test", "validation"):
        for _ in range(wanted.get(part, 0)):
            chosen = _most_telling(free, conditions, [g for g, use in enumerate(uses) if use == part])
            uses[chosen] = part
            free.remove(chosen)
    return [use or "train" for use in uses]


def _parts_given(rows: Sequence[Row], groups: Sequence[Sequence[int]]) -> dict[str, int]:
    """Groups that each part has by the table itself; blocks of time give something to every part."""
    has: dict[str, int] = {}
    for group in groups:
        for use in {rows[i].split for i in group} - {None}:
            for part in SPLITS if use == "time" else (use,):
                has[str(part)] = has.get(str(part), 0) + 1
    return has


def _most_telling(free: list[int], conditions: list[frozenset[str | None]], part: list[int]) -> int:
    """The group that shows a part most conditions it lacks, without taking the last one of a condition."""
    there = frozenset().union(*(conditions[g] for g in part))

    def worth(g: int) -> tuple[bool, int, int]:
        left = frozenset().union(*(conditions[other] for other in free if other != g))
        return conditions[g] <= left, len(conditions[g] - there), g

    return max(free, key=worth)


def _too_few(level: Level, groups: list[list[int]], free: list[int], has: dict[str, int], settings: HoldOut) -> str:
    sizes = shares(len(groups), validation=settings.validation_fraction, test=settings.test_fraction)
    few = "" if not has else f" ({len(groups) - len(free)} of them used for what the table says)"
    ways = [way for way in ("recording", "time") if LEVELS.index(way) > LEVELS.index(level)]
    return (
        f"{len(groups)} {level}s given{few}; holding out whole {level}s needs at least {sum(sizes.values()) + 1}: "
        f"add {level}s, hold out by {' or '.join(ways)}, or set a fraction to 0"
    )

"""A look at a table before anything is made of it: what each row is, what it is for, what cannot be told apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.recordings.confounding import concerns
from napari_cellsynth.stack.recordings.holdout import Decision, HoldOut, decide
from napari_cellsynth.stack.recordings.open import Opened, divide, open_row, recording_of
from napari_cellsynth.stack.recordings.recording import Recording
from napari_cellsynth.stack.recordings.table import Table
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.usable import mixed_types

USE_WORDS = {"train": "training", "validation": "tuning", "test": "test", "time": "blocks of time"}
BY_WORDS = {
    "given": "as the table says",
    "session": "whole days held out",
    "position": "whole positions held out",
    "recording": "whole recordings held out",
    "time": "held out by time",
    "training": "nothing held out",
}


@dataclass
class RowCheck:
    """What came of one row."""

    number: int
    """As a spreadsheet counts: the line of heads is 1."""
    title: str
    use: str
    by: str
    recording: Recording | None = None
    problem: str | None = None

    def to_json(self) -> dict[str, Any]:
        said = {"row": self.number, "name": self.title, "used_for": self.use, "decided_by": self.by}
        about = None if self.recording is None else self.recording.describe(hashes=False)
        return {**said, "problem": self.problem, "recording": about}

    def text(self) -> str:
        """One line, such as ``row 2  day1.tif: TYX 60 x 512 x 512, learns from frames 0-47, …``."""
        head = f"row {self.number}  {self.title}: "
        if self.problem is not None:
            return f"{head}cannot be used: {self.problem}"
        if self.recording is None:
            return (
                f"{head}left out" if self.use == "leave out" else f"{head}{USE_WORDS[self.use]} ({BY_WORDS[self.by]})"
            )
        stack = self.recording.stack
        size = f"{stack.axes} {' x '.join(map(str, stack.shape))} {stack.dtype.name}"
        split = self.recording.describe_split()
        parts = [f"{USE_WORDS[part]} {split[part]}" for part in ("train", "validation", "test") if part in split]
        frames = f"frames {', '.join(parts)}" if self.use == "time" else USE_WORDS[self.use]
        outlines = "outlines" if self.recording.labels is not None else "no outlines"
        return f"{head}{size}, {outlines}; {frames} ({BY_WORDS[self.by]})"


@dataclass
class TableCheck:
    """What came of a table."""

    rows: list[RowCheck]
    concerns: list[str] = field(default_factory=list)
    """Sentences on what cannot be told apart."""
    notes: list[str] = field(default_factory=list)
    """Sentences on the table itself, on types of pixels, and on a split that is not possible."""
    refusal: str | None = None
    """Why no training set can be made of these rows together; one of the notes."""

    @property
    def problems(self) -> list[str]:
        return [f"row {row.number}: {row.problem}" for row in self.rows if row.problem is not None]

    def to_json(self) -> dict[str, Any]:
        return {"rows": [row.to_json() for row in self.rows], "concerns": self.concerns, "notes": self.notes}

    def text(self) -> str:
        lines = [row.text() for row in self.rows]
        lines += [f"careful: {concern}" for concern in self.concerns]
        return "\n".join(lines + [f"note: {note}" for note in self.notes])


def check_table(table: Table, settings: HoldOut | None = None) -> TableCheck:
    """Open what every row names (reading headers, and a frame of the outlines) and say what was found.

    A row that cannot be used is said, and does not stop the others; BadInput
    only where the table itself makes no split possible.
    """
    settings = settings or HoldOut()
    decisions = decide(table, settings)
    checks = [
        RowCheck(i + 2, row.title, decision.use, decision.by)
        for i, (row, decision) in enumerate(zip(table.rows, decisions, strict=True))
    ]
    opened = _opened(table, decisions, checks)
    check = TableCheck(checks, concerns(table.rows, [decision.use for decision in decisions]), list(table.notes))
    try:
        splits = divide(table, opened, settings)
    except BadInput as error:
        check.refusal = str(error)
        check.notes.append(check.refusal)
        return check
    for one, split in zip(opened, splits, strict=True):
        row = checks[one.number - 2]
        try:
            row.recording = recording_of(table, one, split, labels=True)
        except BadInput as error:
            row.problem = str(error).removeprefix(f"row {one.number}: ")
    check.notes += _types(table, checks)
    return check


def _types(table: Table, checks: list[RowCheck]) -> list[str]:
    """That no one set holds these recordings; the two exposures of pairs may differ."""
    of: dict[str | None, list[Stack]] = {}
    for row, check in zip(table.rows, checks, strict=True):
        if check.recording is not None:
            of.setdefault(row.role, []).append(check.recording.stack)
    return [mixed for stacks in of.values() if (mixed := mixed_types(stacks)) is not None]


def _opened(table: Table, decisions: list[Decision], checks: list[RowCheck]) -> list[Opened]:
    opened = []
    for i, decision in enumerate(decisions):
        if decision.use == "leave out":
            continue
        try:
            opened.append(open_row(table, i, decision))
        except BadInput as error:
            checks[i].problem = str(error).removeprefix(f"row {i + 2}: ")
    return opened

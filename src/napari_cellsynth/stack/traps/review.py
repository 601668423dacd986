"""The review table: one row for each trap, what was seen of it, what is proposed, and what the user decided.

CSV, to be looked at and changed in a spreadsheet or in napari, and read
back.  Frames and pixels are counted from 0 as in the recording's file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.recordings.recording import Recording
from napari_cellsynth.stack.traps.find import Trap
from napari_cellsynth.stack.traps.judge import Judged, TrapFacts
from napari_cellsynth.stack.traps.propose import propose
from napari_cellsynth.stack.traps.settings import TrapSettings

Verdict = Literal["accept", "reject"]
NEEDED = ("recording", "trap", "y", "x")


class ReviewRow(BaseModel):
    """What is known and decided of one trap; all its planes of z go with it."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True)

    recording: str
    """Name of the recording."""
    trap: int = Field(ge=1)
    """Number of the trap in its recording, from 1."""
    y: int
    """Row of the middle of its crop, in pixels of the file, counted from 0."""
    x: int
    """Column of the middle of its crop."""
    score: float | None = None
    """Likeness to the template, up to 1 (empty: put there by hand)."""
    frame: int = Field(0, ge=0)
    """Frame in which it lies there; in others the stage may have moved."""
    first: int | None = Field(None, ge=0)
    """First frame to take, counted from 0 (empty: from the first)."""
    last: int | None = Field(None, ge=0)
    """Last frame to take, itself included (empty: to the last)."""
    cells_min: int | None = None
    """Fewest cells in one of its frames (empty: not counted)."""
    cells_max: int | None = None
    """Most cells in one of its frames."""
    filled_min: float | None = None
    """Smallest share of the crop that differs from an empty trap (empty: cells were counted)."""
    filled_max: float | None = None
    """Largest share of the crop that differs from an empty trap."""
    washed: int = Field(0, ge=0)
    """Cells washed in or out, in all its frames."""
    washed_at: tuple[int, ...] = ()
    """Frames that show something washed in or out since the one before."""
    proposal: Verdict = "accept"
    """What the rules say."""
    reason: str = ""
    """Why."""
    decision: Verdict | None = None
    """What the user says: accept or reject (empty: as proposed)."""
    note: str = ""
    """Whatever the user wants to remember."""

    @field_validator("washed_at", mode="before")
    @classmethod
    def _frames(cls, value: Any) -> Any:
        return tuple(int(part) for part in value.split()) if isinstance(value, str) else value

    @field_validator("proposal", "decision", mode="before")
    @classmethod
    def _verdict(cls, value: Any) -> Any:
        return VERDICTS.get(value.strip().lower(), value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> ReviewRow:
        if self.first is not None and self.last is not None and self.last < self.first:
            raise ValueError(f"frames {self.first} to {self.last}: the last must not be before the first")
        return self

    @property
    def accepted(self) -> bool:
        """The user's decision, else the proposal."""
        return (self.decision or self.proposal) == "accept"

    def cells(self) -> dict[str, str]:
        """As texts for a table."""
        made = {}
        for name, value in self:
            joined = " ".join(map(str, value)) if isinstance(value, tuple) else value
            made[name] = "" if joined is None else str(joined)
        return made


VERDICTS = {
    **dict.fromkeys(("a", "accept", "accepted", "yes", "y", "ok", "1", "keep", "x"), "accept"),
    **dict.fromkeys(("r", "reject", "rejected", "no", "n", "0", "drop"), "reject"),
}
"""How people write a decision."""
COLUMNS = tuple(ReviewRow.model_fields)


def review_of(recording: Recording, judged: Judged, settings: TrapSettings) -> list[ReviewRow]:
    """Rows for the traps of a recording, those that the border cuts at the end and rejected."""
    rows = [_row(recording, seen, judged, settings) for seen in judged.facts]
    frames = judged.found.still.frames
    for trap, beyond in judged.found.cut_off:
        rows.append(
            ReviewRow(
                **_place(recording, trap, judged),
                score=trap.score,
                first=recording.file_frame(frames[0]),
                last=recording.file_frame(frames[-1]),
                proposal="reject",
                reason=f"cut by the border: its crop reaches {beyond} px beyond the frame",
            )
        )
    return rows


def _row(recording: Recording, seen: TrapFacts, judged: Judged, settings: TrapSettings) -> ReviewRow:
    said = propose(seen, judged, settings, recording.cuts)
    cells, filled = list(seen.cells.values()), [round(share, 3) for share in seen.filled.values()]
    return ReviewRow(
        **_place(recording, seen.trap, judged),
        score=seen.trap.score,
        first=recording.file_frame(said.first),
        last=recording.file_frame(said.last),
        cells_min=min(cells, default=None),
        cells_max=max(cells, default=None),
        filled_min=min(filled, default=None),
        filled_max=max(filled, default=None),
        washed=sum(seen.washed.values()),
        washed_at=tuple(recording.file_frame(t) for t in sorted(seen.washed)),
        proposal="accept" if said.accept else "reject",
        reason=said.reason,
    )


def _place(recording: Recording, trap: Trap, judged: Judged) -> dict[str, Any]:
    y, x = recording.file_place(trap.y, trap.x)
    frame = recording.file_frame(judged.found.still.reference)
    return {"recording": recording.name, "trap": trap.number, "y": round(y), "x": round(x), "frame": frame}


def write_review(path: Path, rows: Sequence[ReviewRow]) -> Path:
    """Write the table; BadInput where a file lies there already, because somebody's decisions may be in it."""
    path = Path(path)
    if path.exists():
        raise BadInput(f"{path} exists, and may hold your decisions; give another name, or delete it first")
    return save_review(path, rows)


def save_review(path: Path, rows: Sequence[ReviewRow]) -> Path:
    """Write the table; what was there is replaced at the end or left as it was."""
    from napari_cellsynth.stack.files.replacing import replacing

    path = Path(path)
    if not path.parent.is_dir():
        raise BadInput(f"the folder {path.parent} does not exist; make it first or give another")
    with replacing(path) as temporary:
        # The mark at the start tells Excel that it is UTF-8.
        temporary.write_text(review_text(rows), encoding="utf-8-sig", newline="")
    return path


def review_text(rows: Sequence[ReviewRow]) -> str:
    """The table as CSV."""
    from napari_cellsynth.stack.recordings.text import written

    return written([COLUMNS, *([cells[name] for name in COLUMNS] for cells in (row.cells() for row in rows))])


def read_review(path: Path) -> list[ReviewRow]:
    """Read a table as a spreadsheet saves it; BadInput naming the line where something cannot be understood.

    Rows may be missing (such traps are not taken) and new ones may be there,
    with at least recording, trap, y and x.
    """
    from napari_cellsynth.stack.recordings.text import lines_of, read_text

    path = Path(path)
    lines = lines_of(read_text(path))
    if not lines:
        raise BadInput(f"{path.name} is empty; expected a table with the columns {', '.join(NEEDED)} and more")
    heads = [head.strip().lower().replace(" ", "_") for head in lines[0][1]]
    missing = [name for name in NEEDED if name not in heads]
    if missing:
        raise BadInput(f"{path.name} has no column {', '.join(missing)}; is it the review table of traps?")
    rows = [_read(path.name, number, dict(zip(heads, cells, strict=False))) for number, cells in lines[1:]]
    seen: set[tuple[str, int]] = set()
    for (number, _), row in zip(lines[1:], rows, strict=True):
        if (row.recording, row.trap) in seen:
            raise BadInput(f"{path.name}, line {number}: trap {row.trap} of {row.recording} is there twice")
        seen.add((row.recording, row.trap))
    return rows


def _read(name: str, number: int, cells: Mapping[str, str]) -> ReviewRow:
    given: dict[str, Any] = {key: text for key, text in cells.items() if key in COLUMNS and text != ""}
    for key in ("score", "filled_min", "filled_max"):
        if key in given:
            given[key] = given[key].replace(",", ".")
    try:
        return ReviewRow.model_validate(given)
    except (ValidationError, ValueError) as error:
        raise BadInput(f"{name}, line {number}: {_why(error)}") from None


def _why(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    where, given = ".".join(map(str, first["loc"])), first.get("input")
    said = str(first["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")
    return f"{where} {given!r} given; {said}" if where else said


def counts(rows: Sequence[ReviewRow]) -> str:
    """Such as ``31 traps: 24 accepted, 7 rejected (2 by you)``."""
    accepted = sum(row.accepted for row in rows)
    decided = sum(row.decision is not None for row in rows)
    by_you = f" ({decided} decided by you)" if decided else ""
    return f"{counted(len(rows), 'trap')}: {accepted} accepted, {len(rows) - accepted} rejected{by_you}"

"""The table of recordings of a study: read, written, and turned into recordings with their split."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.recordings.columns import COLUMNS, EXPECTED, HEADS, column_of, text_of, value_of
from napari_cellsynth.stack.recordings.row import Row
from napari_cellsynth.stack.recordings.text import lines_of, read_text, written

if TYPE_CHECKING:
    from napari_cellsynth.stack.recordings.holdout import Decision, HoldOut
    from napari_cellsynth.stack.recordings.recording import Recording


@dataclass(frozen=True)
class Column:
    """A column of a table that is read: its head, and the field and unit that the head means."""

    head: str
    field: str | None
    """None: it means nothing here, and is kept."""
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """Rows, and the folder that relative paths in them start from."""

    rows: tuple[Row, ...]
    folder: Path
    notes: tuple[str, ...] = ()
    """What was odd about the text, a sentence each."""

    @classmethod
    def read(cls, path: str | Path) -> Table:
        """A CSV file (commas, semicolons or tabs); paths in it are relative to its folder."""
        path = Path(path)
        text = read_text(path)
        try:
            return cls.parse(text, path.absolute().parent)
        except BadInput as error:
            raise BadInput(f"{path.name}: {error}") from None

    @classmethod
    def parse(cls, text: str, folder: str | Path, *, columns: Sequence[str] | None = None) -> Table:
        """A table from text, such as cells copied from a spreadsheet.

        The first line names the columns (see :data:`.columns.HEADS`); with
        ``columns`` (fields of Row) the text may lack it.  Raises BadInput
        naming row (the first line is 1) and column of what cannot be meant.
        """
        lines = lines_of(text)
        heads = _heads(lines, columns)
        notes = _check_heads(heads)
        body = lines if columns is not None and heads == _given(columns) else lines[1:]
        rows = tuple(_row(number, cells, heads) for number, cells in body)
        if not rows:
            raise BadInput("the table has a head and no recordings; give a line for each recording")
        return cls(rows, Path(folder), tuple(notes))

    def write(self, path: str | Path) -> Path:
        """Write as CSV (UTF-8 with a mark, so that Excel reads umlauts); relative paths are kept right."""
        from napari_cellsynth.stack.files.replacing import replacing

        path = Path(path)
        if not path.parent.is_dir():
            raise BadInput(f"the folder {path.parent} does not exist; make it first or give another")
        text = written(self.moved(path.absolute().parent).cells())
        with replacing(path) as temporary:
            temporary.write_bytes(("\ufeff" + text).encode("utf-8"))
        return path

    def cells(self) -> list[list[str]]:
        """The table as text: a line of heads, then the rows; columns in which nothing stands are left out."""
        used = {name for row in self.rows for name in COLUMNS if getattr(row, name) is not None}
        fields = [name for name in COLUMNS if name in used]
        others = list(dict.fromkeys(head for row in self.rows for head, _ in row.others))
        lines = [[*fields, *others]]
        for row in self.rows:
            more = dict(row.others)
            lines.append([text_of(name, getattr(row, name)) for name in fields] + [more.get(h, "") for h in others])
        return lines

    def filled(self, **known: Any) -> Table:
        """The same with empty cells of these fields filled; None fills nothing."""
        rows = []
        for row in self.rows:
            new = {name: value for name, value in known.items() if value is not None and getattr(row, name) is None}
            rows.append(Row.model_validate(dict(row) | new) if new else row)
        return replace(self, rows=tuple(rows))

    def moved(self, folder: Path) -> Table:
        """The same files, their paths relative to another folder where they lie in or beside it."""
        rows = [
            row.model_copy(
                update={
                    "file": _moved(row.file, self.folder, folder),
                    "labels": None if row.labels is None else _moved(row.labels, self.folder, folder),
                }
            )
            for row in self.rows
        ]
        return replace(self, rows=tuple(rows), folder=folder)

    def path(self, row: Row) -> Path:
        """Where a row's recording lies."""
        return located(row.file, self.folder)

    def labels_path(self, row: Row) -> Path | None:
        return None if row.labels is None else located(row.labels, self.folder)

    def decisions(self, settings: HoldOut | None = None) -> list[Decision]:
        """What each row is for, and why; no file is opened."""
        from napari_cellsynth.stack.recordings.holdout import HoldOut, decide

        return decide(self, settings or HoldOut())

    def decided(self, settings: HoldOut | None = None) -> Table:
        """The same table with the decision written into the column ``split``, so that it holds for good."""
        rows = zip(self.rows, self.decisions(settings), strict=True)
        return replace(self, rows=tuple(row.model_copy(update={"split": decision.use}) for row, decision in rows))

    def recordings(self, settings: HoldOut | None = None, *, labels: bool = True) -> list[Recording]:
        """Open every row that is not left out, lazily, and decide the split, once for every kind of training set.

        Without ``labels`` outlines are not looked for.  Raises BadInput
        naming the row.
        """
        from napari_cellsynth.stack.recordings.open import recordings_of_table

        return recordings_of_table(self, settings, labels=labels)

    def concerns(self, settings: HoldOut | None = None) -> list[str]:
        """What of this study cannot be told apart, a sentence each (see :mod:`.confounding`)."""
        from napari_cellsynth.stack.recordings.confounding import concerns

        return concerns(self.rows, [decision.use for decision in self.decisions(settings)])


def located(file: Path, folder: Path) -> Path:
    """A path of the table, from its folder; umlauts may be spelt in either way of Unicode."""
    import unicodedata

    path = file if file.is_absolute() else folder / file
    if not path.exists():
        for form in ("NFC", "NFD"):
            other = Path(unicodedata.normalize(form, str(path)))
            if other.exists():
                return other
    return path


def _moved(file: Path, old: Path, new: Path) -> Path:
    if old == new:
        return file
    path = Path(os.path.normpath(file if file.is_absolute() else old.absolute() / file))
    new = new.absolute()
    if path.is_relative_to(new):
        return path.relative_to(new)
    # What was named from the old folder is named from the new one; a whole path stays one.
    if not file.is_absolute() and path.anchor == new.anchor:
        return Path(os.path.relpath(path, new))
    return path


def _given(columns: Sequence[str]) -> list[Column]:
    return [Column(name, name) for name in columns]


def _heads(lines: list[tuple[int, list[str]]], columns: Sequence[str] | None) -> list[Column]:
    if not lines:
        raise BadInput("the table is empty; give a line with the names of the columns and one for each recording")
    heads = [Column(head, *column_of(head)) for head in lines[0][1]]
    if columns is not None and not any(head.field for head in heads):
        return _given(columns)
    return heads


def _check_heads(heads: list[Column]) -> list[str]:
    """Notes on columns that are kept for others; BadInput where the heads will not do."""
    fields = [head.field for head in heads if head.field]
    if "file" not in fields:
        found = ", ".join(repr(head.head) for head in heads if head.head)
        raise BadInput(f"no column says which file a row is of (found: {found}); name one of them 'file'")
    for field in fields:
        same = [head.head for head in heads if head.field == field]
        if len(same) > 1:
            names = " and ".join(map(repr, same))
            raise BadInput(f"the columns {names} both mean {field}; rename one of them")
    unknown = [head.head for head in heads if head.field is None and head.head]
    twice = [head for head in unknown if unknown.count(head) > 1]
    if twice:
        raise BadInput(f"two columns are called {twice[0]!r}; rename one of them")
    if not unknown:
        return []
    names = ", ".join(map(repr, unknown))
    if len(unknown) > 1:
        return [f"columns {names} mean nothing here and are kept as they are"]
    return [f"column {names} means nothing here and is kept as it is"]


def _row(number: int, cells: list[str], heads: list[Column]) -> Row:
    if any(cells[len(heads) :]):
        raise BadInput(
            f"row {number} has {len(cells)} cells, the first line {len(heads)}; put a cell that holds the mark between"
            " cells into quotation marks"
        )
    given: dict[str, object] = {}
    others: list[tuple[str, str]] = []
    written_as: dict[str, tuple[str, str]] = {}
    for column, cell in zip(heads, cells, strict=False):
        if column.field is None:
            others += [(column.head, cell)] if column.head else []
            continue
        written_as[column.field] = column.head, cell
        try:
            value = value_of(column.field, cell, column.unit)
        except BadInput as error:
            raise _bad_cell(number, column.head, cell, str(error)) from None
        given[column.field] = None if value == "" else value
    if given.get("file") is None:
        raise BadInput(f"row {number}, column {written_as['file'][0]!r} is empty; expected the path of a recording")
    try:
        return Row.model_validate(given | {"others": tuple(others)})
    except ValidationError as error:
        raise _refused(number, error, written_as) from None


def _refused(number: int, error: ValidationError, written_as: dict[str, tuple[str, str]]) -> BadInput:
    first = error.errors()[0]
    field = str(first["loc"][0])
    head, cell = written_as.get(field, (field, str(first["input"])))
    if first["type"] == "value_error" and "unit" in first["msg"]:
        return _bad_cell(number, head, cell, first["msg"].removeprefix("Value error, "))
    return _bad_cell(number, head, cell, f"expected {EXPECTED.get(field, 'something else')}")


def _bad_cell(number: int, head: str, cell: str, words: str) -> BadInput:
    said = words if cell and repr(cell) in words else f"{cell!r} given; {words}"
    return BadInput(f"row {number}, column {head!r}: {said}")


assert set(HEADS) == set(COLUMNS)

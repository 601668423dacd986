"""What is said about rows of a table in the words of the panel, whose table has file names and no numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from napari_cellsynth.gui.words import listed
from napari_cellsynth.stack.recordings.row import Row

ROWS = re.compile(r"\brows? (\d+(?:(?:, | and )\d+)*)(?: \([^)]*\))?")
"""Rows by their numbers, as a spreadsheet counts; of one, its title may follow."""
REMEDY = '; or set its *used for* to "leave out", or take its row out of the table'
WORDS = {
    "set both fractions to 0": "hold out: nothing",
    "set a fraction to 0": "hold out: nothing",
    "give it a role": 'fill the column "exposure" (low or high)',
}
"""What the shell and a script would do, and what is done in the panel."""
COLUMNS = {"fill the column axes": "axes", "give it a role": "role", "has no position; fill": "position"}
"""Columns of the table that somebody is asked to fill."""


def in_the_panel(message: str, rows: Sequence[Row | None]) -> str:
    """A message about a table of these rows, with the movies' file names and what can be done here."""
    one = re.match(r"row (\d+): ", message) is not None
    remedied = one and "fraction" not in message
    said = ROWS.sub(lambda found: _names(found, rows), message)
    name, mark, rest = said.partition(": ")
    if one and mark and name in rest:
        said = rest
    for shell, panel in WORDS.items():
        said = said.replace(shell, panel)
    return said + REMEDY if remedied else said


def column_asked_for(message: str) -> str | None:
    """The column of the table that a message asks to be filled."""
    return next((column for words, column in COLUMNS.items() if words in message), None)


def _names(found: re.Match[str], rows: Sequence[Row | None]) -> str:
    chosen = [rows[i] for n in re.findall(r"\d+", found[1]) if 0 <= (i := int(n) - 2) < len(rows)]
    names = [row.file.name for row in chosen if row is not None]
    if not names:
        return found[0]
    if len(names) > 1 and len(set(names)) == 1:
        return f"{len(names)} rows of {names[0]}"
    return listed(names)

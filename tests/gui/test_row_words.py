"""What is said about rows of a table names movies in the panel."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_cellsynth.gui.row_words import REMEDY, column_asked_for, in_the_panel
from napari_cellsynth.stack.recordings.row import Row

ROWS = [Row(file=Path("one/a.tif")), Row(file=Path("b.tif")), Row(file=Path("two/a.tif"))]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("row 3: it is dark", f"b.tif: it is dark{REMEDY}"),
        ("row 3: /x/b.tif does not exist", f"/x/b.tif does not exist{REMEDY}"),
        ("row 2 (A) has no position; fill that column", "a.tif has no position; fill that column"),
        ("rows 2 and 3 are exposures", "a.tif and b.tif are exposures"),
        ("rows 2 and 4 take the same", "2 rows of a.tif take the same"),
        ("row 2: a.tif gives 3; or set both fractions to 0", "a.tif gives 3; or hold out: nothing"),
        ("row 9: what", f"row 9: what{REMEDY}"),
        ("nothing of the kind", "nothing of the kind"),
    ],
)
def test_movies_are_named(message: str, said: str) -> None:
    assert in_the_panel(message, ROWS) == said


def test_the_column_that_is_asked_for_is_known() -> None:
    assert column_asked_for("nobody says; give it a role, or") == "role"
    assert column_asked_for("row 2: fill the column axes, for example") == "axes"
    assert column_asked_for("all is well") is None

"""In what made images differ from held-out ones, as a section of the check."""

from __future__ import annotations

from collections.abc import Sequence

from napari_cellsynth.quality.alike import Found, Level, Material, Row, Section
from napari_cellsynth.quality.differences import FEWEST, MEDIUM, Difference
from napari_cellsynth.quality.measures import in_words
from napari_cellsynth.stack.numbers_in_words import counted

SHOWN, SHORTLY = 5, 2
"""Measures that are shown, the report has all; and those that the sentence above all sections names."""
TITLE = "What differs"
TIP = (
    "Cliff's delta: how much more often a cell has more of it than a held-out one, less how often it has less. 0: as"
    " often; 1 or -1: always. Beside it the same of training crops, real against real."
)
NONE = (
    "No measure differs much from that of held-out cells (Cliff's delta below 0.33, not told from chance, or no larger"
    " than among real cells)."
)


def what_differs(material: Material) -> Found:
    """The largest effects, each beside that of real images against real ones."""
    found = material.differences
    large = [one for one in found if one.differs and abs(one.delta.value) >= MEDIUM]
    side = max(material.made.shape[1:])
    rows = tuple(row for one in found[:SHOWN] for row in _rows(one, side))
    cells = len(set(material.unseen_cells.tolist()))
    if cells < FEWEST:
        few = f"{counted(cells, 'held-out cell')}: too few to find out, measure by measure, in what made cells differ."
        return Found("differences", TITLE, "quiet", few, "what differs unknown", rows)
    own = [one for one in large if one.beyond_real]
    shared = [one for one in large if not one.beyond_real]
    if not own:
        return Found("differences", TITLE, "good", NONE + _shared(shared, side), "no measure differs much", rows)
    named, shortly = _named(own, side), _named(own, side, SHORTLY)
    told = f"Made cells differ in {named}.{_shared(shared, side)}"
    level: Level = "warning"
    return Found("differences", TITLE, level, told, f"they differ in {shortly}", rows)


def _rows(one: Difference, side: int) -> tuple[Row, Row]:
    """The effect, and beside it that of real cells; with the name that tables and histograms have."""
    words = in_words(one.name, side)
    words += f" ({one.name})" if words != one.name else ""
    made = Row(one.name, words, one.delta.value, one.delta.low, one.delta.high, "made", TIP)
    return made, Row(f"{one.name}, training", words, one.control, column="training", tip=TIP)


def _shared(found: Sequence[Difference], side: int) -> str:
    """That real cells have changed as much from the training to the held-out part."""
    if not found:
        return ""
    return (
        f" In {_named(found, side)}, real cells learned from differ from held-out ones about as much as made ones do."
    )


def _named(found: Sequence[Difference], side: int, most: int = 3) -> str:
    # Two percentiles of the same end are one thing to say.
    words = list(dict.fromkeys(_in_words(one, side) for one in found))
    named = ", ".join(words[:most])
    return named + (f" and {counted(len(words) - most, 'other measure')}" if len(words) > most else "")


def _in_words(one: Difference, side: int) -> str:
    return f"{in_words(one.name, side)} ({'more' if one.delta.value > 0 else 'less'})"


SECTION = Section("differences", TITLE, what_differs, measured=True)

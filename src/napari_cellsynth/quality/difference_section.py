"""In what made images differ from held-out ones, as a section of the check."""

from __future__ import annotations

from napari_cellsynth.quality.alike import Found, Level, Material, Row, Section
from napari_cellsynth.quality.differences import FEWEST, MEDIUM, Difference
from napari_cellsynth.stack.numbers_in_words import counted

SHOWN = 5
"""Measures that are shown; the report has all."""
TITLE = "What differs"


def what_differs(material: Material) -> Found:
    """The largest effects, each beside that of real images against real ones."""
    found = material.differences
    beyond = [one for one in found if one.differs and abs(one.delta.value) >= MEDIUM]
    rows = tuple(
        Row(one.name, f"{one.name} (real cells: {one.control:+.2f})", one.delta.value, one.delta.low, one.delta.high)
        for one in found[:SHOWN]
    )
    cells = len(set(material.unseen_cells.tolist()))
    if cells < FEWEST:
        few = f"{counted(cells, 'held-out cell')}: too few to find out, measure by measure, in what made cells differ."
        return Found("differences", TITLE, "quiet", few, "what differs unknown", rows)
    if not beyond:
        told = (
            "No measure differs much from that of held-out cells (Cliff's delta below 0.33, or not told from chance)."
        )
        return Found("differences", TITLE, "good", told, "no measure differs much", rows)
    named = ", ".join(_in_words(one) for one in beyond[:3])
    more = f" and {len(beyond) - 3} more" if len(beyond) > 3 else ""
    level: Level = "warning"
    return Found("differences", TITLE, level, f"Made cells differ in {named}{more}.", f"they differ in {named}", rows)


def _in_words(one: Difference) -> str:
    return f"{one.name} ({'more' if one.delta.value > 0 else 'less'})"


SECTION = Section("differences", TITLE, what_differs, measured=True)

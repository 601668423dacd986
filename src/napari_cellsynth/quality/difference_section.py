"""In what made images differ from held-out ones, as a section of the check."""

from __future__ import annotations

from collections.abc import Sequence

from napari_cellsynth.quality.alike import Found, Level, Material, Row, Section
from napari_cellsynth.quality.differences import FEWEST, MEDIUM, Difference
from napari_cellsynth.stack.numbers_in_words import counted

SHOWN = 5
"""Measures that are shown; the report has all."""
TITLE = "What differs"
NONE = (
    "No measure differs much from that of held-out cells (Cliff's delta below 0.33, not told from chance, or no larger"
    " than among real cells)."
)


def what_differs(material: Material) -> Found:
    """The largest effects, each beside that of real images against real ones."""
    found = material.differences
    large = [one for one in found if one.differs and abs(one.delta.value) >= MEDIUM]
    rows = tuple(
        Row(one.name, f"{one.name} (real cells: {one.control:+.2f})", one.delta.value, one.delta.low, one.delta.high)
        for one in found[:SHOWN]
    )
    cells = len(set(material.unseen_cells.tolist()))
    if cells < FEWEST:
        few = f"{counted(cells, 'held-out cell')}: too few to find out, measure by measure, in what made cells differ."
        return Found("differences", TITLE, "quiet", few, "what differs unknown", rows)
    own = [one for one in large if one.beyond_real]
    shared = [one for one in large if not one.beyond_real]
    if not own:
        return Found("differences", TITLE, "good", NONE + _shared(shared), "no measure differs much", rows)
    named = _named(own)
    told = f"Made cells differ in {named}.{_shared(shared)}"
    level: Level = "warning"
    return Found("differences", TITLE, level, told, f"they differ in {named}", rows)


def _shared(found: Sequence[Difference]) -> str:
    """That real cells have changed as much from the training to the held-out part."""
    if not found:
        return ""
    return f" In {_named(found)}, real cells learned from differ from held-out ones about as much as made ones do."


def _named(found: Sequence[Difference]) -> str:
    named = ", ".join(_in_words(one) for one in found[:3])
    return named + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def _in_words(one: Difference) -> str:
    return f"{one.name} ({'more' if one.delta.value > 0 else 'less'})"


SECTION = Section("differences", TITLE, what_differs, measured=True)

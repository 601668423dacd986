"""The words of the panels."""

from __future__ import annotations

from napari_cellsynth.gui import words
from napari_cellsynth.stack.crops import report as crops_report


def test_panel_and_report_draw_the_line_for_few_cells_at_the_same_number() -> None:
    few = crops_report.FEW_CELLS
    assert words.enough(few - 1)[0] == "for a look, not for a result"
    assert words.enough(few)[0] == "for first results"
    assert words.enough(words.MANY_CELLS)[0].startswith("yes")


def test_frames_are_counted_as_the_slider_counts_them() -> None:
    assert words.ranges([0, 1, 2, 3, 5]) == "0\u20133, 5"
    assert words.ranges(range(20)) == "0\u201319"

"""The words of the panels."""

from __future__ import annotations

from napari_cellsynth.gui import words


def test_frames_are_counted_as_the_slider_counts_them() -> None:
    assert words.ranges([0, 1, 2, 3, 5]) == "0\u20133, 5"
    assert words.ranges(range(20)) == "0\u201319"

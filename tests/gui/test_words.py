"""The words of the panels."""

from __future__ import annotations

from napari_cellsynth.gui import words


def test_a_name_at_the_beginning_keeps_its_small_letter() -> None:
    assert words.capital("two frames are given") == "Two frames are given"
    for said in ("yeast.tif: yeast gives 12 frames", "one_frame has a single frame", "1 frame"):
        assert words.capital(said) == said


def test_frames_are_counted_as_the_slider_counts_them() -> None:
    assert words.ranges([0, 1, 2, 3, 5]) == "0\u20133, 5"
    assert words.ranges(range(20)) == "0\u201319"

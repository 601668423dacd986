"""Numbers before words."""

from __future__ import annotations

import re
from pathlib import Path

import napari_cellsynth
from napari_cellsynth.stack.numbers_in_words import counted, ordinal


def test_singular_and_plural() -> None:
    assert [counted(n, "frame") for n in (0, 1, 2)] == ["0 frames", "1 frame", "2 frames"]
    assert (counted(1, "pass", "passes"), counted(2, "pass", "passes")) == ("1 pass", "2 passes")


def test_ordinals() -> None:
    said = [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 103, 111, 112)]
    assert said == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "103rd", "111th", "112th"]


def test_nobody_writes_a_plural_in_brackets() -> None:
    room = Path(napari_cellsynth.__file__).parent
    found = [
        f"{file.relative_to(room)}: {line.strip()}"
        for file in room.rglob("*.py")
        for line in file.read_text("utf-8").splitlines()
        if re.search(r"\} \w+( \w+)?\(s\)", line)
    ]
    assert found == [], "counted() says it"

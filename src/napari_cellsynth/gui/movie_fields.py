"""What the movie line asks with: the axes' meaning, lengths and times; and how it says what is known."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QWidget

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui import words
from napari_cellsynth.gui.facts import facts_of
from napari_cellsynth.gui.pieces import Choice, QuantityField

PIXEL_NOTE = "pixel size from"
"""How the note begins on a pixel size that is to be looked at."""


class AxesEditor(QWidget):
    """A choice of meaning for each axis in front of Y and X."""

    given = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self.choices: list[Choice] = []
        self._shape: tuple[int, ...] = ()
        self.hide()

    def show_shape(self, shape: tuple[int, ...], axes: str | None) -> None:
        """Ask about an array of this shape; ``axes`` are known ones."""
        while (item := self._row.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._shape, self.choices = shape, []
        for place, size in enumerate(shape[:-2]):
            choice = Choice()
            known = axes[place] if axes else None
            choice.offer([("choose…", None), *((word, letter) for letter, word in words.AXES.items())], known)
            choice.picked.connect(self._picked)
            self.choices.append(choice)
            self._row.addWidget(QLabel(f"{size} ="))
            self._row.addWidget(choice)
        self._row.addWidget(QLabel(f"then {shape[-2]} × {shape[-1]} pixels" if self.choices else "a single image"))
        self._row.addStretch(1)

    def asks_about(self, shape: tuple[int, ...]) -> bool:
        return shape == self._shape

    def _picked(self, _: Any) -> None:
        letters = [choice.value for choice in self.choices]
        if None not in letters:
            self.given.emit("".join(letters) + "YX")


def length_field(what: str = "pixel") -> QuantityField:
    from napari_cellsynth.stack.quantity import parse_length

    return QuantityField(what, ["µm", "nm"], parse_length)


def duration_field() -> QuantityField:
    from napari_cellsynth.stack.quantity import parse_duration

    return QuantityField("every", ["s", "min", "h", "ms"], parse_duration)


def extent(sizes: dict[str, int]) -> str | None:
    """``60 frames``, ``4 samples, 1 frame``; None where the axes are not known.

    Planes are told beside their choice.
    """
    if not sizes:
        return None
    things = {"T": "frame", "Q": "sample"}
    said = [words.how_many(n, things[axis]) for axis, n in sizes.items() if axis in things and (n > 1 or axis == "T")]
    return ", ".join(said) or "1 image"


def pixel_words(size: tuple[float, float]) -> str:
    from napari_cellsynth.stack.quantity import format_length

    y, x = size
    return format_length(x) if abs(y - x) <= 1e-3 * x else f"{format_length(y)} × {format_length(x)}"


def length_words(length: float) -> str:
    from napari_cellsynth.stack.quantity import format_length

    return format_length(length)


def duration_words(interval: float) -> str:
    from napari_cellsynth.stack.quantity import format_duration

    return format_duration(interval)


def other_notes(layer: Any) -> tuple[str, ...]:
    """What is said of a movie that is not about its pixel size."""
    try:
        return tuple(note for note in facts_of(layer).notes if not note.startswith(PIXEL_NOTE))
    except BadInput:  # a colour image
        return ()

"""The presets of a method, as radio buttons whose words wrap."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QButtonGroup, QRadioButton, QWidget

from napari_cellsynth import api
from napari_cellsynth.gui.parts import Sentence, column, row


class Preset(QWidget):
    """A radio button whose words wrap."""

    def __init__(self, words: str, tip: str) -> None:
        super().__init__()
        self.dot, label = QRadioButton(), Sentence(words)
        self.dot.setAccessibleName(words)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self.setToolTip(f"<qt>{tip}</qt>")
        line = row(self.dot, label)
        line.setStretch(1, 1)
        for part in (self.dot, label):
            line.setAlignment(part, Qt.AlignmentFlag.AlignTop)
        column(line, parent=self)

    def mousePressEvent(self, event: Any) -> None:
        self.dot.setChecked(True)


class Presets(QWidget):
    """The presets of a family, one below the other, one of them chosen."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._group = QButtonGroup(self)
        self._group.idToggled.connect(lambda _, on: self.changed.emit() if on else None)
        self._column = column(parent=self, spacing=2)
        self._presets: list[api.Preset] = []
        self._choices: list[Preset] = []

    @property
    def names(self) -> list[str]:
        """Names of the presets in the shell."""
        return [preset.name for preset in self._presets]

    def offer(self, presets: list[api.Preset]) -> None:
        """Show these, the first one chosen."""
        for old in self._choices:
            self._group.removeButton(old.dot)
            old.hide()  # at once: what is deleted later is seen until then
            old.deleteLater()
        self._presets = presets
        self._choices = [Preset(p.words, f"{p.words}: {p.settings.steps:,} steps") for p in presets]
        for place, choice in enumerate(self._choices):
            self._group.addButton(choice.dot, place)
            self._column.addWidget(choice)
        self._group.button(0).setChecked(True)

    def chosen(self) -> api.Preset:
        return self._presets[self._group.checkedId()]

    def choose(self, name: str) -> None:
        """Choose a preset by its name in the shell."""
        self._group.button(self.names.index(name)).setChecked(True)

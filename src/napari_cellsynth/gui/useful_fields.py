"""What is asked when it is tried whether simulated frames help: the labelled set, whose cells, and how thoroughly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QLineEdit, QWidget

from napari_cellsynth.api.useful_settings import UsefulSettings
from napari_cellsynth.gui import words
from napari_cellsynth.gui.parts import Foldout, Sentence, column, row
from napari_cellsynth.gui.pieces import Choice, Whole

CUT_ALONE = "cut out of the labelled frames"
UNSAID = (
    "microscopy? is not answered, here or when the set was made: nothing will be mirrored or turned, and outlines"
    " without training guess."
)
SAY_NUMBERS = "Real frames: write numbers such as 1, 2, 5, 10."


class UsefulFields(QWidget):
    """The fields; ``changed`` where it is another question now."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sets: Mapping[Path, str | None] = {}
        self._runs: list[tuple[str, Any]] = []
        self.data, self.looks = Choice("labelled frames"), Choice("cells look like")
        self.modality, self.unsaid = Choice("microscopy"), Sentence()
        self.modality.offer([(word, value) for value, word in words.MODALITIES.items()])
        for field in (self.data, self.looks, self.modality):
            field.picked.connect(lambda *_: self._picked())
        names = ((self.data, "labelled frames"), (self.modality, "filmed in"), (self.looks, "cells look like"))
        data, asking, looks = (row(QLabel(name), field) for field, name in names)
        for line in (data, asking, looks):
            line.setStretch(1, 1)
        self._asked = QWidget()
        self._asked.setLayout(asking)
        self._build_numbers()
        self.advanced = Foldout("Advanced", self._advanced)
        column(data, self._asked, self.unsaid, looks, self.advanced, parent=self)
        self._show_asking()

    def _build_numbers(self) -> None:
        usual = UsefulSettings()
        self.frames, self.seeds, self.steps, self.simulated = QLineEdit(), Whole(), Whole(), Whole()
        self.frames.setText(", ".join(map(str, usual.frames)))
        self.frames.setAccessibleName("real frames")
        self.frames.textEdited.connect(lambda *_: self.changed.emit())
        for spin, name, low, high, value in (
            (self.seeds, "seeds", 1, 20, usual.seeds),
            (self.steps, "steps of each training", 10, 1_000_000, usual.steps),
            (self.simulated, "simulated frames", 4, 10_000, usual.simulated),
        ):
            spin.setRange(low, high)
            spin.setValue(value)
            spin.setAccessibleName(name)
            spin.valueChanged.connect(lambda *_: self.changed.emit())

    def _advanced(self) -> QWidget:
        box = QWidget()
        form = QFormLayout(box)
        form.setContentsMargins(12, 0, 0, 0)
        self.frames.setToolTip("<qt>How many real labelled frames are learned from, such as 1, 2, 5, 10.</qt>")
        form.addRow(self.frames.accessibleName(), self.frames)
        for name in ("seeds", "simulated", "steps"):
            spin = getattr(self, name)
            spin.setToolTip(f"<qt>{UsefulSettings.model_fields[name].description}</qt>")
            form.addRow(spin.accessibleName(), spin)
        return box

    def _picked(self) -> None:
        self._show_asking()
        self.changed.emit()

    def _show_asking(self) -> None:
        """How the frames were filmed is asked where their set does not say."""
        asks = self.data.value is not None and self._sets.get(self.data.value) is None
        self._asked.setVisible(asks)
        self.unsaid.say(UNSAID if asks and self.modality.value is None else "", "warning")

    # -- what there is

    def offer_sets(self, sets: Mapping[Path, str | None]) -> None:
        """Labelled sets, and how each was filmed where it says so; the chosen one stays where it is still there."""
        if sets == self._sets:
            return
        before, self._sets = self.data.value, sets
        self.data.offer([(path.name, path) for path in sets], before if before in sets else next(iter(sets), None))
        self._show_asking()
        if self.data.value != before:
            self.changed.emit()

    def offer_runs(self, rows: list[dict[str, Any]]) -> None:
        """Trainings that make cells; whether with outlines is said when one is tried."""
        able = [one for one in rows if one.get("weights") and "decode" in one.get("verbs", ())]
        choices: list[tuple[str, Any]] = [(CUT_ALONE, None), *((one["name"], Path(one["path"])) for one in able)]
        there = self.looks.value in [value for _, value in choices]
        if choices != self._runs:
            self._runs = choices
            self.looks.offer(choices, self.looks.value if there else None)

    # -- what is asked

    def settings(self) -> UsefulSettings | None:
        """What the fields say; None where the numbers of real frames are none."""
        try:
            numbers = sorted({int(part) for part in self.frames.text().replace(" ", "").split(",") if part})
        except ValueError:
            numbers = []
        if not numbers or numbers[0] < 1:
            return None
        return UsefulSettings(
            frames=tuple(numbers),
            seeds=self.seeds.value(),
            steps=self.steps.value(),
            simulated=self.simulated.value(),
            # What the set says counts; what was answered for another set does not.
            modality=None if self._asked.isHidden() else self.modality.value,
        )

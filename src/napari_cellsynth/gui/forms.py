"""Settings on the screen: a pydantic model becomes rows of widgets, and the rows a model again.

Labels come from the fields' names or titles, tool tips from their sentences, bounds
from their annotations, so that each is written once.  (magicgui's own
builder loses defaults: a learning rate of 2e-4 reads back as 0.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.form_rows import Row, row_for
from napari_cellsynth.gui.parts import Sentence

ABBREVIATIONS = {
    "ema": "EMA of the weights",
    "checkpoint_every": "save every (steps)",
    "keep_checkpoints": "saved states kept",
    "preview_every": "preview every (steps)",
    "keep_gb": "disk for saved states (GB)",
    "keep_previews": "previews kept",
    "micro_batch": "in memory at once",
    "with_masks": "outlines with the images",
    "precision": "number format",
    "beta1": "beta 1",
    "beta2": "beta 2",
    "max_distance_um": "moves at most (µm)",
    "max_distance_px": "moves at most (px)",
    "gap": "may be missing (frames)",
    "shortest": "shortest track (frames)",
    "common_motion": "take the stage out",
    "box_um": "box (µm)",
    "box_px": "box (px)",
    "max_shift": "max shift (px)",
    "size": "size (px)",
    "overlap": "overlap (share)",
    "margin": "margin (px)",
    "min_content": "min content (share)",
    "min_area": "min area (px)",
}


class SettingsForm(QWidget):
    """A row for each setting; ``read()`` gives the model that the rows show."""

    changed = Signal()

    def __init__(self, settings: BaseModel, hide: tuple[str, ...] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind = type(settings)
        self._hidden = {name: getattr(settings, name) for name in hide}
        self.rows: dict[str, Row] = {}
        self._rows = QFormLayout()
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setVerticalSpacing(3)
        self._rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, field in self._kind.model_fields.items():
            if name not in hide:
                self._add(name, field, getattr(settings, name))
        self._complaint = Sentence(level="bad")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._complaint)
        column.addLayout(self._rows)

    def _add(self, name: str, field: FieldInfo, value: Any) -> None:
        words = self._words(name)
        if isinstance(value, BaseModel):
            row: Row = Nested(value)
            self._rows.addRow(QLabel(words))
            self._rows.addRow(row)
        else:
            row = row_for(field, value)
            label = QLabel(words)
            label.setToolTip(tip(field))
            self._rows.addRow(label, row)
        row.setToolTip(tip(field))
        row.setAccessibleName(words)
        row.changed.connect(self._look)
        self.rows[name] = row

    def read(self) -> BaseModel:
        """The settings that the form shows.

        Raises BadInput with the name of the first setting that cannot be
        used and what it would take.
        """
        values = dict(self._hidden)
        for name, row in self.rows.items():
            try:
                values[name] = row.value()
            except ValueError as error:
                raise BadInput(f"{self._words(name)}: {why(error)}") from error
        try:
            return self._kind(**values)
        except ValidationError as error:
            where = error.errors()[0]["loc"]
            raise BadInput(f"{self._words(str(where[0]))}: {why(error)}" if where else why(error)) from error

    def _words(self, name: str) -> str:
        """What a setting is called: its field's title, where its name alone says little."""
        field = self._kind.model_fields.get(name)
        return (field.title if field is not None else None) or in_words(name)

    def show_values(self, values: Mapping[str, Any]) -> None:
        """Show other values of some settings, as if they had been entered."""
        for name, value in values.items():
            self.rows[name].show_value(value)

    def changes(self, beside: BaseModel) -> dict[str, Any]:
        """Settings whose values differ from those of ``beside``."""
        ours = self.read()
        pairs = {name: (getattr(ours, name), getattr(beside, name)) for name in type(beside).model_fields}
        return {name: mine for name, (mine, theirs) in pairs.items() if mine != theirs}

    def _look(self) -> None:
        try:
            self.read()
            self._complaint.say("", "bad")
        except BadInput as error:
            self._complaint.say(str(error), "bad")
        self.changed.emit()


class Nested(Row):
    """Settings within settings."""

    def __init__(self, settings: BaseModel) -> None:
        super().__init__()
        self._form = SettingsForm(settings)
        self._form.changed.connect(self.changed)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 0, 0, 0)
        column.addWidget(self._form)

    def value(self) -> BaseModel:
        return self._form.read()

    def show_value(self, value: BaseModel) -> None:
        self._form.show_values(dict(value))


def in_words(name: str) -> str:
    return ABBREVIATIONS.get(name, name.replace("_", " "))


def tip(field: FieldInfo) -> str:
    """The field's sentence, as rich text so that Qt wraps it."""
    return f"<qt>{field.description}</qt>" if field.description else ""


def why(error: Exception) -> str:
    """What is wrong, in a few words: pydantic's first complaint without its headers."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        if first["type"].startswith(("int_", "float_")):
            return f"should be a {'whole ' if first['type'].startswith('int_') else ''}number"
        message = str(first["msg"])
        return message.removeprefix("Value error, ").replace("Input should be", "should be")
    return str(error)

"""One setting, one widget.

Numbers are lines of text, not spin boxes: a spin box rounds a learning rate
away, clips what is out of bounds without a word, and turns under the mouse
wheel of whoever scrolls the panel.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QWidget

EMPTY = "–"
"""Shown in an empty line that means None."""


class Row(QWidget):
    """A widget for a value."""

    changed = Signal()

    def value(self) -> Any:
        """The value shown; raises ValueError where there is none."""
        raise NotImplementedError

    def show_value(self, value: Any) -> None:
        """Show another value, as if it had been entered."""
        raise NotImplementedError


class Tick(Row):
    """Yes or no."""

    def __init__(self, value: bool) -> None:
        super().__init__()
        self.box = QCheckBox()
        self.box.setChecked(value)
        self.box.toggled.connect(self.changed)
        alone(self, self.box)

    def value(self) -> bool:
        return bool(self.box.isChecked())

    def show_value(self, value: Any) -> None:
        self.box.setChecked(bool(value))


class Choice(Row):
    """One of a few."""

    def __init__(self, choices: tuple[Any, ...], value: Any) -> None:
        super().__init__()
        self.box = QComboBox()
        self._choices = choices
        self.box.addItems([EMPTY if choice is None else str(choice) for choice in choices])
        self.box.setCurrentIndex(choices.index(value))
        self.box.currentIndexChanged.connect(self.changed)
        alone(self, self.box)

    def value(self) -> Any:
        return self._choices[self.box.currentIndex()]

    def show_value(self, value: Any) -> None:
        self.box.setCurrentIndex(self._choices.index(value))


class Text(Row):
    """Anything that can be written: numbers, words, lists of them."""

    def __init__(self, annotation: Any, value: Any) -> None:
        super().__init__()
        self._adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        self._write, self._parse = notation(self._adapter, value)
        self.line = QLineEdit(self._write(value))
        self.line.setPlaceholderText(EMPTY)
        self.line.textChanged.connect(self.changed)
        alone(self, self.line)

    def value(self) -> Any:
        return self._adapter.validate_python(self._parse(self.line.text().strip()))

    def show_value(self, value: Any) -> None:
        self._write, self._parse = notation(self._adapter, value)
        self.line.setText(self._write(value))


def row_for(field: FieldInfo, value: Any) -> Row:
    """The widget for a field, showing ``value``."""
    choices = literal_choices(field.annotation)
    if choices and value in choices:
        return Choice(choices, value)
    if field.annotation is bool:
        return Tick(value)
    annotation = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return Text(annotation, value)


def literal_choices(annotation: Any) -> tuple[Any, ...]:
    """Values of ``Literal[…]`` and of ``Literal[…] | None``; empty for other types."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    members = get_args(annotation)
    if len(members) == 2 and type(None) in members:
        inner = literal_choices(members[0] if members[1] is type(None) else members[1])
        return (*inner, None) if inner else ()
    return ()


Notation = tuple[Callable[[Any], str], Callable[[str], Any]]


def plain_text(value: Any) -> str:
    return "" if value is None else str(value)


def from_plain(text: str) -> Any:
    return text or None


def with_commas(value: Any) -> str:
    return "" if value is None else ", ".join(str(part) for part in value)


def from_commas(text: str) -> Any:
    return [part.strip() for part in text.split(",")] if text else None


def notation(adapter: TypeAdapter[Any], value: Any) -> Notation:
    """The plainest way of writing in which this value can be read back: with commas, as it is, else JSON."""
    as_json: Notation = (lambda v: adapter.dump_json(v).decode(), lambda text: json.loads(text) if text else None)
    write, parse = (with_commas, from_commas) if takes_list(adapter) else (plain_text, from_plain)
    try:
        return (write, parse) if adapter.validate_python(parse(write(value))) == value else as_json
    except (ValueError, TypeError):
        return as_json


def takes_list(adapter: TypeAdapter[Any]) -> bool:
    """Whether a list could be a value: asked of the type, as a None does not say how the others are written."""
    schema = adapter.json_schema()
    return any(part.get("type") == "array" for part in [schema, *schema.get("anyOf", [])])


def alone(row: QWidget, widget: QWidget) -> None:
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.addWidget(widget)

"""Small widgets that the panels are built of."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QKeyEvent, QPaintEvent, QPalette, QWheelEvent
from qtpy.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QScrollArea,
    QSlider,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.parts import FLAT, rule, style
from napari_cellsynth.gui.theme import restyle, tint
from napari_cellsynth.gui.words import PENCIL

MARGIN = 4
"""Pixels beside the words of a combo box that a style may keep for itself."""
PENCIL_STYLE = "QToolButton { background: transparent; border: 1px solid transparent; padding: 0px; "


class Section(QWidget):
    """A heading with a line, and rows beneath it that fold away on a click."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = QToolButton()
        self.head.setText(title)
        self.head.setCheckable(True)
        self.head.setChecked(True)
        self.head.setArrowType(Qt.ArrowType.DownArrow)
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.head.setStyleSheet(FLAT + "font-weight: bold; }")
        self.head.toggled.connect(self._fold)
        self._brief, self._level = QLabel(), "quiet"
        tint(self._brief, lambda: style(self, self._level))
        self._brief.hide()
        heading = QHBoxLayout()
        heading.setSpacing(4)
        for widget, stretch in ((self.head, 0), (self._brief, 0), (rule(), 1)):
            heading.addWidget(widget, stretch)
        self.body = QWidget()
        self.rows = QVBoxLayout(self.body)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(4)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 2, 0, 4)
        whole.setSpacing(4)
        whole.addLayout(heading)
        whole.addWidget(self.body)

    def add(self, *things: QWidget | QLayout) -> None:
        """Widgets and rows, one below the other."""
        for thing in things:
            if isinstance(thing, QLayout):
                self.rows.addLayout(thing)
            else:
                self.rows.addWidget(thing)

    def fold(self, away: bool = True) -> None:
        """Fold the rows away, or show them."""
        self.head.setChecked(not away)

    def brief(self, text: str, level: str = "quiet") -> None:
        """A few words that stand in the heading while the rows are folded away."""
        self._brief.setText(text)
        self._level = level
        restyle(self._brief)
        self._brief.setVisible(bool(text) and not self.head.isChecked())

    def _fold(self, opened: bool) -> None:
        self.head.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)
        self.body.setVisible(opened)
        self._brief.setVisible(bool(self._brief.text()) and not opened)


class Rows(QWidget):
    """As high as its rows are at its width; a wrapped label alone would claim the height it has when it is narrow."""

    def minimumSizeHint(self) -> QSize:  # Qt's name
        least, layout = super().minimumSizeHint(), self.layout()
        return (
            least if layout is None else QSize(least.width(), layout.heightForWidth(max(least.width(), self.width())))
        )


class Column(QScrollArea):
    """Rows from top to bottom that scroll up and down, never sideways."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inner = Rows()
        self.rows = QVBoxLayout(inner)
        self.rows.setContentsMargins(6, 6, 6, 6)
        self.rows.setSpacing(6)
        self.setWidget(inner)

    def sizeHint(self) -> QSize:
        return QSize(360, 480)


class Choice(QComboBox):
    """A combo box of (words, value) that keeps its choice when its list changes, and never grows with long words.

    ``name`` is for those who hear it, where no label stands before it.
    ``picked`` is the user's doing alone.
    """

    picked = Signal(object)

    def __init__(self, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self.activated.connect(self._picked)
        self._values: list[Any] = []

    def offer(self, choices: list[tuple[str, Any]], value: Any = None) -> None:
        """Replace the list; ``value`` is chosen where it is in it, else the first."""
        self.blockSignals(True)
        self.clear()
        self._values = [value for _, value in choices]
        self.addItems([words for words, _ in choices])
        for i, (words, _) in enumerate(choices):
            self.setItemData(i, words, Qt.ItemDataRole.ToolTipRole)
        self.choose(value)
        self.blockSignals(False)

    def _picked(self, index: int) -> None:
        self.setToolTip(self.currentText())
        self.picked.emit(self.value_at(index))

    def choose(self, value: Any) -> None:
        places = [i for i, other in enumerate(self._values) if other is value or (value is not None and other == value)]
        self.setCurrentIndex(places[0] if places else 0)
        self.setToolTip(self.currentText())

    def value_at(self, index: int) -> Any:
        return self._values[index] if 0 <= index < len(self._values) else None

    @property
    def value(self) -> Any:
        return self.value_at(self.currentIndex())

    def words_in(self, room: int) -> str:
        """What is chosen, in so many pixels: with dots where it is longer."""
        return str(self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, max(0, room)))

    def paintEvent(self, event: QPaintEvent) -> None:
        # As Qt draws it; but Qt cuts long words without a sign of it.
        option, painter = QStyleOptionComboBox(), QStylePainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.Text))
        self.initStyleOption(option)
        kind, field = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        painter.drawComplexControl(kind, option)
        option.currentText = self.words_in(self.style().subControlRect(kind, option, field, self).width() - MARGIN)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # whoever scrolls the panel means the panel


class Whole(QSpinBox):
    """A whole number that does not turn under the wheel of whoever scrolls the panel."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class QuantityField(QWidget):
    """A number with its unit beside it; a unit that is typed along counts more than the one beside."""

    entered = Signal()
    left = Signal()

    def __init__(
        self, what: str, units: list[str], parse: Callable[[str], float], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._parse = parse
        self.line = QLineEdit()
        self.line.setPlaceholderText(what)
        self.line.setFixedWidth(52)
        self.units = QComboBox()
        self.units.addItems(units)
        self.units.setFixedWidth(70)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self.line)
        row.addWidget(self.units)
        self.line.returnPressed.connect(self.entered)
        self.setFocusProxy(self.line)

    def read(self) -> float:
        """The value in micrometres or seconds; raises BadInput with what would do."""
        text = self.line.text().strip().replace(",", ".")
        return self._parse(text if text and text[-1].isalpha() else f"{text} {self.units.currentText()}")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class Fact(QWidget):
    """A fact of the movie, such as ``0.19 µm ✎``; a click on it lets the user type another.

    ``given`` takes what was typed; it raises BadInput where that will not do,
    and the reason goes to ``complaint``.
    """

    complaint = Signal(str)
    confirmed = Signal()
    """Enter in an empty field: what is known is right."""

    def __init__(
        self, field: QuantityField, given: Callable[[float], Any], missing: str, tip: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.field, self._given, self._missing = field, given, missing
        self._text: str | None = None
        self._accepting = False
        self.button = pencil_button(tip)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        row.addWidget(field)
        field.hide()
        self.button.clicked.connect(self.edit)
        field.entered.connect(self.accept)
        field.left.connect(self.leave)

    def state(self, text: str | None) -> None:
        """Show the fact, or that it is missing; a field that is open stays so, unless the fact is another now."""
        if self._accepting or text != self._text:
            self.close_field()
        self._text = text
        set_pencil(self.button, text, self._missing)

    def edit(self) -> None:
        """Open the field; what is typed in one that is open already stays."""
        if self.field.isHidden():
            self.field.line.clear()
        self.button.hide()
        self.field.show()
        self.field.setFocus()

    def accept(self) -> None:
        if self._text is not None and not self.field.line.text().strip():
            self.close_field()
            self.confirmed.emit()
            return
        self._accepting = True
        try:
            self._given(self.field.read())
        except BadInput as error:
            self.complaint.emit(str(error))
        finally:
            self._accepting = False

    def leave(self) -> None:
        self.close_field()
        self.complaint.emit("")

    def close_field(self) -> None:
        self.field.hide()
        self.button.show()


def pencil_button(tip: str) -> QToolButton:
    button = QToolButton()
    button.setToolTip(tip)
    button.setCursor(Qt.CursorShape.PointingHandCursor)
    button.setProperty("missing", False)
    tint(button, lambda: PENCIL_STYLE + (f"{style(button, 'warning')} }}" if button.property("missing") else "}"))
    return button


def set_pencil(button: QToolButton, text: str | None, missing: str) -> None:
    """The fact in plain, or the question in amber."""
    button.setText(f"{text or missing} {PENCIL}")
    button.setProperty("missing", not text)
    restyle(button)


class Listening:
    """Connections to the viewer's and the session's signals that end with the widget that listens."""

    def __init__(self, owner: QWidget) -> None:
        self._heard: list[tuple[Any, Callable[..., Any]]] = []
        owner.destroyed.connect(self.stop)

    def to(self, signal: Any, callback: Callable[..., Any]) -> None:
        signal.connect(callback)
        self._heard.append((signal, callback))

    def stop(self, *_: Any) -> None:
        for signal, callback in self._heard:
            with suppress(ValueError, KeyError):  # the sender forgot it already
                signal.disconnect(callback)
        self._heard = []


class Slider(QSlider):
    """From 0 to 1, and deaf to the wheel of whoever scrolls the panel."""

    def __init__(self, value: float) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, 100)
        self.setValue(round(100 * value))

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

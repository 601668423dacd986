"""What is wrong with how a panel looks: what is wider than its place, what is cut, what has no name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QGroupBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QScrollBar,
    QTabBar,
    QTabWidget,
    QToolButton,
    QWidget,
)

CONTROLS = (QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox, QAbstractSlider, QTabBar, QAbstractItemView)
SLACK = 2
"""Pixels."""


def seen(panel: QWidget) -> Iterator[QWidget]:
    """The visible widgets of a panel, without the insides of tables, spin boxes and Qt's own scroll bars."""
    for widget in panel.findChildren(QWidget):
        if widget.isVisible() and not inside(widget, panel):
            yield widget


def inside(widget: QWidget, panel: QWidget) -> bool:
    if isinstance(widget, QScrollBar):
        return True
    holder = widget.parentWidget()
    while holder is not None and holder is not panel:
        if isinstance(holder, QAbstractItemView | QAbstractSpinBox | QComboBox | QTabBar):
            return True
        holder = holder.parentWidget()
    return False


def place_of(widget: QWidget, panel: QWidget) -> QWidget:
    """The viewport that a widget scrolls in, else the panel."""
    holder = widget.parentWidget()
    while holder is not None and holder is not panel:
        above = holder.parentWidget()
        if isinstance(above, QScrollArea) and holder is above.viewport():
            return holder
        holder = above
    return panel


def plain(text: str) -> str:
    """Without marks of rich text and mnemonics."""
    return re.sub(r"<[^>]+>", "", text).replace("&&", "\0").replace("&", "").replace("\0", "&").strip()


def text_of(widget: QWidget) -> str:
    if isinstance(widget, QComboBox):
        return widget.currentText()
    if isinstance(widget, QLabel | QAbstractButton | QLineEdit):
        return plain(widget.text())
    return ""


def too_wide(panel: QWidget) -> list[str]:
    """Widgets that stick out of the place they scroll in."""
    found = []
    for widget in seen(panel):
        place = place_of(widget, panel)
        left = widget.mapTo(place, widget.rect().topLeft()).x()
        if left < -SLACK or left + widget.width() > place.width() + SLACK:
            found.append(f"{describe(widget)} from {left} to {left + widget.width()} of {place.width()}")
    return found


def cut(panel: QWidget) -> list[str]:
    """Texts that have less room than they need, and whose whole stands in no tool tip."""
    return [
        f"{describe(widget)} {widget.width()} x {widget.height()}"
        for widget in seen(panel)
        if text_of(widget) and is_cut(widget) and text_of(widget) not in plain(widget.toolTip())
    ]


def is_cut(widget: QWidget) -> bool:
    if isinstance(widget, QLabel):
        if widget.wordWrap():
            return widget.heightForWidth(widget.width()) > widget.height() + SLACK
        elides = hasattr(widget, "elideMode")
        return not elides and widget.sizeHint().width() > widget.width() + SLACK
    if isinstance(widget, QComboBox):
        room = widget.width() - 26 - 10
        return widget.fontMetrics().horizontalAdvance(widget.currentText()) > room
    if isinstance(widget, QLineEdit):
        needed = widget.fontMetrics().horizontalAdvance(widget.text() or widget.placeholderText())
        return not widget.text() and needed > widget.width() - 4
    if isinstance(widget, QPushButton | QToolButton | QCheckBox | QRadioButton):
        return widget.fontMetrics().horizontalAdvance(plain(widget.text())) > widget.width()
    return False


def nameless(panel: QWidget) -> list[str]:
    """Controls of which a screen reader could say nothing."""
    found = []
    for widget in seen(panel):
        if not isinstance(widget, CONTROLS) or isinstance(widget, QLabel):
            continue
        if inside_of(widget, QTabBar) or widget.objectName() == "qt_spinbox_lineedit":
            continue
        named = any(re.search(r"\w", text) for text in (widget.accessibleName(), name_of(widget)))
        if not named and not buddy(widget, panel):
            found.append(describe(widget))
    return found


def name_of(widget: QWidget) -> str:
    return plain(widget.text()) if isinstance(widget, QAbstractButton) else ""


def buddy(widget: QWidget, panel: QWidget) -> bool:
    return any(label.buddy() is widget for label in panel.findChildren(QLabel))


def inside_of(widget: QWidget, kind: type) -> bool:
    holder = widget.parentWidget()
    return isinstance(holder, kind)


def texts(panel: QWidget, hidden: bool = False) -> Iterator[str]:
    """Every text of a panel that can be read: labels, buttons, lists, titles of tabs, tool tips."""
    for widget in panel.findChildren(QWidget):
        if not (hidden or widget.isVisible()):
            continue
        if isinstance(widget, QLabel | QAbstractButton):
            yield plain(widget.text())
        elif isinstance(widget, QGroupBox):
            yield widget.title()
        elif isinstance(widget, QComboBox):
            yield from (widget.itemText(i) for i in range(widget.count()))
        elif isinstance(widget, QTabWidget):
            yield from (widget.tabText(i) for i in range(widget.count()))
        elif isinstance(widget, QLineEdit):
            yield widget.placeholderText()
        yield plain(widget.toolTip())
        yield widget.accessibleName()


def describe(widget: QWidget) -> str:
    return f"{type(widget).__name__} {text_of(widget)[:60]!r}"

"""Small parts that the Train and Use tabs are put together from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPixmap
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_cellsynth.gui.theme import ON_DARK, THEME, restyle, tint

FLAT = "QToolButton, QToolButton:checked { background: transparent; border: 1px solid transparent; "
"""Style of a heading that folds; a key's focus draws its border."""


class Sentence(QLabel):
    """A wrapped line of words that takes no room when it is empty."""

    def __init__(self, text: str = "", level: str = "quiet") -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._said: tuple[str, str] | None = None
        self._level = level
        tint(self, lambda: style(self, self._level))
        self.say(text, level)

    def say(self, text: str, level: str = "quiet") -> None:
        if (text, level) == self._said:
            return
        self._said, self._level = (text, level), level
        self.setText(text)
        restyle(self)
        self.setVisible(bool(text))


def style(widget: QWidget, level: str) -> str:
    """The colour of a level (``quiet``, ``good``, ``warning``, ``bad``) on the ground that napari has now."""
    return f"color: {THEME.colour(level)};" if level in ON_DARK else ""


def button(words: str, do: Callable[[], Any], tip: str = "") -> QPushButton:
    """A button that names its result."""
    made = QPushButton(words)
    made.setToolTip(f"<qt>{tip}</qt>" if tip else "")
    made.clicked.connect(lambda *_: do())
    return made


def row(*widgets: QWidget | None) -> QHBoxLayout:
    """Widgets side by side; None is a space that stretches."""
    line = QHBoxLayout()
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(4)
    before: QWidget | None = None
    for widget in widgets:
        if widget is None:
            line.addStretch(1)
            continue
        line.addWidget(widget)
        if isinstance(before, QLabel) and before.text() and not widget.accessibleName():
            widget.setAccessibleName(before.text())  # what stands before a field is its name for those who hear it
        before = widget
    return line


def column(*parts: QWidget | QLayout, parent: QWidget | None = None, spacing: int = 4) -> QVBoxLayout:
    """Widgets and layouts one below the other."""
    lines = QVBoxLayout(parent) if parent is not None else QVBoxLayout()
    lines.setContentsMargins(0, 0, 0, 0)
    lines.setSpacing(spacing)
    for part in parts:
        if isinstance(part, QLayout):
            lines.addLayout(part)
        else:
            lines.addWidget(part)
    return lines


class Bar(QWidget):
    """How much is done, as a thin bar.

    Not Qt's: that one repaints at once, whatever the window is busy with,
    which beside a drawing canvas took 18 ms each time.
    """

    HEIGHT = 6

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(self.HEIGHT)
        self.setAccessibleName("done")
        self.share = 0.0

    def show_share(self, share: float) -> None:
        """From 0 to 1; drawn when the window is drawn next."""
        if share != self.share:
            self.share = share
            self.update()

    def paintEvent(self, event: Any) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        corner = self.HEIGHT / 2
        for share, colour in ((1.0, QColor(128, 128, 128, 70)), (self.share, QColor(THEME.colour("accent")))):
            if share > 0:
                painter.setBrush(colour)
                long = max(float(self.HEIGHT), share * self.width())
                painter.drawRoundedRect(QRectF(0, 0, long, self.HEIGHT), corner, corner)
        painter.end()


def rule() -> QFrame:
    """A thin line between two parts of a panel."""
    line = QFrame()
    line.setFixedHeight(1)
    line.setStyleSheet("background: rgba(128, 128, 128, 90);")
    return line


class Foldout(QWidget):
    """A part that opens on a click and is made only then."""

    def __init__(self, title: str, make: Callable[[], QWidget], tip: str = "") -> None:
        super().__init__()
        self._make = make
        self.content: QWidget | None = None
        self.head = QToolButton()
        self.head.setText(title)
        self.head.setToolTip(f"<qt>{tip}</qt>" if tip else "")
        self.head.setCheckable(True)
        self.head.setArrowType(Qt.ArrowType.RightArrow)
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.head.setStyleSheet(FLAT + "}")
        self.head.toggled.connect(self._turn)
        self._column = column(row(self.head, None), parent=self)

    def is_open(self) -> bool:
        return bool(self.head.isChecked())

    def clear(self) -> None:
        """Forget the content; it is made anew when opened, at once if open."""
        if self.content is not None:
            self.content.hide()
            self._column.removeWidget(self.content)
            self.content.deleteLater()
            self.content = None
        if self.is_open():
            self._turn(True)

    def _turn(self, opened: bool) -> None:
        self.head.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)
        if opened and self.content is None:
            self.content = self._make()
            self._column.addWidget(self.content)
        if self.content is not None:
            self.content.setVisible(opened)


class Thumbnails(QLabel):
    """A row of small images that fills the width it is given."""

    GAP = 2

    def __init__(self, columns: int = 8, rows: int = 1) -> None:
        super().__init__()
        self._columns, self._rows = columns, rows
        self._sheet: np.ndarray | None = None
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(40)
        self._resize()

    def set_columns(self, columns: int) -> None:
        self._columns = max(1, columns)
        self._resize()

    def show_images(self, images: np.ndarray | None, limits: tuple[float, float] = (0.0, 1.0)) -> None:
        """(N, Y, X) of any number type, ``limits`` black and white; None empties the row."""
        self._sheet = None if images is None else _grey(images[: self._columns * self._rows], limits)
        self._draw()

    def sizeHint(self) -> QSize:  # Qt's name
        return QSize(300, self._side() * self._rows + self.GAP * (self._rows - 1))

    def resizeEvent(self, event: Any) -> None:  # Qt's name
        super().resizeEvent(event)
        self._resize()
        self._draw()

    def _side(self) -> int:
        return max(8, (self.width() - self.GAP * (self._columns - 1)) // self._columns)

    def _resize(self) -> None:
        self.setFixedHeight(self._side() * self._rows + self.GAP * (self._rows - 1))

    def _draw(self) -> None:
        if self._sheet is None:
            self.clear()
            return
        side, ratio = self._side(), self.devicePixelRatioF()
        whole = QPixmap(round(self.width() * ratio), round(self.height() * ratio))
        whole.fill(Qt.GlobalColor.transparent)
        painter = QPainter(whole)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for place, image in enumerate(self._sheet):
            y, x = divmod(place, self._columns)
            height, width = image.shape
            picture = QImage(image.data, width, height, width, QImage.Format.Format_Grayscale8)
            corner = (round(x * (side + self.GAP) * ratio), round(y * (side + self.GAP) * ratio))
            scaled = QPixmap.fromImage(picture).scaled(
                round(side * ratio),
                round(side * ratio),
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            painter.drawPixmap(*corner, scaled)
        painter.end()
        whole.setDevicePixelRatio(ratio)
        self.setPixmap(whole)


class Sheet(QLabel):
    """A picture in colour that fills the width it is given."""

    def __init__(self) -> None:
        super().__init__()
        self._sheet: np.ndarray | None = None
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_sheet(self, sheet: np.ndarray) -> None:
        """(H, W, 3) uint8."""
        self._sheet = np.ascontiguousarray(sheet)
        self._draw()

    def resizeEvent(self, event: Any) -> None:  # Qt's name
        super().resizeEvent(event)
        self._draw()

    def _draw(self) -> None:
        if self._sheet is None or self.width() < 2:
            return
        height, width, _ = self._sheet.shape
        picture = QImage(self._sheet.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        ratio = self.devicePixelRatioF()
        across = round(min(self.width() * ratio, 2.0 * width))
        whole = QPixmap.fromImage(picture).scaledToWidth(across, Qt.TransformationMode.SmoothTransformation)
        whole.setDevicePixelRatio(ratio)
        self.setFixedHeight(round(whole.height() / ratio))
        self.setPixmap(whole)


def _grey(images: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """(N, Y, X) uint8, contiguous."""
    low, high = limits
    scaled = (images.astype(np.float32) - low) / max(high - low, 1e-12)
    return np.ascontiguousarray((scaled.clip(0, 1) * 255).round().astype(np.uint8))


def listen(owner: QWidget, signal: Any, method: Callable[..., Any]) -> None:
    """Connect a method to a psygnal signal for as long as its widget exists."""
    signal.connect(method)
    owner.destroyed.connect(lambda *_: signal.disconnect(method, missing_ok=True))


def sure(parent: QWidget, title: str, question: str, do: str) -> bool:
    """Ask before something that cannot simply be done again; the safe answer is the default."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle(title)
    box.setText(question)
    yes = box.addButton(do, QMessageBox.ButtonRole.DestructiveRole)
    keep = box.addButton("Keep", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keep)
    box.exec()
    return box.clickedButton() is yes

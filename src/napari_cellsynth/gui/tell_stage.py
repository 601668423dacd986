"""Where a blinded test is taken: one picture at a time, and the keys that say what it is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from qtpy.QtCore import QEvent, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFocusEvent, QHideEvent, QImage, QKeyEvent, QMouseEvent, QPainter
from qtpy.QtWidgets import QLabel, QPushButton, QSizePolicy, QWidget

from napari_cellsynth.errors import CellsynthError
from napari_cellsynth.gui.parts import Bar, Sentence, button, column, row
from napari_cellsynth.gui.theme import THEME, tint
from napari_cellsynth.gui.words import capital

if TYPE_CHECKING:
    from napari_cellsynth.api.telling import BlindTest
    from napari_cellsynth.quality.tell import Kind

TOO_SOON_S = 0.15
"""A key that comes sooner was meant for the picture before: nobody has seen this one yet."""
GROUND = QColor(64, 64, 64)
"""Around the picture, whatever the theme: what surrounds a grey changes how it looks."""
MARGIN = 8
ASKED = "Real or made?"
READY = "Press <b>Space</b> to begin. Do not look for long: the first impression counts."
PAUSED = "Paused; all answers are kept. <b>Space</b> or a click here goes on."
LAST = "That was the last one. <b>Enter</b> shows how you did; <b>Backspace</b> takes the last answer back."
NOT_KEPT = {
    "undo": "The last answer stays; mend that and take it back again.",
    "pause": "All answers are kept, but how long this picture was looked at may be lost.",
}
"""What is said where a deed could not be kept; answers are asked for again."""
KEYS: dict[Any, str] = {
    Qt.Key.Key_Left: "real",
    Qt.Key.Key_R: "real",
    Qt.Key.Key_Right: "made",
    Qt.Key.Key_M: "made",
    Qt.Key.Key_Backspace: "undo",
    Qt.Key.Key_U: "undo",
    Qt.Key.Key_Escape: "pause",
    Qt.Key.Key_P: "pause",
    Qt.Key.Key_Space: "go on",
    Qt.Key.Key_Return: "go on",
    Qt.Key.Key_Enter: "go on",
}


class Picture(QWidget):
    """One grey picture in the middle, each of its pixels a square; knows since when it is seen."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("picture")
        self._grey: np.ndarray | None = None
        self._times = 1.0
        self.since: float | None = None
        """When it was first drawn (perf_counter); None where it is not seen."""

    def size_for(self, side: int, times: float) -> None:
        """Room for pictures of so many pixels along a side, that many times as large."""
        self._times = times
        self.setFixedHeight(round(side * times) + 2 * MARGIN)

    def show_grey(self, grey: np.ndarray | None) -> None:
        """(Y, X) uint8; None shows nothing."""
        self._grey = None if grey is None else np.ascontiguousarray(grey)
        self.since = None
        self.update()

    def seen_for(self) -> float:
        """Seconds since it was first drawn."""
        return 0.0 if self.since is None else time.perf_counter() - self.since

    def paintEvent(self, event: Any) -> None:  # Qt's name
        painter = QPainter(self)
        painter.fillRect(self.rect(), GROUND)
        if self._grey is not None:
            height, width = self._grey.shape
            picture = QImage(self._grey.data, width, height, width, QImage.Format.Format_Grayscale8)
            # Below its own size the pixels are joined, above it each is a square: alike for real and made.
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._times < 1)
            wide, high = width * self._times, height * self._times
            painter.drawImage(QRectF((self.width() - wide) / 2, (self.height() - high) / 2, wide, high), picture)
            if self.since is None:
                self.since = time.perf_counter()
        painter.end()


class Stage(QWidget):
    """Shows the pictures of a test and takes the answers, by key or click.

    While it has the keys none reaches napari, whose sliders move with the
    arrows; when the keys go elsewhere, the test waits and shows nothing.
    """

    finished = Signal(object)
    """All are answered, and the person wants to know: carries the test."""
    left = Signal()
    """The person goes away; what was answered is kept."""

    WORDS: ClassVar[dict[str, str]] = {"ready": READY, "looking": ASKED, "paused": PAUSED, "last": LAST}

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Blinded test: left arrow or R for real, right arrow or M for made")
        self.test: BlindTest | None = None
        self.state = "over"
        self.picture, self.bar = Picture(), Bar()
        self.count, self.says, self.trouble = QLabel(), Sentence(), Sentence()
        self.real = self._key("←  Real  (R)", "real")
        self.made = self._key("Made  (M)  →", "made")
        self.undo = self._key("Undo (Backspace)", "undo", large=False)
        self.pause = self._key("Pause (Esc)", "pause", large=False)
        self.go_on = self._key("Go on (Space)", "go on", large=False)
        self.leave = button("Leave", self._leave, "What was answered is kept; the same name goes on with it.")
        self.leave.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column(
            self.count,
            self.bar,
            self.picture,
            row(self.real, self.made),
            self.says,
            row(self.go_on, self.undo, self.pause, None, self.leave),
            self.trouble,
            parent=self,
        )
        tint(self.count, lambda: f"color: {THEME.text};")
        self.hide()

    def _key(self, words: str, deed: str, *, large: bool = True) -> QPushButton:
        made = button(words, lambda: self.do(deed))
        # The keys stay with the stage, whatever is clicked.
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if large:
            made.setStyleSheet("QPushButton { padding: 10px 4px; font-weight: 700; font-size: 18px; }")
            made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        return made

    def sizeHint(self) -> QSize:  # Qt's name
        return QSize(340, super().sizeHint().height())

    # -- what happens ------------------------------------------------------------------------------------------------

    def begin(self, test: BlindTest, times: float) -> None:
        """Take the keys, and wait until the person is ready."""
        self.test = test
        self.picture.size_for(max(test.pictures.shape[1:]), times)
        self.show()
        self.setFocus()
        self._turn("last" if test.sitting.complete else "ready")

    def do(self, deed: str) -> None:
        """``real``, ``made``, ``undo``, ``pause`` or ``go on``, where that makes sense now."""
        if self.test is None:
            return
        try:
            if deed in ("real", "made"):
                self._answer("real" if deed == "real" else "made")
            elif deed == "undo" and self.state in ("looking", "last") and self.test.undo():
                self._turn("looking")
            elif deed == "pause" and self.state == "looking":
                self._wait()
            elif deed == "go on":
                self._go_on()
        except CellsynthError as error:
            words = NOT_KEPT.get(deed, "The answer was not taken; mend that and answer again.")
            self.trouble.say(f"{capital(str(error))}. {words}", "bad")

    def _answer(self, answer: Kind) -> None:
        picture = self.picture
        if self.test is None or self.state != "looking" or picture.since is None or picture.seen_for() < TOO_SOON_S:
            return
        self.test.answer(answer, picture.seen_for())
        self.trouble.say("")
        self._turn("last" if self.test.sitting.complete else "looking")

    def _wait(self) -> None:
        test, seconds = self.test, self.picture.seen_for()
        # Nothing to be seen first: it may take the disk a moment.
        self._turn("paused")
        if test is not None:
            test.pause(seconds)

    def _go_on(self) -> None:
        if self.state in ("ready", "paused"):
            self.setFocus()
            self._turn("looking")
        elif self.state == "last":
            test = self.test
            self._over()
            self.finished.emit(test)

    def _leave(self) -> None:
        if self.state == "looking":
            self.do("pause")
        self._over()
        self.left.emit()

    def _over(self) -> None:
        self.test, self.state = None, "over"
        self.picture.show_grey(None)
        self.hide()

    def _turn(self, state: str) -> None:
        self.state = state
        if self.test is None:
            return
        sitting = self.test.sitting
        of = len(sitting.trials)
        looking = state == "looking"
        self.count.setText(f"{min(sitting.place + 1, of)} of {of}" if looking else f"{sitting.place} of {of} done")
        self.bar.show_share(sitting.place / of)
        self.picture.show_grey(self.test.pictures[sitting.place] if looking else None)
        self.says.say(self.WORDS[state])
        for key in (self.real, self.made):
            key.setEnabled(looking)
        self.undo.setVisible(looking or state == "last")
        self.undo.setEnabled(sitting.can_undo)
        self.pause.setVisible(looking)
        self.go_on.setVisible(not looking)
        self.go_on.setText("Show how I did (Enter)" if state == "last" else "Go on (Space)")
        self.leave.setVisible(state in ("ready", "paused"))

    # -- keys --------------------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:  # Qt's name
        if event.type() == QEvent.Type.ShortcutOverride and plain(event) and event.key() in KEYS:
            # Menus and napari's own shortcuts leave these keys alone while the test has them.
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # Qt's name
        if not plain(event):
            super().keyPressEvent(event)
            return
        # Other letters and digits, too, would do something in the viewer.
        event.accept()
        if event.key() in KEYS and not event.isAutoRepeat():
            self.do(KEYS[event.key()])

    def mousePressEvent(self, event: QMouseEvent) -> None:  # Qt's name
        self.setFocus()
        if self.state in ("ready", "paused"):
            self.do("go on")

    def focusOutEvent(self, event: QFocusEvent) -> None:  # Qt's name
        super().focusOutEvent(event)
        self.do("pause")

    def hideEvent(self, event: QHideEvent) -> None:  # Qt's name
        super().hideEvent(event)
        self.do("pause")


def plain(event: Any) -> bool:
    """Whether a key was pressed without Ctrl, Alt and the like; Shift and the number pad do not matter."""
    held = event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
    return bool(held == Qt.KeyboardModifier.NoModifier)

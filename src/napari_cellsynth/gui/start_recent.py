"""Jobs and models of the last days; a click goes to the tab where one is followed or used."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QPushButton, QSizePolicy, QWidget

from napari_cellsynth.gui.parts import Sentence, column
from napari_cellsynth.gui.runs_watch import RunsWatch
from napari_cellsynth.gui.theme import THEME, tint
from napari_cellsynth.gui.train_words import MARKS, STATES, percent, since

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session

SHOWN = 5
PLAIN = "QPushButton { text-align: left; background: transparent; border: 1px solid transparent; padding: 3px; }"


class Line(QPushButton):
    """Words on a button without a frame; what does not fit is left out in the middle and stands in the tool tip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        tint(self, lambda: f"{PLAIN} QPushButton:hover {{ background: {THEME.primary}; }}")

    def say(self, whole: str, tip: str) -> None:
        """The words, and what a pointer that rests on them is told."""
        self._whole = whole
        self.setToolTip(f"<qt>{html.escape(whole)}<br>{tip}</qt>")
        self.setAccessibleName(whole)
        self._elide()

    def sizeHint(self) -> QSize:  # Qt's name
        return QSize(120, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # Qt's name
        return QSize(40, super().minimumSizeHint().height())

    def resizeEvent(self, event: Any) -> None:  # Qt's name
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        fits = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, max(20, self.width() - 12))
        fits = fits.replace("&", "&&")  # a single one would underline the next letter
        if fits != self.text():
            self.setText(fits)


class Recent(QWidget):
    """The newest few."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._rows: list[dict[str, Any]] = []
        self.nothing = Sentence("Nothing yet. What you train stays listed here.")
        self.lines = [Line() for _ in range(SHOWN)]
        for place, line in enumerate(self.lines):
            line.clicked.connect(lambda *_, place=place: self._open(place))
        column(self.nothing, *self.lines, parent=self, spacing=1)
        self._watch = RunsWatch.of(session, self)
        self._watch.changed.connect(self._show)
        self._show(self._watch.rows)

    def _show(self, rows: list[dict[str, Any]]) -> None:
        self._rows = rows[:SHOWN]
        self.nothing.setVisible(not rows)
        for place, line in enumerate(self.lines):
            line.setVisible(place < len(self._rows))
            if place < len(self._rows):
                line.say(in_words(self._rows[place]), where(self._rows[place])[1])

    def _open(self, place: int) -> None:
        if place < len(self._rows):
            job = self._rows[place]
            self._session.run = Path(job["path"])
            self._session.tab_requested.emit(where(job)[0])


def in_words(job: dict[str, Any]) -> str:
    """``● HeLa-1 · training, 37 %`` or ``✓ HeLa-1 · finished since Fri 14:05``."""
    state = job["state"]
    told = STATES.get(state, state)
    if state in ("running", "paused") and job["steps"]:
        told = f"{told}, {percent(job['step'] / job['steps'])}"
    else:
        told = f"{told} {since(job['since'])}".strip()
    return f"{MARKS.get(state, '–')} {job['name']} · {told}"


def where(job: dict[str, Any]) -> tuple[str, str]:
    """The tab that opens a job, and what it does there."""
    if job["weights"] and job["state"] in ("finished", "stopped", "cancelled"):
        return "use", "Opens it in Use: what it can make."
    return "train", "Opens it in Train: how it goes."

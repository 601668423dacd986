"""The strip at the bottom of the dock: how many jobs run or ran, and on a click which."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QSizePolicy, QToolButton, QWidget

from napari_cellsynth.gui.parts import FLAT, Sentence, column, row, rule
from napari_cellsynth.gui.runs_watch import RunsWatch
from napari_cellsynth.gui.strip_deeds import Deeds
from napari_cellsynth.gui.strip_list import JobList
from napari_cellsynth.gui.strip_notices import Notices, in_words, reach, wanted, while_closed
from napari_cellsynth.gui.strip_offers import buttons
from napari_cellsynth.gui.strip_pane import JobPane
from napari_cellsynth.gui.strip_words import Row, summary

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.gui.strip_endings import Ending

__all__ = ["JobStrip", "summary"]

ARROW = 34
"""Pixels of the one line that are not words."""


class Head(QToolButton):
    """The one line: unfolds the list; what does not fit is left out at the end and stands in the tool tip."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = ""
        self.setCheckable(True)
        self.setArrowType(Qt.ArrowType.UpArrow)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setStyleSheet(FLAT + "}")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def say(self, whole: str) -> None:
        self._whole = whole
        self.setAccessibleName(whole)
        self.setToolTip(f"<qt>{whole}<br>All jobs, here and in shared folders</qt>")
        self._elide()
        self.updateGeometry()

    def sizeHint(self) -> QSize:  # Qt's name
        return QSize(self.fontMetrics().horizontalAdvance(self._whole) + ARROW, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # Qt's name
        return QSize(120, super().minimumSizeHint().height())

    def resizeEvent(self, event: Any) -> None:  # Qt's name
        super().resizeEvent(event)
        self._elide()

    def showEvent(self, event: Any) -> None:  # Qt's name
        super().showEvent(event)
        self._elide()

    def _elide(self) -> None:
        room = self.width() - ARROW if self.isVisible() else 10_000
        fits = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, max(40, room))
        if fits != self.text():
            self.setText(fits)


class JobStrip(QWidget):
    """One line; the list of all jobs folds out above it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._watch = RunsWatch.of(session, self)
        self.deeds = Deeds(session, self._watch, self)
        self._noted: dict[str, str] = {}
        """Jobs that the note tells of, and the state in which they ended."""
        self.notices = Notices(self, self._show)
        self.line = Head()
        self.line.toggled.connect(self._turn)
        self.note = Sentence()
        self.list, self.pane = JobList(), JobPane(self.deeds, lambda: self._watch.folders)
        self.list.hide()
        self.pane.hide()
        column(rule(), self.list, self.pane, self.note, row(self.line), parent=self, spacing=2)
        self.list.chosen.connect(self.pane.show_job)
        self.list.opened.connect(self._open)
        self.list.unwanted.connect(lambda job: self._if_offered("delete", job))
        self.deeds.said.connect(self.note.say)
        self._watch.listed.connect(self._list)
        self._watch.ended.connect(self._tell)
        self._watch.failed.connect(self._complain)
        self._list(self._watch.jobs)

    # -- the list

    def _list(self, jobs: Sequence[Row]) -> None:
        self.line.say(summary(jobs))
        if any(self._noted.get(str(job["path"]), job["state"]) != job["state"] for job in jobs):
            self._noted = {}
            self.note.say("")
        if self.line.isChecked():
            self.list.show_jobs(jobs)
            self.list.setVisible(bool(jobs))

    def _turn(self, opened: bool) -> None:
        self.line.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.UpArrow)
        self.note.say("")
        if opened:
            self.list.show_jobs(self._watch.jobs)
            self._watch.look_now()
        self.list.setVisible(opened and bool(self._watch.jobs))
        self.pane.setVisible(opened)

    def _open(self, job: Row) -> None:
        """Enter or a double click: to where the job is followed, or what came of it is used."""
        for key in ("use_done", "open", "look"):
            if key in buttons(job):
                self.deeds.do(key, job)
                return
        self.deeds.do("show" if job["kind"] == "training" else "why", job)

    def _if_offered(self, key: str, job: Row) -> None:
        if key in buttons(job):
            self.deeds.do(key, job)

    def _complain(self, error: Exception) -> None:
        self.note.say(str(error), "bad")
        reach(error)

    # -- when a job ends

    def _tell(self, endings: Sequence[Ending]) -> None:
        """Say it once, unless the user is looking; what is played as an example is no news."""
        examples = self._session.homes[1:]
        news = [end for end in endings if not any(home in Path(end.job["path"]).parents for home in examples)]
        before = [ending for ending in news if ending.while_closed]
        if before:
            self.note.say(while_closed(before))
            self._noted = {str(ending.job["path"]): ending.job["state"] for ending in before}
        if not wanted():
            return
        if before:
            bad = any(ending.job["state"] != "finished" for ending in before)
            self.notices.tell("CellSynth", while_closed(before), before[0].job, bad=bad)
        for ending in news:
            if not ending.while_closed and not self._looking_at(ending.job):
                self.notices.tell(*in_words(ending), ending.job, bad=ending.job["state"] != "finished")

    def _looking_at(self, job: Row) -> bool:
        """Whether napari is in front, and shows how this job does."""
        if not self.window().isActiveWindow():
            return False
        chosen = self.list.job if self.list.isVisible() else None
        if chosen is not None and chosen["path"] == job["path"]:
            return True
        dock: Any = self.parentWidget()
        return self._session.run == Path(job["path"]) and getattr(dock, "shown", None) == "train"

    def _show(self, job: Row) -> None:
        """After a click on a notification."""
        self.line.setChecked(True)
        self.list.choose(str(job["path"]))

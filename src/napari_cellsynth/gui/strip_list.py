"""The list of jobs: two painted lines a job, so that two hundred cost no more than five."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QAbstractListModel, QModelIndex, QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QPainter
from qtpy.QtWidgets import QAbstractItemView, QFrame, QListView, QStyle, QStyledItemDelegate, QWidget

from napari_cellsynth.gui import strip_words as words
from napari_cellsynth.gui.strip_words import Row
from napari_cellsynth.gui.theme import THEME, tint

PAD, MARK = 3, 22
"""Pixels around a job's lines, and for its mark."""
SHOWN = 5
"""Jobs that are seen at once; the rest is scrolled to."""
JOB = Qt.ItemDataRole.UserRole


class Jobs(QAbstractListModel):
    """Rows of :class:`~.runs_watch.RunsWatch`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []

    def show(self, rows: Sequence[Row]) -> bool:
        """Take new rows; whether they are other jobs, or in another order, than before."""
        before, self_rows = self.rows, list(rows)
        if [str(job["path"]) for job in before] != [str(job["path"]) for job in self_rows]:
            self.beginResetModel()
            self.rows = self_rows
            self.endResetModel()
            return True
        self.rows = self_rows
        for number, (old, new) in enumerate(zip(before, self_rows, strict=True)):
            if old != new:
                self.dataChanged.emit(self.index(number), self.index(number))
        return False

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # Qt's name
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        job = self.rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return job["name"]
            case Qt.ItemDataRole.ToolTipRole:
                return words.tip(job)
            case Qt.ItemDataRole.AccessibleTextRole:
                return words.heard(job)
            case _:
                return job if role == JOB else None


class Lines(QStyledItemDelegate):
    """Paints a job: mark, name and numbers; below, kind, place and state; what does not fit is elided."""

    def sizeHint(self, option: Any, index: QModelIndex) -> QSize:  # Qt's name
        return QSize(120, 2 * option.fontMetrics.height() + 2 * PAD + 1)

    def paint(self, painter: QPainter, option: Any, index: QModelIndex) -> None:
        job, chosen = index.data(JOB), bool(option.state & QStyle.StateFlag.State_Selected)
        if job is None:
            return
        painter.save()
        painter.setFont(option.font)
        box = option.rect.adjusted(0, 0, -1, -1)
        if chosen:
            painter.fillRect(box, QColor(THEME.primary))
        if chosen and option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(THEME.colour("accent")))
            painter.drawRect(box)
        self._write(painter, job, box.adjusted(PAD, PAD, -PAD, -PAD))
        painter.restore()

    def _write(self, painter: QPainter, job: Row, box: QRect) -> None:
        high = painter.fontMetrics().height()
        first = QRect(box.left(), box.top(), box.width(), high)
        second = first.translated(MARK, high)
        second.setRight(box.right())
        painter.setPen(QColor(THEME.colour(words.COLOURS.get(job["state"], "quiet"))))
        painter.drawText(QRect(first.left(), first.top(), MARK, high), int(Qt.AlignmentFlag.AlignLeft), words.mark(job))
        painter.setPen(QColor(THEME.text))
        _pair(painter, first.adjusted(MARK, 0, 0, 0), job["name"], words.numbers(job), Qt.TextElideMode.ElideMiddle)
        size = words.amount(job)
        shown = "" if size == words.numbers(job) else size
        _pair(painter, second, words.about(job), shown, Qt.TextElideMode.ElideRight)


def _pair(painter: QPainter, box: QRect, left: str, right: str, elide: Qt.TextElideMode) -> None:
    """Words on the left, as many as fit, and all of those on the right."""
    metrics = painter.fontMetrics()
    taken = metrics.horizontalAdvance(right) + 8 if right else 0
    room = max(0, box.width() - taken)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignRight), right)
    painter.drawText(
        QRect(box.left(), box.top(), room, box.height()),
        int(Qt.AlignmentFlag.AlignLeft),
        metrics.elidedText(left, elide, room),
    )


class JobList(QListView):
    """``chosen`` carries the job that the keys or the mouse went to; ``opened`` one that was double-clicked."""

    chosen = Signal(object)
    opened = Signal(object)
    unwanted = Signal(object)
    """The Delete key was pressed on it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.jobs = Jobs(self)
        self.setModel(self.jobs)
        self.setItemDelegate(Lines(self))
        self.setUniformItemSizes(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName("Jobs")
        self.setMouseTracking(True)
        tint(self, lambda: f"QListView {{ background: {THEME.ground}; border: 1px solid transparent; }}")
        self._path: str | None = None
        self.selectionModel().currentChanged.connect(lambda now, _: self._turned(now))
        self.doubleClicked.connect(lambda index: self.opened.emit(index.data(JOB)))

    @property
    def job(self) -> Row | None:
        """The chosen job."""
        index = self.currentIndex()
        return index.data(JOB) if index.isValid() else None

    def show_jobs(self, rows: Sequence[Row]) -> None:
        """Take new rows; the chosen job stays chosen wherever it is now."""
        path, place = self._path, self.verticalScrollBar().value()
        if self.jobs.show(rows):
            self.setFixedHeight(max(1, min(SHOWN, len(rows))) * max(1, self.sizeHintForRow(0)) + 4)
            self.choose(path)
            self.verticalScrollBar().setValue(place)
        else:
            self.chosen.emit(self.job)

    def choose(self, path: str | None) -> None:
        """Choose a job by its folder; where it is not listed, the first that asks for something, else the first."""
        paths = [str(job["path"]) for job in self.jobs.rows]
        asking = [i for i, job in enumerate(self.jobs.rows) if job["state"] in ("interrupted", "failed")]
        if not paths:
            self._path = None
            self.chosen.emit(None)
            return
        self.setCurrentIndex(self.jobs.index(paths.index(path) if path in paths else (asking or [0])[0]))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # Qt's name
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.job is not None:
            self.opened.emit(self.job)
        elif event.key() == Qt.Key.Key_Delete and self.job is not None:
            self.unwanted.emit(self.job)
        else:
            super().keyPressEvent(event)

    def _turned(self, index: QModelIndex) -> None:
        job = index.data(JOB) if index.isValid() else None
        if job is not None:
            self._path = str(job["path"])
        self.chosen.emit(job)

"""Parts of the Check tab: work with its bar, a table of numbers, a report that is saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QGridLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from napari_cellsynth.engine.events import Progress
from napari_cellsynth.gui import workers
from napari_cellsynth.gui.parts import Bar, Sentence, button, column, row
from napari_cellsynth.gui.theme import THEME
from napari_cellsynth.gui.words import capital

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session

CHECKS = "checks"
"""Folder in the home that reports are saved to unless another is chosen."""
LINE, LONG = 22, 26
"""Pixels of a row; letters of a name above which it is wrapped."""


class Work(QWidget):
    """One long work at a time: how far it is, and Cancel, beside the button that begins it."""

    def __init__(self, words: str, begin: Callable[[], Any], tip: str, says: Sentence) -> None:
        super().__init__()
        self._says = says
        self._worker: workers.Worker | None = None
        self._allowed = True
        self.begin = button(words, begin, tip)
        self.begin.setStyleSheet("QPushButton { padding: 6px 14px; font-weight: 600; }")
        self.cancel = button("Cancel", self.stop, "Nothing is kept.")
        self.bar = Bar()
        column(row(self.begin, self.cancel, None), self.bar, parent=self)
        self._show(False)

    def allow(self, allowed: bool) -> None:
        """Whether it may begin."""
        self._allowed = allowed
        self.begin.setEnabled(allowed and not self.working)

    @property
    def working(self) -> bool:
        return self._worker is not None

    def run(self, make: Callable[[], Iterator[Any]], done: Callable[[Any], Any], description: str) -> None:
        """Begin; ``done`` is given what comes last and is no progress."""
        self.stop(quiet=True)
        self._show(True)
        self._says.say("Beginning\u2026")
        self._worker = worker = workers.start(
            make,
            yielded=lambda news: self._news(news, done) if worker is self._worker else None,
            failed=lambda error: self._says.say(capital(str(error)), "bad") if worker is self._worker else None,
            finished=lambda: self._ended(worker),
            description=description,
            owner=self,
        )

    def stop(self, *, quiet: bool = False) -> None:
        """Give up what is under way; nothing of it is kept."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.quit()
            self._show(False)
            self._says.say("" if quiet else "Cancelled; nothing was kept.")

    def _news(self, news: Any, done: Callable[[Any], Any]) -> None:
        if isinstance(news, Progress):
            self.bar.show_share(news.done / max(1, news.total))
            many = f", {news.done} of {news.total}" if news.total > 1 else ""
            self._says.say(f"{capital(news.message)}{many}\u2026")
        else:
            self._says.say("")
            done(news)

    def _ended(self, worker: Any) -> None:
        if worker is self._worker:
            self._worker = None
            self._show(False)

    def _show(self, on: bool) -> None:
        self.bar.show_share(0.0)
        self.bar.setVisible(on)
        self.cancel.setVisible(on)
        self.begin.setEnabled(self._allowed and not on)


class Numbers(QWidget):
    """A small table of numbers that cannot be changed: words before each row, and heads above."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(0, 1)
        self.hide()

    def show_rows(self, heads: Sequence[str], rows: Sequence[tuple[str, str, Sequence[str]]]) -> None:
        """Rows of (words, what they mean, numbers); nothing is shown where there are none."""
        while (item := self._grid.takeAt(0)) is not None:
            item.widget().hide()
            item.widget().deleteLater()
        for place, head in enumerate(heads):
            self._put(0, place + 1, head)
        for number, (words, tip, values) in enumerate(rows, start=1):
            label = Sentence(words) if len(words) > LONG else QLabel(words)
            # Words that begin at the top have a margin above in napari, and would stand lower than their numbers.
            label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            label.setToolTip(f"<qt>{tip}</qt>" if tip else "")
            self._grid.addWidget(label, number, 0)
            for place, value in enumerate(values):
                self._put(number, place + 1, value)
        self.setVisible(bool(rows))

    def _put(self, line: int, place: int, text: str) -> None:
        label = QLabel(text)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._grid.addWidget(label, line, place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)


class Frames(QTableWidget):
    """Rows of which each stands for a place in the movie; a click, an arrow key or Enter goes there."""

    asked = Signal(int)
    """Number of the row that was chosen."""

    def __init__(self, name: str, heads: Sequence[str]) -> None:
        super().__init__(0, len(heads))
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(list(heads))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(LINE)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setHighlightSections(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setMinimumWidth(120)
        self.cellClicked.connect(lambda line, _: self.asked.emit(line))
        self.itemSelectionChanged.connect(self._moved)

    def show_rows(self, rows: Sequence[Sequence[str]], most: int = 7) -> None:
        """Replace the rows; as high as they are, up to ``most``."""
        self.blockSignals(True)
        self.setRowCount(len(rows))
        for line, texts in enumerate(rows):
            for place, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                self.setItem(line, place, item)
        self.clearSelection()
        self.setCurrentCell(-1, -1)
        self.blockSignals(False)
        self.setFixedHeight(LINE * (min(len(rows), most)) + self.horizontalHeader().sizeHint().height() + 4)

    def _moved(self) -> None:
        if self.hasFocus() and self.currentRow() >= 0:
            self.asked.emit(self.currentRow())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # Qt's name
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.asked.emit(max(0, self.currentRow()))
        else:
            super().keyPressEvent(event)


class Report(QWidget):
    """The button that saves what was found, and what it says."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._name = ""
        self._write: Callable[[Path], Path] | None = None
        tip = "A folder with a table (CSV), a page of pictures (PNG), and what was compared (JSON)."
        self.save = button("Save report\u2026", self._ask, tip)
        self.says = Sentence()
        column(row(self.save, None), self.says, parent=self)
        self.hide()

    def offer(self, name: str, write: Callable[[Path], Path] | None) -> None:
        """Offer to save under a name; with None, nothing is offered."""
        self._name, self._write = name, write
        self.says.say("")
        self.setVisible(write is not None)

    def _ask(self) -> None:
        from napari_cellsynth.quality.check_report import free_folder

        suggestion = free_folder(place_for(self._session.home), self._name)
        chosen, _ = QFileDialog.getSaveFileName(self, "Save the report as a folder", str(suggestion))
        if chosen:
            self.save_to(Path(chosen))

    def save_to(self, folder: Path) -> None:
        """Write the report, in the background."""
        write = self._write
        if write is None:
            return
        self.save.setEnabled(False)
        self.says.say("Saving\u2026")
        workers.call(
            lambda: write(folder),
            returned=lambda path: self.says.say(f"Saved in {path.name}.", "good"),
            failed=lambda error: self.says.say(capital(str(error)), "bad"),
            finished=lambda: self.save.setEnabled(True),
            description=f"saving {folder.name}",
            watches=False,
            owner=self,
        )


def place_for(home: Path) -> Path:
    """Where a report is suggested to go: a folder that exists, or Qt would suggest the working directory."""
    if not home.is_dir():
        return next(parent for parent in home.parents if parent.is_dir())
    with suppress(OSError):
        (home / CHECKS).mkdir(exist_ok=True)
        return home / CHECKS
    return home


def needs(says: Sentence, go: QWidget, words: str) -> None:
    """Say what is lacking, with the button that goes there; with no words both are hidden."""
    says.say(words)
    go.setVisible(bool(words))


def colours() -> tuple[str, str]:
    """Ground and ink of a figure in the window."""
    return THEME.ground, THEME.text


def draw_anew(section: Any, drawn: Callable[[Any, tuple[str, str]], Any]) -> None:
    """Show what a section found in the colours of the theme that there is now; drawn off the GUI thread.

    The section has ``check``, what was found or None, and ``figure``, a sheet; what ``drawn`` makes of the former has
    the picture in its ``figure``.
    """
    check, paper = section.check, colours()
    if check is None:
        return

    def got(made: Any) -> None:
        if check is section.check:
            section.figure.show_sheet(made.figure)

    workers.call(lambda: drawn(check, paper), returned=got, owner=section)

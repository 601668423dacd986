"""The study as a table: which movies, what is known about them, and what each is used for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtCore import QModelIndex, QPoint, Qt, QTimer
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog, QMenu, QWidget

from napari_cellsynth import api
from napari_cellsynth.errors import CellsynthError
from napari_cellsynth.gui import readers, workers
from napari_cellsynth.gui.cells import capital
from napari_cellsynth.gui.layers import LayerData, add, layers_for
from napari_cellsynth.gui.opening import FILTER, Openings
from napari_cellsynth.gui.parts import Sentence, button, row
from napari_cellsynth.gui.pieces import Listening, Section
from napari_cellsynth.gui.study import Study, StudyMovie
from napari_cellsynth.gui.study_kept import StudyKept
from napari_cellsynth.gui.study_model import HEADS, SHOWN, StudyModel, UseDelegate
from napari_cellsynth.gui.study_table import StudyTable
from napari_cellsynth.gui.words import how_many
from napari_cellsynth.stack.recordings.confounding import concerns
from napari_cellsynth.stack.recordings.table import Table
from napari_cellsynth.stack.recordings.text import lines_of

if TYPE_CHECKING:
    from napari_cellsynth.gui.reading import Reading
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.stack.recordings.row import Row

EMPTY = "No movies yet: open one, add files, or paste the cells of a spreadsheet (Ctrl+V)."
CSV = "Tables (*.csv *.tsv *.txt);;All files (*)"
ROWS = 6
"""Rows that are seen without scrolling."""
WARNINGS = 5
"""Warnings that are written out; the others are counted."""
FILE, CELL, WIDEST = 60, 14, 180
"""Pixels: least of the column of files, around the words of a cell, and most that a column takes unasked."""
SETTLE = 150
"""Milliseconds after a change in which others may follow, before warnings are worked out."""


class TableSection(Section):
    """Movies of this study, their conditions and days, and what each is used for."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Movies of this study", parent)
        self.session = session
        self.study: Study = session.study
        self.model = StudyModel(self.study, self)
        self.table = StudyTable(self)
        self.says = Sentence()
        self.warnings = Sentence()
        self.empty = Sentence(EMPTY)
        self.again = button("", self._take_again, "The movies of the table as it was when napari was last closed.")
        self.again.hide()
        self._opening: list[tuple[Row, Reading]] = []
        """Rows that are being opened."""
        self._last: Table | None = None
        """The study of the last napari, until it is taken."""
        self._build()
        self._settle = QTimer(self, singleShot=True, interval=SETTLE)
        self._settle.timeout.connect(self._settled)
        self._signals = Listening(self)
        self._signals.to(self.study.changed, self._changed)
        self._signals.to(self.study.column_wanted, self.show_column)
        self._signals.to(session.movie_changed, self._movie_changed)
        self._signals.to(session.training_set_changed, lambda _: self.count_openings())
        self._changed()
        self._settled()
        self.count_openings()
        self.kept = StudyKept(self.study, self)
        self.kept.offer(self._offer)

    def _build(self) -> None:
        self.table.setModel(self.model)
        self.table.setItemDelegate(UseDelegate(self.model, self.table))
        self.table.customContextMenuRequested.connect(self._menu_at)
        self.table.doubleClicked.connect(lambda index: None if self.model.editable(index) else self.show_movie())
        self.table.clicked.connect(self._clicked)
        self.table.selectionModel().currentRowChanged.connect(lambda now, _: self._row_entered(now.row()))
        self.model.complaint.connect(lambda text: self.says.say(capital(text), "bad"))
        self.model.done.connect(lambda: self.says.say(""))
        self.adds = button("Add…", self.ask_for_files, "Files that belong to the study; they are opened when needed.")
        self.pastes = button("Paste", self.paste, "Cells copied from a spreadsheet, or copied files (Ctrl+V).")
        self.loads = button("From CSV…", self.ask_for_table, "A table that was saved here or elsewhere.")
        self.saves = button("Save…", self.ask_where, "Write the table as CSV, for the shell and for the next time.")
        self.more = button("⋯", self._menu_below, "Columns, and what can be done with the chosen movies.")
        self.more.setAccessibleName("More")
        self.more.setFixedWidth(28)
        self.add(
            row(self.adds, self.pastes, self.loads, self.saves, None, self.more),
            self.empty,
            row(self.again, None),
            self.table,
            self.says,
            self.warnings,
        )
        self.lay_columns()

    # -- what the study says -----------------------------------------------------------------------------------------

    def _changed(self) -> None:
        before = self.table.currentIndex()
        self.model.refresh()
        count = len(self.study)
        if before.isValid() and not self.table.currentIndex().isValid() and count:
            self.table.setCurrentIndex(self.model.index(min(before.row(), count - 1), before.column()))
        self.empty.setVisible(not count)
        self.again.setVisible(not count and self._last is not None)
        self.table.setVisible(bool(count))
        self.saves.setEnabled(bool(count))
        self._set_height(count)
        self.lay_columns()
        self._mark(self.session.movie)
        self._settle.start()

    def _set_height(self, count: int) -> None:
        header = max(self.table.horizontalHeader().sizeHint().height(), 20)
        bar = self.table.horizontalScrollBar().sizeHint().height() if len(self.model.columns) > len(SHOWN) else 0
        rows = min(max(count, 1), ROWS) * self.table.verticalHeader().defaultSectionSize()
        self.table.setFixedHeight(header + rows + bar + 4)

    def _settled(self) -> None:
        """Say what cannot be told apart; no file is asked."""
        decisions, problem = self.study.decisions()
        said = [problem] if decisions is None else concerns(self.study.rows, [one.use for one in decisions])
        self._warn(said)
        self.brief(how_many(len(self.study), "movie") if len(self.study) else "", "warning" if said else "quiet")

    def _warn(self, said: list[str]) -> None:
        shown = [f"! {capital(text)}" for text in said[:WARNINGS]]
        rest = said[WARNINGS:]
        if rest:
            shown.append(f"and {len(rest)} more (point here)")
        self.warnings.say("\n".join(shown), "warning")
        self.warnings.setToolTip("<qt>" + "<br>".join(map(capital, said)) + "</qt>" if rest else "")

    def _movie_changed(self, layer: Any) -> None:
        """The row of the movie that is worked on becomes the chosen one."""
        index = self._mark(layer)
        if index is not None and not self.study.movies[max(self.table.currentIndex().row(), 0)].shown_by(layer):
            self.table.selectRow(index)

    def _mark(self, layer: Any) -> int | None:
        """The row of the movie that is worked on is bold."""
        index = None if layer is None else self.study.index_of(layer)
        self.model.mark(index)
        return index

    # -- movies ------------------------------------------------------------------------------------------------------

    def _row_entered(self, index: int) -> None:
        """A row whose movie is open is worked on at once; others are opened with Enter or a double click."""
        if 0 <= index < len(self.study) and self.study.choose(index):
            self.model.mark(index)

    def _clicked(self, index: QModelIndex) -> None:
        """A click on what a movie is used for opens the list of choices."""
        if self.model.columns[index.column()] == "split":
            self.table.edit(index)

    def show_movie(self) -> None:
        """Open the movie of the chosen row in the background, and work on it."""
        index = self.table.currentIndex().row()
        if not 0 <= index < len(self.study) or self.study.choose(index):
            return
        movie, wanted = self.study.movies[index], self.study.whole_row(index)
        openings, words, point = (
            Openings.of(self.session.viewer),
            f"Opening {movie.title}",
            readers.sliders(self.session.viewer),
        )
        self._opening = [(row, reading) for row, reading in self._opening if reading in openings.readings]
        if any(row == wanted for row, _ in self._opening):
            return
        self.says.say("")
        reading = openings.start(
            lambda: readers.seen(open_layers(wanted), point),
            words,
            lambda layers: self._opened(movie, layers) if isalive(self) else None,
            lambda error: self.says.say(capital(str(error)), "bad") if isalive(self) else None,
        )
        self._opening.append((wanted, reading))

    def _opened(self, wanted: StudyMovie, layers: list[LayerData]) -> None:
        """Show what was opened; outlines belong to their movie."""
        self.says.say("")
        added = [add(self.session.viewer, *layer) for layer in layers]
        images = [layer for layer in added if type(layer).__name__ == "Image"]
        labels = [layer for layer in added if type(layer).__name__ == "Labels"]
        places = [i for i, movie in enumerate(self.study.movies) if images and movie.shown_by(images[0])]
        if images:
            self.session.movie = images[0]
        if labels:
            self.session.outlines = labels[0]
        mine = [i for i in places if self.study.movies[i] is wanted]  # rows may have come and gone meanwhile
        chosen = next(iter(mine or places), None)
        if chosen is not None:
            self.study.choose(chosen)
            self.table.selectRow(chosen)

    # -- taking in and giving out ------------------------------------------------------------------------------------

    def ask_for_files(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, "Add movies to the study", str(self.study.folder), FILTER)
        if names:
            self._added(*self.study.add_files(map(Path, names)))

    def ask_for_table(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Table of recordings", str(self.study.folder), CSV)
        if name:
            self.load(Path(name))

    def load(self, path: Path) -> None:
        """Take the rows of a CSV file."""
        workers.call(
            lambda: Table.read(path),
            returned=lambda table: self._take(table),
            failed=lambda error: self.says.say(capital(str(error)), "bad"),
            owner=self,
        )

    def ask_where(self) -> None:
        start = self.study.folder / "recordings.csv"
        name, _ = QFileDialog.getSaveFileName(self, "Save the table", str(start), "Tables (*.csv)")
        if name:
            self.save(Path(name) if Path(name).suffix else Path(f"{name}.csv"))

    def save(self, path: Path) -> None:
        """Write the table, of all movies that have a file."""
        table = self.study.table(stored=True)
        left = len(self.study) - len(table.rows)
        if not table.rows:
            self.says.say("None of these movies has a file yet; save them first (File > Save).", "warning")
            return
        try:
            table.write(path)
        except CellsynthError as error:
            self.says.say(capital(str(error)), "bad")
            return
        some = f" {how_many(left, 'movie')} without a file left out." if left else ""
        self.says.say(f"Kept in {path}.{some}", "warning" if left else "quiet")

    def paste(self) -> None:
        """From the clipboard: copied files, rows of a table, or cells for the rows from the current one on."""
        mime = QGuiApplication.clipboard().mimeData()
        if mime.hasUrls() and any(url.isLocalFile() for url in mime.urls()):
            self._added(*self.study.add_files(Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()))
            return
        self.paste_text(mime.text())

    def paste_text(self, text: str) -> None:
        """Rows where a head or a path says so, else cells."""
        try:
            lines = [cells for _, cells in lines_of(text)]
            if not lines:
                self.says.say("The clipboard is empty: copy cells in a spreadsheet first.", "warning")
            elif self.study.names_files(lines[0]):
                self._take(Table.parse(text, self.study.folder, columns=self.model.columns))
            else:
                self._fill(lines)
        except CellsynthError as error:
            self.says.say(capital(str(error)), "bad")

    def _fill(self, lines: list[list[str]]) -> None:
        at = self.table.currentIndex()
        if not at.isValid():
            self.says.say(
                "These cells name no files: copy the line with the names of the columns, too, or choose the cell to"
                " paste them into.",
                "warning",
            )
            return
        count = self.study.fill(at.row(), self.model.columns[at.column() :], lines)
        self.says.say(f"Pasted into {how_many(count, 'row')}.")

    def copy(self) -> None:
        """The chosen rows with the heads, as a spreadsheet takes them."""
        chosen = self.table.chosen()
        table = Table(tuple(self.study.rows[i] for i in chosen), self.study.folder)
        QGuiApplication.clipboard().setText("\n".join("\t".join(line) for line in table.cells()))

    def _offer(self, last: Table | None) -> None:
        """The study of the last time can be taken, as long as there is none."""
        self._last = last
        if last is not None:
            self.again.setText(f"As last time ({how_many(len(last.rows), 'movie')})")
        self.again.setVisible(last is not None and not len(self.study))

    def _take_again(self) -> None:
        last, self._last = self._last, None
        if last is not None:
            self._take(last)

    def _take(self, table: Table) -> None:
        self._added(*self.study.add(table), *table.notes)

    def _added(self, added: int, known: int, *notes: str) -> None:
        parts = [f"{how_many(added, 'movie')} added" if added else "", f"{known} brought up to date" if known else ""]
        said = ", ".join(filter(None, parts)) or "nothing added"
        self.says.say(". ".join([capital(said), *map(capital, notes)]) + ".", "warning" if notes else "quiet")
        self._show_filled()
        self._look_for_files()

    def _show_filled(self) -> None:
        """Columns that a table fills are seen."""
        rows = self.study.rows
        filled = {name for name in HEADS if any(getattr(row, name) is not None for row in rows)}
        for name in HEADS:
            if name in filled - {*self.model.columns}:
                self.show_column(name)

    def _look_for_files(self) -> None:
        """Say which files are not there; the disk may be far away."""
        files = {movie.row.file: self.study.folder / movie.row.file for movie in self.study.movies if movie.stored}
        workers.call(
            lambda: {file for file, path in files.items() if not path.exists()},
            returned=self._missing,
            owner=self,
        )

    def _missing(self, away: set[Path]) -> None:
        """Files that are not there; rows may have come and gone meanwhile."""
        self.model.set_missing(away)
        gone = [file for file in dict.fromkeys(row.file for row in self.study.rows) if file in away]
        if gone:
            names = ", ".join(file.name for file in gone[:3])
            more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
            self.says.say(f"Not found in {self.study.folder}: {names}{more}.", "bad")

    # -- what else can be done ---------------------------------------------------------------------------------------

    def remove(self) -> None:
        """Take the chosen movies out of the study; layers and files stay."""
        chosen = self.table.chosen()
        self.study.remove(chosen)
        self.says.say(f"{how_many(len(chosen), 'movie')} taken out of the study; files and layers stay.")

    def fix_split(self) -> None:
        try:
            self.study.fix_split()
            self.says.say("What each movie is used for is fixed now, and stays so when movies are added.")
        except CellsynthError as error:
            self.says.say(capital(str(error)), "bad")

    def count_openings(self) -> None:
        """How often test parts were opened, from the training sets in the home."""
        from napari_cellsynth.stack.training_sets.openings import times_opened

        sets = self.session.home / api.TRAINING_SETS
        workers.call(lambda: times_opened(sets), returned=self.study.set_opened, owner=self)

    def _menu_at(self, place: QPoint) -> None:
        self.menu().exec(self.table.viewport().mapToGlobal(place))

    def _menu_below(self) -> None:
        self.menu().exec(self.more.mapToGlobal(QPoint(0, self.more.height())))

    def menu(self) -> QMenu:
        """What can be done with the chosen rows, and the columns."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        chosen = bool(self.table.chosen())
        actions: list[tuple[str, Callable[[], None], bool]] = [
            ("Show movie\tEnter", self.show_movie, chosen),
            ("Copy rows\tCtrl+C", self.copy, chosen),
            ("Take out of the study\tDel", self.remove, chosen),
            ("Fix what each is used for", self.fix_split, bool(len(self.study))),
        ]
        for words, do, possible in actions:
            menu.addAction(words, do).setEnabled(possible)
        columns = menu.addMenu("Columns")
        for name, head in HEADS.items():
            action = columns.addAction(head)
            action.setCheckable(True)
            action.setChecked(name in self.model.columns)
            action.setEnabled(name != "file")
            action.toggled.connect(lambda on, name=name: self.show_column(name, on))
        return menu

    def show_column(self, name: str, on: bool = True) -> None:
        """Show or hide a column."""
        if on == (name in self.model.columns):
            return
        self.model.show(name, on)
        self.lay_columns()
        self._set_height(len(self.study))

    def lay_columns(self) -> None:
        """The file takes the room that is left, others what their words need; with more, the table scrolls."""
        header, metrics = self.table.horizontalHeader(), self.table.fontMetrics()
        files = (self.model.text(i, "file") for i in range(self.model.rowCount()))
        wanted = max([FILE, *(metrics.horizontalAdvance(text) + CELL for text in files)])
        header.setMinimumSectionSize(24)
        taken = 0
        for i, name in enumerate(self.model.columns):
            if name != "file":
                words = [HEADS[name], *(self.model.text(k, name) for k in range(self.model.rowCount()))]
                width = max(metrics.horizontalAdvance(text) for text in words) + CELL
                width = min(width, WIDEST) if name != "split" else max(width, 84)
                header.resizeSection(i, width)
                taken += width
        left = self.table.viewport().width() - taken
        header.resizeSection(self.model.columns.index("file"), max(left, min(wanted, WIDEST)))


def open_layers(wanted: Row) -> list[LayerData]:
    """Layers of a row's recording and of its outlines; in a worker."""
    from dataclasses import replace

    from napari_cellsynth.gui.facts import Facts
    from napari_cellsynth.stack.files.read import AxesUnknown
    from napari_cellsynth.stack.recordings.open import open_file
    from napari_cellsynth.stack.steady.moved_along import labels_for

    try:
        stack = open_file(wanted.file, wanted)
    except AxesUnknown:
        return readers.layers_of(str(wanted.file))  # to be asked for in the movie line
    layers = []
    for data, attributes, kind in layers_for(stack, name=wanted.name):
        block = replace(Facts.of_stack(stack), modality=wanted.modality).block()
        key, own = next(iter(attributes["metadata"].items()))
        known = {**own, "recording": {**own["recording"], "modality": block["recording"]["modality"]}}
        layers.append((data, {**attributes, "metadata": {key: known}}, kind))
    if wanted.labels is not None:
        layers += layers_for(labels_for(wanted.labels, stack), kind="labels")
    return layers

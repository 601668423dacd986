"""The tab Movies: the study, the movie that is shown (is it fit, where are its cells), and a training set of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLabel, QPushButton, QWidget

from napari_cellsynth.gui.cells import CellsSection
from napari_cellsynth.gui.fitness_section import FitnessSection
from napari_cellsynth.gui.kept import kept
from napari_cellsynth.gui.pieces import Column, Listening, Section
from napari_cellsynth.gui.table_section import TableSection
from napari_cellsynth.gui.tracks_section import TracksSection
from napari_cellsynth.gui.training_set_section import TrainingSetSection
from napari_cellsynth.gui.words import how_many

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.stack.fitness.fitness import Fitness


START = """From a movie to new cells:

1.  Open a movie, and say what its file does not: pixel size and interval.
2.  Show where the cells are: a Labels layer, a mask file from Cellpose and the like, or found here.
3.  Make a training set here, then go on to Train.

The example movie has all of that; it is simulated."""


class MoviesTab(Column):
    """Sections from top to bottom in the order of the work; each folds away."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.table = TableSection(session, self.widget())
        self.fitness = FitnessSection(session, self.widget())
        self.cells = CellsSection(session, self.widget())
        self.tracks = TracksSection(session, self.widget())
        self.tracks.cells_wanted.connect(self._find_cells)
        self.training_set = TrainingSetSection(session, self.widget())
        self.cells.counted.connect(self.training_set.cells_counted)
        self.training_set.cells_counted(self.cells.count)
        # Only after the rows have found their new heights.
        self._soon = QTimer(self, singleShot=True, interval=50)
        self._soon.timeout.connect(self._bring_report_into_sight)
        self.training_set.made.connect(self._soon.start)
        self.start = QLabel(START, self.widget())
        self.start.setWordWrap(True)
        self._signals = Listening(self)
        self._signals.to(session.movie_changed, self._movie_changed)
        self._signals.to(session.study.changed, self._study_changed)
        self._signals.to(session.section_wanted, self._bring)
        self._touched: set[Section] = set()
        for section in (self.table, self.fitness):
            section.head.clicked.connect(lambda *_, section=section: self._touched.add(section))
        self._fold_as_left()
        self.fitness.judged.connect(self._judged)
        self._study_changed()
        self._judged(self.fitness.fitness)
        self._movie_changed(session.movie)
        for part in (self.start, self.table, self.fitness, self.cells, self.tracks, self.training_set):
            self.rows.addWidget(part)
        self.rows.addStretch(1)

    def main_button(self) -> QPushButton:
        """What Ctrl+Enter presses."""
        made: QPushButton = self.training_set.maker.make
        return made

    def _fold_as_left(self) -> None:
        """As the user left the sections in the napari before; what he never touched folds by itself."""
        named = {
            "table": self.table,
            "fitness": self.fitness,
            "cells": self.cells,
            "tracks": self.tracks,
            "set": self.training_set,
        }
        for name, section in named.items():
            if kept().get(f"movies.{name}", bool) is not None:
                self._touched.add(section)
            kept().button(f"movies.{name}", section.head)

    def _bring(self, name: str) -> None:
        if name == "tracks":
            self.tracks.fold(False)
            self.ensureWidgetVisible(self.tracks)

    def _find_cells(self) -> None:
        """Open what finds cells, and bring it into sight."""
        self.cells.fold(False)
        if not self.cells.find.isChecked():
            self.cells.find.click()
        self.ensureWidgetVisible(self.cells)

    def _movie_changed(self, movie: Any) -> None:
        self.start.setVisible(movie is None)

    def _study_changed(self) -> None:
        """The table of a single movie is folded away, unless the user wants to see it."""
        count = len(self.session.study)
        self.table.brief(how_many(count, "movie"))
        if self.table not in self._touched:
            self.table.fold(count == 1)

    def _judged(self, fitness: Fitness | None) -> None:
        """Nothing to worry about is folded away, unless the user wants to see it."""
        if self.fitness not in self._touched:
            self.fitness.fold(fitness is not None and all(one.severity == "ok" for one in fitness.findings()))

    def _bring_report_into_sight(self) -> None:
        self.ensureWidgetVisible(self.training_set.maker.details)

"""The tab Movies: the cells of the movie, and a training set made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget

from napari_cellsynth.gui.cells import CellsSection
from napari_cellsynth.gui.pieces import Column
from napari_cellsynth.gui.training_set_section import TrainingSetSection

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session


class MoviesTab(Column):
    """Two sections, from top to bottom in the order of the work."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.cells = CellsSection(session)
        self.training_set = TrainingSetSection(session)
        self.cells.counted.connect(self.training_set.cells_counted)
        self.training_set.cells_counted(self.cells.count)
        self.rows.addWidget(self.cells)
        self.rows.addWidget(self.training_set)
        self.rows.addStretch(1)

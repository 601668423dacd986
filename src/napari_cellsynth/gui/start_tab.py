"""The Start tab: what can be done, each shown on an example within a minute; what was made lately; this computer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget

from napari_cellsynth.gui.kept import kept
from napari_cellsynth.gui.parts import Sentence
from napari_cellsynth.gui.pieces import Column, Section
from napari_cellsynth.gui.start_computer import ThisComputer
from napari_cellsynth.gui.start_recent import Recent
from napari_cellsynth.gui.start_tasks import Tasks

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session


class StartTab(Column):
    """Sections from top to bottom; nothing here takes time in the window's own thread."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.tasks = Tasks(session)
        self.recent = Recent(session)
        self.computer = ThisComputer(session)
        self.note = Sentence(kept().note, "warning")
        self.sections: dict[str, Section] = {}
        self.rows.addWidget(self.note)
        for name, title, content in (
            ("tasks", "What do you want to do?", self.tasks),
            ("recent", "Recent jobs and models", self.recent),
            ("computer", "This computer", self.computer),
        ):
            section = Section(title)
            section.add(content)
            kept().button(f"start.{name}", section.head)
            self.sections[name] = section
            self.rows.addWidget(section)
        self.rows.addStretch(1)

    def show_run(self, run: Path, tab: str) -> None:
        """Go to a job in the tab where it is followed or used."""
        self.session.run = run
        self.session.tab_requested.emit(tab)

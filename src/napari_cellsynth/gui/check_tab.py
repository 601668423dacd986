"""The Check tab: is it right, is it alike, can you tell; a list of sections that are data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QPushButton, QWidget

from napari_cellsynth.gui.check_alike import AlikeSection
from napari_cellsynth.gui.check_embed import EmbedSection
from napari_cellsynth.gui.check_motion import MotionSection
from napari_cellsynth.gui.check_outlines import OutlineSection
from napari_cellsynth.gui.check_tell import TellSection
from napari_cellsynth.gui.check_useful import UsefulSection
from napari_cellsynth.gui.kept import kept
from napari_cellsynth.gui.parts import Sentence, button, listen, row
from napari_cellsynth.gui.pieces import Column, Section

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session


class ElsewhereSection(Section):
    """What is asked before there is anything to check."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Is it enough? Is it fit?", parent)
        self.go = button("Go to Movies", lambda: session.tab_requested.emit("movies"))
        self.go.setAccessibleName("Go to Movies, where it is said whether the cells are enough")
        words = "Whether the movie is fit for use, and whether there are enough different cells, is said in Movies."
        self.add(Sentence(words), row(self.go, None))

    @property
    def main(self) -> QPushButton:
        return self.go


SECTIONS: dict[str, Any] = {
    "right": OutlineSection,
    "alike": AlikeSection,
    "remade": EmbedSection,
    "moves": MotionSection,
    "useful": UsefulSection,
    "tell": TellSection,
    "enough": ElsewhereSection,
}
"""Name of a section to its class, which is given the session and has a ``main`` button; in the order of the tab."""


class CheckTab(Column):
    """Sections from top to bottom; each says what it needs where it lacks it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sections: dict[str, Any] = {name: kind(session) for name, kind in SECTIONS.items()}
        for name, section in self.sections.items():
            kept().button(f"check {name}", section.head)
            self.rows.addWidget(section)
        self.rows.addStretch(1)
        self._wanted: QWidget = self
        # Only after the rows have found their new heights.
        self._soon = QTimer(self, singleShot=True, interval=50)
        self._soon.timeout.connect(lambda: self.ensureWidgetVisible(self._wanted, 0, 0))
        listen(self, session.section_wanted, self._bring)

    def _bring(self, name: str) -> None:
        """Open a section and scroll to it."""
        if name in self.sections:
            self._wanted = self.sections[name]
            self.sections[name].fold(False)
            self._soon.start()

    def main_button(self) -> QPushButton | None:
        """What Ctrl+Enter presses: the first check that can begin."""
        mains: list[QPushButton] = [section.main for section in self.sections.values()]
        return next((one for one in mains if one.isVisible() and one.isEnabled()), None)

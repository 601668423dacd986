"""The tasks in words, each with its example."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from napari_cellsynth.gui.journey_steps import journeys
from napari_cellsynth.gui.journeys import Journey
from napari_cellsynth.gui.parts import Sentence, button, column, row

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session


class TaskRow(QWidget):
    """A task, a sentence about it, and the two ways to begin."""

    def __init__(self, session: Session, journey: Journey) -> None:
        super().__init__()
        self.journey = journey
        title = QLabel(journey.task)
        title.setWordWrap(True)
        title.setStyleSheet("font-weight: 600;")
        self.show_me = button("Show me", lambda: session.journey_requested.emit(journey), "On an example, in a minute.")
        self.show_me.setAccessibleName(f"Show me: {journey.task}")
        self.begin = button(
            "My movie",
            lambda: session.tab_requested.emit(journey.then),
            "The same with a movie of yours: goes to where it begins.",
        )
        self.begin.setAccessibleName(f"With my movie: {journey.task}")
        for wish in (self.show_me, self.begin):
            wish.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        head = row(title, self.show_me, self.begin)
        head.setStretch(0, 1)
        column(head, Sentence(journey.about), parent=self, spacing=1)


class Tasks(QWidget):
    """All that can be done in this version; what cannot is absent."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.rows = [TaskRow(session, journey) for journey in journeys()]
        column(*self.rows, parent=self, spacing=8)

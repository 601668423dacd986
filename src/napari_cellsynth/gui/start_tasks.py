"""The tasks in words, each with its example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
        title = titled(journey.task)
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


@dataclass(frozen=True)
class Errand:
    """A task that takes the user's own data: there is nothing to show of it on an example in a minute."""

    task: str
    about: str
    tab: str
    section: str = ""
    makes: tuple[str, Mapping[str, Any]] | None = None
    """Kind and settings of the training set that it begins with."""

    def begin(self, session: Session) -> None:
        """Go to where it begins."""
        session.tab_requested.emit(self.tab)
        if self.section:
            session.section_wanted.emit(self.section)
        if self.makes is not None:
            session.set_wanted.emit(*self.makes)


ERRANDS = (
    Errand(
        "Follow cells",
        "Outlines become tracks, with divisions or buds: how fast each cell is and how it turns, and files of them.",
        "movies",
        section="tracks",
    ),
    Errand(
        "Compare how cells move",
        "Tracks of two conditions: whether they move alike, and whether simulated tracks move as yours do.",
        "check",
        section="moves",
    ),
    Errand(
        "Train a model to find cells",
        "It learns from frames whose outlines you trust: a training set of clips of one frame.",
        "movies",
        makes=("clips", {"frames": 1}),
    ),
    Errand(
        "Is what is simulated useful?",
        "Whether a model finds cells better with simulated frames among the real ones, tested on real frames.",
        "check",
        section="useful",
    ),
)


class ErrandRow(QWidget):
    """A task, a sentence about it, and the way to where it begins."""

    def __init__(self, session: Session, errand: Errand) -> None:
        super().__init__()
        self.errand = errand
        title = titled(errand.task)
        self.begin = button("My movie", lambda: errand.begin(session), "Goes to where it begins.")
        self.begin.setAccessibleName(f"With my movie: {errand.task}")
        self.begin.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        head = row(title, self.begin)
        head.setStretch(0, 1)
        column(head, Sentence(errand.about), parent=self, spacing=1)


def titled(task: str) -> QLabel:
    title = QLabel(task)
    title.setWordWrap(True)
    title.setStyleSheet("font-weight: 600;")
    return title


class Tasks(QWidget):
    """All that can be done in this version; what cannot is absent."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.rows = [TaskRow(session, journey) for journey in journeys()]
        self.errands = [ErrandRow(session, errand) for errand in ERRANDS]
        column(*self.rows, *self.errands, parent=self, spacing=8)

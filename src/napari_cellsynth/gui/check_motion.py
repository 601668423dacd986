"""Do they move alike?  Simulated cells beside real ones that were held out, and two conditions beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QLabel, QPushButton, QWidget

from napari_cellsynth import api
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.errors import CellsynthError
from napari_cellsynth.gui.check_parts import Numbers, Report, Work, colours, draw_anew
from napari_cellsynth.gui.motion_form import MotionForm
from napari_cellsynth.gui.motion_sources import TrackSources
from napari_cellsynth.gui.parts import Foldout, Sentence, Sheet, button, listen, row
from napari_cellsynth.gui.pieces import Section
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.theme import THEME
from napari_cellsynth.gui.words import capital

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.quality.motion_check import MotionCheck, Moving

NO_TRACKS = "Needs tracks of the cells: track a movie, or open a table of tracks."
WHY = (
    "Fits how the cells of each condition move, without some of them, simulates as many, and lays these beside those."
    " Two conditions are compared recording by recording."
)
SHOW = "Show the state in 3D"
ABOUT_STATE = "First three dimensions of the subspace, of real cells, in a window of its own."
DONE = "How cells move was compared, {} (api.compare_motion): {}"
NAME = 10
"""Letters of a condition's name above a column."""
WIDTH, DPI = 1.85, 100
"""Inches of a plot's side, and pixels an inch."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """What was found, and its picture (H, W, 3) uint8."""

    check: MotionCheck
    figure: np.ndarray


class MotionSection(Section):
    """Tracks are chosen, fitted and compared in the background; what is found is said and shown."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Do they move alike?", parent)
        self.session = session
        self.check: MotionCheck | None = None
        self.states: Any = None
        """The window that shows the state, or None."""
        self._build()
        listen(self, THEME.changed, self._draw_anew)
        self._offer()

    # -- the rows ----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.lacking, self.says, self.sentence, self.notes = Sentence(), Sentence(), Sentence(), Sentence()
        self.go = button("Go to Movies", lambda: self.session.tab_requested.emit("movies"))
        self.sources = TrackSources(self.session)
        self.sources.changed.connect(self._offer)
        self.work = Work("Compare how they move", self.start, WHY, self.says)
        self.form = MotionForm()
        self.form.changed.connect(self._forget)
        self.advanced = Foldout("Advanced", lambda: self.form)
        self.figure, self.tables = Sheet(), [(QLabel(), Numbers()) for _ in range(3)]
        self.figure.setAccessibleName("trajectories of held-out and simulated cells")
        self.show_state = button(SHOW, self.show_states, ABOUT_STATE)
        self.report = Report(self.session)
        self.add(self.lacking, row(self.go, None), self.sources, self.advanced, self.work, self.says)
        self.add(self.sentence, self.figure)
        for label, numbers in self.tables:
            label.setStyleSheet("font-weight: bold;")
            self.add(label, numbers)
        self.add(self.notes, row(self.show_state, None), self.report)
        self._forget()

    @property
    def main(self) -> QPushButton:
        """What Ctrl+Enter presses."""
        return self.work.begin if self.sources.ready else self.go

    def _offer(self) -> None:
        there = bool(self.sources.sources)
        self.lacking.say("" if there else NO_TRACKS)
        self.go.setVisible(not there)
        for widget in (self.advanced, self.work):
            widget.setVisible(there)
        self.work.allow(self.sources.ready)
        self._forget()

    # -- comparing ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Fit, simulate and compare, in the background."""
        self._forget()
        try:
            given = self.sources.chosen()
        except CellsynthError as error:
            self.says.say(capital(str(error)), "bad")
            return
        settings = self.form.settings()
        paper = colours()

        def comparing() -> Iterator[Any]:
            for news in api.compare_motion(given, settings, seed=settings.seed):
                # What is drawn is drawn here, too: loading what draws takes a second.
                yield news if isinstance(news, Progress) else drawn(news, paper)

        self.work.run(comparing, self._checked, "comparing how cells move")

    def _checked(self, made: Drawn) -> None:
        from napari_cellsynth.quality.motion_report import save_motion_check

        self.check = check = made.check
        names = " and ".join(one.name for one in check.conditions)
        Recorder.of(self.session).said(DONE.format(names, check.sentence()))
        self.sentence.say(check.sentence(), check.level)
        self.notes.say(" ".join(check.notes()))
        self.figure.show_sheet(made.figure)
        self.figure.show()
        for (label, numbers), one in zip(self.tables, check.conditions, strict=False):
            self._table(label, numbers, one)
        if check.contrasts:
            self._between(*self.tables[2], check)
        self.show_state.show()
        self.report.offer(f"how {names} move", lambda folder: save_motion_check(check, folder))

    def _table(self, label: QLabel, numbers: Numbers, one: Moving) -> None:
        label.setText(one.name)
        label.show()
        rows = [
            (
                _named(like.words, like.unit),
                f"95 % of simulated sets: {like.low:.3g} to {like.high:.3g}; learned from: {like.learned:.3g}",
                [f"{like.held_out:.3g}", f"{like.simulated:.3g}"],
            )
            for like in one.likeness
        ]
        numbers.show_rows(("held-out", "simulated"), rows)

    def _between(self, label: QLabel, numbers: Numbers, check: MotionCheck) -> None:
        a, b = check.conditions
        label.setText(f"{b.name} beside {a.name}")
        label.show()
        rows = []
        for one in check.contrasts:
            p = "not tested" if one.p_corrected is None else f"p {one.p_corrected:.2g} over recordings, after Holm"
            tip = f"Mean over recordings; {p}. Cliff's delta over cells {one.delta:+.2f} ({one.size()})."
            first, second = (f"{mean:.3g}" for mean in one.means)
            rows.append((_named(one.words, one.unit), tip, [first, f"{second}{' *' if one.differs else ''}"]))
        numbers.show_rows((a.name[:NAME], b.name[:NAME]), rows)

    def _draw_anew(self) -> None:
        """In the colours of the theme that there is now."""
        draw_anew(self, drawn)

    def show_states(self) -> None:
        """Open a window of napari with the state of each condition."""
        from napari_cellsynth.gui import motion_states

        if self.check is not None:
            self.states = motion_states.show_states(self.check)

    def _forget(self) -> None:
        self.work.stop(quiet=True)
        self.check = None
        for sentence in (self.says, self.sentence, self.notes):
            sentence.say("")
        self.figure.hide()
        self.show_state.hide()
        for label, numbers in self.tables:
            label.hide()
            numbers.show_rows((), ())
        self.report.offer("", None)


def _named(words: str, unit: str) -> str:
    return f"{words} ({unit})" if unit else words


def drawn(check: MotionCheck, paper: tuple[str, str]) -> Drawn:
    """The picture of a check."""
    from napari_cellsynth.quality.figures.motion import draw_trajectories
    from napari_cellsynth.quality.figures.scatter import as_picture

    return Drawn(check, as_picture(draw_trajectories(check, paper, WIDTH), 2 * DPI))

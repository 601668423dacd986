"""Is it useful?  Whether simulated frames help a segmentation, tried on a set of labelled frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QPushButton, QWidget

from napari_cellsynth.api import TRAINING_SETS
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.gui import workers
from napari_cellsynth.gui.check_parts import CHECKS, Numbers, Report, Work, colours, draw_anew, needs
from napari_cellsynth.gui.parts import Sentence, Sheet, button, listen, row
from napari_cellsynth.gui.pieces import Section
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.runs_watch import RunsWatch
from napari_cellsynth.gui.theme import THEME
from napari_cellsynth.gui.useful_fields import SAY_NUMBERS, UsefulFields
from napari_cellsynth.gui.useful_job import Asked, folder_for, study
from napari_cellsynth.quality.usefulness import ARMS, Usefulness

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session

NO_SET = "Needs a training set of clips whose movie has outlines (Movies: a training set of clips, 1 frame each)."
WHY = (
    "Many small segmentations are trained: on a few real labelled frames, on simulated ones, and on both. Each is"
    " scored on real frames that it never saw. Takes minutes to hours; what is done is kept, also when you cancel."
)
DONE = "Whether simulated frames help a segmentation was tried on {} (api.check_useful): {}"
CANCELLED = "Cancelled; what is done is kept: begin again, and it goes on from there."
WIDTH, DPI = 3.7, 100
"""Inches of the figure's width, and pixels an inch."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """What was found, and its figure (H, W, 3) uint8."""

    check: Usefulness
    figure: np.ndarray


class UsefulSection(Section):
    """A labelled set is chosen; the study is made by a process of its own, and what it finds is said and shown."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Is it useful? Simulated frames", parent)
        self.session = session
        self.check: Usefulness | None = None
        self._build()
        listen(self, THEME.changed, self._draw_anew)
        listen(self, session.training_set_changed, self._list_sets)
        listen(self, session.home_changed, self._list_sets)
        self._watch = RunsWatch.of(session, self)
        self._watch.changed.connect(self.fields.offer_runs)
        self._watch.listed.connect(self._list_sets)
        self.fields.offer_runs(self._watch.rows)
        self._list_sets()

    def _build(self) -> None:
        self.lacking, self.says, self.sentence, self.notes = (Sentence() for _ in range(4))
        self.go = button("Go to Movies", lambda: self.session.tab_requested.emit("movies"))
        self.fields = UsefulFields()
        self.fields.changed.connect(self._forget)
        self.work = Work("Try whether it helps", self.start, WHY, self.says)
        self.work.cancel.setToolTip("What is done is kept: the same question goes on from there.")
        self.work.cancel.clicked.connect(lambda *_: self.says.say(CANCELLED))
        self.figure, self.numbers, self.report = Sheet(), Numbers(), Report(self.session)
        self.figure.setAccessibleName("average precision on held-out real frames against the number of labelled frames")
        self.add(self.lacking, row(self.go, None), self.fields, self.work, self.says)
        self.add(self.sentence, self.notes, self.figure, self.numbers, self.report)
        self._forget()

    @property
    def main(self) -> QPushButton:
        """What the section is about."""
        return self.go if self.fields.data.value is None else self.work.begin

    # -- what there is -----------------------------------------------------------------------------------------------

    def _list_sets(self, *_: Any) -> None:
        """Labelled sets of the home, and the one that is worked with; looked up in the background."""
        folder, mine = self.session.home / TRAINING_SETS, self.session.training_set
        workers.call(lambda: found_sets(folder, mine), returned=self._got_sets, failed=lambda _: None, owner=self)

    def _got_sets(self, sets: dict[Path, str | None]) -> None:
        needs(self.lacking, self.go, "" if sets else NO_SET)
        for widget in (self.fields, self.work):
            widget.setVisible(bool(sets))
        self.fields.offer_sets(sets)

    # -- trying ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin the study, or go on with it, as a process of its own."""
        settings, data = self.fields.settings(), self.fields.data.value
        if settings is None:
            self.says.say(SAY_NUMBERS, "bad")
        if settings is None or data is None:
            return
        self._forget()
        run, paper = self.fields.looks.value, colours()
        # Of more seeds or other frames what is there already is not made again.
        choice = (data.absolute(), run, settings.model_dump_json(exclude={"seeds", "frames"}, exclude_none=True))
        asked = Asked(data, folder_for(self.session.home / CHECKS, data, choice), settings, run)

        def making() -> Iterator[Any]:
            for news in study(asked):
                yield news if isinstance(news, Progress) else drawn(news, paper)

        self.work.run(making, lambda made: self._checked(made, data), f"trying simulated frames on {data.name}")

    def _checked(self, made: Drawn, data: Path) -> None:
        from napari_cellsynth.quality.usefulness_report import save_usefulness

        self.check = check = made.check
        Recorder.of(self.session).said(DONE.format(data.name, check.sentence()))
        self.sentence.say(check.sentence(), check.level)
        self.notes.say(" ".join(check.notes()))
        self.figure.show_sheet(made.figure)
        self.figure.show()
        self.numbers.show_rows(("precision", "from to", "Dice"), rows_of(check))
        self.report.offer(f"useful {data.name} report", lambda folder: save_usefulness(check, folder))

    def _draw_anew(self) -> None:
        """In the colours of the theme that there is now."""
        draw_anew(self, drawn)

    def _forget(self) -> None:
        self.work.stop(quiet=True)
        self.check = None
        for sentence in (self.says, self.sentence, self.notes):
            sentence.say("")
        self.figure.hide()
        self.numbers.show_rows((), ())
        self.report.offer("", None)


def found_sets(folder: Path, mine: Path | None) -> dict[Path, str | None]:
    """Folders of labelled clips, and how each was filmed; the one that is worked with first."""
    from napari_cellsynth.api.useful_sets import labelled_sets

    there = sorted(one for one in folder.iterdir() if one.is_dir()) if folder.is_dir() else []
    others = [one for one in there if mine is None or one != mine]
    return labelled_sets([*([] if mine is None else [Path(mine)]), *others])


def rows_of(check: Usefulness) -> list[tuple[str, str, list[str]]]:
    """Rows of the table of numbers."""
    made = []
    for arm, frames, found in check.rows():
        one = found["average_precision"]
        span = f"{one.low:.2f} to {one.high:.2f}" if one.count > 1 else ""
        made.append((f"{arm}, {frames} real", ARMS[arm], [f"{one.mean:.2f}", span, f"{found['dice'].mean:.2f}"]))
    if check.free:
        numbers = [f"{check.free['average_precision']:.2f}", "", f"{check.free['dice']:.2f}"]
        made.append(("without training (auto)", "Outlines that cost nothing, on the same frames.", numbers))
    return made


def drawn(check: Usefulness, paper: tuple[str, str]) -> Drawn:
    """With its figure, drawn here since loading what draws takes a second."""
    from napari_cellsynth.quality.figures.scatter import as_picture
    from napari_cellsynth.quality.usefulness_report import learning_curve

    return Drawn(check, as_picture(learning_curve(check, size=(WIDTH, 0.95 * WIDTH), paper=paper), 2 * DPI))

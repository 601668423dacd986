"""What sections that check a model have in common: which model, and which real cells of its training set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from qtpy.QtWidgets import QLabel, QLayout, QPushButton, QWidget

from napari_cellsynth.gui import workers
from napari_cellsynth.gui.check_held_out import BEFORE, HeldOut, held_out_of
from napari_cellsynth.gui.check_parts import Work, needs
from napari_cellsynth.gui.models_kept import ModelsKept
from napari_cellsynth.gui.parts import Sentence, button, column, listen, row, sure
from napari_cellsynth.gui.pieces import Choice, Section
from napari_cellsynth.gui.runs_watch import RunsWatch
from napari_cellsynth.gui.train_words import STATES

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session

QUESTION = (
    "The test cells are for the last word, after everything was chosen by others. Opening them is counted and"
    " stays in the training set: the more often, the less they prove.\n\nOpen them now?"
)


class ModelSection(Section):
    """A section about a trained model that can do ``VERB``; it says so where there is none.

    A subclass builds its own rows with ``_ask`` among them, and forgets what
    it found in ``_forget`` when another model or other cells are chosen.  What
    is chosen in one section is chosen in all, but for those that hold
    something about another model, which nobody asked them to throw away.
    """

    VERB: ClassVar[str]
    """What a model must be able to do."""
    NO_MODEL: ClassVar[str]
    work: Work
    check: Any = None
    """What was found about the model and the cells that are chosen."""

    def __init__(self, title: str, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self.session = session
        self.models = ModelsKept()
        self._rows: dict[Path, dict[str, Any]] = {}
        self._run: Path | None = None
        self._handed: Path | None = None
        self._offered: list[tuple[str, Any]] | None = None
        self._parts: dict[str, HeldOut] = {}
        self._coming = ""
        """The part to choose as soon as it is known."""
        self.lacking, self.says, self.more = Sentence(), Sentence(), Sentence()
        self.go = button("Train a model", lambda: session.tab_requested.emit("train"))
        self.model, self.part = Choice("model"), Choice("real cells to compare with")
        self.model.picked.connect(self._model_picked)
        self.part.picked.connect(self._part_picked)
        self.part.currentIndexChanged.connect(self._say_more)
        self.asking = QWidget()

    def _ask(self, *further: QWidget | QLayout) -> QWidget:
        """Which model and which cells, and further rows that make sense only with a model."""
        lines = [row(QLabel("model"), self.model), row(QLabel("with"), self.part)]
        for line in lines:
            line.setStretch(1, 1)
        column(*lines, self.more, *further, parent=self.asking)
        return self.asking

    def _begin(self) -> None:
        """After all is built: follow the trainings there are, and what is chosen elsewhere."""
        listen(self, self.session.run_changed, self._handed_over)
        listen(self, self.session.check_chosen, self._follow)
        self._watch = RunsWatch.of(self.session, self)
        self._watch.changed.connect(self._list)
        self._list(self._watch.rows)

    def _forget(self) -> None:
        """What was found is about another model, or other cells."""
        raise NotImplementedError

    def _other_cells(self) -> None:
        """Other cells of the same model were chosen."""
        self._forget()

    @property
    def holds(self) -> bool:
        """Whether another choice would throw away what was found, or is being looked for."""
        return self.work.working or self.check is not None

    @property
    def main(self) -> QPushButton:
        """What the section is about."""
        return self.work.begin if self._rows else self.go

    @property
    def run(self) -> Path | None:
        """The training whose model is chosen."""
        return self._run

    @property
    def part_chosen(self) -> Literal["validation", "test"]:
        return "test" if self.part.value == "test" else "validation"

    def may_open(self) -> bool:
        """Whether the test part may be looked at, after a question; other parts may."""
        return self.part_chosen != "test" or sure(self, "Open the test part", QUESTION, "Open and count")

    # -- which model, which cells

    def _handed_over(self, run: Path | None) -> None:
        if run in self._rows:
            self.choose(run)
        else:
            self._handed = run

    def _list(self, rows: list[dict[str, Any]]) -> None:
        able = (one for one in rows if one.get("weights") and self.VERB in one.get("verbs", ()))
        self._rows = {Path(one["path"]): one for one in able}
        needs(self.lacking, self.go, "" if self._rows else self.NO_MODEL)
        self.asking.setVisible(bool(self._rows))
        choices = [(f"{one['name']} \u00b7 {STATES[one['state']]}", path) for path, one in self._rows.items()]
        if choices != self._offered:
            # Only then: it would close a list that the user has open.
            self._offered = choices
            self.model.offer(choices, self._run)
        wanted = [run for run in (self._handed, self._run, self.session.run, *self._rows) if run in self._rows]
        if self._handed in self._rows:
            self._handed = None
        self.choose(wanted[0] if wanted else None)

    def _model_picked(self, run: Path) -> None:
        self._handed = None
        self.choose(run)
        self.session.check_chosen.emit(run, self.part_chosen)

    def _part_picked(self, part: str) -> None:
        self._other_cells()
        self.session.check_chosen.emit(self._run, part)

    def _follow(self, run: Path, part: str) -> None:
        """Somebody chose in another section."""
        if run not in self._rows or self.holds or (run, part) == (self._run, self.part.value):
            return
        self.choose(run)
        if part in self._parts:
            self.part.choose(part)
            self._other_cells()
        else:
            self._coming = part

    def choose(self, run: Path | None) -> None:
        """Check this training's model."""
        self.model.choose(run)
        if run == self._run:
            return
        self._run, self._coming = run, ""
        self._forget()
        self._offer_parts([BEFORE], "validation")
        self._parts = {}
        self._look()

    def _look(self) -> None:
        """What its training set holds out, and how often the test part was opened; looked up in the background."""
        run = self._run
        if run is None:
            return
        workers.call(
            lambda: self._read(run),
            returned=lambda known: self._got(known) if run == self._run else None,
            failed=lambda error: self.says.say(str(error), "warning") if run == self._run else None,
            owner=self,
        )

    def _read(self, run: Path) -> Any:
        """What is to be known of a training; in the background."""
        return held_out_of(run)

    def _got(self, known: Any) -> None:
        """What was read."""
        self._offer_parts(known, self._coming or self.part.value)
        self._coming = ""

    def _offer_parts(self, parts: list[HeldOut], chosen: str) -> None:
        self._parts = {one.part: one for one in parts}
        self.part.offer([(one.words, one.part) for one in parts], chosen)
        self._say_more()

    def _say_more(self, *_: Any) -> None:
        chosen = self._parts.get(str(self.part.value))
        self.more.say("" if chosen is None else chosen.more)

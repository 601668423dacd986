"""Can you tell?  A blinded test in the Check tab: whose turn it is, the test itself, and what all have told."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFormLayout, QLabel, QLineEdit, QWidget

from napari_cellsynth import api
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.check_held_out import HeldOut, held_out_of
from napari_cellsynth.gui.check_model import ModelSection
from napari_cellsynth.gui.check_parts import Numbers, Report, Work
from napari_cellsynth.gui.parts import Foldout, Sentence, button, column, row
from napari_cellsynth.gui.pieces import Choice, Column, Whole
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.tell_stage import Stage
from napari_cellsynth.gui.words import listed
from napari_cellsynth.quality.tell import LEAST, TRIALS, same_person, tidy
from napari_cellsynth.quality.tell_numbers import percent, what_it_can_tell

if TYPE_CHECKING:
    from napari_cellsynth.api.telling import BlindTest, Told
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.quality.tell import Sitting
    from napari_cellsynth.quality.tell_numbers import Score

BEGIN = "Begin the test"
WHY = "One picture after the other, real or made, in random order; one key each. How it went is said at the end alone."
NOBODY = "Type a name or initials first: each person's answers are kept under theirs."
TOOK = "A blinded test of {} was finished; it is kept in its folder {} (api.told)."
MOST, ROOM, LARGE = 400, 336, 256
"""Pictures of one test; pixels that a picture may be wide; and that it is at least, where there is room."""
SIZES = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 16.0)
"""Times as large as it is."""
COLUMNS = ("right", "95 %", "M as R", "R as M")
NAME = 10
"""Letters of a name in the table; the tip has all."""
LEGEND = "M as R: made cells taken for real. R as M: real ones taken for made."


@dataclass(frozen=True)
class Known:
    """What is looked up about a training before anybody begins."""

    parts: list[HeldOut]
    counts: dict[str, int]
    """Real crops of each part."""
    side: int
    """Pixels along a side of a crop."""
    told: Told


class TellSection(ModelSection):
    """A model is chosen, somebody says who they are, and looks; results are shown to who asks for them."""

    VERB = "sample"
    NO_MODEL = "Needs a trained model that makes new cells."

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Can you tell? A blinded test", session, parent)
        self.told: Told | None = None
        self._known: Known | None = None
        self._notes = ""
        self._build()
        self._begin()

    # -- the rows ----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.part.setAccessibleName("real cells to show")
        self.who = QLineEdit()
        self.who.setPlaceholderText("name or initials")
        self.who.setMaxLength(40)
        self.who.textChanged.connect(self._named)
        self.trials, self.seed, self.times = Even(), Whole(), Choice("magnification")
        self.advanced = Foldout("Advanced", self._advanced)
        self.power, self.sentence, self.notes = Sentence(), Sentence(), Sentence()
        self.work = Work(BEGIN, self.start, WHY, self.says)
        self.stage = Stage()
        self.stage.finished.connect(self._finished)
        self.stage.left.connect(self._left)
        self.next = button("Next person", self._next, "Hides how it went; nobody's answers are shown to the next.")
        self.results = Foldout("Results of all so far", self._results, "Who has not looked yet should not open it.")
        person = row(QLabel("who looks"), self.who)
        person.setStretch(1, 1)
        asking = self._ask(person, self.power, self.advanced, self.work)
        self.add(self.lacking, row(self.go, None), asking, self.says, self.stage)
        self.add(self.sentence, self.notes, row(self.next, None), self.results)
        self._set_up()

    def _set_up(self) -> None:
        self.trials.setRange(2, MOST)
        self.trials.setSingleStep(2)
        self.trials.setValue(TRIALS)
        self.trials.valueChanged.connect(self._say_power)
        self.seed.setRange(-1, 2**31 - 1)
        self.seed.setSpecialValueText("another for each test")
        self.seed.setValue(-1)
        self.next.hide()
        self.results.hide()
        self._say_power()

    def _advanced(self) -> QWidget:
        box = QWidget()
        form = QFormLayout(box)
        form.setContentsMargins(12, 0, 0, 0)
        for words, field in (("pictures", self.trials), ("magnification", self.times), ("seed", self.seed)):
            field.setAccessibleName(words)
            form.addRow(words, field)
        self.trials.setToolTip("<qt>As many real as made ones; more find smaller differences.</qt>")
        self.times.setToolTip("<qt>Holds for a whole test; each pixel is a square.</qt>")
        self.seed.setToolTip("<qt>Of the order, the choice of real cells, and the made ones.</qt>")
        return box

    def _say_power(self, *_: Any) -> None:
        count = self.trials.value()
        few = f" At least {LEAST} pictures are needed to say anything." if count < LEAST else ""
        self.power.say(what_it_can_tell(count) + few, "warning" if few else "quiet")

    @property
    def testing(self) -> bool:
        """Whether a test is under way, or its pictures are being made."""
        return self.stage.test is not None or self.work.working

    @property
    def holds(self) -> bool:
        return self.testing or bool(self.sentence.text())

    # -- which model -------------------------------------------------------------------------------------------------

    def _handed_over(self, run: Path | None) -> None:
        if self.testing:
            self._handed = run
        else:
            super()._handed_over(run)

    def _list(self, rows: list[dict[str, Any]]) -> None:
        if not self.testing:
            super()._list(rows)

    def _forget(self) -> None:
        self._known = self.told = None
        self._nobody()
        self.results.hide()

    def _other_cells(self) -> None:
        self._limit()

    def _read(self, run: Path) -> Known:
        return known_of(run)

    def _got(self, known: Known) -> None:
        before, self._known, self.told = self._known, known, known.told
        super()._got(known.parts)
        if before is None or before.side != known.side:
            fitting = [times for times in SIZES if times * known.side <= ROOM] or [SIZES[0]]
            large = next((times for times in fitting if times * known.side >= LARGE), fitting[-1])
            self.times.offer([(f"{times:g} times ({times * known.side:.0f} px)", times) for times in fitting], large)
        self._limit()
        self._named()
        self.results.setVisible(bool(known.told.everybody.scores) and not self.testing)
        self.results.clear()

    def _limit(self) -> None:
        """No more pictures than there are real ones for."""
        held_out = self._known.counts.get(self.part.value, 0) if self._known is not None else MOST
        self.trials.setMaximum(max(2, min(MOST, 2 * held_out)))

    # -- who looks ---------------------------------------------------------------------------------------------------

    def _unfinished(self) -> list[Sitting]:
        """Tests of the model as it is now that wait for the rest of their answers."""
        step = self._rows[self._run]["weights_step"] if self._run in self._rows else None
        return [one for one in self.told.unfinished if one.about.get("step") == step] if self.told else []

    def _named(self, *_: Any) -> None:
        waiting = self._unfinished()
        own = next((one for one in waiting if same_person(one.person, self.who.text())), None)
        self.work.begin.setText(BEGIN if own is None else f"Go on ({own.place} of {len(own.trials)} done)")
        if self.who.text():
            self._hide_outcome()
        elif waiting and not self.testing and not self.sentence.text():
            names = listed(list(dict.fromkeys(one.person for one in waiting)))
            self.says.say(f"Not finished: {names}. The same name goes on where it was left.")

    def start(self) -> None:
        """Make the pictures, in the background, and begin; the test part is opened only after a question."""
        run, person = self._run, tidy(self.who.text())
        if run is None:
            return
        if not person:
            self.says.say(NOBODY, "warning")
            self.who.setFocus()
            return
        goes_on = any(same_person(one.person, person) for one in self._unfinished())
        if not goes_on and not self.may_open():
            return
        self._hide_outcome()
        seed = None if self.seed.value() < 0 else self.seed.value()
        wanted: dict[str, Any] = {"trials": self.trials.value(), "seed": seed, "part": self.part_chosen}
        wanted |= {"magnification": self.times.value, "why": "Check: can you tell?"}
        models = self.models

        def making() -> Iterator[Any]:
            yield Progress(done=0, total=1, message="opening the model")
            yield from api.tell(models.get(run), person, **wanted)

        self.work.run(making, self._show, f"making pictures for a test of {run.name}")

    def _show(self, test: BlindTest) -> None:
        self.asking.hide()
        self.results.hide()
        self.notes.say("")
        self._notes = " ".join([*filter(None, [self.models.notes]), *test.notes])
        self.stage.begin(test, float(test.sitting.about.get("magnification") or self.times.value or 1.0))
        QTimer.singleShot(0, self._into_sight)

    def _into_sight(self) -> None:
        holder = self.parentWidget()
        while holder is not None and not isinstance(holder, Column):
            holder = holder.parentWidget()
        if isinstance(holder, Column):
            holder.ensureWidgetVisible(self.stage, 0, 4)

    # -- afterwards --------------------------------------------------------------------------------------------------

    def _finished(self, test: BlindTest) -> None:
        one = test.score()
        self.sentence.say(one.sentence(), "quiet")
        self.notes.say(self._notes)
        folder = test.sitting.file.parent.name if test.sitting.file is not None else ""
        if self._run is not None:
            Recorder.of(self.session).said(TOOK.format(self._run.name, folder))
        self._back()
        self.next.show()
        self.next.setFocus()

    def _left(self) -> None:
        self._back()

    def _back(self) -> None:
        """The form again, for somebody else."""
        self.asking.show()
        self.who.clear()
        if self.results.is_open():
            self.results.head.click()
        self._list(self._watch.rows)
        self._look()

    def _hide_outcome(self) -> None:
        for sentence in (self.says, self.sentence, self.notes):
            sentence.say("")
        self.next.hide()

    def _next(self) -> None:
        self._nobody()
        self.who.setFocus()

    def _nobody(self) -> None:
        """Nothing is shown of who looked last."""
        self._hide_outcome()
        self.who.clear()
        if self.results.is_open():
            self.results.head.click()

    def _results(self) -> QWidget:
        """All persons so far, each for one."""
        box = QWidget()
        told = self.told
        if told is None or self._run is None:
            return box
        people = told.everybody
        numbers, report = Numbers(), Report(self.session)
        numbers.show_rows(COLUMNS, [line_of(one) for one in people.scores])
        step = told.sittings[-1].about.get("step") if told.sittings else None
        now = self._rows.get(self._run, {}).get("weights_step")
        old = f"Of the model at step {step:,}, not as it is now. " if step is not None and step != now else ""
        report.offer(f"told of {self._run.name}", told.save)
        column(
            Sentence(people.sentence()), numbers, Sentence(LEGEND), Sentence(old + " ".join(told.notes)), report,
            parent=box,
        )  # fmt: skip
        self.report = report
        return box


class Even(Whole):
    """An even number: as many real as made."""

    def valueFromText(self, text: str | None) -> int:  # Qt's name
        return 2 * round(super().valueFromText(text) / 2)


def line_of(one: Score) -> tuple[str, str, list[str]]:
    """A person's line in the table: the name, what its tip says, and numbers."""
    name = one.person if len(one.person) <= NAME else f"{one.person[: NAME - 1]}…"
    low, high = one.interval
    share = f"{percent(low, False)}\u2013{percent(high, False)}"
    taken = [f"{one.made_for_real}/{one.made}", f"{one.real_for_made}/{one.real}"]
    tip = html.escape(f"{one.person}: {one.sentence()} {one.seconds:.1f} s for a picture (median).")
    return name, tip, [f"{one.right}/{one.of}", share, *taken]


def known_of(run: Path) -> Known:
    """What is held out, how large it is, and what was told so far; reads some small files."""
    from napari_cellsynth.stack.training_sets.kinds import open_training_set

    parts = held_out_of(run)
    data: Any = open_training_set(api.training_data(run))
    if data.kind != "crops":
        raise BadInput(f"{run.name} learned from {data.kind}; only single cells can be told so far")
    return Known(parts, {one.part: data.count(one.part) for one in parts}, data.size, api.told(run))

"""Is it alike?  Cells that a model makes beside real ones that it never saw."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from qtpy.QtWidgets import QFormLayout, QLabel, QPushButton, QSpinBox, QVBoxLayout, QWidget

from napari_cellsynth import api
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.gui import workers
from napari_cellsynth.gui.check_parts import Numbers, Report, Work, needs
from napari_cellsynth.gui.models_kept import ModelsKept
from napari_cellsynth.gui.parts import Foldout, Sentence, Sheet, button, listen, row, sure
from napari_cellsynth.gui.pieces import Choice, Section, Whole
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.runs_watch import RunsWatch
from napari_cellsynth.gui.train_words import STATES
from napari_cellsynth.gui.words import how_many, times_opened

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.quality.alike import AlikeCheck, Found, Pairs

VERB = "sample"
"""What a model must be able to do."""
NO_MODEL = "Needs a trained model that makes new cells."
WHY = "Made cells are compared with real ones that were held out: measured alike, and laid beside training cells."
PAIRS = "Show pairs in the viewer"
COMPARED = "Cells made by {} were compared with its {} ones, seed {} (api.check_alike): {}"
MADE, NEAREST = "made cells (synthetic)", "nearest training cells"
MOST = 500
ACROSS, SHOWN, THUMB = 4, 8, 64
"""Pairs in a row of a strip, pairs in all, pixels of a picture."""


class AlikeSection(Section):
    """A model is chosen, its cells are made and compared in the background; what is found is shown part by part."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Is it alike? Made cells", parent)
        self.session = session
        self.check: AlikeCheck | None = None
        self._models = ModelsKept()
        self._rows: dict[Path, dict[str, Any]] = {}
        self._run: Path | None = None
        self._handed: Path | None = None
        self._offered: list[tuple[str, Any]] | None = None
        self._build()
        listen(self, session.run_changed, self._handed_over)
        self._watch = RunsWatch.of(session, self)
        self._watch.changed.connect(self._list)
        self._list(self._watch.rows)

    # -- the rows ----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.lacking = Sentence()
        self.go = button("Train a model", lambda: self.session.tab_requested.emit("train"))
        self.model, self.part = Choice("model"), Choice("real cells to compare with")
        self.model.picked.connect(self.choose)
        self.part.picked.connect(lambda _: self._forget())
        self.count, self.seed = Whole(), Whole()
        self.advanced = Foldout("Advanced", self._advanced)
        self.says, self.sentence, self.notes = Sentence(), Sentence(), Sentence()
        self.work = Work("Compare made cells", self.start, WHY, self.says)
        self.found = QWidget()
        self.show_pairs = button(PAIRS, self.add_layers, "Made cells beside their nearest training cells.")
        self.report = Report(self.session)
        self._asking = QWidget()
        lines = QVBoxLayout(self._asking)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(4)
        for line in (row(QLabel("model"), self.model), row(QLabel("with"), self.part)):
            line.setStretch(1, 1)
            lines.addLayout(line)
        for widget in (self.advanced, self.work):
            lines.addWidget(widget)
        self.add(self.lacking, row(self.go, None), self._asking, self.says)
        self.add(self.sentence, self.notes, self.found, row(self.show_pairs, None), self.report)
        self._forget()

    def _advanced(self) -> QWidget:
        box = QWidget()
        form = QFormLayout(box)
        form.setContentsMargins(12, 0, 0, 0)
        self._spin(self.count, "cells to make", 0, MOST)
        self.count.setSpecialValueText("as many as suit")
        self.count.setToolTip("<qt>As many as there are unseen ones, from 100 to 500.</qt>")
        self._spin(self.seed, "seed", 0, 2**31 - 1)
        self.seed.setToolTip("<qt>The same seed gives the same cells and numbers again.</qt>")
        form.addRow("cells to make", self.count)
        form.addRow("seed", self.seed)
        return box

    def _spin(self, spin: QSpinBox, name: str, low: int, high: int) -> None:
        spin.setRange(low, high)
        spin.setAccessibleName(name)
        spin.valueChanged.connect(self._forget)

    @property
    def main(self) -> QPushButton:
        """What the section is about."""
        return self.work.begin if self._rows else self.go

    # -- which model -------------------------------------------------------------------------------------------------

    @property
    def run(self) -> Path | None:
        """The training whose model is chosen."""
        return self._run

    def _handed_over(self, run: Path | None) -> None:
        if run in self._rows:
            self.choose(run)
        else:
            self._handed = run

    def _list(self, rows: list[dict[str, Any]]) -> None:
        self._rows = {Path(one["path"]): one for one in rows if one.get("weights") and VERB in one.get("verbs", ())}
        there = bool(self._rows)
        needs(self.lacking, self.go, "" if there else NO_MODEL)
        self._asking.setVisible(there)
        choices = [(f"{one['name']} \u00b7 {STATES[one['state']]}", path) for path, one in self._rows.items()]
        if choices != self._offered:
            # Only then: it would close a list that the user has open.
            self._offered = choices
            self.model.offer(choices, self._run)
        wanted = [run for run in (self._handed, self._run, self.session.run, *self._rows) if run in self._rows]
        if self._handed in self._rows:
            self._handed = None
        self.choose(wanted[0] if wanted else None)

    def choose(self, run: Path | None) -> None:
        """Check this training's model."""
        self.model.choose(run)
        if run == self._run:
            return
        self._run = run
        self._forget()
        self.part.offer([("held-out crops", "validation")])
        self._look_at_parts()

    def _look_at_parts(self) -> None:
        """What its training set holds out, and how often the test part was opened; looked up in the background."""
        run = self._run
        if run is None:
            return

        def got(parts: list[tuple[str, str]]) -> None:
            if run == self._run:
                self.part.offer(parts, self.part.value)

        workers.call(
            lambda: parts_of(run),
            returned=got,
            failed=lambda error: self.says.say(str(error), "warning") if run == self._run else None,
            owner=self,
        )

    # -- comparing ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Make cells and compare them, in the background; the test part is opened only after a question."""
        run, part = self._run, self._part_chosen()
        if run is None or (part == "test" and not self._may_open()):
            return
        self._forget()
        count, seed, models = self.count.value() or None, self.seed.value(), self._models

        def making() -> Iterator[Any]:
            yield Progress(done=0, total=1, message="opening the model")
            yield from api.check_alike(models.get(run), part=part, count=count, seed=seed, why="Check: is it alike?")

        self.work.run(making, self._checked, f"comparing cells made by {run.name}")

    def _part_chosen(self) -> Literal["validation", "test"]:
        return "test" if self.part.value == "test" else "validation"

    def _may_open(self) -> bool:
        question = (
            "The test cells are for the last word, after everything was chosen by others. Opening them is counted and"
            " stays in the training set: the more often, the less they prove.\n\nOpen them now?"
        )
        return sure(self, "Open the test part", question, "Open and count")

    def _checked(self, check: AlikeCheck) -> None:
        from napari_cellsynth.quality.report.save import save_report

        self.check = check
        name = self._run.name if self._run is not None else "model"
        part = "test" if self._part_chosen() == "test" else "unseen"
        Recorder.of(self.session).said(COMPARED.format(name, part, self.seed.value(), check.sentence()))
        self.sentence.say(check.sentence(), check.level)
        self.notes.say(" ".join([*filter(None, [self._models.notes]), *check.notes()]))
        self._show_found(check.found)
        self.show_pairs.setVisible(any(one.pairs for one in check.found))
        title = f"Cells made by {name} beside real ones"
        self.report.offer(f"made cells of {name}", lambda folder: save_report(check, folder, title))
        self._look_at_parts()

    def _show_found(self, found: tuple[Found, ...]) -> None:
        new = QWidget()
        lines = QVBoxLayout(new)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(4)
        for one in found:
            for widget in self._part(one):
                lines.addWidget(widget)
        self.rows.replaceWidget(self.found, new)
        self.found.hide()
        self.found.deleteLater()
        self.found = new
        self.found.setVisible(bool(found))

    def _part(self, found: Found) -> Iterator[QWidget]:
        """The widgets of a section, whatever it is about."""
        from napari_cellsynth.quality.alike import in_columns
        from napari_cellsynth.quality.check_sheets import number, spread

        title = QLabel(found.title)
        title.setStyleSheet("font-weight: bold;")
        yield title
        yield Sentence(found.sentence, found.level)
        numbers = Numbers()
        heads, lines = in_columns(tuple(one for one in found.rows if not one.more))
        alone = len(heads) < 2
        shown = []
        for words, tip, columns in lines:
            known = [one for one in columns if one is not None]
            all_of_it = "; ".join(f"{one.column} {number(one.value)}{spread(one)}".strip() for one in known)
            texts = ["" if one is None else f"{number(one.value)}{spread(one) if alone else ''}" for one in columns]
            shown.append((words, f"{tip} {all_of_it}".strip(), texts))
        numbers.show_rows(heads if any(heads) else (), shown)
        yield numbers
        for pairs in found.pairs:
            yield Sentence(f"{pairs.words}, the nearest first")
            yield strip_of(pairs)

    def add_layers(self) -> None:
        """Made cells, the nearest to training first, and their nearest training cells, under one slider."""
        from napari_cellsynth.gui.beside import add_samples
        from napari_cellsynth.stack.stack import Stack

        if self.check is None:
            return
        pixel, block = self.check.material.pixel_size, self.check.provenance
        # "preview": no movie to work on, whatever real pixels it shows.
        theirs = {**block, "synthetic": False, "preview": True}
        for pairs in [one.pairs[0] for one in self.check.found if one.pairs]:
            for images, name, origin in ((pairs.left, MADE, block), (pairs.right, NEAREST, theirs)):
                stack = Stack(images[:, None], "QTYX", pixel_size=pixel, name=name, provenance=origin)
                add_samples(self.session.viewer, stack, name=f"{name} \u00b7 {block.get('run')}")

    def _forget(self, *_: Any) -> None:
        """What was found is about another model, or other cells."""
        self.work.stop(quiet=True)
        self.check = None
        for sentence in (self.says, self.sentence, self.notes):
            sentence.say("")
        self._show_found(())
        self.show_pairs.hide()
        self.report.offer("", None)


def strip_of(pairs: Pairs) -> Sheet:
    """The pairs as a picture that fills the width."""
    from napari_cellsynth.quality.check_sheets import strip

    sheet = Sheet()
    sheet.setAccessibleName(f"{pairs.words}, pair by pair")
    first = ", ".join(f"{ratio:.2f}" for ratio in pairs.ratios[:SHOWN])
    sheet.setToolTip(f"<qt>How far apart, in units of what is usual between unseen and training cells: {first}</qt>")
    sheet.show_sheet(strip(pairs, shown=SHOWN, columns=ACROSS, thumb=THUMB))
    return sheet


def parts_of(run: Path) -> list[tuple[str, str]]:
    """What the training set of a training holds out, in words; reads some small files."""
    from napari_cellsynth.stack.training_sets.kinds import open_training_set

    data: Any = open_training_set(api.training_data(run))
    learned = set(data.cells(data.indices("train")).tolist()) if data.kind == "crops" else None
    offered = [(_held_out(data, learned), "validation")]
    if data.count("test"):
        times = data.times_test_opened()
        offered.append((f"{how_many(data.count('test'), 'test cell')} ({times_opened(times)})", "test"))
    return offered


def _held_out(data: Any, learned: set[int] | None) -> str:
    """How many crops are held out for tuning, of how many cells, and how many of these training shows, too."""
    from napari_cellsynth.quality.alike import held_out_in_words

    count = data.count("validation")
    if learned is None:
        return f"{how_many(count, 'held-out crop')} for tuning"
    cells = set(data.cells(data.indices("validation")).tolist())
    return held_out_in_words(count, len(cells), len(cells & learned))

"""Is it alike?  Cells that a model makes beside real ones that it never saw."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QFormLayout, QLabel, QSpinBox, QWidget

from napari_cellsynth import api
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.gui.check_model import ModelSection
from napari_cellsynth.gui.check_parts import Numbers, Report, Work
from napari_cellsynth.gui.parts import Foldout, Sentence, Sheet, button, column, row
from napari_cellsynth.gui.pieces import Whole
from napari_cellsynth.gui.recorder import Recorder

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.quality.alike import AlikeCheck, Found, Pairs

WHY = "Made cells are compared with real ones that were held out: measured alike, and laid beside training cells."
PAIRS = "Show pairs in the viewer"
COMPARED = "Cells made by {} were compared with its {} ones, seed {} (api.check_alike): {}"
MADE, NEAREST = "made cells (synthetic)", "nearest training cells"
MOST = 500
ACROSS, SHOWN, THUMB = 4, 8, 64
"""Pairs in a row of a strip, pairs in all, pixels of a picture."""


class AlikeSection(ModelSection):
    """A model is chosen, its cells are made and compared in the background; what is found is shown part by part."""

    VERB = "sample"
    NO_MODEL = "Needs a trained model that makes new cells."

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Is it alike? Made cells", session, parent)
        self.check: AlikeCheck | None = None
        self._build()
        self._begin()

    # -- the rows ----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.count, self.seed = Whole(), Whole()
        self._spin(self.count, "cells to make", 0, MOST)
        self._spin(self.seed, "seed", 0, 2**31 - 1)
        self.advanced = Foldout("Advanced", self._advanced)
        self.sentence, self.next, self.notes = Sentence(), Sentence(), Sentence()
        self.work = Work("Compare made cells", self.start, WHY, self.says)
        self.found = QWidget()
        self.show_pairs = button(PAIRS, self.add_layers, "Made cells beside their nearest training cells.")
        self.report = Report(self.session)
        self.add(self.lacking, row(self.go, None), self._ask(self.advanced, self.work), self.says)
        self.add(self.sentence, self.next, self.notes, self.found, row(self.show_pairs, None), self.report)
        self._forget()

    def _advanced(self) -> QWidget:
        box = QWidget()
        form = QFormLayout(box)
        form.setContentsMargins(12, 0, 0, 0)
        self.count.setSpecialValueText("as many as suit")
        self.count.setToolTip("<qt>As many as there are held-out ones, from 100 to 500.</qt>")
        self.seed.setToolTip("<qt>The same seed gives the same cells and numbers again.</qt>")
        form.addRow("cells to make", self.count)
        form.addRow("seed", self.seed)
        return box

    def _spin(self, spin: QSpinBox, name: str, low: int, high: int) -> None:
        spin.setRange(low, high)
        spin.setAccessibleName(name)
        spin.valueChanged.connect(self._forget)

    # -- comparing ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Make cells and compare them, in the background; the test part is opened only after a question."""
        run, part = self._run, self.part_chosen
        if run is None or not self.may_open():
            return
        self._forget()
        count, seed, models = self.count.value() or None, self.seed.value(), self.models

        def making() -> Iterator[Any]:
            yield Progress(done=0, total=1, message="opening the model")
            yield from api.check_alike(models.get(run), part=part, count=count, seed=seed, why="Check: is it alike?")

        self.work.run(making, self._checked, f"comparing cells made by {run.name}")

    def _checked(self, check: AlikeCheck) -> None:
        from napari_cellsynth.quality.report.save import save_report

        self.check = check
        name = self._run.name if self._run is not None else "model"
        part = "test" if self.part_chosen == "test" else "held-out"
        Recorder.of(self.session).said(COMPARED.format(name, part, self.seed.value(), check.sentence()))
        self.sentence.say(check.sentence(), check.level)
        self.next.say(check.next_step())
        self.notes.say(" ".join([*filter(None, [self.models.notes]), *check.notes()]))
        self._show_found(check.found)
        self.show_pairs.setVisible(any(one.pairs for one in check.found))
        title = f"Cells made by {name} beside real ones"
        self.report.offer(f"made cells of {name}", lambda folder: save_report(check, folder, title))
        self._look()

    def _show_found(self, found: tuple[Found, ...]) -> None:
        new = QWidget()
        column(*(widget for one in found for widget in self._part(one)), parent=new)
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
        for sentence in (self.says, self.sentence, self.next, self.notes):
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
    sheet.setToolTip(f"<qt>How far apart, in units of what is usual between held-out and training cells: {first}</qt>")
    sheet.show_sheet(strip(pairs, shown=SHOWN, columns=ACROSS, thumb=THUMB))
    return sheet

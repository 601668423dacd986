"""Can it make real cells?  Held-out cells made again by a model, beside training cells and what costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QFormLayout, QSpinBox, QWidget

from napari_cellsynth import api
from napari_cellsynth.api.embeddings import COMPARED, ITERATIONS, STARTS
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.gui.check_model import ModelSection
from napari_cellsynth.gui.check_parts import Numbers, Report, Work, colours, draw_anew
from napari_cellsynth.gui.parts import Foldout, Sentence, Sheet, button, listen, row
from napari_cellsynth.gui.pieces import Whole
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.theme import THEME

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.quality.reconstruction import ReconstructionCheck, Side

WHY = (
    "Looks for what the model makes most like each held-out cell, and does the same with training cells. A model that"
    " only knows its training cells makes those better."
)
SHOW = "Show them in the viewer"
DONE = "Held-out cells were made again by {}, seed {} (api.check_reconstruction): {}"
REAL, MADE, APART = "held-out cells", "made again (synthetic)", "made again minus real"
ABOUT_NLL = (
    "Each point is a cell: to the left, it is made well; the height says how likely the model is to draw the point z"
    " from which it is made. Low is not good: least is z = 0, which is as untypical as what lies above the upper line."
    " Draws of the model lie between the grey lines."
)
TIPS = {
    "held_out": "Root of the mean squared difference; black to white is 2.",
    "training": "The control: what the model learned from.",
    "nearest": "Costs nothing: the training crop most like each held-out one, in its place.",
    "mean_image": "Costs nothing: the mean of all training crops in the place of each.",
    "held_out_units": "The same error in the intensities of the movie.",
}
WHAT = "{}: real | made again | difference, from the least to the largest error"
MOST, WIDTH, DPI = 500, 3.7, 100
"""Cells at most; inches of the figure's width, and pixels an inch."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """What was found, and its pictures (H, W, 3) uint8."""

    check: ReconstructionCheck
    figure: np.ndarray
    strips: tuple[np.ndarray, np.ndarray]


class EmbedSection(ModelSection):
    """A model is chosen, held-out cells are made again in the background; what is found is said and shown."""

    VERB = "embed"
    NO_MODEL = "Needs a trained model that can make given cells again."

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Can it make real cells?", session, parent)
        self.check: ReconstructionCheck | None = None
        self._build()
        listen(self, THEME.changed, self._draw_anew)
        self._begin()

    # -- the rows ----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.sentence, self.notes = Sentence(), Sentence()
        self.work = Work("Make held-out cells again", self.start, WHY, self.says)
        self.count, self.starts, self.steps, self.seed = Whole(), Whole(), Whole(), Whole()
        self.advanced = Foldout("Advanced", self._advanced)
        for spin, name, low, high, value in (
            (self.count, "cells of each", 2, MOST, COMPARED),
            (self.starts, "starts", 1, 50, STARTS),
            (self.steps, "steps from each start", 1, 1000, ITERATIONS),
            (self.seed, "seed", 0, 2**31 - 1, 0),
        ):
            self._spin(spin, name, low, high, value)
        self.figure, self.numbers = Sheet(), Numbers()
        self.figure.setAccessibleName("reconstruction error against negative log likelihood, held-out and training")
        self.figure.setToolTip(f"<qt>{ABOUT_NLL}</qt>")
        self.strips = tuple((Sentence(), Sheet()) for _ in range(2))
        self.show_cells = button(SHOW, self.add_layers, "Real cells, the same made again, and the difference.")
        self.report = Report(self.session)
        self.add(self.lacking, row(self.go, None), self._ask(self.advanced, self.work), self.says)
        self.add(self.sentence, self.notes, self.figure, self.numbers)
        for caption, sheet in self.strips:
            self.add(caption, sheet)
        self.add(row(self.show_cells, None), self.report)
        self._forget()

    def _spin(self, spin: QSpinBox, name: str, low: int, high: int, value: int) -> None:
        spin.setRange(low, high)
        spin.setValue(value)
        spin.setAccessibleName(name)
        spin.valueChanged.connect(lambda *_: self._forget())

    def _advanced(self) -> QWidget:
        box = QWidget()
        form = QFormLayout(box)
        form.setContentsMargins(12, 0, 0, 0)
        self.count.setToolTip("<qt>So many held-out cells, and as many training cells beside them.</qt>")
        self.starts.setToolTip("<qt>Each cell is looked for from so many points; the best counts (published: 3).</qt>")
        self.steps.setToolTip("<qt>Of L-BFGS, at most (published: 50).</qt>")
        self.seed.setToolTip("<qt>Of the choice of cells, and of the starts.</qt>")
        for spin in (self.count, self.starts, self.steps, self.seed):
            form.addRow(spin.accessibleName(), spin)
        return box

    # -- making them again -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Make cells again, in the background; the test part is opened only after a question."""
        run, part = self._run, self.part_chosen
        if run is None or not self.may_open():
            return
        self._forget()
        models, paper = self.models, colours()
        wish: dict[str, Any] = {"starts": self.starts.value(), "iterations": self.steps.value()}
        wish |= {"count": self.count.value(), "seed": self.seed.value(), "part": part}

        def making() -> Iterator[Any]:
            yield Progress(done=0, total=1, message="opening the model")
            for news in api.check_reconstruction(models.get(run), why="Check: can it make real cells?", **wish):
                # What is drawn is drawn here, too: loading what draws takes a second.
                yield news if isinstance(news, Progress) else drawn(news, paper)

        self.work.run(making, self._checked, f"making cells again by {run.name}")

    def _checked(self, made: Drawn) -> None:
        from napari_cellsynth.quality.reconstruction_report import save_reconstruction_check

        self.check = check = made.check
        name = self._run.name if self._run is not None else "model"
        Recorder.of(self.session).said(DONE.format(name, check.seed, check.sentence()))
        self.sentence.say(check.sentence(), check.level)
        self.notes.say(" ".join([*filter(None, [self.models.notes]), *check.notes()]))
        self.figure.show_sheet(made.figure)
        self.figure.show()
        rows = [
            (r.words, TIPS.get(r.name, ""), [f"{r.value:.3g}", f"{r.low:.3g} to {r.high:.3g}"])
            for r in check.rows()
            if not r.more
        ]
        self.numbers.show_rows(("mean", "from to"), rows)
        for (caption, sheet), name_of, picture in zip(self.strips, SIDES, made.strips, strict=True):
            caption.say(WHAT.format(name_of))
            sheet.setAccessibleName(caption.text())
            sheet.show_sheet(picture)
            sheet.show()
        self.show_cells.show()
        self.report.offer(f"cells made again by {name}", lambda folder: save_reconstruction_check(check, folder))
        self._look()

    def _draw_anew(self) -> None:
        """In the colours of the theme that there is now."""
        draw_anew(self, drawn)

    def add_layers(self) -> None:
        """Held-out cells, the best made first, the same made again, and the difference, under one slider."""
        from napari_cellsynth.gui.beside import add_samples
        from napari_cellsynth.quality.reconstruction import difference, order_of
        from napari_cellsynth.stack.contact_sheet import limits
        from napari_cellsynth.stack.stack import Stack

        if self.check is None:
            return
        side: Side = self.check.held_out
        order, block = order_of(side), dict(self.check.provenance or {})
        # "preview": no movie to work on, whatever real pixels it shows.
        real = {**block, "synthetic": False, "preview": True}
        low, high = limits([*side.images, *side.reconstructions])
        half = (high - low) / 2
        shown = (
            (side.images, REAL, real, (low, high)),
            (side.reconstructions, MADE, block, (low, high)),
            (difference(side), APART, real, (-half, half)),
        )
        for images, name, origin, contrast in shown:
            pixel = self.check.pixel_size
            stack = Stack(images[order][:, None], "QTYX", pixel_size=pixel, name=name, provenance=origin)
            layer, _ = add_samples(self.session.viewer, stack, name=f"{name} \u00b7 {block.get('run')}")
            layer.contrast_limits = contrast

    def _forget(self) -> None:
        self.work.stop(quiet=True)
        self.check = None
        for sentence in (self.says, self.sentence, self.notes, *(caption for caption, _ in self.strips)):
            sentence.say("")
        for widget in (self.figure, self.show_cells, *(sheet for _, sheet in self.strips)):
            widget.hide()
        self.numbers.show_rows((), ())
        self.report.offer("", None)


SIDES = ("Held-out crops", "Training crops")


def drawn(check: ReconstructionCheck, paper: tuple[str, str]) -> Drawn:
    """The pictures of a check."""
    from napari_cellsynth.quality.figures.scatter import as_picture
    from napari_cellsynth.quality.reconstruction_figure import figure_two, strip_of_triples

    figure = figure_two(check, size=(WIDTH, 0.95 * WIDTH), paper=paper)
    strips = tuple(strip_of_triples(side, shown=6, columns=2, thumb=64) for side in (check.held_out, check.training))
    return Drawn(check, as_picture(figure, 2 * DPI), (strips[0], strips[1]))

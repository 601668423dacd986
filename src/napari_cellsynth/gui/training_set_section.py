"""Make a training set: the box, what is held out, sixteen examples, and the making itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QCheckBox, QFileDialog, QLabel, QLineEdit, QProgressBar, QWidget

from napari_cellsynth import api
from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui import words, workers
from napari_cellsynth.gui.cells import Count, capital
from napari_cellsynth.gui.forms import SettingsForm
from napari_cellsynth.gui.layers import PreviewLayer, contrast, facts_of, stack_of
from napari_cellsynth.gui.parts import Foldout, Sentence, Thumbnails, button, row
from napari_cellsynth.gui.pieces import Choice, Listening, Section, Whole
from napari_cellsynth.stack.crops.report import CropReport
from napari_cellsynth.stack.crops.settings import CropSettings

if TYPE_CHECKING:
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.stack.crops.plan import CropPlan
    from napari_cellsynth.stack.stack import Stack

EXAMPLES = 16
SETTLE = 400
"""Milliseconds without a change after which box and split are worked out anew."""
HELD_OUT = [
    ("the last 20 %", (0.1, 0.1)),
    ("the last 30 %", (0.15, 0.15)),
    ("the last 40 %", (0.2, 0.2)),
    ("nothing", (0.0, 0.0)),
]
NOT_SAID = "microscopy? (on top) is not answered: training will neither mirror nor turn the cells"
ABOVE = ("box_um", "box_px", "modality", "mask_neighbours", "channel", "holdout", "gap")
"""Settings that the panel itself asks for."""
HIDDEN = (*ABOVE, "validation_fraction", "test_fraction")


class TrainingSetSection(Section):
    """From movie and outlines to a folder that training reads."""

    made = Signal()
    """A training set is ready, and said to be."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Make a training set", parent)
        self.session = session
        self.plan: CropPlan | None = None
        self._planning: workers.Worker | None = None
        self._making: workers.Worker | None = None
        self._draw = 0
        self._preview: PreviewLayer | None = None
        self._examples: tuple[np.ndarray, tuple[float, float] | None] | None = None
        self._named_by_user = False
        self._report: CropReport | None = None
        self._build_box()
        self._build_split()
        self._build_examples()
        self._build_making()
        self._settle = QTimer(self, singleShot=True, interval=SETTLE)
        self._settle.timeout.connect(self.replan)
        self._signals = Listening(self)
        for signal in (session.movie_changed, session.movie_facts_changed, session.outlines_changed):
            self._signals.to(signal, self._object_changed)
        self._object_changed()

    # -- the rows ----------------------------------------------------------------------------------------------------

    def _build_box(self) -> None:
        self.box = QLineEdit()
        self.box.setFixedWidth(76)
        self.box.setToolTip("Side of the square around each cell; empty: it fits 95 % of the cells with some room.")
        self.box.textEdited.connect(self._changed)
        self.unit = Choice()
        self.unit.offer([("µm", "um"), ("px", "px")])
        self.unit.setMinimumContentsLength(3)
        self.unit.picked.connect(self._changed)
        self.becomes = QLabel()
        self.neighbours = QCheckBox("hide neighbouring cells")
        self.neighbours.setToolTip("Replace other outlined cells in the box by background.")
        self.neighbours.toggled.connect(self._changed)
        self.add(row(QLabel("box"), self.box, self.unit, self.becomes, None), row(self.neighbours, None))

    def _build_split(self) -> None:
        self.held_out = Choice()
        self.held_out.offer(list(HELD_OUT), HELD_OUT[0][1])
        self.held_out.picked.connect(self._changed)
        self.gap = Whole()
        self.gap.setRange(0, 999)
        self.gap.setValue(1)
        self.gap.setFixedWidth(84)
        self.gap.setToolTip("Frames left out between the parts, so that the test does not show the same moment again.")
        self.gap.valueChanged.connect(self._changed)
        line = row(QLabel("hold out"), self.held_out, QLabel("gap"), self.gap)
        line.setStretch(1, 1)
        self.split_words = Sentence()
        self.filmed = Sentence()
        self.add(line, self.split_words, self.filmed)

    def _build_examples(self) -> None:
        self.show_examples = button(f"Show {EXAMPLES} examples", self.draw_examples)
        self.in_viewer = button("in the viewer", self.examples_in_viewer, "As a layer, to the right of the movie.")
        self.thumbnails = Thumbnails(8, 2)
        self.thumbnails.hide()
        self.in_viewer.hide()
        self.add(row(self.show_examples, self.in_viewer, None), self.thumbnails)

    def _build_making(self) -> None:
        self.enough = Sentence()
        self.why = Sentence()
        self.ask_why = button("why?", lambda: self.why.setVisible(not self.why.isVisible()))
        self.ask_why.setFlat(True)
        self.ask_why.hide()
        verdict = row(self.enough, self.ask_why)
        verdict.setStretch(0, 1)
        self.form: SettingsForm | None = None
        self.advanced = Foldout("Advanced", self._make_form)
        self.name = QLineEdit()
        self.name.setToolTip("Name of the training set, and of its folder.")
        self.name.textEdited.connect(self._name_typed)
        self.place = button("…", self._choose_home, "Keep training sets and models in another folder.")
        self.place.setFixedWidth(28)
        line = row(QLabel("name"), self.name, self.place)
        line.setStretch(1, 1)
        self.make = button("Make training set", self.start)
        self.cancel = button("Cancel", self.stop, "Nothing is kept.")
        self.bar = QProgressBar()
        self.bar.setTextVisible(True)
        self.says = Sentence()
        self.details = Foldout("Details", self._make_details)
        self.details.hide()
        self.then = button("Then: Train →", lambda: self.session.tab_requested.emit("train"))
        going = row(self.make, self.bar, self.cancel, None, self.then)
        going.setStretch(1, 1)
        for widget in (self.bar, self.cancel, self.then):
            widget.hide()
        self.add(verdict, self.why, self.advanced, line, going, self.says, self.details)

    def _make_form(self) -> QWidget:
        movie = self.session.movie
        flat = movie is None or "Z" not in (facts_of(movie).axes or "")
        self.form = SettingsForm(CropSettings(), hide=(*HIDDEN, "z") if flat else HIDDEN)
        self.form.changed.connect(self._changed)
        return self.form

    # -- settings ----------------------------------------------------------------------------------------------------

    def settings(self) -> CropSettings:
        """What the rows say; raises BadInput with what would do."""
        validation, test = self.held_out.value
        advanced = {} if self.form is None else self.form.read().model_dump(exclude=set(HIDDEN))
        return CropSettings(
            **advanced,
            **self._box(),
            modality=facts_of(self.session.movie).modality if self.session.movie is not None else None,
            mask_neighbours=self.neighbours.isChecked(),
            channel=self.session.channel,
            gap=self.gap.value(),
            validation_fraction=validation,
            test_fraction=test,
        )

    def _box(self) -> dict[str, float]:
        text = self.box.text().strip().replace(",", ".")
        if not text:
            return {}
        try:
            side = float(text)
        except ValueError:
            side = float("nan")
        if not (side > 0 and np.isfinite(side)) or (self.unit.value == "px" and side < 4):
            raise BadInput(f"box {text!r} given; expected a number such as 26, or nothing for one that fits the cells")
        return {"box_um" if self.unit.value == "um" else "box_px": side}

    def _pair(self) -> tuple[Stack, Stack]:
        if self.session.movie is None or self.session.outlines is None:
            raise BadInput("choose a movie and the outlines of its cells first")
        return stack_of(self.session.movie), stack_of(self.session.outlines)

    def _object_changed(self, _: Any = None) -> None:
        movie = self.session.movie
        self.setVisible(movie is not None and self.session.outlines is not None)
        if movie is not None:
            self.unit.choose("um" if facts_or_none(movie) else "px")
            if not self._named_by_user:
                self.name.setText(folder_name(f"{movie.name} cells"))
        self._forget_examples()
        self.form = None
        self.advanced.clear()
        self._changed()

    def _changed(self, *_: Any) -> None:
        self._settle.start()

    def _name_typed(self, text: str) -> None:
        self._named_by_user = bool(text.strip())

    # -- box and split, worked out ----------------------------------------------------------------------------------

    def replan(self) -> None:
        """Work out box and split in the background, and say them."""
        self._settle.stop()
        try:
            pair, settings = self._pair(), self.settings()
        except BadInput as error:
            self._planned(None, capital(str(error)))
            return
        from napari_cellsynth.stack.crops.plan import plan_crops

        self._planning = worker = workers.call(
            lambda: plan_crops([pair], settings),
            returned=lambda plan: self._planned(plan, "") if worker is self._planning else None,
            failed=lambda error: self._planned(None, capital(str(error))) if worker is self._planning else None,
            description="looking at the cells",
            owner=self,
        )

    def _planned(self, plan: CropPlan | None, problem: str) -> None:
        self.plan = plan
        self.make.setEnabled(plan is not None and self._making is None)
        self.show_examples.setEnabled(plan is not None)
        if plan is None:
            self.becomes.setText("")
            self.split_words.say(problem, "bad")
            return
        self.box.setPlaceholderText(f"fits: {self._side(plan):.3g}")
        self.becomes.setText(f"→ {plan.settings.size} px")
        self.becomes.setToolTip(zoom_words(plan))
        self.split_words.say(split_words(plan))
        self.filmed.say("" if plan.settings.modality else NOT_SAID)

    def _side(self, plan: CropPlan) -> float:
        return max(plan.box_um) if self.unit.value == "um" and plan.box_um else max(plan.sources[0].box)

    def cells_counted(self, count: Count | None) -> None:
        """Say what so many different cells suffice for."""
        verdict, why = words.enough(count.cells) if count is not None and count.outlines else ("", "")
        self.enough.say(f"Enough?  {verdict}" if verdict else "")
        self.ask_why.setVisible(bool(verdict))
        self.why.say(why)
        self.why.hide()

    # -- examples ----------------------------------------------------------------------------------------------------

    def draw_examples(self) -> None:
        """Show sixteen crops as they will be written; others each time."""
        from napari_cellsynth.stack.crops.make import preview_crops

        try:
            pair, settings = self._pair(), self.settings()
        except BadInput as error:
            self.says.say(capital(str(error)), "bad")
            return
        seed, self._draw = self._draw, self._draw + 1
        self.show_examples.setEnabled(False)
        workers.call(
            lambda: preview_crops([pair], settings, count=EXAMPLES, seed=seed),
            returned=lambda made: self._drawn(made[0]),
            failed=lambda error: self.says.say(capital(str(error)), "bad"),
            finished=lambda: self.show_examples.setEnabled(True),
            description="cutting examples",
            owner=self,
        )

    def _drawn(self, images: np.ndarray) -> None:
        self.says.say("")
        self._examples = (images, None if self.plan is None else self.plan.pixel_size)
        self.thumbnails.show()
        self.thumbnails.show_images(images, contrast(images))
        self.in_viewer.show()
        self.show_examples.setText(f"Show {EXAMPLES} others")
        if self._preview is not None and self._preview.there:
            self._preview.show(images)

    def examples_in_viewer(self) -> None:
        """The examples as a layer, updated in place when others are drawn."""
        if self._examples is None:
            return
        images, pixel_size = self._examples
        if self._preview is None or self._preview.pixel_size != pixel_size:
            self._preview = PreviewLayer(self.session.viewer, "examples of cells", pixel_size=pixel_size)
        self._preview.show(images)
        self._preview.reveal()

    def _forget_examples(self) -> None:
        self._examples = None
        self.thumbnails.hide()
        self.in_viewer.hide()
        self.show_examples.setText(f"Show {EXAMPLES} examples")

    # -- making ------------------------------------------------------------------------------------------------------

    def _choose_home(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, "Where training sets and models are kept", str(self.session.home)
        )
        if folder:
            self.session.keep_home(Path(folder))
            self.says.say(f"Kept in {folder} from now on.")

    def out(self) -> Path:
        """A folder that does not exist yet, by the name in the panel."""
        name = folder_name(self.name.text()) or "cells"
        folder = self.session.home / api.TRAINING_SETS
        names = [name, *(f"{name} {i}" for i in range(2, 1000))]
        return next(folder / each for each in names if not (folder / each).exists())

    def start(self) -> None:
        """Make the training set in the background."""
        try:
            pair, settings = self._pair(), self.settings()
        except BadInput as error:
            self.says.say(capital(str(error)), "bad")
            return
        out = self.out()
        out.parent.mkdir(parents=True, exist_ok=True)
        self._busy(True)
        self._report = None
        self.details.hide()
        self.says.say("")
        self._making = workers.start(
            lambda: api.prepare_crops([pair], out, settings),
            yielded=self._progress,
            failed=lambda error: self.says.say(capital(str(error)), "bad"),
            finished=lambda: self._finished(out),
            description=f"making the training set {out.name}",
            owner=self,
        )

    def stop(self) -> None:
        """Cancel: nothing is kept."""
        if self._making is not None:
            self.cancel.setEnabled(False)
            self.says.say("Cancelled; nothing was kept.")
            self._making.quit()

    def _progress(self, news: Progress) -> None:
        self.bar.setMaximum(max(news.total, 1))
        self.bar.setValue(news.done)
        self.bar.setFormat(f"{news.message} %p %" if "\n" not in news.message else "%p %")
        if news.details:
            self._report = CropReport(**news.details)

    def _finished(self, out: Path) -> None:
        self._making = None
        self._busy(False)
        if self._report is None:
            return
        self.then.show()
        first = self._report.text().splitlines()[0]
        self.says.say("\n".join([first, *self._report.notes(), f"Kept in {short(out)}."]))
        self.details.clear()
        self.details.show()
        self.session.training_set = out
        self.made.emit()

    def _make_details(self) -> QWidget:
        return Sentence(self._report.text() if self._report is not None else "")

    def _busy(self, yes: bool) -> None:
        self.make.setVisible(not yes)
        self.bar.setVisible(yes)
        self.bar.setValue(0)
        self.cancel.setVisible(yes)
        self.cancel.setEnabled(True)
        self.then.setVisible(False)


def facts_or_none(movie: Any) -> tuple[float, float] | None:
    try:
        return facts_of(movie).pixel_size
    except BadInput:
        return None


def folder_name(text: str) -> str:
    """A name that every file system takes; umlauts and spaces stay."""
    return re.sub(r'[<>:"/\\|?*\x00-\x1f,]+', " ", text).replace("  ", " ").strip(" .")[:80]


def short(path: Path) -> str:
    """The path with ~ for the user's folder."""
    try:
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    except ValueError:
        return str(path)


def split_words(plan: CropPlan) -> str:
    """Which frames are learned from, tuned on and tested on, counted from 0 as the slider does."""
    parts: dict[str, list[int]] = {}
    for frame, part in plan.sources[0].split.items():
        parts.setdefault(part, []).append(frame)
    said = [("train", "learns from frames"), ("validation", "tunes on"), ("test", "is tested on")]
    return ", ".join(f"{verb} {words.ranges(parts[part])}" for part, verb in said if part in parts)


def zoom_words(plan: CropPlan) -> str:
    zoom = plan.settings.size / max(plan.sources[0].box)
    if abs(zoom - 1) < 1e-6:
        return "the movie's own pixels"
    return f"enlarged {zoom:.2g} times" if zoom > 1 else f"reduced to {zoom:.0%}"

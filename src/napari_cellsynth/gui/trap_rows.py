"""The rows of the pane of traps: what stands where, and what can be done next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QLabel, QPushButton, QSlider, QWidget

from napari_cellsynth.errors import CellsynthError
from napari_cellsynth.gui.kind_panes import KindPane
from napari_cellsynth.gui.parts import Bar, Sentence, button, row
from napari_cellsynth.gui.pieces import Choice, Whole
from napari_cellsynth.gui.trap_decisions import Decisions
from napari_cellsynth.gui.trap_review import TrapReview
from napari_cellsynth.gui.words import capital
from napari_cellsynth.stack.traps.match import FLOOR
from napari_cellsynth.stack.traps.settings import TrapSettings

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.gui.trap_search import Looked
    from napari_cellsynth.gui.workers import Worker
    from napari_cellsynth.stack.traps.boxes import PixelBox
    from napari_cellsynth.stack.traps.look_over import Review

FIND_TIP = "In the movie that is shown first: at once to be seen; then in the others of the study."
WASHED = [("kept", "keep"), ("left out (no randomness)", "reject")]


class TrapRows(KindPane):
    """One trap, the search, the review: their widgets, and what they are about; the pane says what they do."""

    ready = Signal(bool)
    """Whether there are traps to make a training set of."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.box: PixelBox | None = None
        self.place = (0, 0)
        """Frame and plane of the box, counted from 0."""
        self.looked: Looked | None = None
        self.review: Review | None = None
        self.review_offset = (0, 0)
        """From the box of a trap to its crop, in pixels, when the review was made."""
        self.decisions = Decisions()
        self._worker: Worker | None = None
        self._build_template()
        self._build_search()
        self._build_review()

    def _build_template(self) -> None:
        self.draw = self._button("Box one trap", "Draw a box around one pillar pair, on an empty trap.")
        self.boxed = QLabel()
        self.empty = QCheckBox("no cell in it")
        self.empty.setToolTip("Then other empty traps are known without outlines.")
        self.size = Whole()
        self.size.setRange(16, 2048)
        self.size.setSingleStep(16)
        self.size.setValue(TrapSettings().size)
        self.size.setFixedWidth(84)
        self.size.setToolTip("Side of the square that is cut out around each trap, in pixels of the movie.")
        self.raised = Whole()
        self.raised.setRange(-2048, 2048)
        self.raised.setFixedWidth(84)
        self.raised.setToolTip("Pixels by which the square lies higher than the box: the cells are above the pillars.")
        self.rows.addLayout(row(self.draw, self.boxed, None))
        self.rows.addLayout(row(QLabel("cut out"), self.size, QLabel("px"), self.empty, None))
        self.rows.addLayout(row(QLabel("higher than the box by"), self.raised, QLabel("px"), None))

    def _build_search(self) -> None:
        self.find = self._button("Find traps", FIND_TIP)
        self.elsewhere = self._button("In other movies", "Find the same traps in the other movies.")
        self.cancel = self._button("Cancel")
        self.threshold = QSlider(Qt.Orientation.Horizontal)
        self.threshold.setRange(round(100 * FLOOR), 99)
        self.threshold.setToolTip("Likeness to the boxed trap from which a place is a trap.")
        self.alike = QLabel()
        self.bar, self.says, self.drawn = Bar(), Sentence(), Sentence()
        slide = row(QLabel("alike from"), self.threshold, self.alike)
        slide.setStretch(1, 1)
        self.rows.addLayout(row(self.find, self.elsewhere, self.cancel, None))
        self.rows.addWidget(self.bar)
        self.rows.addLayout(slide)
        self.rows.addWidget(self.says)
        self.rows.addWidget(self.drawn)

    def _build_review(self) -> None:
        self.look = self._button("Look them through", "Reads all frames: how many cells, what is washed.")
        self.washed = Choice()
        self.washed.offer(list(WASHED), "keep")
        self.table = TrapReview()
        self.save = self._button("Save table…", "As CSV, for a spreadsheet.")
        self.load = self._button("Load table…", "Takes decisions, frames and notes of a saved table.")
        self.carried, self.makes = Sentence(), Sentence()
        washed = row(QLabel("washed cells"), self.washed)
        washed.setStretch(1, 1)
        self.rows.addLayout(row(self.look, None))
        self.rows.addWidget(self.carried)
        self.rows.addLayout(washed)
        self.rows.addWidget(self.table)
        self.rows.addLayout(row(self.save, self.load, None))
        self.rows.addWidget(self.makes)

    def _show_state(self) -> None:
        """Only what can be done next is there."""
        busy, found = self._worker is not None, self.looked is not None
        traps = sum(len(one.traps) for one in self.looked.found.maps) if self.looked is not None else 0
        self.find.setEnabled(self.box is not None and not busy)
        self.elsewhere.setVisible(not busy and self.looked is not None and self.looked.others > 0)
        self.cancel.setVisible(busy)
        self.bar.setVisible(busy)
        for widget in (self.threshold, self.alike, self.look, self.washed):
            widget.setEnabled(found and not busy)
        self.look.setEnabled(traps > 0 and not busy)
        for each in (self.table, self.save, self.load):
            each.setVisible(self.review is not None)
        if self.review is None:
            self.carried.say("")
            self.makes.say("")
        box = self.box
        frame, plane = self.place
        self.boxed.setText(
            "" if box is None else f"{box.height} x {box.width} px, frame {frame}" + (f", plane {plane}" * (plane > 0))
        )
        self.ready.emit(self.review is not None and not busy)

    def _button(self, words: str, tip: str = "") -> QPushButton:
        """What it does, the pane says."""
        return button(words, lambda: None, tip)

    def here(self) -> dict[str, Any]:
        chosen = self.looked.found.maps[0].threshold if self.looked is not None and self.looked.found.maps else None
        frame, plane = self.place
        return {
            "template": None if self.box is None else str(self.box),
            "template_frame": frame,
            "template_z": plane if self._planes() > 1 else None,
            "size": self.size.value(),
            "offset_y": -self.raised.value(),
            "threshold": chosen.value if chosen is not None and chosen.chosen else None,
            "washed": self.washed.value,
            "box_is_empty": self.empty.isChecked(),
        }

    def _planes(self) -> int:
        movie = self.session.movie
        if movie is None:
            return 1
        from napari_cellsynth.gui.layers import stack_of

        return stack_of(movie).size("Z")

    def _keep_decisions(self) -> None:
        if self.review is not None and self.box is not None:
            offset, box = self.review_offset, (self.box.height, self.box.width)
            self.decisions.keep(self.table.rows, self.review.rows, offset, box)

    @contextmanager
    def _said(self) -> Iterator[None]:
        """A complaint is said in the pane."""
        try:
            yield
        except CellsynthError as error:
            self.says.say(capital(str(error)), "bad")

    def show_plan(self, plan: Any) -> None:
        """Say what would be made."""
        if plan is None:
            self.makes.say("")
        else:
            traps = len({(one.place.source, one.place.row.trap) for one in plan.sequences})
            self.makes.say(f"{len(plan.sequences)} sequences of {traps} traps, {plan.frames:,} frames.")

    def outdated(self) -> None:
        if self.makes.text():
            self.makes.say("counting\u2026")

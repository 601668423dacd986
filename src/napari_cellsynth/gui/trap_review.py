"""The traps that were found, one in a row: what was seen of each, three pictures, and the user's decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from napari_cellsynth.gui.layers import contrast
from napari_cellsynth.gui.parts import Sentence, Thumbnails, button, column, row
from napari_cellsynth.gui.trap_boxes import COLOURS
from napari_cellsynth.stack.traps.review import ReviewRow, Verdict, counts

HEADS = ("trap", "alike", "cells", "washed", "frames", "verdict")
TIPS = (
    "Number of the trap, counted as one reads.",
    "Likeness to the trap that was boxed, up to 1.",
    "Fewest and most cells in a frame; without outlines how much of the crop differs from an empty trap.",
    "Cells that were washed in or out.",
    "First and last frame to take, counted from 0. Double-click to change, such as 3-20.",
    "Press A to accept, R to reject, Backspace to leave it to the rules.",
)
FRAMES, VERDICT = 4, 5
KEYS: dict[int, Verdict | None] = {
    Qt.Key.Key_A: "accept",
    Qt.Key.Key_R: "reject",
    Qt.Key.Key_Backspace: None,
    Qt.Key.Key_Delete: None,
}
Place = tuple[str, int]
"""Recording and number of a trap."""


class Rows(QTableWidget):
    """A table that hands the keys of a decision on."""

    decided = Signal(object)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # Qt's name
        if event.key() in KEYS and not event.modifiers():
            self.decided.emit(KEYS[event.key()])
        else:
            super().keyPressEvent(event)


class TrapReview(QWidget):
    """Accept and reject traps, by mouse or by keys."""

    changed = Signal()
    """A decision, or frames, were changed."""
    picked = Signal(int)
    """Number of the row that is looked at."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[ReviewRow] = []
        self._pictures: Mapping[Place, Sequence[np.ndarray]] = {}
        self._filling = False
        self.table = Rows(0, len(HEADS))
        self.table.setAccessibleName("traps that were found")
        self.table.setHorizontalHeaderLabels(HEADS)
        for at, tip in enumerate(TIPS):
            self.table.horizontalHeaderItem(at).setToolTip(f"<qt>{tip}</qt>")
        self.table.verticalHeader().hide()
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.setMinimumHeight(150)
        self.table.decided.connect(self.decide)
        self.table.currentCellChanged.connect(lambda now, *_: self._look(now))
        self.table.itemChanged.connect(self._edited)
        self.pictures = Thumbnails(3)
        self.why = Sentence()
        self.says = Sentence()
        accept = button("Accept (A)", lambda: self.decide("accept"))
        reject = button("Reject (R)", lambda: self.decide("reject"))
        column(self.says, self.table, self.pictures, self.why, row(accept, reject, None), parent=self)

    # -- the rows ----------------------------------------------------------------------------------------------------

    @property
    def rows(self) -> tuple[ReviewRow, ...]:
        """As they stand now, with the user's decisions."""
        return tuple(self._rows)

    def fill(self, rows: Sequence[ReviewRow], pictures: Mapping[Place, Sequence[np.ndarray]]) -> None:
        """Show other traps; ``pictures`` are small images (first, middle, last frame)."""
        self._rows, self._pictures = list(rows), pictures
        self._filling = True
        self.table.setRowCount(len(rows))
        self._filling = False
        for at in range(len(rows)):
            self._write(at)
        self.says.say(counts(self._rows) + "." if rows else "")
        if rows:
            self._filling = True  # nobody has picked it
            self.table.setCurrentCell(0, 0)
            self._look(0)
            self._filling = False
        else:
            self.pictures.show_images(None)
            self.why.say("")

    def _write(self, at: int) -> None:
        one = self._rows[at]
        several = len({each.recording for each in self._rows}) > 1
        words = (
            f"{one.recording} {one.trap}" if several else str(one.trap),
            "" if one.score is None else f"{one.score:.2f}",
            seen_words(one),
            str(one.washed or ""),
            f"{one.first}-{one.last}",
            verdict_words(one),
        )
        self._filling = True
        for place, text in enumerate(words):
            item = QTableWidgetItem(text)
            item.setToolTip(one.reason)
            flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
            item.setFlags(flags | Qt.ItemFlag.ItemIsEditable if place == FRAMES else flags)
            if place == VERDICT:
                item.setForeground(QColor(COLOURS["accept" if one.accepted else "reject"]))
            self.table.setItem(at, place, item)
        self._filling = False

    # -- decisions ---------------------------------------------------------------------------------------------------

    def decide(self, verdict: Verdict | None) -> None:
        """Accept or reject the chosen traps, or leave them to the rules; goes on to the next one."""
        chosen = sorted({index.row() for index in self.table.selectedIndexes()})
        if not chosen:
            return
        for at in chosen:
            self._rows[at] = self._rows[at].model_copy(update={"decision": verdict})
            self._write(at)
        self._tell()
        if len(chosen) == 1 and chosen[0] + 1 < len(self._rows):
            self.table.setCurrentCell(chosen[0] + 1, 0)
        else:
            self._look(chosen[-1])

    def _edited(self, item: QTableWidgetItem) -> None:
        """Frames were typed: ``3-20``."""
        if self._filling or item.column() != FRAMES:
            return
        at = item.row()
        ends = [part.strip() for part in item.text().replace("\u2013", "-").split("-")]
        if len(ends) == 2 and all(end.isdigit() for end in ends) and int(ends[0]) <= int(ends[1]):
            self._rows[at] = self._rows[at].model_copy(update={"first": int(ends[0]), "last": int(ends[1])})
            self._tell()
        else:
            self.why.say(f"{item.text()!r} given; expected the first and the last frame, such as 3-20", "warning")
        self._write(at)

    def _tell(self) -> None:
        self.says.say(f"{counts(self._rows)}.")
        self.changed.emit()

    def _look(self, at: int) -> None:
        """Show one trap."""
        if not 0 <= at < len(self._rows):
            return
        one = self._rows[at]
        pictures = self._pictures.get((one.recording, one.trap), ())
        if len(pictures):
            images = np.stack(pictures)
            self.pictures.show_images(images, contrast(images))
        else:
            self.pictures.show_images(None)
        self.why.say(f"Trap {one.trap}: {one.reason}." if one.reason else f"Trap {one.trap}.")
        if not self._filling:
            self.picked.emit(at)


def seen_words(one: ReviewRow) -> str:
    """How many cells, or how full."""
    if one.cells_max is not None:
        return f"{one.cells_min}-{one.cells_max}" if one.cells_min != one.cells_max else str(one.cells_max)
    if one.filled_max is not None and one.filled_min is not None:
        ends = f"{100 * one.filled_min:.0f}", f"{100 * one.filled_max:.0f}"
        return f"{'-'.join(dict.fromkeys(ends))} %"
    return ""


def verdict_words(one: ReviewRow) -> str:
    """Such as ``reject, by you``."""
    return f"{one.decision}, by you" if one.decision else one.proposal


def pictures_of(judged: Sequence[Any], names: Sequence[str]) -> dict[Place, list[np.ndarray]]:
    """The small images of all traps."""
    return {
        (name, seen.trap.number): seen.thumbnails for name, one in zip(names, judged, strict=True) for seen in one.facts
    }

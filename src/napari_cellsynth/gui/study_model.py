"""The study for Qt's table: what stands in each cell, and what may be typed into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QAbstractItemModel, QAbstractTableModel, QModelIndex, QObject, Qt, QTimer, Signal
from qtpy.QtGui import QColor, QFont
from qtpy.QtWidgets import QApplication, QComboBox, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui import words
from napari_cellsynth.gui.study import Study
from napari_cellsynth.gui.theme import THEME
from napari_cellsynth.stack.recordings.columns import text_of
from napari_cellsynth.stack.recordings.holdout import Decision

HEADS = {
    "file": "file",
    "condition": "condition",
    "session": "day",
    "split": "used for",
    "position": "position",
    "labels": "outlines",
    "modality": "microscopy",
    "frames": "frames",
    "channel": "channel",
    "z": "z",
    "scene": "image",
    "region": "region",
    "fraction": "fraction",
    "role": "exposure",
    "name": "name",
    "pixel_size": "pixel size",
    "z_step": "z step",
    "interval": "interval",
    "axes": "axes",
}
"""Columns in the words of the panel."""
TIPS = {
    "file": "Enter or a double click opens the movie.",
    "condition": "What was done to the cells, such as control or treated.",
    "session": "Day or experiment on which it was filmed.",
    "split": "What it is used for: learning, tuning on the way, or the test at the end, which counts how often it was"
    " opened. In italics: decided for you.",
    "frames": "Frames to use, counted from 0 as napari's slider does, such as 0-39 or 0-19,25-39.",
    "channel": "Channel to use: number, counted from 0, or its name.",
    "z": "Plane to use: number, counted from 0, or all, max, mean, sharpest.",
    "scene": "Number of the image in a file that holds several, counted from 0.",
    "region": "Part of the image to use, in pixels: top:bottom,left:right.",
    "fraction": "Proportion of one kind of cell in a mixture, from 0 to 1.",
    "role": "Low or high: the exposure, in pairs of the same cells.",
    "z_step": "Distance of two focus planes, with its unit.",
    "labels": "File with the outlines of the cells.",
}
SHOWN = ("file", "condition", "session", "split")
"""Columns that are seen at first."""
USES = {
    "train": "train",
    "validation": "tuning",
    "test": "test",
    "time": "by time",
    "leave out": "leave out",
}
BY = {
    "session": "whole days are held out",
    "position": "whole positions are held out",
    "recording": "whole movies are held out",
    "time": "too few days, positions or movies to hold out: its last frames are",
    "training": "nothing is held out",
}
DECIDED = "decided for me"
DROP = " ▾"
Role = Qt.ItemDataRole


class StudyModel(QAbstractTableModel):
    """Rows of the study; what cannot be meant is said with ``complaint`` and changes nothing."""

    complaint = Signal(str)
    done = Signal()

    def __init__(self, study: Study, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.study = study
        self.columns: list[str] = list(SHOWN)
        self._count = 0
        self._decisions: list[Decision] | None = None
        self._current: int | None = None
        self._missing: set[Path] = set()

    # -- what Qt asks ------------------------------------------------------------------------------------------------

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # Qt's name
        return 0 if parent is not None and parent.isValid() else self._count

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # Qt's name
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        name = self.columns[section]
        return {Role.DisplayRole: HEADS[name], Role.ToolTipRole: f"<qt>{TIPS.get(name, HEADS[name])}</qt>"}.get(role)

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.study):
            return None
        name, number = self.columns[index.column()], index.row()
        if role == Role.DisplayRole:
            return self.text(number, name)
        if role == Role.EditRole:
            row = self.study.movies[number].row
            return row.split if name == "split" else text_of(name, getattr(row, name))
        if role == Role.ToolTipRole:
            return self.tip(number, name)
        if role == Role.FontRole:
            font = QFont(QApplication.font())
            font.setBold(name == "file" and number == self._current)
            font.setItalic(name == "split" and self.study.movies[number].row.split is None)
            return font
        if role == Role.ForegroundRole and self.study.movies[number].row.file in self._missing:
            return QColor(THEME.colour("bad"))  # not by Qt's palette, which napari's theme does not change
        return None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if self.editable(index) else flags

    def setData(self, index: QModelIndex, value: Any, role: int = Role.EditRole) -> bool:  # Qt's name
        if role != Role.EditRole or not index.isValid():
            return False
        try:
            self.study.set(index.row(), self.columns[index.column()], str(value or ""))
        except BadInput as error:
            self.complaint.emit(str(error))
            return False
        self.done.emit()
        return True

    # -- words -------------------------------------------------------------------------------------------------------

    def editable(self, index: QModelIndex) -> bool:
        """All but the file, which is what a row is of."""
        return index.isValid() and self.columns[index.column()] != "file"

    def text(self, number: int, name: str) -> str:
        row = self.study.movies[number].row
        if name == "file":
            return row.title
        if name == "split":
            return self.use_words(number) + DROP
        if name == "modality":
            return words.MODALITIES[row.modality] if row.modality else ""
        return text_of(name, getattr(row, name))

    def use_words(self, number: int) -> str:
        """What a movie is used for; a test, with how often it was opened."""
        use = self.study.movies[number].row.split or self.decided(number)
        if use == "test":
            return f"test ({words.times_opened(self.study.times_opened(number))})"
        return USES[use] if use else DECIDED

    def decided(self, number: int) -> str | None:
        """What a movie is used for by decision, the user's or ours; None where that is not possible."""
        return self._decisions[number].use if self._decisions and number < len(self._decisions) else None

    def tip(self, number: int, name: str) -> str:
        movie = self.study.movies[number]
        if name == "split":
            mine = movie.row.split is None and self._decisions
            by = BY.get(self._decisions[number].by, "as its neighbours are") if mine and self._decisions else ""
            opened = words.OPENED if "test (" in self.text(number, name) else ""
            said = " ".join(filter(None, (f"Decided for you: {by}." if by else "", opened)))
            return f"<qt>{said or self.text(number, name)}</qt>"
        if name != "file":
            return self.text(number, name)
        lines = [str(movie.row.file) if movie.stored else "a layer without a file"]
        known = {n: text_of(n, getattr(movie.row, n)) for n in HEADS if n not in ("file", "name", "split")}
        lines += [f"{HEADS[n]}: {text}" for n, text in known.items() if text]
        lines += [f"{head}: {text}" for head, text in movie.row.others if text]
        lines.append("open" if movie.layer is not None else "not open yet: Enter or a double click opens it")
        return "\n".join(lines)

    # -- what changes ------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Look at the study anew."""
        self._decisions, _ = self.study.decisions()
        if len(self.study) != self._count:
            self.beginResetModel()
            self._count = len(self.study)
            self._current = None
            self.endResetModel()
        elif self._count:
            self.dataChanged.emit(self.index(0, 0), self.index(self._count - 1, len(self.columns) - 1))

    def mark(self, number: int | None) -> None:
        """Which movie is worked on."""
        if number != self._current:
            self._current = number
            self._all_changed()

    def set_missing(self, files: set[Path]) -> None:
        """Files that are not where the table says."""
        if files != self._missing:
            self._missing = files
            self._all_changed()

    def show(self, name: str, on: bool) -> None:
        """Show or hide a column; they stand in the order of ``HEADS``."""
        self.beginResetModel()
        wanted = {*self.columns, name} if on else {*self.columns} - {name}
        self.columns = [column for column in HEADS if column in wanted]
        self.endResetModel()

    def _all_changed(self) -> None:
        if self._count:
            self.dataChanged.emit(self.index(0, 0), self.index(self._count - 1, len(self.columns) - 1))


class UseDelegate(QStyledItemDelegate):
    """Lines of text, and a list of choices for what a movie is used for."""

    def __init__(self, model: StudyModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex) -> QWidget:
        if self._model.columns[index.column()] != "split":
            return super().createEditor(parent, option, index)
        box = QComboBox(parent)
        box.addItem(DECIDED, "")
        for use, said in USES.items():
            box.addItem(said, use)
        box.view().setMinimumWidth(box.view().sizeHintForColumn(0) + 24)
        box.setMaxVisibleItems(len(USES) + 1)
        box.activated.connect(lambda _: (self.commitData.emit(box), self.closeEditor.emit(box)))
        return box

    def setEditorData(self, editor: QWidget, index: QModelIndex) -> None:  # Qt's name
        if isinstance(editor, QComboBox):
            editor.setCurrentIndex(max(0, editor.findData(index.data(Role.EditRole) or "")))
            QTimer.singleShot(0, editor.showPopup)  # when it has its place
        else:
            super().setEditorData(editor, index)

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: QModelIndex) -> None:  # Qt's name
        if isinstance(editor, QComboBox):
            model.setData(index, editor.currentData(), Role.EditRole)
        else:
            super().setModelData(editor, model, index)

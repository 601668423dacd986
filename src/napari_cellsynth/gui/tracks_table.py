"""A line for each track, to be sorted and clicked through."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QTableView, QWidget

if TYPE_CHECKING:
    from napari_cellsynth.motion.statistics import TrackRow, Units

HIGH = 190
"""Pixels: the table scrolls by itself."""
SLOW = 60.0
"""Seconds between frames from which speeds are read by the minute."""


class Lines(QAbstractTableModel):
    """The rows; numbers are sorted as numbers."""

    def __init__(self, rows: list[TrackRow], units: Units, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = rows
        by_minute = units.time == "s" and units.interval >= SLOW
        time, self.per = ("min", 60.0) if by_minute else (units.time, 1.0)
        length = units.length
        self.columns: list[tuple[str, str, str]] = [
            ("track", "track", "The number of its outlines; frames count from 0."),
            ("parent", "from", "The track that it came from; empty for none."),
            ("speed", f"{length}/{time}", "Mean speed over its steps."),
            ("displacement", f"net {length}", "From its first place to its last."),
            ("area", f"{length}²", "Median area of its outlines."),
            ("first", "first", "First frame, counted from 0."),
            ("last", "last", "Last frame."),
            ("frames", "frames", "Frames with an outline; fewer than from first to last where there are gaps."),
            ("straightness", "straight", "Net distance over the length of the path: 1 is straight on."),
            ("turning", "turn °", "Mean change of direction from step to step; 90 for a random walk."),
            ("msd", f"MSD {length}²", "Mean squared displacement from one frame to the next."),
        ]

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # Qt's name
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # Qt's name
        return len(self.columns)

    def headerData(self, section: int, orientation: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # Qt's name
        if orientation != Qt.Orientation.Horizontal:
            return None
        wanted = {Qt.ItemDataRole.DisplayRole: 1, Qt.ItemDataRole.ToolTipRole: 2}.get(Qt.ItemDataRole(role))
        return None if wanted is None else self.columns[section][wanted]

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # Qt's name
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.UserRole):
            return None
        name = self.columns[index.column()][0]
        value = getattr(self.rows[index.row()], name)
        if name == "speed":
            value *= self.per
        if role == Qt.ItemDataRole.UserRole:
            return float(value) if isfinite(value) else -1.0
        if isinstance(value, int):
            return "" if name == "parent" and not value else str(value)
        return f"{value:.3g}" if isfinite(value) else ""


class TracksTable(QTableView):
    """``chosen`` tells the line that was clicked."""

    chosen = Signal(object)

    def __init__(self, rows: list[TrackRow], units: Units) -> None:
        super().__init__()
        self.lines = Lines(rows, units, self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSortRole(Qt.ItemDataRole.UserRole)
        self._sorted.setSourceModel(self.lines)
        self.setModel(self._sorted)
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAccessibleName("tracks")
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(20)
        self.resizeColumnsToContents()
        self.setFixedHeight(HIGH)
        self.selectionModel().currentRowChanged.connect(self._moved)

    def _moved(self, now: QModelIndex, before: QModelIndex) -> None:
        if now.isValid():
            self.chosen.emit(self.lines.rows[self._sorted.mapToSource(now).row()])

"""Curves of a training: losses above, quality below, redrawn every two seconds at most, and only when seen."""

from __future__ import annotations

import time
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_cellsynth.engine.history import Curve, History
from napari_cellsynth.gui.parts import listen
from napari_cellsynth.gui.theme import THEME

REDRAW_MS = 2000
FIRST_MS, NEXT_MS = 250, 20
"""Before the first plot is made, which loads pyqtgraph, and from one new plot to the next."""
HEIGHT = 100
COLOURS = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00")
"""Okabe and Ito's, which colour-blind readers can tell apart."""
TITLES = {
    "frechet": "distance to real",
    "variety": "variety (real: 1)",
    "nearest": "distance to training cells (held-out crops: 1)",
    "error": "error (0: all right)",
    "average_precision": "cells found rightly (1: all, none extra)",
    "dice": "pixels found rightly (Dice)",
    "count_error": "cells miscounted, as a share",
    "auto_average_precision": "found rightly without training",
    "auto_dice": "pixels found rightly without training",
    "auto_count_error": "miscounted without training",
    "real_taken_for_real": "real taken for real",
    "made_taken_for_real": "made taken for real",
}


class Curves(QWidget):
    """Losses in one plot, each held-out number in its own; ``show_history`` may be called as often as one likes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history: History | None = None
        self._drawn = 0.0
        self._plots: dict[str, Plot] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.draw)
        listen(self, THEME.changed, self._anew)

    def show_history(self, history: History) -> None:
        """Draw this soon; what came meanwhile is drawn with it."""
        self._history = history
        if not self.isVisible() or self._timer.isActive():
            return
        waited = (time.monotonic() - self._drawn) * 1000
        if not self._plots:
            self._timer.start(FIRST_MS)
        elif waited >= REDRAW_MS:
            # In the same turn of the event loop as the rest of the panel: the window is drawn once for all of it.
            self.draw()
        else:
            self._timer.start(round(REDRAW_MS - waited))

    def showEvent(self, event: Any) -> None:  # Qt's name
        super().showEvent(event)
        self.draw()

    def draw(self) -> None:
        """Bring the plots up to date now."""
        if self._history is None:
            return
        self._drawn = time.monotonic()
        losses = {name: curve for name, curve in self._history.losses.items() if name.endswith("/loss")}
        wanted = {"loss": losses, **{in_words(name): {name: c} for name, c in self._history.validation.items()}}
        for title, curves in wanted.items():
            new = title not in self._plots
            self._plot(title).draw(curves)
            if new and len(self._plots) < len(wanted):
                self._timer.start(NEXT_MS)  # axes take long to make: the others in turns of their own
                break
        for plot in self._plots.values():
            plot.label_steps(plot is list(self._plots.values())[-1])

    def _anew(self) -> None:
        """Plots in the colours of the theme that there is now."""
        for plot in self._plots.values():
            self._column.removeWidget(plot.widget)
            plot.widget.deleteLater()
        self._plots = {}
        if self.isVisible():
            self.draw()

    def _plot(self, title: str) -> Plot:
        if title not in self._plots:
            plot = self._plots[title] = Plot(title)
            self._column.addWidget(plot.widget)
        return self._plots[title]


class Plot:
    """One set of axes in the colours of the window; pyqtgraph is loaded with the first."""

    def __init__(self, title: str) -> None:
        import pyqtgraph as pg

        text = QColor(THEME.text)
        self.widget = pg.PlotWidget(background=QColor(THEME.ground))
        item = self.widget.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setMouseEnabled(x=False, y=False)
        item.showGrid(x=False, y=True, alpha=0.15)
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setPen(text)
            axis.setTextPen(text)
            axis.enableAutoSIPrefix(False)
        item.getAxis("bottom").setLabel("step")
        item.getAxis("left").setWidth(36)
        self._title, self._text = title, text.name()
        self._item = item
        self._lines: dict[str, Any] = {}

    def label_steps(self, last: bool) -> None:
        """Only the last of several plots over one another says what the axis is."""
        self._item.getAxis("bottom").showLabel(last)
        self.widget.setFixedHeight(HEIGHT + (18 if last else 0))

    def draw(self, curves: dict[str, Curve]) -> None:
        import pyqtgraph as pg

        for name in [name for name in self._lines if name not in curves]:
            self._item.removeItem(self._lines.pop(name))
        for name, curve in curves.items():
            if name not in self._lines:
                self._lines[name] = self._item.plot(pen=pg.mkPen(COLOURS[len(self._lines) % len(COLOURS)], width=2))
            self._lines[name].setData(curve.steps, curve.values)
        self._head()

    def _head(self) -> None:
        """Title and, where there are several curves, their names in their colours: a legend would lie on them."""
        names = [
            f'<span style="color: {line.opts["pen"].color().name()}">{in_words(name)}</span>'
            for name, line in self._lines.items()
        ]
        title = f"{self._title}: {' · '.join(names)}" if len(names) > 1 else self._title
        if title != self._item.titleLabel.text:
            self._item.setTitle(title, size="9pt", color=self._text, justify="left")


def in_words(name: str) -> str:
    """``generator/loss`` is the generator's; the others have titles."""
    phase, _, last = name.rpartition("/")
    if last == "loss":
        return phase or "loss"
    return TITLES.get(last, last.replace("_", " "))

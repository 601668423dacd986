"""The dock: movie line on top, tabs, and the line of jobs at the bottom."""

from __future__ import annotations

import weakref
from importlib import import_module
from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtCore import QSize
from qtpy.QtWidgets import QDockWidget, QTabWidget, QVBoxLayout, QWidget

from napari_cellsynth.gui.layers import unwrapped
from napari_cellsynth.gui.movie_line import MovieLine
from napari_cellsynth.gui.pieces import Listening
from napari_cellsynth.gui.state import Session

if TYPE_CHECKING:
    import napari

TITLE = "Workbench (CellSynth)"
"""Name under which napari itself keeps the dock when it is opened from the Plugins menu."""
TABS = {
    "movies": ("Movies", "napari_cellsynth.gui.movies_tab:MoviesTab"),
    "train": ("Train", "napari_cellsynth.gui.train_tab:TrainTab"),
    "use": ("Use", "napari_cellsynth.gui.use_tab:UseTab"),
}
_DOCKS: weakref.WeakKeyDictionary[Any, weakref.ref[CellSynthDock]] = weakref.WeakKeyDictionary()


class CellSynthDock(QWidget):
    """Everything, in one place; fits 380 by 700 pixels."""

    place = "movies"
    """Tab that is shown first."""

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = Session.of(viewer)
        self.movie_line = MovieLine(self.session)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self._pages = {name: Page(where, self.session) for name, (_, where) in TABS.items()}
        for name, (title, _) in TABS.items():
            self.tabs.addTab(self._pages[name], title)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.movie_line)
        column.addWidget(self.tabs, 1)
        column.addWidget(load("napari_cellsynth.gui.job_view:JobStrip")(self.session))
        self.setMinimumWidth(340)
        self._signals = Listening(self)
        self._signals.to(self.session.tab_requested, self.show_tab)
        self.tabs.currentChanged.connect(self._tab_changed)
        self.show_tab(self.place)
        _DOCKS[unwrapped(viewer)] = weakref.ref(self)

    def sizeHint(self) -> QSize:  # Qt's name
        return QSize(380, 640)

    def tab(self, name: str) -> Any:
        """``movies``, ``train`` or ``use``: the tab itself, made when first asked for."""
        return self._pages[name].content()

    def show_tab(self, name: str) -> None:
        self.tab(name)
        self.tabs.setCurrentWidget(self._pages[name])

    def _tab_changed(self, index: int) -> None:
        self.tabs.widget(index).content()


class MoviesDock(CellSynthDock):
    place = "movies"


class TrainDock(CellSynthDock):
    place = "train"


class UseDock(CellSynthDock):
    place = "use"


class Page(QWidget):
    """A tab that is made when it is first looked at, so that the dock opens at once."""

    def __init__(self, where: str, session: Session) -> None:
        super().__init__()
        self._where, self._session = where, session
        self._content: QWidget | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)

    def content(self) -> QWidget:
        if self._content is None:
            self._content = load(self._where)(self._session)
            self._column.addWidget(self._content)
        return self._content


def load(where: str) -> Any:
    """The class at ``package.module:Class``."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


def holder_of(dock: QWidget) -> QDockWidget | None:
    """What holds the dock in napari's window; None where it is in none."""
    holder = dock.parent()
    while holder is not None and not isinstance(holder, QDockWidget):
        holder = holder.parent()
    return holder


def show_dock(viewer: napari.viewer.Viewer, tab: str | None = None) -> CellSynthDock:
    """The viewer's dock, brought to the front; opened where there is none."""
    known = _DOCKS.get(unwrapped(viewer))
    dock = known() if known is not None else None
    if dock is None or not isalive(dock):
        dock = CellSynthDock(viewer)
    holder = holder_of(dock)
    if holder is None:  # new, or closed with napari's x, which lets go of what was in the dock
        viewer.window.add_dock_widget(dock, name=TITLE, area="right")
        dock.show()
        holder = holder_of(dock)
    if holder is not None:
        holder.show()
        holder.raise_()
    if tab is not None:
        dock.show_tab(tab)
    return dock

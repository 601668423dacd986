"""The dock: movie line on top, tabs, and the line of jobs at the bottom."""

from __future__ import annotations

import weakref
from importlib import import_module
from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtGui import QKeyEvent, QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QAbstractButton,
    QDockWidget,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_cellsynth.gui.journey_bar import JourneyBar
from napari_cellsynth.gui.journeys import Player
from napari_cellsynth.gui.kept import kept
from napari_cellsynth.gui.layers import unwrapped
from napari_cellsynth.gui.movie_line import MovieLine
from napari_cellsynth.gui.pieces import Listening
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.state import Session, follow_preferences
from napari_cellsynth.gui.theme import THEME, tint
from napari_cellsynth.gui.workers import call

if TYPE_CHECKING:
    import napari

TITLE = "Workbench (CellSynth)"
"""Name under which napari itself keeps the dock when it is opened from the Plugins menu."""
TABS = {
    "start": ("Start", "napari_cellsynth.gui.start_tab:StartTab"),
    "movies": ("Movies", "napari_cellsynth.gui.movies_tab:MoviesTab"),
    "train": ("Train", "napari_cellsynth.gui.train_tab:TrainTab"),
    "use": ("Use", "napari_cellsynth.gui.use_tab:UseTab"),
    "check": ("Check", "napari_cellsynth.gui.check_tab:CheckTab"),
}
"""Name of a tab to its title and its class, which is given the session; a tab may have ``main_button()``."""
AHEAD = (
    "stack.crops.settings",
    "stack.clips.settings",
    "stack.pairs.settings",
    "stack.traps.settings",
    "stack.traps.review",
    "stack.outlines.settings",
    "stack.recordings.recording",
    "stack.fitness.judge",
    "models.registry",
)
AHEAD_MS = 300
_loaded = False
FOCUS = ("QPushButton", "QToolButton", "QComboBox", "QLineEdit", "QAbstractSpinBox", "QSlider", "QTableView", "QTabBar")
"""What shows a border where the keys go to."""
_DOCKS: weakref.WeakKeyDictionary[Any, weakref.ref[CellSynthDock]] = weakref.WeakKeyDictionary()


class CellSynthDock(QWidget):
    """Everything, in one place; fits 380 by 700 pixels."""

    place: str | None = None
    """Tab that is shown first; None: the one that was used last."""

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("cellsynthDock")
        THEME.follow(viewer)
        tint(self, focus_style)
        self.session = Session.of(viewer)
        follow_preferences()
        Recorder.of(self.session)
        self.player = Player(self)
        self.journey_bar = JourneyBar(self.player)
        self.movie_line = MovieLine(self.session)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.tabBar().setAccessibleName("Tabs of CellSynth")
        self._pages = {name: Page(where, self.session) for name, (_, where) in TABS.items()}
        for number, (name, (title, _)) in enumerate(TABS.items()):
            self.tabs.addTab(self._pages[name], title)
            self.tabs.setTabToolTip(number, f"Ctrl+{number + 1}")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.movie_line)
        column.addWidget(self.journey_bar)
        column.addWidget(self.tabs, 1)
        column.addWidget(load("napari_cellsynth.gui.job_view:JobStrip")(self.session))
        self.setMinimumWidth(340)
        self._signals = Listening(self)
        self._signals.to(self.session.tab_requested, self.show_tab)
        self._signals.to(self.session.journey_requested, self.player.play)
        self.tabs.currentChanged.connect(self._tab_changed)
        self._make_shortcuts()
        self._ahead = QTimer(self, singleShot=True, interval=AHEAD_MS)
        self._ahead.timeout.connect(load_ahead)
        self.show_tab(self.place or last_tab())
        self._ahead.start()
        _DOCKS[unwrapped(viewer)] = weakref.ref(self)

    def sizeHint(self) -> QSize:  # Qt's name
        return QSize(380, 640)

    def tab(self, name: str) -> Any:
        """``start``, ``movies``, ``train``, ``use`` or ``check``: the tab itself, made when first asked for."""
        return self._pages[name].content()

    def show_tab(self, name: str) -> None:
        self.tab(name)
        self.tabs.setCurrentWidget(self._pages[name])

    @property
    def shown(self) -> str:
        """Name of the tab that is shown."""
        return list(TABS)[self.tabs.currentIndex()]

    def _tab_changed(self, index: int) -> None:
        self.tabs.widget(index).content()
        if not self.player.playing:
            kept().put("tab", self.shown)

    # -- keys

    def _make_shortcuts(self) -> None:
        """Ctrl+1 and so on for the tabs, and Ctrl+Enter for what a tab is about, while the keys go to the dock."""
        for number, name in enumerate(TABS):
            self._shortcut(f"Ctrl+{number + 1}", lambda name=name: self.show_tab(name))
        for key in ("Ctrl+Return", "Ctrl+Enter"):
            self._shortcut(key, self.press_main)

    def _shortcut(self, key: str, do: Any) -> None:
        shortcut = QShortcut(QKeySequence(key), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(do)

    def press_main(self) -> None:
        """Press what the tab that is shown is about."""
        find = getattr(self.tab(self.shown), "main_button", None)
        button: QPushButton | None = find() if find is not None else None
        if button is not None and button.isVisible() and button.isEnabled():
            button.click()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # Qt's name
        """Enter presses the button that has the keys; in a field it confirms what is written, and begins nothing."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            focused = self.focusWidget()
            if isinstance(focused, QAbstractButton):
                focused.click()
                return
        super().keyPressEvent(event)


class StartDock(CellSynthDock):
    place = "start"


class MoviesDock(CellSynthDock):
    place = "movies"


class TrainDock(CellSynthDock):
    place = "train"


class UseDock(CellSynthDock):
    place = "use"


class CheckDock(CellSynthDock):
    place = "check"


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


def load_ahead() -> None:
    """What tabs stand on, and takes a third of a second to load, in the background; no Qt among it."""
    global _loaded
    if not _loaded:
        _loaded = True
        call(lambda: [import_module(f"napari_cellsynth.{name}") for name in AHEAD], failed=lambda _: None)


def last_tab() -> str:
    """The tab that was used last, in this napari or the one before."""
    name = kept().get("tab", str, "")
    return name if name in TABS else next(iter(TABS))


def focus_style() -> str:
    """A border in the theme's colour around what has the keys."""
    where = ", ".join(f"#cellsynthDock {name}:focus" for name in FOCUS)
    dots = ", ".join(f"#cellsynthDock {name}:focus" for name in ("QCheckBox", "QRadioButton"))
    accent = THEME.colour("accent")
    return f"{where} {{ border: 1px solid {accent}; }} {dots} {{ color: {accent}; }}"


def holder_of(dock: QWidget) -> QDockWidget | None:
    """What holds the dock in napari's window; None where it is in none."""
    holder = dock.parent()
    while holder is not None and not isinstance(holder, QDockWidget):
        holder = holder.parent()
    return holder


def show_with_movie(viewer: napari.viewer.Viewer) -> CellSynthDock:
    """The dock after a movie was opened: at Movies, unless the user is at work in another tab."""
    before = _dock_of(viewer)
    shown = None if before is None or holder_of(before) is None else before.shown
    return show_dock(viewer, "movies" if shown in (None, "start") else None)


def _dock_of(viewer: napari.viewer.Viewer) -> CellSynthDock | None:
    known = _DOCKS.get(unwrapped(viewer))
    dock = known() if known is not None else None
    return dock if dock is not None and isalive(dock) else None


def show_dock(viewer: napari.viewer.Viewer, tab: str | None = None) -> CellSynthDock:
    """The viewer's dock, brought to the front; opened where there is none."""
    dock = _dock_of(viewer) or CellSynthDock(viewer)
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

"""Which tracks are compared: layers of the viewer and tables that were opened, each of a first or second condition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QGridLayout, QLabel, QLineEdit, QSizePolicy, QWidget

from napari_cellsynth.errors import CellsynthError
from napari_cellsynth.gui.facts import BLOCK
from napari_cellsynth.gui.layers import layers_of, made_here, same
from napari_cellsynth.gui.parts import Sentence, button, column, row
from napari_cellsynth.gui.pieces import Choice, Listening
from napari_cellsynth.gui.words import capital

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.motion.tracks.tracks import Tracks

FIRST, SECOND, UNUSED = 0, 1, None
FILTER = "Tracks (*.csv *.xml *_track.txt)"
CALLED = ("first", "second")
LONG = 24
"""Letters of a name that are shown."""


@dataclass(eq=False)
class Source:
    """Tracks of a recording, and what they are compared as."""

    name: str
    read: Callable[[], Tracks]
    layer: Any = None
    condition: str | None = None
    side: int | None = UNUSED


class TrackSources(QWidget):
    """A line for each source with its condition; the names of the conditions below."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.sources: list[Source] = []
        self.names = tuple(QLineEdit() for _ in CALLED)
        self._taken = ["" for _ in CALLED]
        """Names that came from tracks, and from no user."""
        self._lines = QWidget()
        self.grid = QGridLayout(self._lines)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setVerticalSpacing(2)
        self.grid.setColumnStretch(0, 1)
        self.says = Sentence()
        tip = "Tables id,t,y,x,parent, TrackMate's XML, or res_track.txt of the Cell Tracking Challenge."
        self.open = button("Open tracks\u2026", self._ask, tip)
        self._called = QWidget()
        labels = []
        for field, words in zip(self.names, CALLED, strict=True):
            field.setAccessibleName(f"name of the {words} condition")
            field.setPlaceholderText(f"{words} condition")
            field.setMinimumWidth(30)
            field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            field.editingFinished.connect(self.changed)
            labels.append(QLabel(f"{words}:"))
        line = row(labels[0], self.names[0], labels[1], self.names[1])
        line.setStretch(1, 1)
        line.setStretch(3, 1)
        self._second = (labels[1], self.names[1])
        column(line, parent=self._called)
        column(self._lines, self._called, row(self.open, None), self.says, parent=self)
        self._signals = Listening(self)
        events = session.viewer.layers.events
        for signal in (events.inserted, events.removed):
            self._signals.to(signal, self._look)
        self._show()
        self._look()

    # -- what there is -----------------------------------------------------------------------------------------------

    def _look(self, _: Any = None) -> None:
        """Layers that are there; those that are gone, are gone."""
        layers = [one for one in reversed(layers_of(self._session.viewer, "Tracks")) if not _of_ours(one)]
        before = list(self.sources)
        self.sources = [s for s in before if s.layer is None or any(same(s.layer, one) for one in layers)]
        for layer in layers:
            if not any(same(s.layer, layer) for s in self.sources):
                condition = _condition_of(self._session, layer)
                self._add(Source(layer.name, partial(_read_layer, layer), layer, condition))
        if before != self.sources:
            self._forget_names()
            self._show()
            self.changed.emit()

    def _ask(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, "Open tracks", str(self._session.home), FILTER)
        self.open_files([Path(name) for name in names])

    def open_files(self, paths: list[Path]) -> None:
        """Take tables along; what cannot be read is said."""
        from napari_cellsynth.motion.tracks.files import read_tracks

        self.says.say("")
        for path in paths:
            try:
                tracks = read_tracks(path)
            except CellsynthError as error:
                self.says.say(capital(str(error)), "bad")
                continue
            self._add(Source(path.name, partial(_itself, tracks), None, tracks.condition))
        self._show()
        self.changed.emit()

    def _add(self, source: Source) -> None:
        """As what it is compared unless the user says otherwise: its condition, or one after the other."""
        known = {name.text(): side for side, name in enumerate(self.names) if name.text()}
        taken = {s.side for s in self.sources}
        # Simulated tracks are no second condition; who wants them beside the real ones says so.
        simulated = source.layer is not None and made_here(source.layer)
        free = UNUSED if simulated else next((side for side in (FIRST, SECOND) if side not in taken), UNUSED)
        source.side = known.get(source.condition or "", free)
        if source.side is not UNUSED and source.condition and not self.names[source.side].text():
            self.names[source.side].setText(source.condition)
            self._taken[source.side] = source.condition
        self.sources.append(source)

    def _forget_names(self) -> None:
        """Of a condition that was named after tracks, and of which none are used any more."""
        for side, field in enumerate(self.names):
            known = {source.condition for source in self.sources if source.side == side}
            if field.text() and field.text() == self._taken[side] and field.text() not in known:
                field.clear()

    # -- what is shown -----------------------------------------------------------------------------------------------

    def _show(self) -> None:
        while (item := self.grid.takeAt(0)) is not None:
            item.widget().hide()
            item.widget().deleteLater()
        for line, source in enumerate(self.sources):
            short = source.name if len(source.name) <= LONG else f"{source.name[: LONG - 1]}\u2026"
            label = QLabel(short)
            label.setToolTip(source.name)
            choice = Choice(f"condition of {source.name}")
            choice.offer([*((words, side) for side, words in enumerate(CALLED)), ("not used", UNUSED)], source.side)
            if source.side is UNUSED:
                choice.setCurrentIndex(len(CALLED))
            choice.picked.connect(lambda side, source=source: self._picked(source, side))
            self.grid.addWidget(label, line, 0)
            self.grid.addWidget(choice, line, 1)
        self._called.setVisible(bool(self.sources))
        for widget in self._second:
            widget.setVisible(any(s.side == SECOND for s in self.sources))

    def _picked(self, source: Source, side: int | None) -> None:
        source.side = side
        self._forget_names()
        if side is not UNUSED and source.condition and not self.names[side].text():
            self.names[side].setText(source.condition)
            self._taken[side] = source.condition
        for widget in self._second:
            widget.setVisible(any(s.side == SECOND for s in self.sources))
        self.changed.emit()

    # -- what is chosen ----------------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether there is a condition to look at."""
        return any(source.side is not UNUSED for source in self.sources)

    def chosen(self) -> dict[str, list[Tracks]]:
        """Tracks by the name of their condition; raises BadInput where a layer holds none."""
        found: dict[str, list[Tracks]] = {}
        for side, words in enumerate(CALLED):
            own = [source for source in self.sources if source.side == side]
            if own:
                name = self.names[side].text().strip() or (_short(own[0]) if len(own) == 1 else words)
                if name in found:
                    name = f"{name} ({words})"
                found[name] = [source.read() for source in own]
        return found


def _read_layer(layer: Any) -> Tracks:
    from napari_cellsynth.gui.units_of_tracks import tracks_of_layer

    return tracks_of_layer(layer)


def _short(source: Source) -> str:
    """The name of a movie, or of a table without its endings."""
    return source.name.removesuffix(": tracks") if source.layer is not None else source.name.split(".")[0]


def _itself(tracks: Tracks) -> Tracks:
    return tracks


def _condition_of(session: Session, layer: Any) -> str | None:
    """As the tracks say themselves, else as the table of the study says of the movie they are named after."""
    block = (layer.metadata or {}).get(BLOCK) or {}
    if block.get("condition"):
        return str(block["condition"])
    name = layer.name.removesuffix(": tracks")
    for movie in layers_of(session.viewer, "Image"):
        index = session.study.index_of(movie) if movie.name == name else None
        if index is not None:
            return session.study.whole_row(index).condition
    return None


def _of_ours(layer: Any) -> bool:
    """A state that was shown, not cells in a field."""
    return bool(((layer.metadata or {}).get(BLOCK) or {}).get("preview"))

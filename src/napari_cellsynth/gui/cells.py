"""The cells of the movie: whose outlines, how many, and of how many different cells."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QFileDialog, QLabel, QMenu, QPushButton, QWidget

from napari_cellsynth.errors import BadInput, CellsynthError
from napari_cellsynth.gui import words, workers
from napari_cellsynth.gui.facts import array_of
from napari_cellsynth.gui.find_cells import FindCells
from napari_cellsynth.gui.layers import add_stack, complete, facts_of, outlines_in, same, stack_of
from napari_cellsynth.gui.parts import Sentence, button, row
from napari_cellsynth.gui.pieces import Choice, Listening, Section
from napari_cellsynth.gui.steady_layers import ground_of, is_doubted, on_steady, show_moved
from napari_cellsynth.stack.steady.moved_along import UNKNOWN

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.stack.stack import Stack

FILTER = "Masks (*.tif *.tiff *.png *.zip *.roi);;All (*)"
MASKS = "A label image, a number for each cell and 0 between; Fiji ROIs; or a folder with a mask for each frame."
ALONG = "They were drawn on the movie as it was filmed: a layer is added in which they move as its frames were moved."
SETTLE = 600
"""Milliseconds without a change after which outlines that are being painted are counted anew."""


@dataclass(frozen=True)
class Count:
    """What the outlines hold."""

    outlines: int
    cells: int
    tracked: bool
    """Whether a number is the same cell in all frames; else cells are linked by overlap: an estimate."""


def count_cells(labels: Stack) -> Generator[int, None, Count]:
    """Count outlines and different cells, one plane after the other; yields the planes done."""
    from napari_cellsynth.stack.crops.scan import CellCounter, scan_plane

    counter, found = CellCounter(), []
    for done, (t, z) in enumerate((t, z) for t in range(labels.size("T")) for z in range(labels.size("Z"))):
        plane = labels.frame(t, z=z)
        counter.add(t, z, plane)
        found += scan_plane(plane, 0, t, z)
        yield done + 1
    return Count(len(found), max(counter.cells(found), default=0), counter.tracked)


def fits(outlines: Any, movie: Any) -> bool:
    """Whether two layers have the same frames and pixels, by the sizes of their arrays; outlines may lack C and Z."""
    return axes_of_outlines(outlines, movie) is not None


def axes_of_outlines(outlines: Any, movie: Any) -> str | None:
    """Axes of outlines that fit a movie: its own, or without channels and planes; empty where nobody knows its axes."""
    try:
        mine, theirs = tuple(array_of(outlines).shape), tuple(array_of(movie).shape)
        axes = facts_of(movie).axes
    except BadInput:
        return None
    if axes is None:
        return "" if mine == theirs else None
    for without in ("", "C", "Z", "CZ"):
        kept = [(axis, size) for axis, size in zip(axes, theirs, strict=True) if axis not in without]
        if mine == tuple(size for _, size in kept):
            return "".join(axis for axis, _ in kept)
    return None


def notes_on(outlines: Any, movie: Any) -> tuple[str, ...]:
    """What is odd about outlines, also that they may have been drawn before the movie was made steady."""
    notes = () if outlines is None else tuple(note for note in facts_of(outlines).notes if UNKNOWN not in note)
    return (*notes, f"these outlines {UNKNOWN} the movie") if is_doubted(outlines, movie) else notes


def take_scale(outlines: Any, movie: Any) -> None:
    """Outlines of the movie's shape that know no scale take the movie's, so that they lie on its cells."""
    axes = None if outlines is None or movie is None else axes_of_outlines(outlines, movie)
    if not axes:
        return
    known, has = facts_of(movie), facts_of(outlines)
    wanted = {"axes": axes, **{name: getattr(known, name) for name in ("pixel_size", "z_step", "frame_interval")}}
    new = {name: v for name, v in wanted.items() if v and not getattr(has, name)}
    if new:
        complete(outlines, **new)


def open_masks(session: Session, path: Path) -> Any:
    """Show a mask file or folder as a layer on the movie; BadInput where there is none, or it does not fit."""
    from napari_cellsynth.stack.steady.moved_along import labels_for

    if session.movie is None:
        raise BadInput("open the movie first, then the mask file that belongs to it")
    labels = labels_for(path, stack_of(session.movie))
    return add_stack(session.viewer, labels, kind="labels", like=session.movie)


def mask_button(parent: QWidget, opened: Callable[[Path], Any]) -> QPushButton:
    """A button that asks for a file or a folder of masks."""
    made = button("Open mask file…", lambda: None, MASKS)
    menu = QMenu(made)

    def ask(folder: bool) -> None:
        from napari.utils.history import get_open_history

        before = get_open_history()[0]
        if folder:
            path = QFileDialog.getExistingDirectory(parent, "Open folder of masks", before)
        else:
            path, _ = QFileDialog.getOpenFileName(parent, "Open mask file", before, FILTER)
        if path:
            opened(Path(path))

    menu.addAction("File: TIFF, PNG, Fiji ROIs (.zip, .roi)…", lambda: ask(False))
    menu.addAction("Folder: Cellpose, Cell Tracking Challenge, OME-Zarr…", lambda: ask(True))
    made.setMenu(menu)
    return made


class CellsSection(Section):
    """Choose a Labels layer or open a mask file; says how many cells there are."""

    counted = Signal(object)
    """A Count, or None while there is none."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Cells", parent)
        self.session = session
        self.count: Count | None = None
        self._placed = (0, 0)
        """Ids of the outlines and the stabilised movie for which it was asked last where they belong."""
        self._worker: workers.Worker | None = None
        self._counting: tuple[Any, ...] = ()
        self.outlines = Choice()
        self.outlines.picked.connect(self._picked)
        self.open_mask = mask_button(self, self.open_file)
        self.find = button("Find cells…", self._find_clicked, "Outlines without training, with a preview.")
        self.find.setCheckable(True)
        self.find_cells: FindCells | None = None
        self.says = Sentence()
        self.along = button("Move them along", self.move_along, ALONG)
        self.along.hide()
        line = row(QLabel("outlines"), self.outlines)
        line.setStretch(1, 1)
        self.add(line, row(QLabel("or"), self.find, self.open_mask, None), self.says, row(self.along, None))
        self._settle = QTimer(self, singleShot=True, interval=SETTLE)
        self._settle.timeout.connect(self.recount)
        self._layer_signals: Listening | None = None
        self._signals = Listening(self)
        layers = session.viewer.layers.events
        for signal in (layers.inserted, layers.removed, layers.reordered):
            self._signals.to(signal, self._layers_changed)
        for signal in (session.movie_changed, session.movie_facts_changed):
            self._signals.to(signal, self._movie_changed)
        self._signals.to(session.outlines_changed, self._outlines_changed)
        self._layers_changed()
        self._outlines_changed(session.outlines)

    def _layers_changed(self, event: Any = None) -> None:
        there = outlines_in(self.session.viewer)
        movie = self.session.movie
        free = [layer for layer in there if not self.session.study.is_of_another(layer, movie)]
        fitting = [layer for layer in free if movie is not None and fits(layer, movie)]
        mine = [layer for layer in fitting if ground_of(layer) == ground_of(movie)]
        if mine and (self.session.outlines is None or self.session.outlines not in fitting):
            self.session.outlines = mine[0]
        elif self.session.outlines is not None and self.session.outlines not in there:
            self.session.outlines = None
        self._offer(there)

    def _offer(self, there: list[Any]) -> None:
        nothing = "none" if there else "none yet"
        self.outlines.offer([(nothing, None), *((layer.name, layer) for layer in there)], self.session.outlines)

    def _movie_changed(self, _: Any) -> None:
        self._layers_changed()
        self._take_scale()
        if self._what_counts() != self._counting:
            self.recount()

    def _what_counts(self) -> tuple[Any, ...]:
        """What the number of cells, or the reason why there is none, depends on; not the pixel size."""
        movie, outlines = self.session.movie, self.session.outlines
        fit = movie is not None and outlines is not None and fits(outlines, movie)
        return id(movie), fit, id(outlines), None if outlines is None else facts_of(outlines).axes

    def _picked(self, layer: Any) -> None:
        self.session.outlines = layer

    def _outlines_changed(self, layer: Any) -> None:
        if self._layer_signals is not None:
            self._layer_signals.stop()
            self._layer_signals = None
        if layer is not None:
            self._layer_signals = Listening(self)
            for name in ("data", "paint", "labels_update"):
                self._layer_signals.to(getattr(layer.events, name), self._painted)
        self._offer(outlines_in(self.session.viewer))
        self._take_scale()
        self.recount()

    def _painted(self, event: Any = None) -> None:
        self._settle.start()

    def _take_scale(self) -> None:
        take_scale(self.session.outlines, self.session.movie)

    # -- found here --------------------------------------------------------------------------------------------------

    def _find_clicked(self) -> None:
        """Open or close what finds cells; it is made when first asked for, and stands under the buttons."""
        if self.find_cells is None:
            self.find_cells = FindCells(self.session, self)
            self.add(self.find_cells)
        self.find_cells.setVisible(self.find.isChecked())

    # -- a file ------------------------------------------------------------------------------------------------------

    def open_file(self, path: Path) -> Any:
        """Show a mask file as outlines of the movie; returns its layer, or None and says why not."""
        try:
            layer = open_masks(self.session, path)
        except CellsynthError as error:
            self.says.say(capital(str(error)), "bad")
            return None
        self.session.outlines = layer
        return layer

    # -- counting ----------------------------------------------------------------------------------------------------

    def recount(self) -> None:
        """Count in the background; what was being counted before is given up."""
        self._settle.stop()
        if self._worker is not None:
            self._worker.quit()
            self._worker = None
        self._set(None)
        self.along.hide()
        self._counting = self._what_counts()
        outlines, movie = self.session.outlines, self.session.movie
        self.setVisible(movie is not None or outlines is not None)
        if outlines is None:
            self.says.say("Choose a Labels layer that outlines the cells, find cells, or open a mask file.")
            return
        try:
            labels = stack_of(outlines)
            if movie is not None and not fits(outlines, movie):
                raise BadInput(f"{outlines.name} {labels.shape} does not fit {movie.name} {tuple(movie.data.shape)}")
        except BadInput as error:
            self.says.say(capital(str(error)), "warning")
            return
        self.says.say("counting cells…")
        if is_doubted(outlines, movie) and not self._asked(outlines, movie):
            self._place(outlines, movie)
            return
        self._worker = workers.start(
            lambda: count_cells(labels),
            returned=self._counted,
            failed=lambda error: self.says.say(capital(str(error)), "bad"),
            description="counting cells",
            watches=True,
            owner=self,
        )

    def _counted(self, count: Count | None) -> None:
        if count is None:  # given up
            return
        self._worker = None
        self._set(count)
        if count.outlines == 0:
            self.says.say("These outlines are empty: paint cells, or choose other outlines.", "warning")
        else:
            notes = notes_on(self.session.outlines, self.session.movie)
            said = [words.cells_counted(count.outlines, count.cells, count.tracked), *(f"{capital(n)}." for n in notes)]
            self.says.say(" ".join(said), "warning" if notes else "quiet")
            self.along.setVisible(is_doubted(self.session.outlines, self.session.movie))

    # -- on a movie without the stage's motion -----------------------------------------------------------------------

    def _asked(self, outlines: Any, movie: Any) -> bool:
        return self._placed == (id(outlines), id(movie))

    def _place(self, outlines: Any, movie: Any, *, before: bool | None = None) -> None:
        """Find out whether outlines were drawn before the movie was made steady, and move them along if so."""
        self._placed = id(outlines), id(movie)
        self.along.hide()

        def placed(moved: Any) -> None:
            if self._asked(self.session.outlines, self.session.movie):
                layer = show_moved(self.session.viewer, moved, outlines, movie)
                if same(layer, outlines):
                    self.recount()
                else:
                    self.session.outlines = layer

        workers.call(
            on_steady(outlines, movie, before=before),
            returned=placed,
            failed=lambda error: self.says.say(capital(str(error)), "bad"),
            description="moving outlines along",
            owner=self,
        )

    def move_along(self) -> None:
        """The user says that the outlines were drawn on the movie as it was filmed."""
        if is_doubted(self.session.outlines, self.session.movie):
            self._place(self.session.outlines, self.session.movie, before=True)

    def _set(self, count: Count | None) -> None:
        self.count = count
        self.counted.emit(count)


def capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"

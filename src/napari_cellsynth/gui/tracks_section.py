"""The section Tracks of the tab Movies: follow the cells, look at each track, save."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QLabel, QMenu, QPushButton, QWidget

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui import workers
from napari_cellsynth.gui.forms import SettingsForm
from napari_cellsynth.gui.layers import facts_of, same, stack_of
from napari_cellsynth.gui.parts import Bar, Foldout, Sentence, button, row
from napari_cellsynth.gui.pieces import Choice, Listening, Section
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.steady_layers import made_on
from napari_cellsynth.gui.suggested import suggested
from napari_cellsynth.gui.tracks_layers import Followed, add_tracked_labels, add_tracks, exchange_tracks, followed, told
from napari_cellsynth.gui.tracks_saving import KINDS, with_ending, written
from napari_cellsynth.gui.tracks_table import TracksTable
from napari_cellsynth.gui.words import capital, how_many
from napari_cellsynth.motion.tracks.ctc_kept import not_held
from napari_cellsynth.motion.tracks.settings import TrackSettings

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.motion.statistics import TrackRow

HOW: list[tuple[str, dict[str, Any]]] = [
    ("cells that divide", {"multiply": "division"}),
    ("cells that bud (yeast)", {"multiply": "budding"}),
    ("cells that do neither", {"multiply": "none"}),
    ("outlines numbered already", {"multiply": "none", "numbered": True}),
]
ABOVE = ("multiply", "numbered")
"""Settings that the panel itself asks for."""
NEEDS = "Find the cells first, or open a mask file: tracks say which outlines are the same cell."
OPEN = "Tracks of a file: our CSV, TrackMate's XML, or a folder of the Cell Tracking Challenge."


class TracksSection(Section):
    """[Track], what was found in one sentence, a line for each track, and files."""

    made = Signal(object)
    """The Tracks layer that was added."""
    cells_wanted = Signal()
    """There are no outlines: whoever finds cells, opens."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Tracks", parent)
        self.session = session
        self.result: Followed | None = None
        self._layers: list[weakref.ref[Any]] = []
        """The outlines and the lines of the result."""
        self._movie: weakref.ref[Any] | None = None
        """What was tracked: tracks of another movie stay, to be compared with these."""
        self._worker: workers.Worker | None = None
        self._build()
        self._signals = Listening(self)
        for signal in (session.movie_changed, session.outlines_changed):
            self._signals.to(signal, self._changed)
        self._signals.to(session.viewer.layers.events.removed, self._changed)
        self._changed()

    def _build(self) -> None:
        self.how = Choice("how cells multiply")
        self.how.offer([(words, value) for words, value in HOW])
        self.form: SettingsForm | None = None
        self.more = Foldout("More", self._make_form)
        self.track = button("Track", self.start, "Which outlines are the same cell, and which came from which.")
        self.find = button("Find cells…", self.cells_wanted.emit, "Outlines, which tracks are made of.")
        self.open = QPushButton("Open tracks…")
        self.open.setToolTip(f"<qt>{OPEN}</qt>")
        menu = QMenu(self.open)
        menu.addAction("File: CSV, TrackMate XML…", lambda: self._ask_open(False))
        menu.addAction("Folder: Cell Tracking Challenge…", lambda: self._ask_open(True))
        self.open.setMenu(menu)
        self.bar, self.cancel = Bar(), button("Cancel", self.stop, "Nothing is kept.")
        self.says, self.moving = Sentence(), Sentence()
        self.save = QPushButton("Save as…")
        saving = QMenu(self.save)
        for kind, (words, _, _) in KINDS.items():
            saving.addAction(words).triggered.connect(lambda *_, kind=kind: self._ask_save(kind))
        self.save.setMenu(saving)
        self.table: TracksTable | None = None
        self.lines = Foldout("Each track", self._make_table, "Speed, displacement, turning, area: a line a track.")
        going = row(self.track, self.find, self.bar, self.cancel, self.open)
        going.setStretch(2, 1)
        choice = row(QLabel("follow"), self.how)
        choice.setStretch(1, 1)
        self.add(choice, self.more, going, self.says, self.moving, self.lines, row(self.save, None))
        self._busy(False)

    def _make_form(self) -> QWidget:
        self.form = SettingsForm(TrackSettings(), hide=ABOVE)
        return self.form

    def _make_table(self) -> QWidget:
        from napari_cellsynth.motion.statistics import units_of

        assert self.result is not None
        self.table = TracksTable(self.result.rows, units_of(self.result.tracks))
        self.table.chosen.connect(self.show_track)
        return self.table

    # -- what is there -----------------------------------------------------------------------------------------------

    def _changed(self, _: Any = None) -> None:
        """Other outlines, another movie, or a layer that was closed."""
        session = self.session
        self.setVisible(session.movie is not None or session.outlines is not None)
        if self.result is not None and not any(self._is_there(layer) for layer in self._layers):
            self._forget()
        if self._worker is None and self.result is None:
            self.says.say("" if session.outlines is not None else NEEDS)
        self.find.setVisible(session.outlines is None and self._worker is None)
        self.track.setVisible(session.outlines is not None or self._worker is not None)
        self.track.setEnabled(session.outlines is not None and self._worker is None)

    def _is_there(self, layer: weakref.ref[Any]) -> bool:
        found = layer()
        return found is not None and any(same(found, other) for other in self.session.viewer.layers)

    def _forget(self) -> None:
        self.result, self._layers = None, []
        self._movie = None
        self.says.say("")
        self.moving.say("")
        self.brief("")
        self.lines.head.setChecked(False)
        self.lines.clear()
        for widget in (self.lines, self.save):
            widget.hide()

    # -- tracking ----------------------------------------------------------------------------------------------------

    def settings(self) -> TrackSettings:
        """What the rows say."""
        more = {} if self.form is None else self.form.read().model_dump(exclude=set(ABOVE))
        return TrackSettings(**{**more, **self.how.value})

    def start(self) -> None:
        """Link the outlines, in the background."""
        outlines, movie = self.session.outlines, self.session.movie
        if self._worker is not None:
            return
        if outlines is None:
            self.says.say(NEEDS)
            self.cells_wanted.emit()
            return
        try:
            settings, labels = self.settings(), stack_of(outlines)
            labels = with_scale_of(labels, movie)
        except BadInput as error:
            self.says.say(capital(str(error)), "bad")
            return
        condition = self._condition(movie)
        # Mended by hand and tracked again: who came from whom was found before.
        mended = self.result is not None and same(self._layers[0](), outlines)
        parents = self.result.tracks.parents if self.result is not None and mended else None
        self._run(
            lambda: followed(labels, settings, condition, parents),
            lambda made: self._show(made, outlines, movie),
            labels.name,
        )

    def _condition(self, movie: Any) -> str | None:
        """What the study's table says of the movie."""
        found = (one for one in self.session.study.movies if any(same(ref(), movie) for ref in one.layers))
        return None if movie is None else next((one.row.condition for one in found if one.row.condition), None)

    def _run(self, job: Callable[[], Iterator[Any]], done: Callable[[Any], None], name: str) -> None:
        self._busy(True)
        self.says.say("looking at the outlines…")

        def news(what: Any) -> None:
            if isinstance(what, Followed | list):
                done(what)
            else:
                self.bar.show_share(what.done / max(1, what.total))
                self.says.say(f"{capital(what.message)} of {what.total}" if not what.message else capital(what.message))

        self._worker = worker = workers.start(
            job,
            yielded=news,
            failed=lambda error: self.says.say(capital(str(error)), "bad"),
            finished=lambda: self._busy(False) if worker is self._worker else None,
            description=f"tracking the cells of {name}",
            owner=self,
        )

    def stop(self) -> None:
        """Cancel: nothing is kept."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.quit()
            self._busy(False)
            self.says.say("Cancelled; nothing was kept.")

    def _show(self, made: Followed, outlines: Any, movie: Any) -> None:
        viewer = self.session.viewer
        if all(not same(outlines, layer) for layer in viewer.layers):
            self.says.say("The outlines were closed; their tracks were not kept.", "warning")
            return
        old = self._there() if same(self._movie and self._movie(), movie) else None
        self._movie = None if movie is None else weakref.ref(movie)
        if self._layers and same(self._layers[0](), outlines):  # tracked once more: in place
            labels, outlines.data = outlines, made.labels.data if made.labels is not None else outlines.data
        else:
            labels = add_tracked_labels(viewer, made, outlines, movie)
        lines = self._lines(made, labels.name.replace(": cells tracked", ": tracks"), labels, old)
        self._take(made, [labels, lines])
        self.session.outlines = labels
        self._say(made)
        Recorder.of(self.session).said(f"the cells of {outlines.name} were tracked: {made.words}")
        self.made.emit(lines)

    def _there(self) -> Any:
        """The lines of what was tracked last, which the new ones take the place of; None where there are none."""
        if len(self._layers) < 2 or not self._is_there(self._layers[1]):
            return None
        return self._layers[1]()

    def _lines(self, made: Followed, name: str, like: Any, old: Any) -> Any:
        if old is None:
            return add_tracks(self.session.viewer, made.tracks, name, like, made.lines)
        old.name = name
        return exchange_tracks(old, made.tracks, like, made.lines)

    def _take(self, made: Followed, layers: list[Any]) -> None:
        self.result, self._layers = made, [weakref.ref(layer) for layer in layers]
        self.lines.head.setChecked(False)
        self.lines.clear()
        self.lines.show()
        self.save.show()

    def _say(self, made: Followed) -> None:
        self.says.say(f"{capital(made.words)}.", "good" if len(made.tracks) else "warning")
        notes = [*made.tracks.notes, *([made.moving] if made.moving else [])]
        self.moving.say(" ".join(f"{capital(note).rstrip('.')}." for note in notes), "warning")
        self.brief(how_many(len(made.rows), "track"))

    def show_track(self, line: TrackRow) -> None:
        """Go to the first frame of a track, its cell in the middle and its outline chosen."""
        there: list[Any] = [layer() for layer in self._layers if self._is_there(layer)]
        if self.result is None or not there:
            return
        t, places = self.result.tracks.track(line.track)
        layer = there[-1]
        world = layer.data_to_world([int(t[0]), *places[0]])
        viewer = self.session.viewer
        viewer.dims.set_point(range(viewer.dims.ndim - 2), [*viewer.dims.point[: -len(world)], *world[:-2]])
        viewer.camera.center = (0.0, *world[-2:])
        for one in there:
            if type(one).__name__ == "Labels":
                one.selected_label = line.track

    # -- files -------------------------------------------------------------------------------------------------------

    def _ask_save(self, kind: str) -> None:
        _, filters, _ = KINDS[kind]
        name = {"csv": "tracks.csv", "trackmate": "tracks.xml", "ctc": "01_RES"}[kind]
        place = suggested(self.session, name, named=kind != "ctc")
        chosen, _ = QFileDialog.getSaveFileName(self, "Save the tracks", str(place), filters)
        if chosen:
            self.save_to(with_ending(Path(chosen), kind), kind)

    def save_to(self, path: Path, kind: str) -> None:
        """Write the tracks, in the background."""
        made, movie = self.result, self.session.movie
        if made is None or self._worker is not None:
            return
        image = None if movie is None else facts_of(movie).path
        self._run(lambda: written(made, path, kind, image), self._saved, path.name)

    def _saved(self, paths: list[Path]) -> None:
        words = " and the files beside it" if len(paths) > 1 else ""
        self.says.say(f"Saved as {paths[0].name}{words}.", "good")
        if paths[0].is_dir() and self.result is not None and (lost := not_held(self.result.tracks)):
            self.moving.say(f"{capital(lost)}.", "warning")

    def _ask_open(self, folder: bool) -> None:
        from napari.utils.history import get_open_history

        before = get_open_history()[0]
        if folder:
            path = QFileDialog.getExistingDirectory(self, "Folder with res_track.txt or man_track.txt", before)
        else:
            path, _ = QFileDialog.getOpenFileName(self, "Open tracks", before, "Tracks (*.csv *.xml *.txt)")
        if path:
            self.open_file(Path(path))

    def open_file(self, path: Path) -> None:
        """Show the tracks of a file on the movie, in the background."""
        movie = self.session.movie
        if self._worker is not None or movie is None:
            return
        facts, condition = facts_of(movie), self._condition(movie)

        def job() -> Iterator[Followed]:
            from napari_cellsynth.motion.tracks.files import read_tracks

            tracks = read_tracks(path, pixel_size=facts.pixel_size, frame_interval=facts.frame_interval)
            yield told(tracks.with_(condition=tracks.condition or condition))

        self._run(job, lambda made: self._show_opened(made, path, movie), path.name)

    def _show_opened(self, made: Followed, path: Path, movie: Any) -> None:
        frames = stack_of(movie).size("T")
        if made.tracks.frames > frames:
            self.says.say(f"{path.name} has {made.tracks.frames} frames, the movie {frames}: it is of another.", "bad")
            return
        layer = self._lines(made, f"{movie.name}: {path.name}", movie, self._there())
        self._take(made, [layer])
        self._say(made)
        self.made.emit(layer)

    def _busy(self, on: bool) -> None:
        if not on:
            self._worker = None
        self.bar.show_share(0.0)
        for widget in (self.bar, self.cancel):
            widget.setVisible(on)
        for widget in (self.how, self.more, self.save, self.open):
            widget.setEnabled(not on)
        self.track.setEnabled(not on and self.session.outlines is not None)
        self.open.setVisible(not on)
        there = self.result is not None
        self.lines.setVisible(there)
        self.save.setVisible(there)
        self.find.setVisible(not on and self.session.outlines is None)


def with_scale_of(labels: Any, movie: Any) -> Any:
    """Outlines that know no scale take the movie's."""
    if movie is None:
        return labels
    facts = facts_of(movie)
    return made_on(labels, movie).with_(
        pixel_size=labels.pixel_size or facts.pixel_size, frame_interval=labels.frame_interval or facts.frame_interval
    )

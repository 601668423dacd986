"""The study: the movies that belong together, as the table of recordings, beside the layers that show them.

No Qt here: whoever shows the study listens to ``changed``.
"""

from __future__ import annotations

import os
import weakref
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from pydantic import ValidationError

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.beside import complete_in_view
from napari_cellsynth.gui.facts import Facts, facts_of
from napari_cellsynth.gui.layers import movies_in, same, unwrapped
from napari_cellsynth.gui.row_words import in_the_panel
from napari_cellsynth.gui.steady_layers import is_stabilised
from napari_cellsynth.gui.study_layers import facts_in
from napari_cellsynth.stack.recordings.columns import EXPECTED, column_of, path_of, value_of
from napari_cellsynth.stack.recordings.holdout import Decision, HoldOut
from napari_cellsynth.stack.recordings.row import Row
from napari_cellsynth.stack.recordings.table import Table, located

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session

IDENTITY = ("file", "scene", "position", "channel", "z", "frames", "region", "role")
"""Fields in which two rows differ that mean different things; others say what is known about the same thing."""

AS_COLOURS = "stored as colours, of which"
"""How the note begins on a file whose axes have to be given, as only one of its colours is read."""


@dataclass(eq=False)
class StudyMovie:
    """A row of the study, and the layers that show it."""

    row: Row
    stored: bool = True
    """It has a file; a layer that came from none has a row only as long as it is open."""
    layers: list[weakref.ref[Any]] = field(default_factory=list)
    outlines: weakref.ref[Any] | None = None
    channel_used: int | None = None
    """Number of the channel that was worked on, where channels are layers of their own."""
    axes_asked: bool = False
    """Its file does not say what its axes mean."""

    @property
    def layer(self) -> Any:
        """The layer that shows it, of its channel where channels are layers of their own; None where there is none."""
        alive = [layer for layer in (ref() for ref in self.layers) if layer is not None]
        channel = self.row.channel
        if isinstance(channel, str):
            named = [layer for layer in alive if facts_of(layer).channels == (channel,)]
            alive = named or alive
        elif channel is not None and len(alive) > channel:
            return alive[channel]
        return alive[0] if alive else None

    @property
    def outlines_layer(self) -> Any:
        """The layer of its outlines, or None."""
        return None if self.outlines is None else self.outlines()

    def shown_by(self, layer: Any) -> bool:
        return any(same(ref(), layer) for ref in self.layers)

    @property
    def title(self) -> str:
        return self.row.title


class Study:
    """Rows in the order in which they were added; every change is told with ``changed``."""

    changed = Signal()
    told = Signal(object, object)
    """A layer, and what the user has typed about its movie (fields of Facts)."""
    column_wanted = Signal(str)
    """A column of the table that somebody is asked to fill."""

    def __init__(self, session: Session) -> None:
        self._session = weakref.ref(session)
        self.movies: list[StudyMovie] = []
        self.folder = Path.home()
        """Paths in the table that are not whole begin here."""
        self.settings = HoldOut()
        """How the rest is decided where the user decides nothing."""
        self.opened: Counter[str] = Counter()
        """How often the test part that a recording belongs to was opened, by its path."""
        self._chosen: StudyMovie | None = None
        self._gone: set[int] = set()
        """Layers that are open and were taken out of the study."""
        layers = session.viewer.layers.events
        layers.inserted.connect(self._layer_inserted)
        layers.removed.connect(self._layer_removed)
        session.movie_facts_changed.connect(self._facts_changed)
        session.outlines_changed.connect(self._outlines_changed)
        session.movie_changed.connect(self._movie_changed)
        for layer in reversed(movies_in(session.viewer)):
            self._bind(layer)

    @property
    def session(self) -> Session:
        session = self._session()
        if session is None:
            raise ReferenceError("the session of this study has ended")
        return session

    # -- what is in it -----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.movies)

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(movie.row for movie in self.movies)

    def table(self, *, stored: bool = False) -> Table:
        """The study as a table; ``stored`` leaves out movies that have no file."""
        rows = [movie.row for movie in self.movies if movie.stored or not stored]
        return Table(tuple(rows), self.folder)

    def whole_row(self, index: int) -> Row:
        """A row whose paths are whole."""
        row = self.movies[index].row
        labels = None if row.labels is None else located(row.labels, self.folder)
        return row.model_copy(update={"file": located(row.file, self.folder), "labels": labels})

    def decisions(self) -> tuple[list[Decision] | None, str]:
        """What each row is for, or None and why nothing can be decided; no file is opened."""
        try:
            return (self.table().decisions(self.settings) if self.movies else []), ""
        except BadInput as error:
            return None, in_the_panel(str(error), self.rows)

    def index_of(self, layer: Any) -> int | None:
        """The row that a layer shows; of several, the one that was chosen last."""
        rows = [i for i, movie in enumerate(self.movies) if movie.shown_by(layer)]
        return next((i for i in rows if self.movies[i] is self._chosen), rows[0] if rows else None)

    def names_files(self, cells: Sequence[str]) -> bool:
        """Whether a pasted line is the head of a table, or begins with a path."""
        if "file" in (column_of(cell)[0] for cell in cells):
            return True
        path = path_of(cells[0]) if cells[0] else Path()
        return len(path.parts) > 1 or (path.suffix[1:].isalpha() and " " not in path.suffix)

    def times_opened(self, index: int) -> int:
        """How often the test part that a row belongs to was opened, in any training set."""
        movie = self.movies[index]
        return self.opened[str((self.folder / movie.row.file).absolute())] if movie.stored else 0

    # -- what the user does ------------------------------------------------------------------------------------------

    def add(self, table: Table) -> tuple[int, int]:
        """Take the rows of a table: new ones are added, known ones learn what it says.  Returns how many of each."""
        if not any(movie.stored for movie in self.movies):
            self.folder = table.folder
        added = known = 0
        touched: dict[StudyMovie, dict[str, Any]] = {}
        for moved in table.moved(self.folder).rows:
            row = moved.model_copy(update={"file": self._short(moved.file)}) if moved.file.is_absolute() else moved
            movies = self._known(row, but=touched)
            said = {name: value for name in Row.model_fields if (value := getattr(row, name)) not in (None, ())}
            if not movies:
                movies = [StudyMovie(row)]
                self.movies += movies
                added += 1
            else:
                known += 1
            for movie in movies:
                movie.row = movie.row.model_copy(update=said)
                touched[movie] = touched.get(movie, {}) | said
        for layer in reversed(movies_in(self.session.viewer)):
            self._bind(layer, quiet=True)
        for movie, said in touched.items():
            self._tell(movie, said)
        self.changed.emit()
        return added, known

    def add_files(self, paths: Iterable[Path]) -> tuple[int, int]:
        """Take recordings by their paths."""
        rows = tuple(Row(file=Path(path)) for path in paths)
        return self.add(Table(rows, self.folder))

    def set(self, index: int, column: str, text: str) -> None:
        """What the user typed into a cell; BadInput says what is expected."""
        said = {column: _read(column, text)}
        self._change(index, said)
        self._tell(self.movies[index], said)

    def fill(self, index: int, columns: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
        """Cells pasted onto rows from ``index`` on; returns how many rows were changed.

        BadInput names the first cell that will not do; then nothing is changed.
        """
        if "file" in columns[: max(map(len, cells), default=0)]:
            raise BadInput("these cells name no files: choose the cell that the first of them belongs into, then paste")
        changes = []
        for i, line in enumerate(cells[: len(self.movies) - index]):
            said = {}
            for column, text in zip(columns, line, strict=False):
                try:
                    said[column] = _read(column, text)
                except BadInput as error:
                    raise BadInput(f"line {i + 1}: {error}") from None
            changes.append(said)
        for i, said in enumerate(changes):
            self._change(index + i, said, quiet=True)
            self._tell(self.movies[index + i], said)
        self.changed.emit()
        return len(changes)

    def remove(self, indices: Iterable[int]) -> None:
        """Take movies out of the study; their layers and files stay."""
        for i in sorted(set(indices), reverse=True):
            self._gone.update(id(layer) for ref in self.movies[i].layers if (layer := ref()) is not None)
            del self.movies[i]
        self.changed.emit()

    def fix_split(self) -> None:
        """What was decided is written down, so that it holds for good; BadInput where nothing can be decided."""
        decided = self.table().decided(self.settings)
        for movie, row in zip(self.movies, decided.rows, strict=True):
            movie.row = row
        self.changed.emit()

    def set_opened(self, counts: Counter[str]) -> None:
        if counts != self.opened:
            self.opened = counts
            self.changed.emit()

    def choose(self, index: int) -> bool:
        """Work on the movie of a row; False where it is not open yet."""
        movie = self.movies[index]
        layer = movie.layer
        if layer is None:
            return False
        self._chosen = movie
        self.session.movie = layer
        outlines = movie.outlines_layer
        if outlines is not None and any(same(outlines, other) for other in self.session.viewer.layers):
            self.session.outlines = outlines
        return True

    # -- layers ------------------------------------------------------------------------------------------------------

    def _layer_inserted(self, event: Any) -> None:
        layer = unwrapped(event.value)
        if any(same(layer, other) for other in movies_in(self.session.viewer)):
            self._bind(layer)

    def _bind(self, layer: Any, *, quiet: bool = False) -> None:
        """To the rows of its file, or to a row of its own."""
        if id(layer) in self._gone or is_stabilised(layer):  # the same movie once more
            return
        try:
            facts = facts_of(layer)
        except BadInput:
            return  # a colour image is no movie yet
        movies = self._rows_of(facts)
        if not movies:
            if self.index_of(layer) is not None:
                return
            movies = [self._new(layer, facts)]
            self.movies += movies
        for movie in movies:
            if not movie.shown_by(layer):
                movie.layers.append(weakref.ref(layer))
            movie.axes_asked |= facts.axes is None or any(note.startswith(AS_COLOURS) for note in facts.notes)
            if movie.stored and movie.axes_asked and movie.row.axes is None and facts.axes is not None:
                movie.row = movie.row.model_copy(update={"axes": facts.axes})
            if movie.row.modality is None and facts.modality is not None:
                movie.row = movie.row.model_copy(update={"modality": facts.modality})
        if not quiet:
            self.changed.emit()

    def _rows_of(self, facts: Facts) -> list[StudyMovie]:
        """The rows of the image of a file that a layer shows."""
        if facts.path is None:
            return []
        rows = [movie for movie in self.movies if movie.stored and (movie.row.scene or 0) == facts.scene]
        return [movie for movie in rows if self._is(movie.row.file, facts.path)]

    def _short(self, path: Path) -> Path:
        """From the study's folder where it lies in it."""
        whole = Path(os.path.normpath(path.absolute()))
        return whole.relative_to(self.folder) if whole.is_relative_to(self.folder) else whole

    def _is(self, file: Path, path: Path) -> bool:
        return os.path.normpath((self.folder / file).absolute()) == os.path.normpath(path.absolute())

    def _new(self, layer: Any, facts: Facts) -> StudyMovie:
        if facts.path is None:
            return StudyMovie(Row(file=Path(layer.name), name=layer.name, condition=_condition(facts)), stored=False)
        if not any(movie.stored for movie in self.movies):
            self.folder = facts.path.absolute().parent
        scene = facts.scene or None
        return StudyMovie(Row(file=self._short(facts.path), scene=scene))

    def _known(self, row: Row, but: Container[StudyMovie] = ()) -> list[StudyMovie]:
        """The rows that are meant by one that is added.

        The one of the same part of the same file; else, but for those that
        came with it, the one that says less of it, such as of a movie that
        was opened; else those that say more: a file added without more
        means all its rows.
        """
        there = [one for one in self.movies if one.stored and _image(one.row) == _image(row)]
        mine, theirs = _part(row), {one: _part(one.row) for one in there}
        same_part = [one for one in there if theirs[one] == mine]
        others = [one for one in there if one not in but]
        wider = [one for one in others if theirs[one].items() <= mine.items()]
        return same_part[:1] or wider[:1] or [one for one in others if mine.items() <= theirs[one].items()]

    def _layer_removed(self, event: Any) -> None:
        layer = unwrapped(event.value)
        self._gone.discard(id(layer))
        for movie in [movie for movie in self.movies if movie.shown_by(layer)]:
            self._keep(movie, layer)
            movie.layers = [ref for ref in movie.layers if ref() is not None and not same(ref(), layer)]
            if not movie.stored and not movie.layers:
                self.movies.remove(movie)
        self.changed.emit()

    def _keep(self, movie: StudyMovie, layer: Any) -> None:
        """What the layer that leaves knew, and the row does not say: its file is then read the same way."""
        try:
            facts = facts_of(layer)
        except BadInput:
            return
        said = _scale_said(facts)
        if movie.axes_asked:
            said["axes"] = facts.axes
        if movie.stored and all(ref() is None or same(ref(), layer) for ref in movie.layers):
            said["channel"] = movie.channel_used
        blank = {name: value for name, value in said.items() if value is not None and getattr(movie.row, name) is None}
        movie.row = Row.model_validate(dict(movie.row) | blank)

    def _facts_changed(self, layer: Any) -> None:
        """What the user said about a movie is kept in its rows, so that a table says it for good."""
        if layer is None:
            return
        facts = facts_of(layer)
        said = {"modality": facts.modality, **_scale_said(facts)}
        known = {name: value for name, value in said.items() if value is not None}
        for i, movie in enumerate(self.movies):
            if movie.shown_by(layer):
                axes = {"axes": facts.axes} if movie.axes_asked and facts.axes is not None else {}
                self._change(i, known | axes)

    def _movie_changed(self, layer: Any) -> None:
        """Another movie is worked on: with its own outlines, never with those of the one before."""
        index = None if layer is None else self.index_of(layer)
        if index is None:
            return
        self.movies[index].channel_used = _channel_of(self.movies[index], layer)
        mine = self._outlines_of(self.movies[index])
        if mine is not None:
            self.session.outlines = mine
        elif self.is_of_another(self.session.outlines, layer):
            self.session.outlines = None

    def is_of_another(self, outlines: Any, movie: Any) -> bool:
        """Whether outlines were chosen for another movie of the study, and not for this one."""
        index = None if movie is None else self.index_of(movie)
        if outlines is None or index is None or same(self._outlines_of(self.movies[index]), outlines):
            return False
        return any(same(self._outlines_of(other), outlines) for other in self.movies)

    def _outlines_of(self, movie: StudyMovie) -> Any:
        """The outlines that were chosen for a movie, where their layer is still there."""
        outlines = movie.outlines() if movie.outlines is not None else None
        there = outlines is not None and any(same(outlines, layer) for layer in self.session.viewer.layers)
        return outlines if there else None

    def _outlines_changed(self, layer: Any) -> None:
        """Outlines belong to the movie that is worked on when they are chosen."""
        index = None if layer is None or self.session.movie is None else self.index_of(self.session.movie)
        if index is None:
            return
        movie = self.movies[index]
        movie.outlines = weakref.ref(unwrapped(layer))
        path = facts_of(layer).path
        if path is not None and movie.stored and movie.row.labels is None:
            self._change(index, {"labels": self._short(path)})

    def _tell(self, movie: StudyMovie, said: Mapping[str, Any]) -> None:
        """What was typed about a movie that is open, its layers say as well: they are what is worked on."""
        known = facts_in(said)
        layers = [layer for layer in (ref() for ref in movie.layers) if layer is not None]
        if not known or not layers:
            return
        for layer in layers:
            complete_in_view(self.session.viewer, layer, **known)
        at_work = next((layer for layer in layers if same(layer, self.session.movie)), layers[0])
        self.session.movie_facts_changed.emit(at_work)
        self.told.emit(at_work, known)

    def _change(self, index: int, said: Mapping[str, Any], *, quiet: bool = False) -> None:
        movie = self.movies[index]
        row = Row.model_validate(dict(movie.row) | dict(said))
        if row != movie.row:
            movie.row = row
            if not quiet:
                self.changed.emit()


def _image(row: Row) -> tuple[Path, int]:
    """File and image in it."""
    return row.file, row.scene or 0


def _part(row: Row) -> dict[str, Any]:
    """What of an image is meant, as far as the row says it."""
    said = {name: getattr(row, name) for name in IDENTITY if name not in ("file", "scene")}
    return {name: value for name, value in said.items() if value is not None}


def _read(column: str, text: str) -> Any:
    """What a cell means; BadInput says what was given and what is expected."""
    try:
        value = value_of(column, text)
        value = None if value == "" else value
        Row.model_validate({"file": "-", column: value} if column != "file" else {"file": value})
    except ValidationError:
        raise BadInput(f"{text!r} given; expected {EXPECTED.get(column, 'the path of a recording')}") from None
    except BadInput as error:
        raise BadInput(f"{text!r} given; {error}") from None
    return value


def _scale_said(facts: Facts) -> dict[str, Any]:
    """Interval, z step and pixel size as a row says them."""
    said: dict[str, Any] = {"interval": facts.frame_interval, "z_step": facts.z_step}
    if facts.pixel_size is not None:
        y, x = facts.pixel_size
        said["pixel_size"] = y if y == x else f"{y!r}um,{x!r}um"
    return said


def _channel_of(movie: StudyMovie, layer: Any) -> int | None:
    """Number in its file of the channel that a layer shows; None where it is the only one."""
    # A layer may be there twice (cut, stabilised): names tell channels.
    alive = [other for other in (ref() for ref in movie.layers) if other is not None]
    names = list(dict.fromkeys(facts_of(other).channels for other in alive))
    mine = facts_of(layer).channels
    return names.index(mine) if len(mine) == 1 and len(names) > 1 and mine in names else None


def _condition(facts: Facts) -> str | None:
    """What a simulated movie shows."""
    settings = (facts.provenance or {}).get("settings") or {}
    condition = settings.get("condition") if isinstance(settings, dict) else None
    return condition if isinstance(condition, str) else None

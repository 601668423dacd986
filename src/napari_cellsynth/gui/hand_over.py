"""Layers for a process of its own: what a layer says goes along, its pixels by path where the file still holds them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.facts import array_of, facts_of
from napari_cellsynth.gui.layers import stack_of
from napari_cellsynth.stack.find_in_file import sliceable
from napari_cellsynth.stack.handover import ASK_ABOVE, HandedOver, Written, hand_over, hand_over_outlines

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.stack.recordings.holdout import HoldOut
    from napari_cellsynth.stack.recordings.recording import Recording
    from napari_cellsynth.stack.recordings.row import Row
    from napari_cellsynth.stack.recordings.table import Table
    from napari_cellsynth.stack.stack import Stack

OF_THE_LAYER = frozenset({"file", "labels", "scene", "channel", "axes", "pixel_size", "z_step", "interval"})
"""What a row says of its file, and a layer says better."""


@dataclass(frozen=True)
class Held:
    """What a worker needs of a layer; taken in the GUI thread, where layers belong."""

    stack: Stack
    letters: str | None = None
    """The layer's axes in its own order, which is that of its file."""
    modality: str | None = None
    array: Any = None
    """The layer's own array: a stack of other order holds a view that is made anew each time."""

    def only(self, axis: str, number: int) -> Held:
        """One channel or plane of it, lazily; itself where it has no such axis."""
        if axis not in self.stack.axes:
            return self
        place = tuple(min(number, self.stack.size(a) - 1) if a == axis else slice(None) for a in self.stack.axes)
        stack = self.stack
        channels = stack.channels[number : number + 1] if axis == "C" else stack.channels
        data = sliceable(stack.data)[place]
        return replace(self, stack=stack.with_(data=data, axes=stack.axes.replace(axis, ""), channels=channels))


@dataclass(frozen=True)
class Given:
    """A movie that something is made from, as layers hold it or as a table names it."""

    row: Row | None = None
    """What the table says of it; None for a movie that stands in none."""
    image: Held | None = None
    """Its layer, whose pixels count; None where the file of the row is meant."""
    labels: Held | None = None
    channel: int | str = 0
    """Of a layer with several channels: number or name."""
    z: int | str = "all"
    """Of a layer with several planes: one of them, or how they are joined."""

    @property
    def chosen(self) -> Held | None:
        """Its layer's channel that is worked on."""
        if self.image is None:
            return None
        stack, number = self.image.stack, self.channel
        if isinstance(number, str) and "C" in stack.axes:
            names = [name.casefold() for name in stack.channels]
            if number.casefold() not in names:
                there = ", ".join(stack.channels) or f"{stack.size('C')} without names"
                raise BadInput(f"channel {number!r} asked for; {stack.name} has {there}")
            number = names.index(number.casefold())
        return self.image.only("C", number if isinstance(number, int) else 0)


def given_by(session: Session) -> list[Given]:
    """The movies of the study that are not left out, the chosen one as it is shown; in the GUI thread.

    What the table does not say of channel and plane is as chosen for the
    movie that is worked on.  Raises BadInput where that cannot be used.
    """
    study, layer = getattr(session, "study", None), session.movie
    current = None if study is None or layer is None else study.index_of(layer)
    if study is None or not len(study) or (current is None and layer is not None):
        if layer is None:
            raise BadInput("open a movie first")
        return [Given(None, held(layer), _outlines_for(session, layer), session.channel, session.z)]
    table, channel = study.table(), _channel(session, study, current)
    found = []
    for number, (movie, row) in enumerate(zip(study.movies, table.rows, strict=True)):
        if row.split == "leave out":
            continue
        whole = {"file": table.path(row), "labels": table.labels_path(row)}
        mine = channel if row.channel is None else row.channel
        z = session.z if row.z is None else row.z
        shown = layer if number == current else movie.layer
        image = None if shown is None else _held_or_none(shown, needed=number == current or not movie.stored)
        labels = _outlines_for(session, shown) if number == current else _outlines_of(movie)
        row = row.model_copy(update=whole if image else {**whole, "channel": mine, "z": z})
        found.append(Given(row, image, labels if image else None, mine or 0, z))
    return found


def _channel(session: Session, study: Any, current: int | None) -> int | None:
    """Number of the channel in its file of the movie that is worked on; None where it has one."""
    if current is None:
        return None
    if "C" in (facts_of(session.movie).axes or ""):
        return session.channel
    # Layers of one file may be channels, or the same channel twice (cut, stabilised): their names tell.
    alive = [layer for layer in (ref() for ref in study.movies[current].layers) if layer is not None]
    names = list(dict.fromkeys(facts_of(layer).channels for layer in alive))
    mine = facts_of(session.movie).channels
    return names.index(mine) if len(mine) == 1 and len(names) > 1 and mine in names else None


def _held_or_none(layer: Any, *, needed: bool) -> Held | None:
    try:
        return held(layer)
    except BadInput:
        if needed:
            raise
        return None


def _outlines_for(session: Session, layer: Any) -> Held | None:
    """The chosen outlines, where they are of the movie; of a single plane, they stand for all."""
    outlines = session.outlines
    mine = None if outlines is None else _held_or_none(outlines, needed=False)
    if mine is None:
        return None
    movie = stack_of(layer)
    same_size = all(mine.stack.size(axis) == movie.size(axis) for axis in "TYX")
    return mine if same_size and mine.stack.size("Z") in (1, movie.size("Z")) else None


def _outlines_of(movie: Any) -> Held | None:
    outlines = None if movie.outlines is None else movie.outlines()
    return None if outlines is None else _held_or_none(outlines, needed=False)


def held(layer: Any) -> Held:
    """The layer as a worker may have it; nothing is read.

    Raises BadInput where an axis has no meaning yet, or the layer is a colour image.
    """
    facts = facts_of(layer)
    return Held(stack_of(layer), facts.axes, facts.modality, array_of(layer))


def hand_over_layer(layer: Held, folder: Path, *, ask_above: float = ASK_ABOVE) -> Generator[Written, None, HandedOver]:
    """:func:`~napari_cellsynth.stack.handover.hand_over` for a layer."""
    return (yield from hand_over(layer.stack, folder, letters=layer.letters, ask_above=ask_above))


def hand_over_movies(
    movies: Sequence[Given], folder: Path, *, ask_above: float = ASK_ABOVE
) -> Generator[Written, None, Table]:
    """The table of these movies, with files that hold their pixels; what has to be written goes into ``folder/data``.

    Only the channel that is worked on is written, and only the plane, where
    one was chosen.  Raises NeedsRoom where that is much, BadInput and
    RunFailed where it cannot be.
    """
    from napari_cellsynth.stack.recordings.row import Row
    from napari_cellsynth.stack.recordings.table import Table

    rows = []
    for movie in movies:
        said = {} if movie.row is None else {name: value for name, value in movie.row if value is not None}
        if (image := movie.chosen) is not None:
            said = {"name": image.stack.name, **_kept(said, movie)}
            said |= yield from _columns(movie, image, folder / "data", ask_above)
            said |= {name: _inside(said[name], folder) for name in ("file", "labels") if name in said}
        rows.append(Row.model_validate(said))
    return Table(tuple(rows), folder)


def _kept(said: dict[str, Any], movie: Given) -> dict[str, Any]:
    """What the table says that the layers do not say better; its outlines where none are shown."""
    lost = OF_THE_LAYER if movie.labels is not None else OF_THE_LAYER - {"labels"}
    return {name: value for name, value in said.items() if name not in lost}


def _inside(path: Path, folder: Path) -> Path:
    """Relative where it lies in the folder, so that both may move."""
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def recordings_here(movies: Sequence[Given], hold_out: HoldOut) -> list[Recording]:
    """The same recordings in this process, from the layers themselves: for a look before anything is made."""
    from napari_cellsynth.stack.recordings.open import recordings_of_table
    from napari_cellsynth.stack.recordings.row import Row
    from napari_cellsynth.stack.recordings.table import Table

    rows, at_hand = [], {}
    for number, movie in enumerate(movies):
        said = {} if movie.row is None else {name: value for name, value in movie.row if value is not None}
        if (image := movie.chosen) is not None:
            stack = image.stack
            at_hand[number] = stack, movie.labels.stack if movie.labels is not None else None
            said = {"file": stack.path or stack.name, "name": stack.name, **_kept(said, movie)}
            said |= {"z": movie.z} if "Z" in stack.axes else {}
            said |= {"modality": image.modality} if image.modality else {}
        rows.append(Row.model_validate(said))
    return recordings_of_table(Table(tuple(rows), Path()), hold_out, at_hand=at_hand)


def _columns(movie: Given, image: Held, data: Path, ask_above: float) -> Generator[Written, None, dict[str, Any]]:
    """File, outlines and selection of a movie that layers hold."""
    one_plane = isinstance(movie.z, int) and "Z" in image.stack.axes
    chosen, labels = image, movie.labels
    if one_plane:
        chosen = chosen.only("Z", int(movie.z))
        labels = labels and labels.only("Z", int(movie.z))
    over = yield from hand_over_layer(chosen, data, ask_above=ask_above)
    cut = over.selection.frames or over.selection.region
    if cut and movie.row is not None and (movie.row.frames or movie.row.region):
        # What the table takes of the layer cannot be said beside what the layer takes of its file.
        in_no_file = replace(chosen, stack=chosen.stack.with_(path=None))
        over = yield from hand_over_layer(in_no_file, data, ask_above=ask_above)
    columns = over.columns()
    if "Z" in chosen.stack.axes:
        columns["z"] = movie.z
    if labels is not None:
        columns["labels"] = yield from hand_over_outlines(labels.stack, over, data, ask_above=ask_above)
    if image.modality:
        columns["modality"] = image.modality
    return columns

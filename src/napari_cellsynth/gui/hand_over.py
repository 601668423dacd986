"""Layers for a process of its own: what a layer says goes along, its pixels by path where the file still holds them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth.gui.facts import facts_of
from napari_cellsynth.gui.layers import stack_of
from napari_cellsynth.stack.find_in_file import sliceable
from napari_cellsynth.stack.handover import ASK_ABOVE, HandedOver, Written, hand_over, hand_over_outlines

if TYPE_CHECKING:
    from napari_cellsynth.stack.recordings.row import Row
    from napari_cellsynth.stack.recordings.table import Table
    from napari_cellsynth.stack.stack import Stack

OF_THE_LAYER = ("file", "labels", "scene", "channel", "axes", "pixel_size", "interval")
"""What a row says of its file, and a layer says better."""


@dataclass(frozen=True)
class Held:
    """What a worker needs of a layer; taken in the GUI thread, where layers belong."""

    stack: Stack
    letters: str | None = None
    """The layer's axes in its own order, which is that of its file."""
    modality: str | None = None

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
class Movie:
    """A movie of the study, as layers hold it or as a table names it."""

    row: Row | None = None
    """What the table says of it; None for a movie that stands in none."""
    image: Held | None = None
    """Its layer, whose pixels count; None where the file of the row is meant."""
    labels: Held | None = None
    channel: int = 0
    """Of a layer with several channels."""
    z: int | str = "all"
    """Of a layer with several planes: one of them, or how they are joined."""


def held(layer: Any) -> Held:
    """The layer as a worker may have it; nothing is read.

    Raises BadInput where an axis has no meaning yet, or the layer is a colour image.
    """
    facts = facts_of(layer)
    return Held(stack_of(layer), facts.axes, facts.modality)


def hand_over_layer(layer: Held, folder: Path, *, ask_above: float = ASK_ABOVE) -> Generator[Written, None, HandedOver]:
    """:func:`~napari_cellsynth.stack.handover.hand_over` for a layer."""
    return (yield from hand_over(layer.stack, folder, letters=layer.letters, ask_above=ask_above))


def hand_over_movies(
    movies: Sequence[Movie], folder: Path, *, ask_above: float = ASK_ABOVE
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
        if movie.image is not None:
            kept = {name: value for name, value in said.items() if name not in OF_THE_LAYER}
            said = {"name": movie.image.stack.name, **kept}
            said |= yield from _columns(movie, movie.image, folder / "data", ask_above)
        rows.append(Row.model_validate(said))
    return Table(tuple(rows), folder)


def _columns(movie: Movie, image: Held, data: Path, ask_above: float) -> Generator[Written, None, dict[str, Any]]:
    """File, outlines and selection of a movie that layers hold."""
    one_plane = isinstance(movie.z, int) and "Z" in image.stack.axes
    chosen, labels = image.only("C", movie.channel), movie.labels
    if one_plane:
        chosen = chosen.only("Z", int(movie.z))
        labels = labels and labels.only("Z", int(movie.z))
    over = yield from hand_over_layer(chosen, data, ask_above=ask_above)
    columns = over.columns()
    if "Z" in chosen.stack.axes:
        columns["z"] = movie.z
    if labels is not None:
        columns["labels"] = yield from hand_over_outlines(labels.stack, over, data, ask_above=ask_above)
    if image.modality:
        columns["modality"] = image.modality
    return columns

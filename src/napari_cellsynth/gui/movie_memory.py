"""The movie line remembers: what was said of a file before is filled in, or offered where the file says otherwise."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from napari_cellsynth import api
from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui import workers
from napari_cellsynth.gui.beside import complete_in_view
from napari_cellsynth.gui.facts import array_of, facts_of
from napari_cellsynth.gui.layers import movies_in, same
from napari_cellsynth.gui.movie_fields import PIXEL_NOTE
from napari_cellsynth.gui.said_before import SAID, Before, in_words, keep, recall
from napari_cellsynth.gui.words import capital

if TYPE_CHECKING:
    from napari_cellsynth.gui.movie_line import MovieLine

OF_THE_FILE = ("pixel_size", "z_step", "frame_interval")
"""What holds for all channels of a file."""


class MovieMemory:
    """Looks once, in the background, whether something was said of a movie before."""

    def __init__(self, line: MovieLine) -> None:
        self._line, self._session = line, line.session
        self._asked: weakref.WeakSet[Any] = weakref.WeakSet()
        self.offered: dict[str, Any] = {}
        """What was said of the movie before and is known otherwise now, where that is offered."""

    def said(self, layer: Any, known: dict[str, Any]) -> None:
        """The user has said this of a layer's file: it is kept, and its other channels take what they lack."""
        facts = facts_of(layer)
        told = {name: value for name, value in known.items() if name in SAID and value is not None}
        if facts.path is None or not told:
            return
        for other in movies_in(self._session.viewer):
            if not same(other, layer) and _is_channel_of(other, layer):
                theirs = facts_of(other)
                lacks = {name: told[name] for name in OF_THE_FILE if name in told and not getattr(theirs, name)}
                if lacks and theirs.axes is not None:
                    complete_in_view(self._session.viewer, other, **lacks)
        workers.call(keep(layer, told), failed=lambda error: self._session.message.emit(str(error)), owner=self._line)

    def look(self, layer: Any) -> None:
        """Fill in what was said of this movie before."""
        self.offered = {}
        if layer is None or layer in self._asked:
            return
        try:
            job = recall(layer, self._session.homes[0] / api.TRAINING_SETS)
        except BadInput:  # a colour image
            return
        self._asked.add(layer)
        workers.call(job, returned=lambda found: self._found(layer, found), failed=lambda _: None, owner=self._line)

    def _found(self, layer: Any, before: Before | None) -> None:
        if before is None or not same(self._session.movie, layer):
            self._asked.discard(layer)  # asked again when it is worked on again
            return
        known, line = facts_of(layer), self._line
        doubted = any(note.startswith(PIXEL_NOTE) for note in known.notes) and "pixel_size" in before.facts
        new = before.new(known) | ({"pixel_size": before.facts["pixel_size"]} if doubted else {})
        new = {name: value for name, value in new.items() if name not in line.being_typed()}
        other = {name: value for name, value in before.other(known).items() if name not in new}
        if new:
            line.remembered(new, f"{capital(in_words(new))}: {before.by()}.")
        elif other:
            self.offered = other
            line.offer(f"{capital(in_words(other))} {before.by()}; the file says otherwise.")


def _is_channel_of(other: Any, layer: Any) -> bool:
    try:
        mine, theirs = facts_of(layer), facts_of(other)
    except BadInput:  # a colour image
        return False
    alike = tuple(array_of(other).shape) == tuple(array_of(layer).shape)
    return alike and theirs.path == mine.path and theirs.scene == mine.scene

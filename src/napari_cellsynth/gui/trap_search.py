"""The search for traps in the movies of the study, off the GUI thread, and what it was made in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_cellsynth.gui.hand_over import Given, recordings_here
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.traps.look_over import Found
from napari_cellsynth.stack.traps.settings import TrapSettings

if TYPE_CHECKING:
    from napari_cellsynth.stack.recordings.recording import Recording

UNDIVIDED = HoldOut(by="time", validation_fraction=0.0, test_fraction=0.0)
SELECTS = ("file", "scene", "channel", "z", "frames", "region")
"""Columns of the table by which a row takes something of its file."""


@dataclass(frozen=True)
class Looked:
    """What a search was made in."""

    recordings: tuple[Recording, ...]
    movie: int | None
    """Number of the recording that the movie shows; None where it is none of them."""
    found: Found
    movies: tuple[Any, ...] = ()
    """What was taken of each movie then, see :func:`taken_of`."""

    def of(self, recordings: Sequence[Recording]) -> bool:
        """Whether these recordings are the ones, frame for frame and pixel for pixel."""
        here, there = ([(one.name, one.selection) for one in each] for each in (recordings, self.recordings))
        return here == there


def movie_number(movies: Sequence[Given], layer: Any) -> int | None:
    """Which of the given movies the layer shows."""
    for number, movie in enumerate(movies):
        if layer is not None and movie.image is not None and movie.image.stack.name == layer.name:
            return number
    return None


def taken_of(movie: Given) -> tuple[Any, ...]:
    """What tells whether the same frames and pixels are taken of a movie as before; no file is opened."""
    row = () if movie.row is None else tuple(getattr(movie.row, name) for name in SELECTS)
    layer = () if movie.image is None else (movie.image.stack.name, movie.image.stack.axes, movie.image.stack.shape)
    return row, layer, movie.channel, movie.z


def searching(movies: Sequence[Given], number: int | None, settings: TrapSettings) -> Iterator[Any]:
    """Find traps in all movies, by the box in the one that is shown; yields progress, last :class:`Looked`."""
    from napari_cellsynth.stack.traps.look_over import find_everywhere, template_of

    recordings = recordings_here(movies, UNDIVIDED)
    template = None if not number else template_of(recordings[number], settings)
    for news in find_everywhere(recordings, settings, template=template):
        if isinstance(news, Found):
            yield Looked(tuple(recordings), number, news, tuple(map(taken_of, movies)))
        else:
            yield news


def looking(looked: Looked, settings: TrapSettings) -> Iterator[Any]:
    """Look at all frames, those that are fit for use; yields progress, last the review."""
    from napari_cellsynth.stack.training_sets import fit
    from napari_cellsynth.stack.traps.look_over import look_through

    recordings = looked.recordings
    for news in fit.look_through(recordings):
        if isinstance(news, fit.Looked):
            recordings = news.recordings
        else:
            yield news
    yield from look_through(recordings, looked.found, settings)

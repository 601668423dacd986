"""What a plan of a training set is worked out from, and whether its movies have to be opened anew for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.hand_over import Given, Held, recordings_here
from napari_cellsynth.gui.words import capital
from napari_cellsynth.stack.recordings.holdout import HoldOut

if TYPE_CHECKING:
    from napari_cellsynth.gui.kind_panes import KindPane
    from napari_cellsynth.stack.crops.census import Census
    from napari_cellsynth.stack.recordings.recording import Recording


@dataclass(frozen=True)
class Wanted:
    """All that a plan is worked out from."""

    pane: KindPane
    movies: tuple[Given, ...]
    settings: Any
    hold_out: HoldOut
    painted: int

    def key(self) -> tuple[Any, ...]:
        """What tells whether files have to be opened anew; looks at the disk."""
        held = any(movie.labels is not None for movie in self.movies)
        movies = tuple(map(key_of, self.movies))
        return movies, self.hold_out, self.pane.UNDIVIDED_WILL_DO, self.painted if held else 0


def enough_lines(census: Census | None, made: int | None = None) -> str:
    """Why the set has fewer different cells than are outlined, and how many of them are to learn from."""
    if census is None:
        return ""
    fewer, after = census.words(made), census.taken if made is None else made
    held_out = f"{census.learn} of them to learn from" if census.learn < after else ""
    told = "; ".join(filter(None, (fewer, held_out if fewer else "")))
    return f"{capital(told)}." if told else ""


def now_and_then(news: Iterator[Any]) -> Iterator[Any]:
    """Progress ten times a second at most; whatever is no progress at once."""
    last = 0.0
    for each in news:
        now = time.monotonic()
        if not hasattr(each, "done") or now - last > 0.1:
            last = now
            yield each
        else:
            yield None


def key_of(movie: Given) -> tuple[Any, ...]:
    """What tells whether a movie is another than before: its row and files, or the arrays of its layers."""
    layers = [
        (array_key(held), held.stack.axes, held.stack.shape, held.stack.name, held.stack.scale, held.modality)
        for held in (movie.image, movie.labels)
        if held is not None
    ]
    row = movie.row
    paths = () if row is None else tuple(path_key(path) for path in (row.file, row.labels) if path is not None)
    return (row, paths, *layers, movie.labels is None, movie.channel, movie.z)


def array_key(held: Held) -> tuple[Any, ...]:
    """The same for the same array, however it is laid; what is painted into it shows through."""
    array = held.stack.data if held.array is None else held.array
    if isinstance(array, np.ndarray):
        return array.__array_interface__["data"][0], array.strides, array.dtype.str
    name = getattr(array, "dask", None) and array.name  # another one where it was written into
    return type(array).__name__, name or id(array)


def path_key(path: Path) -> tuple[Any, ...]:
    """Another one where the file was written anew."""
    try:
        about = path.stat()
    except OSError:
        return (path,)
    return path, about.st_mtime_ns, about.st_size


def divided(wanted: Wanted) -> list[Recording]:
    """The movies as recordings with what is held out of them."""
    try:
        return recordings_here(wanted.movies, wanted.hold_out)
    except BadInput:
        if not wanted.pane.UNDIVIDED_WILL_DO or wanted.hold_out.by != "auto":
            raise
    return recordings_here(wanted.movies, HoldOut(by="time", validation_fraction=0.0, test_fraction=0.0))

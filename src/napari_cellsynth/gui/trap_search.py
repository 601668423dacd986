"""The search for traps in the movies of the study, off the GUI thread, and what it was made in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_cellsynth.gui.hand_over import Given, recordings_here
from napari_cellsynth.gui.trap_boxes import Shown
from napari_cellsynth.gui.words import capital, how_many
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.traps.look_over import Found
from napari_cellsynth.stack.traps.settings import TrapSettings

if TYPE_CHECKING:
    from napari_cellsynth.stack.recordings.recording import Recording
    from napari_cellsynth.stack.traps.look_over import Review
    from napari_cellsynth.stack.traps.review import ReviewRow

UNDIVIDED = HoldOut(by="time", validation_fraction=0.0, test_fraction=0.0)
FEW = 3
"""Movies of which what was found is said; of others it stands in the tip."""
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
    others: int = 0
    """Movies of the study in which nobody has looked yet."""
    fit: tuple[Recording, ...] = ()
    """The recordings with the cuts and unfit frames that were found, once they were looked through."""

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
    """Find traps by the box in the movie that is shown, in that one; yields progress, last :class:`Looked`.

    In all movies where none of them is shown.
    """
    from napari_cellsynth.stack.traps.look_over import find_everywhere

    here = movies if number is None else [movies[number]]
    recordings = recordings_here(here, UNDIVIDED)
    for news in find_everywhere(recordings, settings):
        if isinstance(news, Found):
            place = None if number is None else 0
            yield Looked(tuple(recordings), place, news, tuple(map(taken_of, here)), len(movies) - len(here))
        else:
            yield news


def searching_others(movies: Sequence[Given], looked: Looked, settings: TrapSettings) -> Iterator[Any]:
    """Find the same traps in the other movies; yields progress, last :class:`Looked` of all, in their order.

    Likeness counts from where it does in the first one, where the user chose that.
    """
    from napari_cellsynth.stack.traps.look_over import check_names, find_everywhere

    number = [taken_of(movie) for movie in movies].index(looked.movies[0])
    others = [movie for at, movie in enumerate(movies) if at != number]
    recordings = recordings_here(others, UNDIVIDED)
    first, mine = looked.found.maps[0], looked.recordings[0]
    check_names([mine, *recordings])
    for news in find_everywhere(recordings, settings, template=looked.found.template):
        if isinstance(news, Found):
            found = news.at(first.threshold.value) if first.threshold.chosen else news
            maps = (*found.maps[:number], first, *found.maps[number:])
            all_of_them = (*recordings[:number], mine, *recordings[number:])
            taken = tuple(map(taken_of, movies))
            yield Looked(all_of_them, number, replace(news, maps=maps, template=looked.found.template), taken)
        else:
            yield news


def looking(looked: Looked, settings: TrapSettings) -> Iterator[Any]:
    """Look at all frames, those that are fit for use; yields progress, :class:`Looked`, last the review."""
    from napari_cellsynth.stack.training_sets import fit
    from napari_cellsynth.stack.traps.look_over import look_through

    recordings = looked.fit
    if not recordings:
        for news in fit.look_through(looked.recordings):
            if isinstance(news, fit.Looked):
                recordings = news.recordings
            else:
                yield news
    yield replace(looked, fit=tuple(recordings))
    yield from look_through(recordings, looked.found, settings)


def looking_everywhere(movies: Sequence[Given], looked: Looked, settings: TrapSettings) -> Iterator[Any]:
    """As :func:`looking`, and before that in the movies in which nobody has looked yet."""
    if looked.others:
        for news in searching_others(movies, looked, settings):
            if isinstance(news, Looked):
                looked = news
                yield news
            else:
                yield news
    yield from looking(looked, settings)


def found_words(looked: Looked) -> tuple[str, str]:
    """What was found, of the first few movies, that which is shown before others; and of all, a line for each."""
    maps = list(looked.found.maps)
    if looked.movie:
        maps.insert(0, maps.pop(looked.movie))
    lines = [one.words() for one in maps]
    said = [f"{line}." for line in lines[:FEW]]  # they begin with the movie's name
    if len(maps) > FEW:
        rest = sum(len(one.traps) for one in maps[FEW:])
        said.append(f"And {how_many(rest, 'trap')} in {how_many(len(maps) - FEW, 'more movie')}.")
    if looked.others:
        said.append(f"{capital(how_many(looked.others, 'other movie'))} of the study not searched yet.")
    return "\n".join(said), "\n".join(lines)


def review_words(review: Review, looked: Looked) -> tuple[str, str]:
    """What was seen, of the movie that is shown; and of all, a line for each."""
    lines = review.words().splitlines()[:-1]
    said = [f"{lines[looked.movie or 0]}."]
    if len(lines) > 1:
        said.append(f"And {how_many(len(lines) - 1, 'more movie')}.")
    return "\n".join(said), "\n".join(lines)


def shown_of(looked: Looked, rows: Sequence[ReviewRow]) -> list[Shown]:
    """The boxes of the movie that is shown, with the verdicts of a review."""
    at = looked.movie or 0
    one, recording = looked.found.maps[at], looked.recordings[at]
    top, left = (round(v) for v in recording.file_place(0, 0))
    verdicts = {row.trap: row for row in rows if row.recording == recording.name}
    traps = [*one.traps, *((trap for trap, _ in one.cut_off) if rows else ())]
    return [
        Shown(
            one.box(trap).moved(top, left),
            f"{trap.number}  {trap.score:.2f}" if trap.score is not None else str(trap.number),
            ("accept" if verdicts[trap.number].accepted else "reject") if trap.number in verdicts else "",
        )
        for trap in sorted(traps, key=lambda trap: trap.number)
    ]

"""The outlines of a whole movie, without training or with what a training has learned, and what to say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth import api
from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui import words
from napari_cellsynth.gui.layers import add_stack, facts_of, stack_of
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.steady_layers import made_on
from napari_cellsynth.stack.stack import Stack

if TYPE_CHECKING:
    from napari_cellsynth.gui.models_kept import ModelsKept
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.stack.outlines.settings import OutlineSettings

VERB = "segment"
DONE = "The cells of {} were found by {} (api.segment with a run): {}"
HONEST = "Found without training: look through the frames before you trust them."
LEARNED = "Found by {}: look through the frames before you trust them."


@dataclass(frozen=True, eq=False)
class Outlined:
    """Outlines of all frames."""

    labels: Stack
    words: tuple[str, str]
    """What to say of them, and its level."""
    classes: Stack | None = None
    """Where a model learned some."""


def runs_that_find(rows: Sequence[dict[str, Any]]) -> list[tuple[str, Path]]:
    """Trainings with saved weights that find cells, for a list to choose from."""
    able = (one for one in rows if one.get("weights") and VERB in one.get("verbs", ()))
    return [(f"learned: {one['name']}", Path(one["path"])) for one in able]


def look_with(
    models: ModelsKept, run: Path, stack: Stack, t: int, region: tuple[slice, slice]
) -> Callable[[], np.ndarray]:
    """Labels (Y, X) int32 of a part of a frame, to be found by a worker."""

    def job() -> np.ndarray:
        from napari_cellsynth.api.segmenting import check_fits

        model = models.get(run)
        check_fits(model, stack)
        *_, found = model.verbs.segment(stack.frame(t)[region][None], pixel_size=stack.pixel_size)
        labels: np.ndarray = found.labels[0]
        return labels

    return job


def outlined(stack: Stack, settings: OutlineSettings, modality: Any) -> Iterator[Any]:
    """As :func:`api.segment`, whose last word is an :class:`Outlined`: counting reads every frame."""
    for news in api.segment(stack, settings, modality=modality):
        yield Outlined(news, in_words(news, HONEST)) if isinstance(news, Stack) else news


def outlined_with(models: ModelsKept, run: Path, stack: Stack) -> Iterator[Any]:
    """As :func:`api.segment_with`, whose last word is an :class:`Outlined`."""
    from napari_cellsynth.api.segmenting import SegmentedStack

    for news in api.segment_with(models.get(run), stack):
        if isinstance(news, SegmentedStack):
            yield Outlined(news.labels, in_words(news.labels, LEARNED.format(run.name)), news.classes)
        else:
            yield news


def in_words(labels: Stack, honest: str) -> tuple[str, str]:
    """How many cells were found in how many frames, and what to think of it, with its level."""
    counts = [int(labels.frame(t).max(initial=0)) for t in range(labels.size("T"))]
    if not sum(counts):
        return "No cells found: give the cell diameter, more sensitivity, or another method.", "warning"
    spread = f", {min(counts):,} to {max(counts):,} in each" if len(counts) > 1 else ""
    told = f"{words.how_many(sum(counts), 'cell')} found in {words.how_many(len(counts), 'frame')}{spread}."
    return f"{told} {honest}", "quiet"


def movie_stack(session: Session) -> Stack:
    """The movie's channel and plane that are worked on, lazily."""
    if session.movie is None:
        raise BadInput("open a movie first")
    stack = stack_of(session.movie)
    if not {"C", "Z"} & set(stack.axes):
        return stack
    from napari_cellsynth.stack.recordings.row import Row
    from napari_cellsynth.stack.recordings.select import select, selection_of

    chosen = Row(file=stack.name, channel=session.channel, z=session.z)
    return select(stack, selection_of(stack, chosen))


def add_outlines(session: Session, movie: Any, found: Outlined) -> Any:
    """Outlines of all frames, and classes where there are some, as layers on their movie; the layer of outlines."""
    labels = found.labels.with_(provenance={**(found.labels.provenance or {}), **taken(session, movie)})
    name = f"{movie.name}: cells found"
    layer = add_stack(session.viewer, made_on(labels, movie), name=name, kind="labels", like=movie)
    run = (labels.provenance or {}).get("run")
    if run is None:
        Recorder.of(session).outlined(movie, labels)
    else:
        Recorder.of(session).said(DONE.format(movie.name, run, found.words[0]))
    if found.classes is not None:
        # "preview": nobody's outlines, and offered nowhere as such.
        kinds = found.classes.with_(provenance={**(found.classes.provenance or {}), "preview": True})
        add_stack(session.viewer, made_on(kinds, movie), name=f"{movie.name}: classes", kind="labels", like=movie)
    return layer


def taken(session: Session, movie: Any) -> dict[str, Any]:
    """What of a movie with channels or planes was looked at, for the block of the outlines."""
    axes = facts_of(movie).axes or ""
    asked = {"channel": ("C", session.channel), "z": ("Z", session.z)}
    chosen = {name: value for name, (axis, value) in asked.items() if axis in axes}
    return {"taken": chosen} if chosen else {}

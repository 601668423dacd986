"""Tracks in the viewer: lines that follow the cells, and outlines numbered by track."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.gui.facts import BLOCK
from napari_cellsynth.gui.layers import EDITABLE, add_stack, unwrapped
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.stack import Stack

if TYPE_CHECKING:
    import napari

    from napari_cellsynth.motion.statistics import TrackRow
    from napari_cellsynth.motion.tracks.settings import TrackSettings
    from napari_cellsynth.motion.tracks.tracks import Tracks

TAIL = 30
"""Frames of its past that a cell drags behind it, at most."""


@dataclass(frozen=True, eq=False)
class Followed:
    """What the worker brings back."""

    labels: Stack | None
    """Numbered by track, in memory where there is room; None where tracks came from a file."""
    tracks: Tracks
    rows: list[TrackRow]
    words: str
    moving: str | None
    """That most cells move alike, and what to do about it."""
    lines: Lines
    """What the Tracks layer is made of, so that the viewer need not wait for it."""


@dataclass(frozen=True, eq=False)
class Lines:
    """Data of a Tracks layer."""

    data: np.ndarray
    """(N, 4) id, t, y, x."""
    features: dict[str, np.ndarray]
    graph: dict[int, list[int]]


def lines_of(tracks: Tracks) -> Lines:
    """Everything of the layer that takes time and needs no viewer."""
    data = np.stack([tracks.ids, tracks.t, tracks.y, tracks.x], axis=1)
    return Lines(data, features_of(tracks), {child: [parent] for child, parent in tracks.parents.items()})


def followed(
    labels: Stack, settings: TrackSettings, condition: str | None = None, parents: Mapping[int, int] | None = None
) -> Iterator[SetProgress | Followed]:
    """Link outlines, of which kept numbers keep their ``parents``; all that takes time, and nothing of the viewer."""
    from napari_cellsynth.motion.tracks.link import Linked, link

    for news in link(labels, settings, parents=parents):
        if isinstance(news, Linked):
            tracked = yield from _in_memory(news.labels)
            yield told(news.tracks.with_(condition=condition), tracked)
        else:
            yield news


def told(tracks: Tracks, labels: Stack | None = None) -> Followed:
    """Tracks with what is to be said of them."""
    from napari_cellsynth.motion.statistics import track_rows
    from napari_cellsynth.motion.tracks.words import about_common_motion, in_words

    words, moving = in_words(tracks), about_common_motion(tracks)
    return Followed(labels, tracks, track_rows(tracks), words, moving, lines_of(tracks))


def _in_memory(labels: Stack) -> Generator[SetProgress, None, Stack]:
    """The stack with its pixels loaded, so that they can be painted; as it is where it is large."""
    if int(np.prod(labels.shape)) * labels.dtype.itemsize > EDITABLE:
        return labels
    data, frames = np.empty(labels.shape, labels.dtype), labels.size("T")
    for t in range(frames):
        yield SetProgress(t, frames, f"numbering outlines, frame {t}")
        data[t] = labels.frame(t)
    return labels.with_(data=data)


def add_tracked_labels(viewer: napari.viewer.Viewer, made: Followed, outlines: Any, movie: Any) -> Any:
    """Outlines numbered by track, where the outlines stand that they were made from; these are hidden."""
    assert made.labels is not None
    name = f"{movie.name if movie is not None else outlines.name}: cells tracked"
    layer = add_stack(viewer, made.labels, name=name, kind="labels", like=outlines)
    outlines.visible = False
    return layer


def add_tracks(viewer: napari.viewer.Viewer, tracks: Tracks, name: str, like: Any, lines: Lines | None = None) -> Any:
    """A Tracks layer with graph and features, in the units and at the place of the layer ``like`` (axes TYX)."""
    lines = lines or lines_of(tracks)
    attributes = {key: getattr(like, key) for key in ("units", "axis_labels")} if like.ndim == 3 else {}
    layer = viewer.add_tracks(
        lines.data,
        name=name,
        graph=lines.graph,
        features=lines.features,
        tail_length=tail_of(tracks),
        metadata={BLOCK: dict(tracks.provenance or {})},
        **place_of(like),
        **attributes,
    )
    return unwrapped(layer)


def exchange_tracks(layer: Any, tracks: Tracks, like: Any, lines: Lines) -> Any:
    """Other tracks in a layer that is there.

    Where a Tracks layer with a graph is removed and another added, napari
    0.9 may end with a segmentation fault, at least where OpenGL is done in
    software.
    """
    layer.graph = {}  # of tracks that there may no longer be
    layer.data = lines.data
    layer.features = lines.features
    layer.graph = lines.graph
    layer.tail_length = tail_of(tracks)
    for name, value in place_of(like).items():
        setattr(layer, name, value)
    layer.metadata = {BLOCK: dict(tracks.provenance or {})}
    return layer


def tail_of(tracks: Tracks) -> int:
    return min(TAIL, max(1, tracks.frames))


def place_of(like: Any) -> dict[str, Any]:
    """Scale and place of a layer with the axes TYX."""
    return {name: np.asarray(getattr(like, name))[[0, -2, -1]] for name in ("scale", "translate")}


def features_of(tracks: Tracks) -> dict[str, np.ndarray]:
    """A column for each row: parent, area, and the speed with which the cell came (0 where it begins)."""
    from napari_cellsynth.motion.statistics import speeds, units_of

    units = units_of(tracks)
    speed = np.zeros(len(tracks))
    for number in tracks.numbers().tolist():
        t, places = tracks.track(number)
        speed[tracks.rows(number)][1:] = speeds(t, places * np.array(units.scale), units.interval)
    made = {
        "parent": np.array([tracks.parents.get(n, 0) for n in tracks.ids.tolist()]),
        f"speed ({units.length}/{units.time})": speed,
    }
    for name, values in tracks.features.items():
        if name == "area":
            made[f"area ({units.length}\u00b2)"] = values * units.scale[0] * units.scale[1]
        else:
            made[name] = values
    return made

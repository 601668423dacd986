"""Link the outlines of a recording to tracks, and number the outlines by their tracks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.buds import mothers
from napari_cellsynth.motion.tracks.cells import Edge, FrameCells, usual_diameter
from napari_cellsynth.motion.tracks.common_motion import common_motion
from napari_cellsynth.motion.tracks.family import UNKNOWN_FAMILY, carried
from napari_cellsynth.motion.tracks.frame_links import Limits, link_frames
from napari_cellsynth.motion.tracks.relabel import Numbers, relabelled
from napari_cellsynth.motion.tracks.segments import join_pieces, lasting
from napari_cellsynth.motion.tracks.settings import TrackSettings
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.stack.hashing import content_hash
from napari_cellsynth.stack.labels.check import check_numbers
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.provenance import MADE_ON, ground_of_block, provenance_block
from napari_cellsynth.stack.stack import Stack

COMMON = "common_motion_px"
"""Key in the provenance's settings: median length of the motion that all cells shared, pixels a frame."""
KEPT, COUNTED = 2**31 - 1, 2**53
"""Largest number that the outlines' int32 holds, and that is told from the next one while linking."""
SHRINK = {"division": 0.3, "budding": 0.6, "none": 0.4}
"""Smallest area of a cell as a share of that of the frame before: at a division it halves, a yeast cell only grows."""


class Linked(NamedTuple):
    """What linking gives."""

    labels: Stack
    """(T, Y, X) int32, numbered by track, read lazily from the labels that were given."""
    tracks: Tracks
    """With the feature ``area``, in pixels."""


def link(
    labels: Stack, settings: TrackSettings | None = None, parents: Mapping[int, int] | None = None
) -> Iterator[SetProgress | Linked]:
    """Link outlines to tracks; yields SetProgress, last of all the labels numbered by track, and the tracks.

    Frame by frame each outline is linked to at most one of the next at the
    least cost in all (laptrack); then pieces are joined over gaps, and
    divisions or buds are found.  Memory holds one frame and the centroids.

    Args:
        labels: axes TYX (or TZYX with one plane), integers; numbers may differ from frame to frame.
        settings: how; default ones where None.
        parents: from child to mother, by the numbers of the labels; asked for where these are kept (``numbered``).

    Raises:
        BadInput: a single frame, several planes, no outline at all, numbers below 0 or too large, or a distance in
            micrometres where nobody knows the pixel size.
    """
    settings = settings or TrackSettings()
    _check(labels, settings)
    frames = labels.size("T")
    steps = 3 * frames
    cells = []
    for t in range(frames):
        yield SetProgress(t, steps, f"reading outlines, frame {t}")
        cells.append(_cells_in(labels, t, settings))
    if not any(len(frame.numbers) for frame in cells):
        raise BadInput(f"{labels.name} has no outline in any of its {frames} frames; outline the cells first")
    diameter = usual_diameter(cells)
    limits = Limits(_reach(labels, settings, diameter), diameter, SHRINK[settings.multiply])
    links: list[Edge] = []
    moved = np.zeros((frames, 2))
    for t in range(0 if settings.numbered else frames - 1):
        yield SetProgress(frames + t, steps, f"linking frames {t} and {t + 1}")
        if settings.common_motion:
            moved[t + 1] = common_motion(cells[t].places, cells[t + 1].places, diameter)
        links += link_frames(t, cells[t], cells[t + 1], moved[t + 1], limits)
    if settings.numbered:
        numbers = [frame.numbers for frame in cells]
        family = carried(parents or {}, numbers)
    else:
        yield SetProgress(2 * frames, steps, "joining pieces of tracks")
        places = [frame.places - path for frame, path in zip(cells, np.cumsum(moved, axis=0), strict=True)]
        divide = settings.multiply == "division"
        links += join_pieces(cells, places, links, limits=limits, gap=settings.gap, divide=divide)
        numbers, family = numbered(cells, lasting(links, frames))
    tracks = _tracks(labels, cells, numbers, family, settings, moved)
    tracked = relabelled(labels, _renumbering(cells, numbers, tracks)).with_(provenance=tracks.provenance)
    if settings.multiply == "budding":
        for news in mothers(tracked, tracks, diameter):
            if isinstance(news, dict):
                tracks = tracks.with_(parents={**news, **tracks.parents})
            else:
                yield SetProgress(2 * frames + news, steps, f"whose bud is it, frame {news}")
    if settings.numbered and settings.multiply == "division" and not parents:
        tracks = tracks.with_(notes=(*tracks.notes, UNKNOWN_FAMILY))
    yield Linked(tracked, tracks)


def _check(labels: Stack, settings: TrackSettings) -> None:
    if labels.size("T") < 2:
        raise BadInput(f"{labels.name} has a single frame; tracks need a movie of two frames or more")
    if labels.size("Z") > 1 or "Q" in labels.axes or labels.size("C") > 1:
        raise BadInput(
            f"{labels.name} has axes {labels.axes} {labels.shape}; cells are followed in one plane, axes TYX"
        )
    if labels.dtype.kind not in "iu":
        raise BadInput(f"{labels.name} is {labels.dtype}; outlines are integers, a number for each cell of a frame")
    if settings.max_distance_um is not None and labels.pixel_size is None:
        raise BadInput(
            f"the largest distance is given in micrometres, but nobody says how large a pixel of {labels.name} is;"
            " give the pixel size, or the distance in pixels"
        )


def _cells_in(labels: Stack, t: int, settings: TrackSettings) -> FrameCells:
    """Of a frame; BadInput where its numbers are below 0, or where they are to be kept and do not fit the result."""
    frame = labels.frame(t)
    largest = KEPT if settings.numbered else COUNTED
    check_numbers(frame, labels.name, where=f" in frame {t}", largest=largest)
    return FrameCells.of(frame)


def _reach(labels: Stack, settings: TrackSettings, diameter: float) -> float:
    """Largest distance from frame to frame, in pixels."""
    if settings.max_distance_px is not None:
        return settings.max_distance_px
    if settings.max_distance_um is not None and labels.pixel_size is not None:
        return settings.max_distance_um / float(np.mean(labels.pixel_size))
    return diameter


def numbered(cells: Sequence[FrameCells], links: Sequence[Edge]) -> tuple[list[NDArray[np.int64]], dict[int, int]]:
    """The number of each cell's track, frame by frame, and the tracks' parents.

    Tracks are numbered from 1 in the order in which they begin.  A cell with
    two successors ends its track; both are new ones.
    """
    after: dict[tuple[int, int], list[tuple[int, int]]] = {}
    before = {}
    for a, b in links:
        after.setdefault(a, []).append(b)
        before[b] = a
    numbers = [np.zeros(len(frame.numbers), np.int64) for frame in cells]
    parents, last = {}, 0
    for t, frame in enumerate(numbers):
        for i in range(len(frame)):
            mother = before.get((t, i))
            if mother is not None and len(after[mother]) == 1:
                frame[i] = numbers[mother[0]][mother[1]]
                continue
            last += 1
            frame[i] = last
            if mother is not None:
                parents[last] = int(numbers[mother[0]][mother[1]])
    return numbers, parents


def _tracks(
    labels: Stack,
    cells: Sequence[FrameCells],
    numbers: Sequence[NDArray[np.int64]],
    parents: dict[int, int],
    settings: TrackSettings,
    moved: NDArray[np.float64],
) -> Tracks:
    y, x = np.concatenate([frame.places for frame in cells]).T
    tracks = Tracks(
        np.concatenate(numbers),
        np.repeat(np.arange(len(cells)), [len(frame.numbers) for frame in cells]),
        y,
        x,
        parents,
        {"area": np.concatenate([frame.areas for frame in cells]).astype(np.int64)},
        pixel_size=labels.pixel_size,
        frame_interval=labels.frame_interval,
        shape=(labels.size("Y"), labels.size("X")),
        name=labels.name,
        provenance=_provenance(labels, settings, moved),
    )
    return tracks.only(tracks.numbers()[tracks.lengths() >= settings.shortest])


def _provenance(labels: Stack, settings: TrackSettings, moved: NDArray[np.float64]) -> dict[str, Any]:
    shared = float(np.median(np.hypot(*moved[1:].T)))
    block = provenance_block(
        made_by="track",
        synthetic=bool((labels.provenance or {}).get("synthetic", False)),
        settings={**settings.model_dump(), COMMON: round(shared, 3)},
        inputs=[{"name": labels.name, "hash": content_hash(labels)}],
    )
    ground = ground_of_block(labels.provenance)
    return block if ground is None else {**block, MADE_ON: ground}


def _renumbering(cells: Sequence[FrameCells], numbers: Sequence[NDArray[np.int64]], tracks: Tracks) -> list[Numbers]:
    """Frame by frame, from the outlines' numbers to the tracks'; those of tracks left out become 0."""
    kept = set(tracks.numbers().tolist())
    return [
        (frame.numbers, np.array([n if n in kept else 0 for n in new.tolist()], np.int64))
        for frame, new in zip(cells, numbers, strict=True)
    ]

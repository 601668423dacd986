"""Which outlines show the same cell, over all recordings of a set.

Rows of a table may take other frames, regions or planes of one movie: they
show the same cells, and are counted together in the file's own frames.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from napari_cellsynth.stack.crops.plan import Source
from napari_cellsynth.stack.crops.scan import CellCounter, Outline

Place = tuple[Source, int, int]
"""A source, and frame and plane of it."""


def counted_together(sources: Sequence[Source]) -> list[list[Source]]:
    """Sources that take one image of one file, with one outlines file; others are alone."""
    groups: dict[Hashable, list[Source]] = {}
    for source in sources:
        groups.setdefault(_group(source), []).append(source)
    return list(groups.values())


def _group(source: Source) -> Hashable:
    recording, labels = source.recording, source.labels
    if labels.path is None or source.stack.path is None:
        return source.number
    scene = recording.row.scene if recording.row is not None else None
    # The outlines of a projection are no plane of the file's.
    projection = None if recording.selection.planes else recording.selection.z
    return labels.path, source.stack.path, scene or 0, projection


def places(sources: Sequence[Source]) -> Iterator[tuple[tuple[int, int], list[Place]]]:
    """Frame and plane of the file in ascending order, each with the sources that take it."""
    found: dict[tuple[int, int], list[Place]] = {}
    for source in sources:
        for t in range(source.frames):
            for z in source.planes:
                found.setdefault(_in_file(source, t, z), []).append((source, t, z))
    yield from sorted(found.items(), key=lambda one: one[0])


def _in_file(source: Source, t: int, z: int) -> tuple[int, int]:
    recording = source.recording
    return (t, z) if source.labels.path is None else (recording.file_frame(t), recording.selection.plane(z))


@dataclass
class Together:
    """Counts the cells of sources that are counted together."""

    sources: Sequence[Source]
    counter: CellCounter = field(default_factory=CellCounter)

    def add(self, at: tuple[int, int], planes: Sequence[tuple[Source, np.ndarray]]) -> None:
        """Take the outlines (Y, X) that sources have at a frame and plane of the file."""
        self.counter.add(*at, self._pasted(planes))

    def cells(self, outlines: Sequence[Outline]) -> list[int]:
        """A number from 1 for each outline, the same for outlines of the same cell."""
        of = {source.number: source for source in self.sources}
        in_file = []
        for outline in outlines:
            t, z = _in_file(of[outline.source], outline.t, outline.z)
            in_file.append(replace(outline, t=t, z=z))
        return self.counter.cells(in_file)

    def _pasted(self, planes: Sequence[tuple[Source, np.ndarray]]) -> np.ndarray:
        """On the smallest plane that holds the regions of all sources."""
        if len({(_origin(source), _shape(source)) for source in self.sources}) == 1:
            return planes[0][1]
        corners = [(*_origin(source), *_shape(source)) for source in self.sources]
        top, left = min(y for y, *_ in corners), min(x for _, x, *_ in corners)
        bottom, right = max(y + h for y, _, h, _ in corners), max(x + w for _, x, _, w in corners)
        canvas = np.zeros((bottom - top, right - left), planes[0][1].dtype)
        for source, labels in planes:
            y, x = _origin(source)
            there = canvas[y - top : y - top + labels.shape[0], x - left : x - left + labels.shape[1]]
            np.copyto(there, labels, where=there == 0)
        return canvas


def _origin(source: Source) -> tuple[int, int]:
    return source.recording.selection.origin


def _shape(source: Source) -> tuple[int, int]:
    return source.labels.size("Y"), source.labels.size("X")


class CellNumbers:
    """Numbers of cells from 1 through all recordings.

    Recordings that share their outlines and were not counted together (a
    file for each camera, a projection) show the same cells: the same outline
    is the same cell, and where labels keep their number over time, the same
    number is.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], int] = {}
        self._last = 0

    def of(self, together: Together, outlines: Sequence[Outline]) -> list[int]:
        """For each outline of sources that were counted together."""
        of = {source.number: source for source in together.sources}
        tracked, cells = together.counter.tracked, together.cells(outlines)
        numbers: dict[int, int] = {}
        for outline, cell in zip(outlines, cells, strict=True):
            if cell not in numbers:
                known = (self._known.get(key) for key in _identities(of[outline.source], outline, tracked))
                numbers[cell] = next((number for number in known if number is not None), 0) or self._new()
        for outline, cell in zip(outlines, cells, strict=True):
            for key in _identities(of[outline.source], outline, tracked):
                self._known.setdefault(key, numbers[cell])
        return [numbers[cell] for cell in cells]

    def _new(self) -> int:
        self._last += 1
        return self._last


def _identities(source: Source, outline: Outline, tracked: bool) -> list[tuple[object, ...]]:
    """What an outline is known by in other recordings with the same outlines."""
    labels, recording = source.labels, source.recording
    if labels.path is None:
        return []
    scene = recording.row.scene if recording.row is not None else None
    place = (labels.path, scene or 0)
    return [(*place, *_in_file(source, outline.t, outline.z), outline.label)] + (
        [(*place, outline.label)] if tracked else []
    )

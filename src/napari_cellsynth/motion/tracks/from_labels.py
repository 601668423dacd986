"""Tracks of labels whose numbers are the same cell in all frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.stack import Stack


def tracks_of_labels(labels: NDArray[Any], parents: Mapping[int, int] | None = None, **about: Any) -> Tracks:
    """Centroids and areas in pixels of labels (T, Y, X), integers, 0 background, constant through time.

    Args:
        parents: from a cell's number to its parent's; who is not there has none.
        about: further fields of the tracks, such as ``pixel_size``.
    """
    return _tracks([outlines_of(frame) for frame in labels], parents, shape=labels.shape[-2:], **about)


def tracks_of_stack(labels: Stack, parents: Mapping[int, int] | None = None) -> Iterator[SetProgress | Tracks]:
    """The same of a stack of labels (axes TYX), frame by frame; yields how far it is, then the tracks."""
    frames, found = labels.size("T"), []
    for t in range(frames):
        yield SetProgress(t, frames, f"frame {t}")
        found.append(outlines_of(labels.frame(t)))
    yield _tracks(found, parents, shape=(labels.size("Y"), labels.size("X")), **said_of(labels))


def said_of(stack: Stack) -> dict[str, Any]:
    """What a stack says of itself, as fields of the tracks in it."""
    return {name: getattr(stack, name) for name in ("name", "pixel_size", "frame_interval", "provenance")}


def outlines_of(frame: NDArray[Any]) -> NDArray[np.float64]:
    """(cells, 4) of a frame (Y, X) of labels: number, centroid y and x in pixels, area in pixels; by number."""
    rows, columns = np.nonzero(frame)
    numbers, which, area = np.unique(frame[rows, columns], return_inverse=True, return_counts=True)
    centroids = [np.bincount(which, weights=at, minlength=len(numbers)) / area for at in (rows, columns)]
    return np.stack([numbers.astype(np.float64), *centroids, area.astype(np.float64)], axis=1)


def _tracks(frames: list[NDArray[np.float64]], parents: Mapping[int, int] | None, **about: Any) -> Tracks:
    t = np.repeat(np.arange(len(frames)), [len(frame) for frame in frames])
    number, y, x, area = np.concatenate(frames).T if frames else np.empty((4, 0))
    return Tracks(number.astype(np.int64), t, y, x, parents or {}, {"area": area.astype(np.int64)}, **about)

"""What a row means of its file: channel, z, frames and region, taken lazily and with their pixels untouched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.labels import check_labels
from napari_cellsynth.stack.recordings.focus import Sharpest
from napari_cellsynth.stack.recordings.row import END, Projection, Row, parse_spans, spans_text
from napari_cellsynth.stack.stack import Stack


@dataclass(frozen=True)
class Selection:
    """What was taken of a file; numbers are the file's own, counted from 0."""

    channel: int = 0
    z: int | Projection = "all"
    planes: tuple[int, ...] = (0,)
    """z plane in the file of each plane of the selection; empty where planes were projected."""
    frames: tuple[int, ...] = ()
    """Frame in the file of each frame of the selection."""
    origin: tuple[int, int] = (0, 0)
    """y and x in the file of the selection's first pixel."""
    shape: tuple[int, int] = (0, 0)
    """Height and width in pixels."""

    @property
    def cuts(self) -> frozenset[int]:
        """Frames of the selection that do not follow the one before."""
        return frozenset(t for t in range(1, len(self.frames)) if self.frames[t] != self.frames[t - 1] + 1)

    def plane(self, z: int) -> int:
        """The file's number of a plane; 0 for a projection."""
        return self.planes[z] if self.planes else 0

    def to_json(self) -> dict[str, Any]:
        y, x = self.origin
        return {
            "channel": self.channel,
            "z": self.z,
            "frames": frames_text(self.frames),
            "region": f"{y}:{y + self.shape[0]},{x}:{x + self.shape[1]}",
        }


def frames_text(frames: tuple[int, ...]) -> str:
    """Ascending frames as ranges: ``0-19,25-39``."""
    runs: list[list[int]] = []
    for frame in frames:
        if runs and frame == runs[-1][1] + 1:
            runs[-1][1] = frame
        else:
            runs.append([frame, frame])
    return spans_text(tuple((a, b) for a, b in runs))


def selection_of(stack: Stack, row: Row) -> Selection:
    """What a row asks for, looked up in the file's axes; BadInput where the file has no such thing."""
    if "Q" in stack.axes:
        raise BadInput(f"{stack.name} holds samples (axis Q), not a recording; give a recording")
    y0, y1, x0, x1 = row.box
    height, width = stack.size("Y"), stack.size("X")
    if row.region is not None and (y1 > height or x1 > width):
        raise BadInput(f"region {row.region} asked for; {stack.name} has {height} x {width} pixels (height x width)")
    z = "all" if row.z is None else row.z
    return Selection(
        channel=_channel(stack, row.channel),
        z=z,
        planes=_planes(stack, z),
        frames=_frames(stack, row.frames),
        origin=(y0, x0),
        shape=(min(y1, height) - y0, min(x1, width) - x0),
    )


def check_outlines(labels: Stack, recording: Stack) -> None:
    """BadInput where outlines do not fit the whole of a recording; they may lack its planes."""
    like = recording
    if recording.size("Z") > 1 and labels.size("Z") == 1:
        axes = recording.axes.replace("Z", "")
        shape = tuple(recording.size(axis) for axis in axes)
        like = recording.with_(data=np.broadcast_to(np.zeros((), recording.dtype), shape), axes=axes)
    check_labels(labels, like)


def select(stack: Stack, selection: Selection, *, like: Stack | None = None) -> Stack:
    """The selection of a recording as TYX, or TZYX where it has several planes; nothing is read.

    ``like`` is the whole recording where ``stack`` holds its outlines: a
    channel is not asked of them, planes are chosen as in the recording
    (of a projection by intensity they take the largest number), and outlines
    without planes stand for all of them.
    """
    data, axes = stack.data, stack.axes
    if "C" in axes:
        data, axes = _take(data, axes, "C", 0 if like is not None and stack.size("C") == 1 else selection.channel)
    data, axes = _frames_and_region(data, axes, selection)
    if "Z" in axes:
        chooser = None
        if selection.z == "sharpest" and like is not None:
            image = select(like, selection_with(selection, z="all"))
            chooser = image.data if "Z" in image.axes else None
        data, axes = _z(data, axes, selection, labels=like is not None, by=chooser)
    if "T" not in axes:
        data, axes = _lazy(data)[None], "T" + axes
    channels = (stack.channels[selection.channel],) if selection.channel < len(stack.channels) else ()
    return stack.with_(data=data, axes=axes, channels=channels, z_step=stack.z_step if "Z" in axes else None)


def selection_with(selection: Selection, **changes: Any) -> Selection:
    from dataclasses import replace

    return replace(selection, **changes)


def _channel(stack: Stack, asked: int | str | None) -> int:
    count = stack.size("C")
    if asked is None:
        return 0
    if isinstance(asked, str):
        names = [name.casefold().strip() for name in stack.channels]
        wanted = asked.casefold().strip()
        if names.count(wanted) == 1:
            return names.index(wanted)
        there = ", ".join(stack.channels) if stack.channels else f"{count}, without names, counted from 0"
        many = "more than one" if wanted in names else "no"
        raise BadInput(f"channel {asked!r} asked for; {stack.name} has {many} channel of that name (it has {there})")
    if asked >= count:
        raise BadInput(f"channel {asked} asked for; {stack.name} has {count}, counted from 0")
    return asked


def _planes(stack: Stack, z: int | Projection) -> tuple[int, ...]:
    count = stack.size("Z")
    if isinstance(z, int):
        if z >= count:
            raise BadInput(f"plane {z} asked for; {stack.name} has {count}, counted from 0")
        return (z,)
    return tuple(range(count)) if z == "all" or count == 1 else ()


def _frames(stack: Stack, asked: str | None) -> tuple[int, ...]:
    count = stack.size("T")
    if asked is None:
        return tuple(range(count))
    frames: list[int] = []
    for first, last in parse_spans(asked):
        last = count - 1 if last == END else last
        if last >= count or first > last:
            raise BadInput(f"frames {asked} asked for; {stack.name} has {count}, numbered from 0 to {count - 1}")
        frames += range(first, last + 1)
    return tuple(frames)


def _lazy(data: Any) -> Any:
    """As an array that can be sliced and reduced; dask with a chunk for each plane, but for what is in memory."""
    import dask.array as da

    if isinstance(data, da.Array | np.ndarray):
        return data
    chunks = (*(1,) * (data.ndim - 2), *data.shape[-2:])
    return da.from_array(data, chunks=chunks, name=False, asarray=True, fancy=False)


def _take(data: Any, axes: str, axis: str, number: int) -> tuple[Any, str]:
    place = (slice(None),) * axes.index(axis) + (number,)
    return _lazy(data)[place], axes.replace(axis, "")


def _frames_and_region(data: Any, axes: str, selection: Selection) -> tuple[Any, str]:
    if "T" in axes and selection.frames != tuple(range(data.shape[axes.index("T")])):
        at = axes.index("T")
        data = _lazy(data)[(slice(None),) * at + (_slice_or_list(selection.frames),)]
    y, x = selection.origin
    height, width = selection.shape
    if (y, x, height, width) != (0, 0, *data.shape[-2:]):
        data = _lazy(data)[..., y : y + height, x : x + width]
    return data, axes


def _slice_or_list(frames: tuple[int, ...]) -> slice | list[int]:
    run = frames == tuple(range(frames[0], frames[-1] + 1))
    return slice(frames[0], frames[-1] + 1) if run else list(frames)


def _z(data: Any, axes: str, selection: Selection, *, labels: bool, by: Any) -> tuple[Any, str]:
    at = axes.index("Z")
    count = data.shape[at]
    z = selection.z
    if isinstance(z, int):
        return _take(data, axes, "Z", z if count > 1 else 0)
    if count == 1:
        return _take(data, axes, "Z", 0)
    if z == "all":
        return data, axes
    lazy = _lazy(data)
    without = axes.replace("Z", "")
    if z == "sharpest":
        return _sharpest(lazy if at else lazy[None], by), "T" + without.replace("T", "")
    if z == "max" or labels:
        return lazy.max(axis=at), without
    mean = lazy.astype(np.float64).mean(axis=at)
    kind = np.dtype(data.dtype).kind
    # The pixels keep their type: whole numbers are rounded.
    return (mean.round() if kind in "biu" else mean).astype(data.dtype), without


def _sharpest(planes: Any, by: Any) -> Any:
    """(T, Z, Y, X) as (T, Y, X), the plane of each frame that is sharpest in ``by`` (else in itself)."""
    import dask.array as da

    chooser = _lazy(planes if by is None else by)
    chosen = Sharpest(planes, chooser if chooser.ndim == 4 else chooser[None])
    return da.from_array(chosen, chunks=(1, *chosen.shape[1:]), name=False, asarray=True, fancy=False)

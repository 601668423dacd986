"""Where in a file the pixels of an array lie: all, one channel, plane or scene, some frames, a region; or nowhere.

A layer keeps its path when its data were cut, inverted or painted over, and
three channels of a file share one path: what a path is worth is seen by
comparing pixels.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth.errors import CellsynthError, Damaged
from napari_cellsynth.stack.hashing import plane_places
from napari_cellsynth.stack.stack import Stack

LOOKED_THROUGH = 256
"""Planes of the file, at most, in which the array's first plane is looked for."""
SCENES = 64
"""Images in one file, at most, that are looked through."""
COMPARED = 3
"""Planes that are compared of an array that nobody can have painted on: the first, the middle, the last."""
PROBES = 24
"""Pixels by which places for a smaller image are narrowed down before it is compared as a whole."""
PLACES = 16
"""Places in a plane, at most, at which a smaller image is compared."""


@dataclass(frozen=True)
class Selection:
    """A part of a file, as the table of recordings says it."""

    scene: int | None = None
    """Image in a file that holds several, counted from 0; None where it holds one."""
    axes: str | None = None
    """What has to be said on opening, in the file's order; None where the file says it."""
    channel: int | None = None
    z: int | None = None
    frames: tuple[int, int] | None = None
    """First and last frame, counted from 0; None for all."""
    region: tuple[int, int, int, int] | None = None
    """Rows y0 to y1 and columns x0 to x1, without y1 and x1; None for all."""

    def take(self, file: Stack) -> Stack:
        """The part, lazily; the axes of one channel or plane are gone."""
        t0, t1 = self.frames or (0, file.size("T") - 1)
        y0, y1, x0, x1 = self.region or (0, file.size("Y"), 0, file.size("X"))
        places = {"T": slice(t0, t1 + 1), "Y": slice(y0, y1), "X": slice(x0, x1), "C": self.channel, "Z": self.z}
        index = tuple(slice(None) if places[axis] is None else places[axis] for axis in file.axes)
        gone = {axis for axis in "CZ" if isinstance(places[axis], int)}
        channels = file.channels if self.channel is None else file.channels[self.channel : self.channel + 1]
        return file.with_(data=file.data[index], axes="".join(a for a in file.axes if a not in gone), channels=channels)


def plain(stack: Stack) -> Stack:
    """The stack as recordings are: with T in front, without a channel axis of length one."""
    data, axes = sliceable(stack.data), stack.axes
    if stack.size("C") == 1 and "C" in axes:
        data, axes = data[tuple(0 if axis == "C" else slice(None) for axis in axes)], axes.replace("C", "")
    if "T" not in axes:
        data, axes = data[np.newaxis], f"T{axes}"
    return stack.with_(data=data, axes=axes)


def sliceable(array: Any) -> Any:
    """The array as one that slices without being read; those of Zarr and xarray read, or take no new axes."""
    import dask.array as da

    if isinstance(array, np.ndarray | da.Array):
        return array
    inner = getattr(array, "data", None)  # of xarray
    if isinstance(inner, np.ndarray | da.Array):
        return inner
    return da.from_array(array)


def find_in_file(stack: Stack, path: Path, letters: str | None = None) -> Generator[None, None, Selection | None]:
    """Look for a stack's pixels in a file that our reader opens; yields while it looks, returns None if they are not.

    ``letters`` are the stack's axes in the order of its file, tried where
    the file does not name them or others.  The same type of pixels is asked
    for, and the same pixels in the first, middle and last plane; an array in
    memory, which can be painted on anywhere, is compared as a whole.
    """
    from napari_cellsynth.stack.files.read import read_stack, scenes_in

    try:
        several = len(scenes_in(path))
    except CellsynthError:
        return None
    scenes = list(dict.fromkeys([stack.scene, *range(several)]))[:SCENES] if several > 1 else [None]
    wanted = plain(stack)
    if "Q" in wanted.axes:
        return None
    for scene in scenes:
        for axes in readings(path, scene, letters):
            try:
                file = plain(read_stack(path, axes=axes, scene=scene))
                found = yield from _within(wanted, file)
            except CellsynthError:
                continue
            if found is not None:
                return Selection(scene, axes, found.channel, found.z, found.frames, found.region)
    return None


def readings(path: Path, scene: int | None, letters: str | None) -> list[str | None]:
    """Ways to name the file's axes: as it does, as the user did, as it might mean."""
    from napari_cellsynth.stack.files.read import describe_file

    described = describe_file(path, scene=scene)
    given = [letters] if letters and len(letters) == len(described.shape) and "Q" not in letters else []
    tint = [described.tinted[0]] if described.tinted else []
    ways: list[str | None] = [None, *given] if described.axes else [*given, *tint, *described.guesses]
    return list(dict.fromkeys(ways))


def _within(wanted: Stack, file: Stack) -> Generator[None, None, Selection | None]:
    if wanted.dtype != file.dtype or not _could_hold(wanted, file):
        return None
    probe = wanted.frame(0)
    for looked, (t, c, z) in enumerate(_starts(wanted, file)):
        if looked == LOOKED_THROUGH:
            return None
        yield None
        for y, x in where_in(file.frame(t, channel=c, z=z), probe):
            selection = _selection(wanted, file, t, c, z, y, x)
            if (yield from same_pixels(wanted, plain(selection.take(file)))):
                return selection
    return None


def _could_hold(wanted: Stack, file: Stack) -> bool:
    """Whether the sizes allow it: T, Y and X may be cut, of C and Z one may be chosen."""
    cut = all(wanted.size(axis) <= file.size(axis) for axis in "TYX")
    return cut and all(wanted.size(axis) in (1, file.size(axis)) for axis in "CZ")


def _starts(wanted: Stack, file: Stack) -> Iterator[tuple[int, int, int]]:
    """First frame, channel and plane of the file at which the array may begin; its end and beginning first."""
    last = file.size("T") - wanted.size("T")
    channels = range(file.size("C") if wanted.size("C") == 1 else 1)
    planes = range(file.size("Z") if wanted.size("Z") == 1 else 1)
    for t in dict.fromkeys((0, last, *range(last + 1))):
        yield from ((t, c, z) for c in channels for z in planes)


def where_in(plane: np.ndarray, part: np.ndarray) -> list[tuple[int, int]]:
    """Corners (y, x) at which ``part`` (h, w) lies in ``plane`` (Y, X), pixel by pixel; a few at most."""
    if plane.shape == part.shape:
        return [(0, 0)] if _equal(plane, part) else []
    height, width = part.shape
    ys, xs = np.nonzero(plane[: plane.shape[0] - height + 1, : plane.shape[1] - width + 1] == part[0, 0])
    draws = np.random.default_rng(0)
    for dy, dx in zip(draws.integers(0, height, PROBES), draws.integers(0, width, PROBES), strict=True):
        keep = plane[ys + dy, xs + dx] == part[dy, dx]
        ys, xs = ys[keep], xs[keep]
    corners = ((int(y), int(x)) for y, x in zip(ys[:PLACES], xs[:PLACES], strict=True))
    return [(y, x) for y, x in corners if _equal(plane[y : y + height, x : x + width], part)]


def _selection(wanted: Stack, file: Stack, t: int, c: int, z: int, y: int, x: int) -> Selection:
    sizes = {axis: wanted.size(axis) for axis in "TCZYX"}
    return Selection(
        channel=c if file.size("C") > sizes["C"] else None,
        z=z if file.size("Z") > sizes["Z"] else None,
        frames=(t, t + sizes["T"] - 1) if file.size("T") > sizes["T"] else None,
        region=(y, y + sizes["Y"], x, x + sizes["X"])
        if (file.size("Y"), file.size("X")) != (sizes["Y"], sizes["X"])
        else None,
    )


def same_pixels(wanted: Stack, found: Stack) -> Generator[None, None, bool]:
    """Whether two stacks of the same size hold the same pixels, axes of length one aside; yields while it looks.

    The first, middle and last plane are looked at; all of an array in memory.
    Of a damaged plane is only asked that it is damaged in both.
    """
    for place in _compared(wanted):
        yield None
        at = dict(zip(wanted.axes, place, strict=False))
        t, c, z = (at.get(axis, 0) for axis in "TCZ")
        if not _equal(_plane(wanted, t, c, z), _plane(found, t, c, z)):
            return False
    return True


def _plane(stack: Stack, t: int, c: int, z: int) -> np.ndarray | None:
    """None where it is damaged: it then is so in both."""
    try:
        return stack.frame(t, channel=c, z=z)
    except Damaged:
        return None


def _compared(wanted: Stack) -> Iterator[tuple[int, ...]]:
    if can_be_painted(wanted.data):
        yield from np.ndindex(*wanted.shape[:-2])
    else:
        yield from plane_places(wanted, COMPARED)


def can_be_painted(array: object) -> bool:
    """Whether single pixels of the array may have been changed in memory since it was read."""
    if isinstance(array, np.memmap):
        return bool(array.mode == "c")  # copy on write: what is painted goes into no file
    return isinstance(array, np.ndarray) and array.flags.writeable


def _equal(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    if a is None or b is None:
        return a is b
    return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))

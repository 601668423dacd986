"""Fiji's regions of interest (.roi, and archives of them) drawn as labels."""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.planes import full_key
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.stack import Stack

LARGEST = 16 * 2**20
"""Bytes of a ROI file: a freehand line of 65,535 points has half a million."""
ALL = 2**30
"""Bytes of all ROIs of an archive, unpacked."""
NONE = ("LINE", "FREELINE", "POLYLINE", "NOROI", "ANGLE", "POINT")
"""Types that outline nothing."""


@dataclass(frozen=True)
class Drawn:
    """One region: its number and rings of corners (n, 2) as (y, x), in pixels from the corner of the image."""

    number: int
    name: str
    rings: tuple[NDArray[np.float64], ...]
    oval: tuple[float, float, float, float] | None = None
    """Top, left, bottom and right of an ellipse, which has no corners."""

    def pixels(self, shape: tuple[int, int]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Rows and columns of the pixels whose middle lies inside; a ring within a ring is a hole."""
        from skimage.draw import ellipse, polygon

        if self.oval is not None:
            top, left, bottom, right = self.oval
            middle = ((top + bottom - 1) / 2, (left + right - 1) / 2)
            return ellipse(*middle, (bottom - top) / 2, (right - left) / 2, shape=shape)
        if len(self.rings) == 1:
            return polygon(self.rings[0][:, 0] - 0.5, self.rings[0][:, 1] - 0.5, shape=shape)
        odd = np.zeros(shape, bool)
        for ring in self.rings:
            odd[polygon(ring[:, 0] - 0.5, ring[:, 1] - 0.5, shape=shape)] ^= True
        y, x = np.nonzero(odd)
        return y, x


def read_rois(path: Path, like: Stack) -> Stack:
    """Labels in the axes of ``like`` without C, from a ``.roi`` or a ``.zip`` of them.

    Areas are drawn (polygons, freehand and traced ones, rectangles, ovals,
    composites with holes); a pixel belongs to a region where its middle lies
    inside.  Numbers follow the order in the archive, from 1.  Where regions
    overlap, the pixel stays with the one that comes first.  A region is drawn
    in the frame and plane that it was set in; one without a position, as in
    Fiji, in all.  Lines and points outline nothing, which a note says.
    """
    drawn: dict[tuple[int, int], list[Drawn]] = defaultdict(list)
    left_out, number = 0, 0
    for name, roi in _rois(path):
        region = _drawn(number + 1, name, roi)
        if region is None:
            left_out += 1
            continue
        number += 1
        for place in _places(roi, name, like):
            drawn[place].append(region)
    if not number:
        raise BadInput(
            f"{path.name} holds no Fiji ROIs that outline an area; save the cells' ROIs from the ROI Manager"
        )
    planes = RoiPlanes(dict(drawn), number, (like.size("T"), like.size("Z"), like.size("Y"), like.size("X")))
    first = min(drawn)
    if not planes[first].any():
        raise BadInput(
            f"the first ROIs of {path.name} lie outside the {like.size('Y')} x {like.size('X')} pixels of {like.name};"
            " give those that were drawn on it"
        )
    notes = (f"{left_out} lines or points among the ROIs outline nothing",) if left_out else ()
    return _as_stack(planes, path, like, notes)


def _as_stack(planes: RoiPlanes, path: Path, like: Stack, notes: tuple[str, ...]) -> Stack:
    import dask.array as da

    axes = like.axes.replace("C", "")
    chunks = (1, 1, *planes.shape[-2:])
    data = da.from_array(planes, chunks=chunks, name=None, asarray=True, fancy=False, inline_array=True)
    return Stack(data.reshape(tuple(like.size(axis) for axis in axes)), axes, name=path.stem, path=path, notes=notes)


def _rois(path: Path) -> Iterator[tuple[str, Any]]:
    """Name and ROI, one after the other; nothing of an archive is written to disk, whatever its paths say."""
    if path.suffix.lower() == ".roi":
        if path.stat().st_size > LARGEST:
            raise BadInput(f"{path.name} has {path.stat().st_size} bytes; a Fiji ROI has at most {LARGEST}")
        yield path.stem, _parsed(path.name, path.read_bytes())
        return
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [one for one in archive.infolist() if one.filename.lower().endswith(".roi")]
            if sum(one.file_size for one in entries) > ALL or any(one.file_size > LARGEST for one in entries):
                raise BadInput(f"{path.name} unpacks to more than Fiji ROIs ever need; it is not opened")
            for one in entries:
                yield one.filename, _parsed(f"{path.name}: {one.filename}", _unpacked(archive, one))
    except BadInput:
        raise
    except Exception as error:  # of a damaged archive anything may come, zlib's errors among them
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise BadInput(f"{path.name} is no archive of Fiji ROIs that can be read ({reason}); save it anew") from error


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """At most LARGEST bytes: what an archive says of its sizes may be a lie."""
    with archive.open(entry) as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise BadInput(f"{entry.filename} unpacks to more than a Fiji ROI ever needs; it is not opened")
    return data


def _parsed(name: str, data: bytes) -> Any:
    from roifile import ImagejRoi

    try:
        return ImagejRoi.frombytes(data)
    except Exception as error:  # of a damaged file anything may come
        raise BadInput(f"{name} is no Fiji ROI that can be read; save it anew from the ROI Manager") from error


def _drawn(number: int, name: str, roi: Any) -> Drawn | None:
    """The area of a ROI; None for what has none."""
    if roi.roitype.name in NONE:
        return None
    top, left, bottom, right = (float(side) for side in (roi.top, roi.left, roi.bottom, roi.right))
    if roi.subpixelrect and roi.roitype.name in ("RECT", "OVAL"):
        top, left, bottom, right = roi.yd, roi.xd, roi.yd + roi.heightd, roi.xd + roi.widthd
    if roi.roitype.name == "OVAL":
        return Drawn(number, name, (), (top, left, bottom, right))
    if roi.roitype.name == "RECT" and not roi.composite:
        corners = np.array([[top, left], [top, right], [bottom, right], [bottom, left]])
        return Drawn(number, name, (corners,))
    try:
        rings = roi.coordinates(multi=True)
    except Exception as error:  # curves in a composite, or damage
        raise BadInput(f"the ROI {name} is of a shape that cannot be read; in Fiji make a polygon of it") from error
    good = [np.asarray(ring, np.float64)[:, ::-1] for ring in rings if len(ring) > 2 and np.isfinite(ring).all()]
    return Drawn(number, name, tuple(good)) if good else None


def _places(roi: Any, name: str, like: Stack) -> list[tuple[int, int]]:
    """Frames and planes, from 0, in which a ROI is drawn; Fiji counts from 1, and 0 means everywhere."""
    frames, planes, channels = like.size("T"), like.size("Z"), like.size("C")
    t, z, position = int(roi.t_position), int(roi.z_position), int(roi.position)
    if not (t or z or roi.c_position) and position:
        if position > frames * planes * channels:
            raise _beyond(name, position, like)
        # Slices of a stack run through channels first, then planes, then frames.
        t, z = (position - 1) // (channels * planes) + 1, (position - 1) // channels % planes + 1
    if planes == 1 and t < 2 and 1 < z <= frames:
        t, z = z, 0  # a movie that Fiji took for a z stack
    if t > frames or (z > planes and planes > 1):
        raise _beyond(name, t if t > frames else z, like)
    return [
        (i, j)
        for i in (range(frames) if not t else (t - 1,))
        for j in (range(planes) if not z or planes == 1 else (z - 1,))
    ]


def _beyond(name: str, position: int, like: Stack) -> BadInput:
    return BadInput(
        f"the ROI {name} was drawn on slice {position} (Fiji counts from 1); {like.name} has"
        f" {counted(like.size('T'), 'frame')} of {counted(like.size('Z'), 'plane')}: give the ROIs that belong to it"
    )


class RoiPlanes:
    """Array-like (T, Z, Y, X) of labels that are drawn when they are read."""

    def __init__(
        self, drawn: dict[tuple[int, int], list[Drawn]], highest: int, shape: tuple[int, int, int, int]
    ) -> None:
        self.drawn, self.shape, self.ndim = drawn, shape, 4
        self.dtype = np.dtype(np.uint16 if highest <= 65535 else np.uint32)

    def __dask_tokenize__(self) -> str:
        return uuid4().hex

    def __getitem__(self, key: Any) -> np.ndarray:
        rows, columns, *inner = full_key(key, 4)
        frames, planes = np.arange(self.shape[0])[rows], np.arange(self.shape[1])[columns]
        made = [self._plane(int(t), int(z)) for t in np.atleast_1d(frames) for z in np.atleast_1d(planes)]
        whole = np.stack(made) if made else np.empty((0, *self.shape[2:]), self.dtype)
        whole = whole[(slice(None), *inner)]
        return whole.reshape(*np.shape(frames), *np.shape(planes), *whole.shape[1:])

    def _plane(self, t: int, z: int) -> np.ndarray:
        plane = np.zeros(self.shape[2:], self.dtype)
        for region in self.drawn.get((t, z), ()):
            y, x = region.pixels(plane.shape)
            free = plane[y, x] == 0
            plane[y[free], x[free]] = region.number
        return plane

"""Open a recording lazily: TIFF, BigTIFF, OME-TIFF, ImageJ hyperstack, or a folder of numbered frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.describe import FileDescription, describe_file, open_path
from napari_cellsynth.stack.files.folder import SUFFIXES, FolderPlanes
from napari_cellsynth.stack.files.metadata import Metadata
from napari_cellsynth.stack.files.tiff import TiffPlanes
from napari_cellsynth.stack.quantity import format_duration, format_length, positive
from napari_cellsynth.stack.stack import AXES, Stack

__all__ = ["AxesUnknown", "FileDescription", "describe_file", "read_stack"]


class AxesUnknown(BadInput):
    """The file does not say what its axes mean; the user can."""

    def __init__(self, description: FileDescription) -> None:
        self.description = description
        example = description.guesses[0] if description.guesses else "TYX"
        what = "colours (RGB)" if description.colour else "axes that the file does not name"
        super().__init__(
            f"{description.path.name} has shape {description.shape} with {what};"
            f" say what they are, for example --axes {example}"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.description,)  # from a child process


def read_stack(
    path: str | Path,
    *,
    axes: str | None = None,
    pixel_size: float | Sequence[float] | None = None,
    frame_interval: float | None = None,
    scene: int = 0,
) -> Stack:
    """Open a recording without reading its pixels.

    ``axes`` names the file's axes in the file's order (letters of TCZYX, Q
    for samples); ``pixel_size`` (micrometres; one number or height and
    width) and ``frame_interval`` (seconds) complete or override what the
    file says, and a note says so.  ``scene`` chooses among several images in
    one file.  The data are a dask array, one chunk per (Y, X) plane.

    Raises AxesUnknown where the file does not name its axes and ``axes`` is
    not given, BadInput for what cannot be read.
    """
    description, planes = open_path(Path(path), scene)
    said = description.metadata
    file_axes = description.axes
    notes = list(description.notes)
    if axes is not None:
        file_axes, note = _given_axes(axes, description)
        notes += note
    if file_axes is None:
        raise AxesUnknown(description)
    data, final = _arrange(planes, description, file_axes)
    if said.record is not None and file_axes == description.axes:
        data, final = _restore(data, final, said.record)
    pixel, interval = _given_scale(pixel_size, frame_interval, said, notes)
    channels = said.channels if len(said.channels) == (data.shape[final.index("C")] if "C" in final else 1) else ()
    return Stack(
        data=data,
        axes=final,
        pixel_size=pixel,
        z_step=said.z_step if "Z" in final else None,
        frame_interval=interval,
        channels=channels,
        name=_name(description.path),
        path=description.path,
        provenance=said.provenance,
        notes=tuple(notes),
    )


def _given_axes(axes: str, description: FileDescription) -> tuple[str, list[str]]:
    letters = axes.strip().upper()
    record = description.metadata.record or {}
    if letters == record.get("axes") and description.axes is not None:
        return description.axes, []  # as we wrote it: axes of length one are restored below
    shape = description.shape
    bad = set(letters) - set(AXES) or len(set(letters)) != len(letters) or not {"Y", "X"} <= set(letters)
    if bad:
        raise BadInput(f"axes {axes!r} given; expected different letters of {AXES}, Y and X among them, such as TYX")
    if len(letters) != len(shape) and len(shape) != 2:
        raise BadInput(
            f"axes {axes!r} given for {description.path.name} of shape {shape}; expected {len(shape)} letters"
        )
    if description.axes is not None and description.axes != letters:
        return letters, [f"axes {description.axes} in the file, read as {letters} as given"]
    return letters, []


def _arrange(planes: TiffPlanes | FolderPlanes, description: FileDescription, letters: str) -> tuple[Any, str]:
    """The lazy array with its axes in our order, one chunk per plane."""
    import dask.array as da

    shape = description.shape
    if len(letters) > len(shape):  # a single image: every other axis has length one
        sizes = iter(shape)
        shape = tuple(next(sizes) if a in "YX" else 1 for a in letters)
    array = da.from_array(planes, chunks=planes.chunks, name=None, asarray=True, fancy=False, inline_array=True)
    array = array.reshape(shape) if array.shape != shape else array
    final = "".join(a for a in AXES if a in letters)
    if final != letters:
        array = array.transpose([letters.index(a) for a in final])
    return array.rechunk((*(1,) * (array.ndim - 2), -1, -1)), final


def _restore(data: Any, axes: str, record: dict[str, Any]) -> tuple[Any, str]:
    """What we wrote comes back as it was: axes of length one and the dtype that OME-TIFF cannot hold."""
    was, shape, dtype = str(record.get("axes", axes)), record.get("shape"), record.get("dtype")
    here = dict(zip(axes, data.shape, strict=True))
    if isinstance(shape, list) and len(shape) == len(was) and was.endswith("YX"):
        wanted = dict(zip(was, shape, strict=True))
        if len(was) == 6:  # samples followed each other in T, see write
            wanted["T"] *= wanted.pop("Q")
        if all(here.get(a, 1) == n for a, n in wanted.items()) and set(here) <= set(wanted):
            data, axes = data.reshape(shape).rechunk((*(1,) * (len(was) - 2), -1, -1)), was
    if isinstance(dtype, str) and dtype != data.dtype.name and dtype in ("bool", "int64", "uint64", "int32", "uint32"):
        data = data.astype(dtype)
    return data, axes


def _given_scale(
    pixel_size: float | Sequence[float] | None, frame_interval: float | None, said: Metadata, notes: list[str]
) -> tuple[tuple[float, float] | None, float | None]:
    pixel, interval = said.pixel_size, said.frame_interval
    if pixel_size is not None:
        pair = pixel_size if isinstance(pixel_size, Sequence) else (pixel_size, pixel_size)
        if len(pair) != 2:
            raise BadInput(f"pixel size {pixel_size!r} given; expected one number, or height and width")
        given = (positive(pair[0], "pixel size"), positive(pair[1], "pixel size"))
        if pixel is not None and not np.allclose(pixel, given, rtol=1e-3):
            notes.append(f"pixel size {format_length(pixel[1])} in the file, {format_length(given[1])} taken as given")
        pixel = given
    if frame_interval is not None:
        seconds = positive(frame_interval, "frame interval")
        if interval is not None and not np.isclose(interval, seconds, rtol=1e-3):
            notes.append(
                f"frame interval {format_duration(interval)} in the file, {format_duration(seconds)} taken as given"
            )
        interval = seconds
    return pixel, interval


def _name(path: Path) -> str:
    name = path.name
    for suffix in (".ome.tiff", ".ome.tif", *SUFFIXES):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name

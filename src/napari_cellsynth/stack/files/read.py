"""Open a recording lazily: TIFF of all kinds, OME-Zarr and Zarr, pictures, or a folder of numbered frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.colours import Seen
from napari_cellsynth.stack.files.describe import FileDescription, Scene, describe_file, open_path, scenes_in
from napari_cellsynth.stack.files.description import described
from napari_cellsynth.stack.files.metadata import TAG_NOTE, Metadata
from napari_cellsynth.stack.files.planes import Arranged, Planes, Squeezed
from napari_cellsynth.stack.quantity import format_duration, format_length, positive
from napari_cellsynth.stack.stack import AXES, Stack, with_source

__all__ = ["AxesUnknown", "FileDescription", "Scene", "describe_file", "read_levels", "read_stack", "scenes_in"]

SUFFIXES = (".ome.tiff", ".ome.tif", ".ome.zarr", ".tif", ".tiff", ".zarr", ".png", ".jpg", ".jpeg", ".bmp", ".gif")
"""Endings that are not part of a recording's name."""


class AxesUnknown(BadInput):
    """The file does not say what its axes mean; the user can."""

    def __init__(self, description: FileDescription) -> None:
        self.description = description
        example = description.guesses[0] if description.guesses else "TYX"
        what = "colours (RGB)" if description.colour else "axes that the file does not name"
        said = f"{description.path.name} has shape {description.shape} with {what}"
        if description.tint:
            bare = example.replace("C", "")
            said += f" that repeat each other; --axes {bare} reads the {description.tint} one, --axes {example} all"
        else:
            said += f"; say what they are, for example --axes {example}"
        super().__init__(said)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.description,)  # from a child process


def read_stack(
    path: str | Path,
    *,
    axes: str | None = None,
    pixel_size: float | Sequence[float] | None = None,
    frame_interval: float | None = None,
    scene: Scene = None,
    z_step: float | None = None,
) -> Stack:
    """Open a recording without reading its pixels.

    ``axes`` names the file's axes in the file's order (letters of TCZYX, Q
    for samples); ``pixel_size`` (micrometres; one number or height and
    width), ``frame_interval`` (seconds) and ``z_step`` (micrometres)
    complete or override what the file says, and a note says so.  ``scene`` chooses among several images in
    one file or folder, by number from 0 or by name (see :func:`scenes_in`);
    None is the first that is no thumbnail.  The data are a dask array, one
    chunk per (Y, X) plane.

    Grey that is stored as colours is read as grey; ``axes`` with a C for the
    colours keeps them.  Of colours that are a tint of one grey image ``axes``
    without a C reads the strongest.

    Raises AxesUnknown where the file does not name its axes and ``axes`` is
    not given, ScenesUnknown (:mod:`.numbered`) where a folder holds several
    recordings, BadInput for what cannot be read.
    """
    description, planes = open_path(Path(path), scene)
    more = 0 if axes is None else len(axes.strip()) - len(description.shape)
    if axes is not None and description.grey and more == 1 and "C" in axes.upper():
        description, planes = open_path(Path(path), scene, colours="all")
    elif description.tint and more == -1:
        description, planes = open_path(Path(path), scene, colours="strongest")
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
    if pixel_size is not None and TAG_NOTE in notes:  # whoever says it has checked it
        notes.remove(TAG_NOTE)
    pixel, interval = _given_scale(pixel_size, frame_interval, said, notes)
    step = _given_step(z_step, said, notes)
    channels = said.channels if len(said.channels) == (data.shape[final.index("C")] if "C" in final else 1) else ()
    return Stack(
        data=data,
        axes=final,
        pixel_size=pixel,
        z_step=step if "Z" in final else None,
        frame_interval=interval,
        channels=channels,
        name=_name(description),
        path=description.path,
        provenance=said.provenance,
        notes=tuple(notes),
        scene=description.scene,
        scenes=description.scenes,
    )


def read_levels(path: str | Path, stack: Stack) -> list[Any]:
    """The resolutions of an OME-Zarr image from which ``stack`` was read, as dask arrays in its axes; its own first.

    A list of one for every other file, and where axes were restored or given
    by hand.
    """
    from napari_cellsynth.stack.files.zarr_files import open_levels
    from napari_cellsynth.stack.files.zarr_nodes import is_zarr

    path = Path(path)
    if not path.is_dir() or not is_zarr(path):
        return [stack.data]
    letters, levels = open_levels(path, stack.scene)
    found = []
    for planes in levels[1:]:
        description = described(path, Seen(planes, letters), Metadata(record={}))
        if description.axes is None or sorted(description.axes) != sorted(stack.axes):
            return [stack.data]
        data, _ = _arrange(planes, description, description.axes)
        if data.shape[:-2] != stack.shape[:-2]:
            return [stack.data]
        found.append(data)
    return [stack.data, *found]


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


def _arrange(planes: Planes, description: FileDescription, letters: str) -> tuple[Any, str]:
    """The lazy array with its axes in our order, one chunk per plane."""
    import dask.array as da

    if planes.shape != description.shape:
        planes = Squeezed(planes, description.shape)
    final = "".join(a for a in AXES if a in letters)
    if len(letters) > len(description.shape):  # a single image: every other axis has length one
        letters = "".join(a for a in letters if a in "YX")
    arranged = Arranged(planes, letters, final)
    chunks = (*(1,) * (arranged.ndim - 2), -1, -1)
    array = da.from_array(arranged, chunks=chunks, name=None, asarray=True, fancy=False, inline_array=True)
    return with_source(array, arranged), final


def _restore(data: Any, axes: str, record: dict[str, Any]) -> tuple[Any, str]:
    """What we wrote comes back as it was: axes of length one and the dtype that OME-TIFF cannot hold."""
    was, shape, dtype = str(record.get("axes", axes)), record.get("shape"), record.get("dtype")
    here = dict(zip(axes, data.shape, strict=True))
    if isinstance(shape, list) and len(shape) == len(was) and was.endswith("YX"):
        wanted = dict(zip(was, shape, strict=True))
        if "Q" in wanted and "Q" not in here:  # samples followed each other in T, see write
            wanted["T"] = wanted.get("T", 1) * wanted.pop("Q")
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


def _given_step(z_step: float | None, said: Metadata, notes: list[str]) -> float | None:
    if z_step is None:
        return said.z_step
    given = positive(z_step, "z step")
    if said.z_step is not None and not np.isclose(said.z_step, given, rtol=1e-3):
        notes.append(f"z step {format_length(said.z_step)} in the file, {format_length(given)} taken as given")
    return given


def _name(description: FileDescription) -> str:
    """That of the file, and of the image in it where there are several; that alone of a series of a folder."""
    path, name = description.path, description.path.name
    suffix = next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")
    bare = name[: len(name) - len(suffix)]
    if not description.scenes:
        return bare
    scene = description.scenes[description.scene].strip("#_- ") or str(description.scene)
    return scene if path.is_dir() and not suffix else f"{bare} {scene}"

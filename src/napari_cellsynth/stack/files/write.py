"""Write OME-TIFF with axes, units and provenance, and plain TIFF side files; whole files or none.

OME-Zarr has a module of its own; :func:`write_stack` chooses by the ending.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.replacing import replacing
from napari_cellsynth.stack.hashing import content_hash
from napari_cellsynth.stack.provenance import NAMESPACE, RECORD
from napari_cellsynth.stack.stack import Stack

_BIG = 2**32 - 2**26
"""Bytes of pixels from which BigTIFF is written: classic TIFF ends at 4 GiB."""
_OME = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64")


def write_ome_tiff(
    path: str | Path,
    stack: Stack,
    *,
    provenance: Mapping[str, Any] | None = None,
    compress: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write ``stack`` as OME-TIFF, plane by plane, and return the path.

    ``provenance`` (else the stack's own) becomes a map annotation in our
    namespace.  Integers of 64 bits go into the smallest type that holds them
    and come back as they were with :func:`.read.read_stack`, as do bool and
    axes of length one.  ``progress`` is called with planes done and planes in
    all; what it raises ends the writing.  BadInput for what OME-TIFF cannot
    hold.  The file at ``path`` is replaced at the end, or left as it was.
    """
    path = _checked(path)
    block = dict(provenance if provenance is not None else stack.provenance or {})
    dtype = _ome_dtype(stack)
    record = {"axes": stack.axes, "shape": list(stack.shape), "dtype": stack.dtype.name}
    axes, shape = _ome_axes(stack)
    metadata = {"axes": axes, "Name": _xml_safe(stack.name), **_ome_scale(stack), **_ome_channels(stack, axes, shape)}
    pairs = {key: as_json(value) for key, value in {**block, RECORD: record}.items()}
    metadata["MapAnnotation"] = {"Namespace": NAMESPACE, "Value": pairs}
    # A name that follows from the content, so that the same seed gives the same file.
    metadata["UUID"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{content_hash(stack)} {as_json(metadata)}"))
    planes = (plane.astype(dtype) for plane in _planes(stack, progress))
    with replacing(path) as temporary:
        _write(temporary, planes, shape, dtype, metadata, ome=True, compress=compress)
    return path


def write_stack(
    path: str | Path,
    stack: Stack,
    *,
    provenance: Mapping[str, Any] | None = None,
    compress: bool = True,
    progress: Callable[[int, int], None] | None = None,
    kind: Literal["image", "labels"] = "image",
) -> Path:
    """Write ``stack`` as OME-TIFF (.ome.tif, .tif) or OME-Zarr (.ome.zarr, .zarr), by the ending; returns the path.

    As :func:`write_ome_tiff` and :func:`.write_zarr.write_ome_zarr`; ``kind``
    tells the latter whether coarser resolutions may blend values.
    """
    if Path(path).suffix.lower() == ".zarr":
        from napari_cellsynth.stack.files.write_zarr import write_ome_zarr

        return write_ome_zarr(path, stack, provenance=provenance, compress=compress, progress=progress, kind=kind)
    return write_ome_tiff(path, stack, provenance=provenance, compress=compress, progress=progress)


def write_plain_tiff(path: str | Path, array: Any, description: Mapping[str, Any]) -> Path:
    """Write an array of exactly its shape (..., Y, X), with ``description`` as JSON in the file.

    For side files (labels, flow, clean frames): bool, integers and floats of
    any width that TIFF holds.  Where ``description`` has ``axes`` (a letter
    for each), ``pixel_size`` (height and width, micrometres) or
    ``frame_interval`` (seconds), :func:`.read.read_stack` finds them.
    BadInput for other types and for no pixels.
    """
    path = _checked(path)
    shape, dtype = tuple(int(n) for n in array.shape), np.dtype(array.dtype)
    if len(shape) < 2 or prod(shape) == 0:
        raise BadInput(f"an array of shape {shape} given for {path.name}; expected (..., Y, X) with at least one pixel")
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise BadInput(
            f"pixels of type {dtype} given for {path.name}; expected bool, integers or floats of up to 64 bits"
        )
    planes: Any = (np.asarray(array[i]) for i in np.ndindex(*shape[:-2]))
    if shape[-1] == 1:
        planes = np.asarray(array)  # images one pixel wide are, to tifffile, samples in a pixel: no planes to hand it
    said: dict[str, Any] = {NAMESPACE: json.loads(as_json(description))}
    axes = description.get("axes")
    if isinstance(axes, str) and len(axes) == len(shape):
        said["axes"] = axes
    with replacing(path) as temporary:
        _write(temporary, planes, shape, dtype, said, ome=False, compress=True)
    return path


def read_plain_tiff(path: str | Path) -> tuple[np.ndarray, dict[str, Any]]:
    """Array and description of what :func:`write_plain_tiff` wrote; the whole array is loaded.

    Of a TIFF file from elsewhere the description is empty.
    """
    from napari_cellsynth.stack.files.read import describe_file
    from napari_cellsynth.stack.files.tiff import open_planes, opened

    path = Path(path)
    describe_file(path)  # refuses, in one line, what is no readable TIFF
    with opened(path) as (tif, _):
        said = (tif.shaped_metadata or ({},))[0]
    array = open_planes(path, 0)[()]
    description = said.get(NAMESPACE)
    if not isinstance(description, dict):
        return array, {}
    return array.reshape(said.get("shape", array.shape)), description


def _checked(path: str | Path) -> Path:
    path = Path(path)
    if path.suffix.lower() not in (".tif", ".tiff"):
        raise BadInput(f"{path.name} given; expected a name that ends with .ome.tif or .tif (or .ome.zarr)")
    if not path.parent.is_dir():
        raise BadInput(f"the folder {path.parent} does not exist; make it first or give another")
    return path


def _planes(stack: Stack, progress: Callable[[int, int], None] | None = None) -> Iterator[np.ndarray]:
    total = prod(stack.shape[:-2])
    for done, place in enumerate(np.ndindex(*stack.shape[:-2]), start=1):
        yield np.asarray(stack.data[place])
        if progress is not None:
            progress(done, total)


def _ome_dtype(stack: Stack) -> np.dtype[Any]:
    """The type in the file; for 64-bit integers one pass finds the smallest that holds all values."""
    dtype = stack.dtype
    if prod(stack.shape) == 0:
        raise BadInput(f"{stack.name} has shape {stack.shape}; expected at least one pixel")
    if dtype.name in _OME:
        return dtype
    if dtype.kind == "b":
        return np.dtype("uint8")
    if dtype.kind not in "iu":
        raise BadInput(
            f"{stack.name} is {dtype}, which OME-TIFF cannot hold; save it as OME-Zarr or convert it to float32"
        )
    ends = [(int(plane.min()), int(plane.max())) for plane in _planes(stack)]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    for name in ("uint8", "uint16", "uint32") if low >= 0 else ("int8", "int16", "int32"):
        if np.iinfo(name).min <= low and high <= np.iinfo(name).max:
            return np.dtype(name)
    raise BadInput(
        f"{stack.name} has values from {low} to {high}, more than the 32 bits of OME-TIFF hold; save it as OME-Zarr"
    )


def _ome_axes(stack: Stack) -> tuple[str, tuple[int, ...]]:
    """Axes and shape in the file.  OME has one place less than QTCZYX needs: then samples follow each other in T."""
    if len(stack.axes) < 6:
        return stack.axes, stack.shape
    return "TCZYX", (stack.shape[0] * stack.shape[1], *stack.shape[2:])


def _ome_scale(stack: Stack) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if stack.pixel_size is not None:
        y, x = stack.pixel_size
        said |= {"PhysicalSizeX": x, "PhysicalSizeXUnit": "\u00b5m", "PhysicalSizeY": y, "PhysicalSizeYUnit": "\u00b5m"}
    if stack.z_step is not None:
        said |= {"PhysicalSizeZ": stack.z_step, "PhysicalSizeZUnit": "\u00b5m"}
    if stack.frame_interval is not None:
        said |= {"TimeIncrement": stack.frame_interval, "TimeIncrementUnit": "s"}
    return said


def _ome_channels(stack: Stack, axes: str, shape: tuple[int, ...]) -> dict[str, Any]:
    count = shape[axes.index("C")] if "C" in axes else 1
    return {"Channel": {"Name": [_xml_safe(name) for name in stack.channels]}} if len(stack.channels) == count else {}


def _xml_safe(text: str) -> str:
    """``text`` without the control characters and half characters that XML cannot hold."""
    return "".join(c for c in text if c.isprintable()).encode("utf-8", "replace").decode("utf-8")


def as_json(value: Any) -> str:
    """JSON of a provenance block: NumPy's numbers and arrays as such, all else as text."""
    return json.dumps(value, sort_keys=True, default=_jsonable)


def _jsonable(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value)


def _write(
    path: Path,
    planes: Iterator[np.ndarray] | np.ndarray,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    metadata: dict[str, Any],
    *,
    ome: bool,
    compress: bool,
) -> None:
    import tifffile

    from napari_cellsynth import __version__

    big = prod(shape) * dtype.itemsize > _BIG
    with tifffile.TiffWriter(path, bigtiff=big, ome=ome, shaped=not ome) as tif:
        tif.write(
            planes,
            shape=shape,
            dtype=dtype,
            photometric="minisblack",
            compression="zlib" if compress else None,
            metadata=metadata,
            software=f"napari-cellsynth {__version__}",
        )

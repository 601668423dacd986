"""Write OME-Zarr 0.5 (Zarr 3): all types and axes, several resolutions, plane by plane; a whole store or none."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.pyramid import SMALLEST, halved, sizes
from napari_cellsynth.stack.files.replacing import replacing, temporary_beside
from napari_cellsynth.stack.files.write import as_json
from napari_cellsynth.stack.provenance import NAMESPACE, RECORD
from napari_cellsynth.stack.stack import Stack

VERSION = "0.5"
_CHUNK = 2**20
"""Bytes that a chunk aims at: small planes of the same axis share one."""
_SIDE = 2048
"""Pixels of a plane's side from which it is divided into chunks of half that side."""
_TYPES = {"T": "time", "C": "channel", "Z": "space", "Y": "space", "X": "space", "Q": "sample"}
_UNITS = {"T": "second", "Z": "micrometer", "Y": "micrometer", "X": "micrometer"}


def write_ome_zarr(
    path: str | Path,
    stack: Stack,
    *,
    provenance: Mapping[str, Any] | None = None,
    compress: bool = True,
    progress: Callable[[int, int], None] | None = None,
    kind: Literal["image", "labels"] = "image",
    smallest: int = SMALLEST,
) -> Path:
    """Write ``stack`` as OME-Zarr, plane by plane, and return the path.

    Resolutions halve until the longer side is at most ``smallest`` pixels;
    those of ``labels`` and of bool blend nothing.  ``provenance`` (else the
    stack's own) is an attribute of the group in our namespace.  Every dtype
    comes back as it was.

    NGFF has no axis for samples (Q).  Without channels it is an axis ``q`` of
    a type of its own, behind ``t``; with channels, of which NGFF allows one
    axis beside, samples follow each other in ``t``.  Our reader restores both.

    ``progress`` is called with planes done and planes in all; what it raises
    ends the writing.  What stands at ``path`` is replaced at the end, if we
    wrote it, or left as it was.  BadInput for what cannot be written.
    """
    path = _checked(path, stack)
    block = dict(provenance if provenance is not None else stack.provenance or {})
    stored = _stored(stack)
    with _instead_of(path) as aside, replacing(path) as temporary:
        extents = _write_levels(temporary, stored, kind == "image", compress, smallest, progress)
        record: dict[str, Any] = {"axes": stack.axes, "shape": list(stack.shape), "dtype": stack.dtype.name}
        if len(stack.axes) > len(stored.letters):
            record["frame_interval"] = stack.frame_interval  # which t, with samples behind each other, cannot say
        ome = _description(stack, stored, kind, smallest, extents)
        attributes = {"ome": ome, NAMESPACE: json.loads(as_json({**block, RECORD: record}))}
        about = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
        (temporary / "zarr.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
        if path.exists():
            os.replace(path, aside)
    return path


def is_ours(folder: Path) -> bool:
    """Whether a folder is OME-Zarr that we wrote."""
    try:
        about = json.loads((folder / "zarr.json").read_text(encoding="utf-8"))
        return NAMESPACE in about["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _checked(path: str | Path, stack: Stack) -> Path:
    path = Path(path)
    if path.suffix.lower() != ".zarr":
        raise BadInput(f"{path.name} given; expected a name that ends with .ome.zarr")
    if not path.parent.is_dir():
        raise BadInput(f"the folder {path.parent} does not exist; make it first or give another")
    if path.exists() and not is_ours(path):
        raise BadInput(f"{path} exists and was not made by CellSynth; give another name or move it away")
    if stack.dtype.kind not in "biuf" or stack.dtype.itemsize > 8:
        raise BadInput(f"{stack.name} is {stack.dtype}; OME-Zarr is written of bool, integers and floats of 64 bits")
    if prod(stack.shape) == 0:
        raise BadInput(f"{stack.name} has shape {stack.shape}; expected at least one pixel")
    return path


@contextmanager
def _instead_of(path: Path) -> Iterator[Path]:
    """Where to move what stands at ``path``: it is deleted when all went well, and put back when not."""
    aside = temporary_beside(path)
    try:
        yield aside
    except BaseException:
        if aside.exists() and not path.exists():
            os.replace(aside, path)
        raise
    shutil.rmtree(aside, ignore_errors=True)


@dataclass(frozen=True)
class Stored:
    """A stack in the order of axes that NGFF allows."""

    letters: str
    shape: tuple[int, ...]
    read: Callable[[tuple[int, ...]], np.ndarray]
    """The plane at a place of the leading axes."""


def _stored(stack: Stack) -> Stored:
    lead = stack.shape[:-2]
    if "Q" not in stack.axes:
        return Stored(stack.axes, stack.shape, lambda place: np.asarray(stack.data[place]))
    if "C" in stack.axes:
        inside = "T" in stack.axes
        first = prod(lead[: 2 if inside else 1])
        shape = (first, *stack.shape[2 if inside else 1 :])

        def read(place: tuple[int, ...]) -> np.ndarray:
            start = np.unravel_index(place[0], lead[:2]) if inside else (place[0],)
            return np.asarray(stack.data[(*(int(i) for i in start), *place[1:])])

        return Stored("T" + stack.axes.replace("Q", "").replace("T", ""), shape, read)
    if "T" in stack.axes:
        letters = "TQ" + stack.axes[2:]
        shape = (stack.shape[1], stack.shape[0], *stack.shape[2:])
        return Stored(letters, shape, lambda place: np.asarray(stack.data[(place[1], place[0], *place[2:])]))
    return Stored(stack.axes, stack.shape, lambda place: np.asarray(stack.data[place]))


# -- pixels ----------------------------------------------------------------------------------------------------------


@dataclass
class Extent:
    """Lowest and highest value of a channel."""

    low: float = np.inf
    high: float = -np.inf

    def add(self, plane: np.ndarray) -> None:
        values = plane[np.isfinite(plane)] if plane.dtype.kind == "f" else plane
        if values.size:
            self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))


@dataclass
class Extents:
    """The values of each channel, by its number."""

    of: dict[int, Extent] = field(default_factory=dict)

    def add(self, channel: int, plane: np.ndarray) -> None:
        self.of.setdefault(channel, Extent()).add(plane)


def _write_levels(
    folder: Path,
    stored: Stored,
    blend: bool,
    compress: bool,
    smallest: int,
    progress: Callable[[int, int], None] | None,
) -> Extents:
    first = stored.read((0,) * (len(stored.shape) - 2))
    along, together = _together(stored.shape[:-2], first.nbytes)
    arrays = [
        _array(folder / str(level), stored, size, first.dtype, (along, together), compress)
        for level, size in enumerate(sizes(stored.shape[-2], stored.shape[-1], smallest))
    ]
    extents, total, done = Extents(), prod(stored.shape[:-2]), 0
    channel = stored.letters.index("C") if "C" in stored.letters else None
    places = iter(np.ndindex(*stored.shape[:-2]))
    for start in _blocks(stored.shape[:-2], along, together):
        planes = []
        for place in islice(places, min(together, stored.shape[along] - start[along]) if start else 1):
            planes.append(stored.read(place))
            extents.add(place[channel] if channel is not None else 0, planes[-1])
            done += 1
            if progress is not None:
                progress(done, total)
        _put(arrays, start, along, np.stack(planes), blend)
    return extents


def _together(lead: tuple[int, ...], nbytes: int) -> tuple[int, int]:
    """The last axis that is longer than one, and how many of its planes share a chunk."""
    along = next((i for i in reversed(range(len(lead))) if lead[i] > 1), max(0, len(lead) - 1))
    return along, max(1, min(lead[along] if lead else 1, _CHUNK // max(1, nbytes)))


def _blocks(lead: tuple[int, ...], along: int, together: int) -> Iterator[tuple[int, ...]]:
    """The place at which each chunk begins, in the order in which planes follow each other."""
    for place in np.ndindex(*lead):
        if not lead or place[along] % together == 0:
            yield place


def _put(arrays: list[Any], start: tuple[int, ...], along: int, planes: np.ndarray, blend: bool) -> None:
    """Write planes (N, Y, X) that follow each other along one axis, at every resolution."""
    where = tuple(slice(i, i + (len(planes) if axis == along else 1)) for axis, i in enumerate(start))
    for level, array in enumerate(arrays):
        if level:
            planes = halved(planes, blend=blend)
        shape = [s.stop - s.start for s in where]
        array[where] = planes.reshape(*shape, *planes.shape[-2:])


def _array(
    folder: Path, stored: Stored, size: tuple[int, int], dtype: np.dtype[Any], block: tuple[int, int], compress: bool
) -> Any:
    import zarr
    from zarr.codecs import BloscCodec

    lead = stored.shape[:-2]
    along, together = block
    chunks = tuple(together if axis == along else 1 for axis in range(len(lead)))
    packed = BloscCodec(cname="zstd", clevel=3, shuffle="shuffle") if compress else None
    return zarr.create_array(
        store=str(folder),
        shape=(*lead, *size),
        chunks=(*chunks, *(n if n <= _SIDE else _SIDE // 2 for n in size)),
        dtype=dtype.newbyteorder("="),
        compressors=packed,
        fill_value=0,
        zarr_format=3,
        dimension_names=[letter.lower() for letter in stored.letters],
        # Chunks of zeros are written, too: what is not there was lost.
        config={"write_empty_chunks": True},
    )


# -- description -----------------------------------------------------------------------------------------------------


def _description(stack: Stack, stored: Stored, kind: str, smallest: int, extents: Extents) -> dict[str, Any]:
    axes = []
    steps = {"T": stack.frame_interval, "Z": stack.z_step, **dict(zip("YX", stack.pixel_size or (), strict=False))}
    if len(stack.axes) > len(stored.letters):
        steps["T"] = None  # samples follow each other in time: what lies between two frames is no interval
    for letter in stored.letters:
        unit = {"unit": _UNITS[letter]} if steps.get(letter) is not None else {}
        axes.append({"name": letter.lower(), "type": _TYPES[letter], **unit})
    levels = len(sizes(stored.shape[-2], stored.shape[-1], smallest))
    datasets = [
        {"path": str(level), "coordinateTransformations": _transformations(stored.letters, steps, 2**level)}
        for level in range(levels)
    ]
    image = {"name": stack.name, "axes": axes, "datasets": datasets}
    if levels > 1:
        image["type"] = "majority" if kind == "labels" or stack.dtype.kind == "b" else "mean"
    said: dict[str, Any] = {"version": VERSION, "multiscales": [image]}
    if kind == "labels":
        said["image-label"] = {}
    count = stored.shape[stored.letters.index("C")] if "C" in stored.letters else 1
    if stack.channels and len(stack.channels) == count:
        said["omero"] = {"channels": [_channel(name, extents.of.get(i)) for i, name in enumerate(stack.channels)]}
    return said


def _transformations(letters: str, steps: Mapping[str, float | None], factor: int) -> list[dict[str, Any]]:
    """Scale and, for coarser resolutions, where the centre of the first pixel lies."""
    scale = [(steps.get(letter) or 1.0) * (factor if letter in "YX" else 1) for letter in letters]
    found: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
    if factor > 1:
        offset = [(steps.get(x) or 1.0) * (factor - 1) / 2 if x in "YX" else 0.0 for x in letters]
        found.append({"type": "translation", "translation": offset})
    return found


def _channel(name: str, extent: Extent | None) -> dict[str, Any]:
    low, high = (extent.low, extent.high) if extent is not None and extent.high >= extent.low else (0.0, 1.0)
    window = {"min": low, "max": high, "start": low, "end": high}
    return {"label": name, "color": "FFFFFF", "active": True, "window": window}

"""Open a recording lazily: TIFF, BigTIFF, OME-TIFF, ImageJ hyperstack, or a folder of numbered frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.folder import SUFFIXES, FolderPlanes, numbered_files
from napari_cellsynth.stack.metadata import Metadata, read_metadata
from napari_cellsynth.stack.quantity import format_duration, format_length, positive
from napari_cellsynth.stack.stack import AXES, Stack
from napari_cellsynth.stack.tiff import TiffPlanes, cut_short, opened


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


@dataclass(frozen=True)
class FileDescription:
    """What a file says of itself, before anybody said more."""

    path: Path
    shape: tuple[int, ...]
    """In the file's order; axes of length one that mean nothing are left out."""
    dtype: np.dtype[Any]
    axes: str | None
    """In the file's order; None where the file does not name them."""
    guesses: tuple[str, ...] = ()
    """What the axes could be, most likely first; to be offered, never taken."""
    colour: bool = False
    """The pixels are RGB or RGBA."""
    scenes: tuple[str, ...] = ()
    """Names of the images in the file."""
    metadata: Metadata = field(default_factory=Metadata)
    notes: tuple[str, ...] = ()


def describe_file(path: str | Path, *, scene: int = 0) -> FileDescription:
    """What a file or folder holds; BadInput where it cannot be read, but not where axes are unknown."""
    return _open(Path(path), scene)[0]


def read_stack(
    path: str | Path,
    *,
    axes: str | None = None,
    pixel_size: float | tuple[float, float] | None = None,
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
    description, planes = _open(Path(path), scene)
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


def _open(path: Path, scene: int) -> tuple[FileDescription, TiffPlanes | FolderPlanes]:
    if not path.exists():
        raise BadInput(f"{path} does not exist; give a TIFF file or a folder of numbered TIFF frames")
    _refuse_others(path)
    try:
        return _open_folder(path, scene) if path.is_dir() else _open_file(path, scene)
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror or error})") from error


def _refuse_others(path: Path) -> None:
    if path.is_dir():
        if path.suffix == ".zarr" or any((path / name).exists() for name in ("zarr.json", ".zgroup", ".zarray")):
            raise BadInput(f"{path.name} is Zarr, which cannot be read yet; save it as OME-TIFF")
        return
    with open(path, "rb") as file:
        head = file.read(64)
    if head.startswith(b"version https://git-lfs"):
        raise BadInput(f"{path.name} is a Git LFS pointer, not the image; run 'git lfs pull' where it came from")
    if not head:
        raise BadInput(f"{path.name} is empty (0 bytes); copy it again from its source")
    if head[:2] not in (b"II", b"MM"):
        kind = path.suffix or "file without an ending"
        raise BadInput(f"{path.name} ({kind}) is not TIFF; open it in Fiji and save it as OME-TIFF")


def _open_file(path: Path, scene: int) -> tuple[FileDescription, TiffPlanes]:
    with opened(path) as (tif, complaints):
        series = tif.series
        if not 0 <= scene < len(series):
            raise BadInput(f"scene {scene} asked for; {path.name} has {len(series)}, counted from 0")
        said = read_metadata(tif, scene)
        letters = series[scene].axes
        names = tuple(s.name or f"scene {i}" for i, s in enumerate(series))
        kind = series[scene].kind
        photometric = int(series[scene].keyframe.photometric)
        planes = TiffPlanes(path, scene, tif)
        if kind not in ("shaped", "imagej") and any("invalid page offset" in text for text in complaints):
            raise cut_short(path)  # the others say how many planes there should be, which check() looks at
    _refuse_dtype(path, planes.dtype)
    planes.check()
    notes = [*said.notes, *dict.fromkeys(map(_in_words, complaints[:3]))]
    if planes.missing:
        notes.append(f"{planes.missing} planes are named in the file but not there: they read as 0")
    if len(names) > 1:
        notes.append(f"the file holds {len(names)} images; this is number {scene}")
    notes += {
        0: ["white is stored as zero: bright and dark may be exchanged"],
        3: ["values are indices into a palette"],
    }.get(photometric, [])
    return _describe(path, planes, letters, said, names, notes, kind), planes


def _in_words(complaint: str) -> str:
    """What tifffile logs, for people."""
    if "circular reference" in complaint:
        return "the pages of the file refer to each other in a circle: some may be missing"
    if "TiffTag" in complaint:
        return "a part of the file's description cannot be read: scale, time or axes may be missing"
    return f"odd file: {complaint[:160]}"


def _open_folder(path: Path, scene: int) -> tuple[FileDescription, FolderPlanes]:
    if scene:
        raise BadInput(f"scene {scene} asked for; a folder of frames has one, number 0")
    found = numbered_files(path)
    planes = FolderPlanes(found.files)
    _refuse_dtype(path, planes.dtype)
    planes.check()
    with opened(found.files.flat[0]) as (tif, _):
        said = read_metadata(tif, 0)
    letters = (found.axes or "I" * found.files.ndim) + "YX"
    said = Metadata(pixel_size=said.pixel_size, frame_interval=said.frame_interval, notes=said.notes)
    return _describe(path, planes, letters, said, (), [*said.notes, *found.notes], "folder"), planes


def _refuse_dtype(path: Path, dtype: np.dtype[Any]) -> None:
    if dtype.kind not in "biuf":
        raise BadInput(f"{path.name} has pixels of type {dtype}; expected integers or floats")


def _describe(
    path: Path,
    planes: TiffPlanes | FolderPlanes,
    letters: str,
    said: Metadata,
    scenes: tuple[str, ...],
    notes: list[str],
    kind: str,
) -> FileDescription:
    kept = [(a, n) for a, n in zip(letters, planes.shape, strict=True) if n > 1 or a in "TCZYX"]
    axes, shape = "".join(a for a, _ in kept), tuple(n for _, n in kept)
    ours = said.record is not None
    allowed = AXES if ours else "TCZYX"
    known = set(axes) <= set(allowed) and len(set(axes)) == len(axes) and {"Y", "X"} <= set(axes)
    colour = "S" in axes
    guesses = () if known else _guesses(axes, colour)
    if known and not ours and axes == "ZYX" and kind != "folder":
        notes = [
            *notes,
            f"{shape[0]} z planes and one time point: if it is a time-lapse saved as a z stack, give axes TYX",
        ]
    return FileDescription(
        path, shape, planes.dtype, axes if known else None, guesses, colour, scenes, said, tuple(notes)
    )


def _guesses(axes: str, colour: bool) -> tuple[str, ...]:
    """Ways to name the unknown axes, in the file's order."""
    base = axes.replace("S", "C") if colour else axes
    unknown = [i for i, a in enumerate(base) if a not in "TCZYX"]
    free = [a for a in "TZC" if a not in base]
    if not unknown:
        return (base,)
    if len(unknown) > len(free):
        return ()
    found = []
    for shift in range(len(free)):
        letters = list(base)
        for k, i in enumerate(unknown):
            letters[i] = free[(shift + k) % len(free)]
        found.append("".join(letters))
    return tuple(dict.fromkeys(found))


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
    pixel_size: float | tuple[float, float] | None, frame_interval: float | None, said: Metadata, notes: list[str]
) -> tuple[tuple[float, float] | None, float | None]:
    pixel, interval = said.pixel_size, said.frame_interval
    if pixel_size is not None:
        pair = pixel_size if isinstance(pixel_size, tuple) else (pixel_size, pixel_size)
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

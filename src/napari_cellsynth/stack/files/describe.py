"""What a file or folder says of itself, before anybody said more."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.folder import FolderPlanes, numbered_files
from napari_cellsynth.stack.files.metadata import Metadata, read_metadata
from napari_cellsynth.stack.files.tiff import TiffPlanes, cut_short, opened
from napari_cellsynth.stack.stack import AXES


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
    return open_path(Path(path), scene)[0]


def open_path(path: Path, scene: int) -> tuple[FileDescription, TiffPlanes | FolderPlanes]:
    """Description and pixels of a file or folder; BadInput where it cannot be read."""
    if not path.exists():
        raise BadInput(f"{path} does not exist; give a TIFF file or a folder of numbered TIFF frames")
    try:
        _refuse_others(path)
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
    notes += planes.damage
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
    if "ImageJ series" in complaint:
        return "the file names more frames than it holds: it may be cut short"
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

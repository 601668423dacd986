"""Open a file or folder of any kind that we read: what it says of itself, and its pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.colours import Colours, Seen, seen
from napari_cellsynth.stack.files.description import (
    FileDescription,
    Scene,
    described,
    refuse_dtype,
    scene_notes,
    scene_number,
)
from napari_cellsynth.stack.files.folder import FolderPlanes, open_one
from napari_cellsynth.stack.files.metadata import Metadata, read_metadata
from napari_cellsynth.stack.files.numbered import ScenesUnknown, one_series, series_in
from napari_cellsynth.stack.files.pictures import PicturePlanes, kind_of
from napari_cellsynth.stack.files.planes import Planes
from napari_cellsynth.stack.files.tiff import TiffPlanes, cut_short, opened
from napari_cellsynth.stack.files.zarr_nodes import is_zarr

__all__ = ["FileDescription", "Scene", "describe_file", "open_path", "scenes_in"]

Opened = tuple[FileDescription, Planes]


def describe_file(path: str | Path, *, scene: Scene = None) -> FileDescription:
    """What a file or folder holds; BadInput where it cannot be read, but not where axes are unknown."""
    return open_path(Path(path), scene)[0]


def scenes_in(path: str | Path) -> tuple[str, ...]:
    """Names of the images in a file or folder, where there are several to choose from; else empty."""
    try:
        return describe_file(path).scenes
    except ScenesUnknown as error:
        return error.names


def open_path(path: Path, scene: Scene, *, colours: Colours = "equal") -> Opened:
    """Description and pixels of a file or folder; BadInput where it cannot be read.

    ``colours`` says what becomes of grey that is stored as colours.
    """
    if not path.exists():
        raise BadInput(f"{path} does not exist; give a recording: a file, or a folder of numbered frames")
    try:
        if not path.is_dir():
            return _open_file(path, scene, colours)
        if is_zarr(path) or path.suffix == ".zarr":
            from napari_cellsynth.stack.files.zarr_files import open_zarr

            return open_zarr(path, scene, colours=colours)
        return _open_folder(path, scene, colours)
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror or error})") from error


def _open_file(path: Path, scene: Scene, colours: Colours) -> Opened:
    with open(path, "rb") as file:
        head = file.read(64)
    if head.startswith(b"version https://git-lfs"):
        raise BadInput(f"{path.name} is a Git LFS pointer, not the image; run 'git lfs pull' where it came from")
    if not head:
        raise BadInput(f"{path.name} is empty (0 bytes); copy it again from its source")
    if head[:2] in (b"II", b"MM"):
        return _open_tiff(path, scene, colours)
    if kind_of(head) is not None:
        return _open_picture(path, scene, colours)
    if path.suffix.lower() in (".tif", ".tiff"):
        raise BadInput(f"{path.name} is not TIFF, though its name says so; open it in Fiji and save it as OME-TIFF")
    from napari_cellsynth.stack.files.foreign import open_foreign

    return open_foreign(path, scene, colours=colours)


# -- TIFF ------------------------------------------------------------------------------------------------------------


def _open_tiff(path: Path, scene: Scene, colours: Colours) -> Opened:
    with opened(path) as (tif, complaints):
        series = tif.series
        names = tuple(s.name or f"scene {i}" for i, s in enumerate(series))
        number = scene_number(scene, names, path, [_height_and_width_last(s) for s in series])
        said = read_metadata(tif, number)
        letters = series[number].axes
        kind = series[number].kind
        keyframe = series[number].keyframe
        oddities = _oddities(int(keyframe.photometric), keyframe.tags.valueof(274, default=1))
        planes = TiffPlanes(path, number, tif)
        if kind not in ("shaped", "imagej") and any("invalid page offset" in text for text in complaints):
            raise cut_short(path)  # the others say how many planes there should be, which check() looks at
    refuse_dtype(path, planes.dtype)
    planes.check()
    notes = [*said.notes, *dict.fromkeys(map(_in_words, complaints[:3])), *planes.damage]
    if planes.missing:
        notes.append(f"{planes.missing} planes are named in the file but not there: they read as 0")
    notes += [*scene_notes(names, number), *oddities]
    scenes = names if len(names) > 1 else ()
    image = seen(planes, letters, path.name, colours)
    return described(path, image, said, notes=notes, asks_z=True, scenes=scenes, scene=number), image.planes


def _height_and_width_last(series: Any) -> tuple[int, ...]:
    """The shape of a series as thumbnails are told by: without colours, Y and X last."""
    sizes = dict(zip(series.axes, series.shape, strict=True))
    lead = [int(n) for axis, n in sizes.items() if axis not in "YXS"]
    return (*lead, int(sizes.get("Y", 1)), int(sizes.get("X", 1)))


def _oddities(photometric: int, orientation: Any) -> list[str]:
    """What is odd about how the pixels are to be shown."""
    notes = {
        0: ["white is stored as zero: bright and dark may be exchanged"],
        3: ["values are indices into a palette"],
    }.get(photometric, [])
    if orientation not in (0, 1):
        notes = [*notes, "to be shown turned or mirrored (orientation tag): it is read as it is stored"]
    return notes


def _in_words(complaint: str) -> str:
    """What tifffile logs, for people."""
    if "circular reference" in complaint:
        return "the pages of the file refer to each other in a circle: some may be missing"
    if "ImageJ series" in complaint:
        return "the file names more frames than it holds: it may be cut short"
    if "TiffTag" in complaint:
        return "a part of the file's description cannot be read: scale, time or axes may be missing"
    return f"odd file: {complaint[:160]}"


# -- pictures and folders --------------------------------------------------------------------------------------------


def _open_picture(path: Path, scene: Scene, colours: Colours) -> Opened:
    scene_number(scene, [path.stem], path)
    planes = PicturePlanes(path)
    refuse_dtype(path, planes.dtype)
    image = seen(planes, planes.letters, path.name, colours)
    return described(path, image, planes.said, notes=[*planes.said.notes, *planes.notes]), image.planes


def _open_folder(path: Path, scene: Scene, colours: Colours) -> Opened:
    series = series_in(path)
    if scene is None:
        one_series(path, series)
    names = tuple(one.name for one in series)
    number = scene_number(scene, names, path)
    more: dict[str, Any] = {"scenes": names if len(names) > 1 else (), "scene": number}
    notes = scene_notes(names, number, "folder holds {} series of files")
    if (alone := series[number].alone) is not None:
        about, planes = _open_file(alone, None, colours)
        if len(about.shape) > 2 or about.colour:  # a recording in one file, and no single frame
            return replace(about, path=path, notes=(*about.notes, *notes), **more), planes
    found = series[number].ordered(path)
    frames = FolderPlanes(found.files)
    refuse_dtype(path, frames.dtype)
    frames.check()
    said = _said_in(found.files.flat[0])
    letters = (found.axes or "I" * found.files.ndim) + "YX"
    return described(path, Seen(frames, letters), said, notes=[*said.notes, *found.notes, *notes], **more), frames


def _said_in(file: Path) -> Metadata:
    """What the first file of a folder says of the scale; its axes and channels are its own."""
    one = open_one(file)
    if isinstance(one, PicturePlanes):
        return Metadata(pixel_size=one.said.pixel_size, notes=(*one.said.notes, *one.notes))
    with opened(file) as (tif, _):
        said = read_metadata(tif, 0)
    return Metadata(pixel_size=said.pixel_size, frame_interval=said.frame_interval, notes=said.notes)

"""Folders with a mask file for each frame: Cellpose, and the Cell Tracking Challenge."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.folder import open_one
from napari_cellsynth.stack.files.planes import full_key
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.stack import Stack

_CTC = re.compile(r"(man_seg_?|man_track|mask)(\d+)(?:_(\d+))?\.tiff?", re.IGNORECASE)
"""Frame and, in slices of a volume, plane; ``mask`` are results (01_RES)."""
_CELLPOSE = re.compile(r"(.+?)(_cp_masks|_masks)\.(?:tiff?|png)", re.IGNORECASE)
_TRUTH = ("SEG", "TRA")


def read_mask_folder(folder: Path, like: Stack) -> Stack | None:
    """Labels from a folder with a file for each frame; None where it is no such folder.

    Of the Cell Tracking Challenge: ``01_GT/SEG``, ``01_GT/TRA`` or
    ``01_RES``; the number in a name is the frame, counted from 0, and a frame
    without a file has no outlines.  Of Cellpose: ``…_cp_masks.png``,
    ``…_cp_masks.tif`` or ``…_masks.tif``, which may lie among other files.
    BadInput where the files do not fit ``like``.
    """
    if (folder / "zarr.json").exists() or (folder / ".zattrs").exists() or (folder / ".zgroup").exists():
        return None
    inside = sorted(folder.iterdir())
    truth = [one.name for one in inside if one.is_dir() and one.name in _TRUTH]
    if truth and not any(one.is_file() and _CTC.fullmatch(one.name) for one in inside):
        raise BadInput(
            f"{folder} holds {' and '.join(truth)}; give one of them: SEG has outlines of some frames, TRA a mark in"
            " every cell of all frames, which is smaller than the cell"
        )
    files = [one for one in inside if one.is_file() and not one.name.startswith(".")]
    if any(_CTC.fullmatch(one.name) for one in files):
        places = _ctc_places(folder, files, like)
    elif any(_CELLPOSE.fullmatch(one.name) for one in files):
        places = _cellpose_places(folder, files, like)
    else:
        return None
    return _stack(folder, places, like)


Places = dict[tuple[int, int], Path]
"""File of a frame and plane; plane -1 where a file holds all planes of its frame."""


def _ctc_places(folder: Path, files: list[Path], like: Stack) -> Places:
    places: Places = {}
    kinds = set()
    for file in files:
        found = _CTC.fullmatch(file.name)
        if found is None:
            continue
        kinds.add(found[1].lower().rstrip("_"))
        places[int(found[2]), -1 if found[3] is None else int(found[3])] = file
    if len(kinds) > 1:
        raise BadInput(f"{folder} holds masks of several kinds ({', '.join(sorted(kinds))}); give each its own folder")
    wrong = [file.name for (t, z), file in places.items() if t >= like.size("T") or z >= like.size("Z")]
    if wrong:
        raise BadInput(
            f"{folder / wrong[0]} is of a frame that {like.name} does not have (frames 0 to {like.size('T') - 1});"
            " give the masks that belong to it"
        )
    return places


def _cellpose_places(folder: Path, files: list[Path], like: Stack) -> Places:
    """By the names of the recording's own files where it is a folder, else in the order of the numbers in the names."""
    named: dict[str, Path] = {}
    for file in files:
        found = _CELLPOSE.fullmatch(file.name)
        if found is not None and found[1] not in named:  # masks saved twice, as PNG and TIFF, are the same
            named[found[1]] = file
    frames, planes = like.size("T"), like.size("Z")
    if like.path is not None and like.path.is_dir() and planes == 1:
        own = sorted((one for one in like.path.iterdir() if one.stem in named), key=lambda one: _numbers(one.stem))
        everything = sorted({one.stem for one in like.path.iterdir() if _is_frame(one)}, key=_numbers)
        if own and len(everything) == frames:
            return {(t, -1): named[stem] for t, stem in enumerate(everything) if stem in named}
    if len(named) != frames * planes:
        raise BadInput(
            f"{folder} holds {counted(len(named), 'mask file')} for {counted(frames * planes, 'frame')} of"
            f" {like.name}; expected one for each (where frames are missing, give a recording whose files have the"
            " masks' names)"
        )
    order = sorted(named, key=_numbers)
    return {(i // planes, i % planes if planes > 1 else -1): named[stem] for i, stem in enumerate(order)}


def _is_frame(file: Path) -> bool:
    return file.suffix.lower() in (".tif", ".tiff", ".png") and _CELLPOSE.fullmatch(file.name) is None


def _numbers(stem: str) -> tuple[Any, ...]:
    """A name in parts, so that 2 comes before 10."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", stem) if part)


def _stack(folder: Path, places: Places, like: Stack) -> Stack:
    import dask.array as da

    axes = like.axes.replace("C", "")
    planes = MaskFiles(places, like.size("T"), like.size("Z"), (like.size("Y"), like.size("X")))
    shape = tuple(like.size(axis) for axis in axes)
    chunks = (1, 1, *planes.shape[-2:])
    data = da.from_array(planes, chunks=chunks, name=None, asarray=True, fancy=False, inline_array=True)
    missing = [t for t in range(like.size("T")) if not any(place[0] == t for place in places)]
    notes = [f"{len(missing)} of {like.size('T')} frames have no file and so no outlines"] if missing else []
    if any(file.name.lower().startswith("man_track") for file in places.values()):
        notes.append("these are marks for tracking, which may be smaller than the cells")
    return Stack(data.reshape(shape), axes, name=folder.name, path=folder, notes=tuple(notes))


class MaskFiles:
    """Array-like (T, Z, Y, X) over mask files, zeros where there is none."""

    def __init__(self, places: Places, frames: int, planes: int, plane: tuple[int, int]) -> None:
        self.places, self.plane = places, plane
        self.shape = (frames, planes, *plane)
        self.ndim = 4
        some = [places[key] for key in sorted(places)]
        # The widest type of the first, middle and last file; the others are looked at when they are read.
        self.dtype = np.result_type(*(self._open(file).dtype for file in (some[0], some[len(some) // 2], some[-1])))

    def __dask_tokenize__(self) -> str:
        return uuid4().hex

    def __getitem__(self, key: Any) -> np.ndarray:
        rows, columns, *inner = full_key(key, 4)
        frames, planes = np.arange(self.shape[0])[rows], np.arange(self.shape[1])[columns]
        read = [self._read(int(t), int(z)) for t in np.atleast_1d(frames) for z in np.atleast_1d(planes)]
        whole = np.stack(read) if read else np.empty((0, *self.plane), self.dtype)
        whole = whole[(slice(None), *inner)]
        return whole.reshape(*np.shape(frames), *np.shape(planes), *whole.shape[1:])

    def _read(self, t: int, z: int) -> np.ndarray:
        file = self.places.get((t, z)) or self.places.get((t, -1))
        if file is None:
            return np.zeros(self.plane, self.dtype)
        planes = self._open(file)
        if planes.dtype.kind not in "iub" or (planes.dtype.kind == "b") != (self.dtype.kind == "b"):
            raise BadInput(f"{file.name} is {planes.dtype}; the others are {self.dtype}, and labels are integers")
        values = np.asarray(planes[(slice(None),) * planes.ndim]).squeeze()
        if values.ndim == 3 and (t, -1) in self.places and values.shape[0] == self.shape[1]:
            values = values[z]
        if values.shape != self.plane:
            raise BadInput(f"{file.name} has shape {values.shape}; expected {self.plane}, as the recording's frames")
        if values.size and not np.can_cast(values.dtype, self.dtype) and values.max() > np.iinfo(self.dtype).max:
            raise BadInput(f"{file.name} is {values.dtype} with numbers beyond {self.dtype}, the type of the others")
        return values.astype(self.dtype, copy=False)

    def _open(self, file: Path) -> Any:
        from napari_cellsynth.stack.files.tiff import TiffPlanes

        planes = open_one(file)
        if isinstance(planes, TiffPlanes):
            planes.check(decode=False)
        if "S" in planes.letters:
            raise BadInput(f"{file.name} is a colour image; masks have a number in each pixel: save them as 16 bit")
        return planes

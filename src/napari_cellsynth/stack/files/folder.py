"""Pixels of a folder of numbered files, one plane each, as one recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from napari_cellsynth.errors import BadInput, Damaged
from napari_cellsynth.stack.files.colours import same_colours
from napari_cellsynth.stack.files.numbered import SUFFIXES
from napari_cellsynth.stack.files.pictures import PicturePlanes
from napari_cellsynth.stack.files.planes import full_key
from napari_cellsynth.stack.files.tiff import TiffPlanes, open_planes


def open_one(file: Path) -> TiffPlanes | PicturePlanes:
    """The first image of a file."""
    return open_planes(file, 0) if file.suffix.lower() in SUFFIXES else PicturePlanes(file)


class FolderPlanes:
    """Array-like over files of one plane each: shape, dtype and reading by index."""

    def __init__(self, files: np.ndarray) -> None:
        self.files = files
        first = open_one(files.flat[0])
        plane = _plane(first)
        if plane is None:
            raise BadInput(
                f"{files.flat[0].name} has shape {first.shape}; in a folder of numbered frames each file holds one"
                " grey (Y, X) frame; give one of the files by itself (of an OME-TIFF in several files the first)"
            )
        self.plane = plane
        self.shape = (*files.shape, *self.plane)
        self.ndim = len(self.shape)
        self.dtype = first.dtype
        self.lead = files.ndim

    def __dask_tokenize__(self) -> str:
        return uuid4().hex  # never the same as an earlier look at this folder, whose files may have changed

    def check(self) -> None:
        """Look at the first, middle and last file; the others are looked at when they are read."""
        for i in sorted({0, self.files.size // 2, self.files.size - 1}):
            self._read(self.files.flat[i])

    def __getitem__(self, key: Any) -> np.ndarray:
        key = full_key(key, self.ndim)
        chosen = np.asarray(self.files[key[: self.lead]], dtype=object)
        inner = key[self.lead :]
        planes = [self._read(file)[inner] for file in chosen.flat]
        if not planes:
            return np.empty((*chosen.shape, *np.empty(self.plane, self.dtype)[inner].shape), self.dtype)
        return np.stack(planes).reshape(*chosen.shape, *planes[0].shape)

    def _read(self, file: Path) -> np.ndarray:
        try:
            return self._one(file)
        except BadInput as error:  # whatever is wrong with one file, the others are frames as before
            raise Damaged(str(error)) from error

    def _one(self, file: Path) -> np.ndarray:
        planes = open_one(file)
        if isinstance(planes, TiffPlanes):
            planes.check(decode=False)
        if _plane(planes) != self.plane or planes.dtype != self.dtype:
            raise BadInput(
                f"{file.name} is {planes.dtype} of shape {planes.shape};"
                f" the first frame is {self.dtype} of shape {self.plane}"
            )
        values = planes[(slice(None),) * planes.ndim]
        if "S" in planes.letters:
            axis = planes.letters.index("S")
            if not same_colours(np.moveaxis(values, axis, -1)):
                raise BadInput(f"{file.name} is a colour image; in a folder of numbered frames all are grey")
            values = np.take(values, 0, axis=axis)
        return values.reshape(self.plane)


def _plane(planes: TiffPlanes | PicturePlanes) -> tuple[int, int] | None:
    """Height and width of a file's one image, stored as grey or as colours; None where it holds more."""
    sizes = [(axis, n) for axis, n in zip(planes.letters, planes.shape, strict=True) if axis != "S" or n not in (3, 4)]
    if len(sizes) > 2:
        sizes = [(axis, n) for axis, n in sizes if n != 1]
    return (sizes[0][1], sizes[1][1]) if len(sizes) == 2 else None

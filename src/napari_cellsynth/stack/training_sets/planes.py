"""Planes of pixels in a file of a training set: written at any place, read as a memory map."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any, Self

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.stack import Stack

DTYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64")
"""Types of pixels that a set can hold as they are."""


class PlaneFile:
    """An uncompressed OME-TIFF of known shape whose planes (Y, X) are written one by one, in any order.

    Made whole and empty at first, so that a disk without room says so at
    once; written through the file and not through a memory map, where a full
    disk ends the process without a word.
    """

    def __init__(self, path: Path, like: Stack) -> None:
        self.path = path
        self.shape = like.shape
        self._stack = like
        self._offset, self.dtype = _place_of_pixels(path)
        self._file = open(path, "r+b")  # noqa: SIM115 - closed by close, with the set's folder

    @classmethod
    def create(
        cls,
        path: Path,
        axes: str,
        shape: tuple[int, ...],
        dtype: Any,
        *,
        provenance: Mapping[str, Any] | None = None,
        progress: Callable[[int, int], None] | None = None,
        **scale: Any,
    ) -> Self:
        """A new file of zeros; ``scale`` is what :class:`Stack` takes (pixel_size, frame_interval, channels, name)."""
        from napari_cellsynth.stack.files.write import write_ome_tiff

        native = check_dtype(dtype)
        # One zero seen from every place: no memory, whatever the shape.
        empty = Stack(np.broadcast_to(np.zeros((), native), shape), axes, provenance=dict(provenance or {}), **scale)
        write_ome_tiff(path, empty, compress=False, progress=progress)
        return cls(path, empty)

    def write(self, place: tuple[int, ...], plane: np.ndarray) -> None:
        """Put a plane (Y, X) at its place in the leading axes."""
        if plane.shape != self.shape[-2:] or len(place) != len(self.shape) - 2:
            raise ValueError(f"a plane {plane.shape} at {place} given for a file of {self.shape}")
        number = int(np.ravel_multi_index(place, self.shape[:-2]))
        size = prod(self.shape[-2:]) * self.dtype.itemsize
        self._file.seek(self._offset + number * size)
        self._file.write(np.ascontiguousarray(plane, self.dtype).data)

    def read(self, place: tuple[int, ...]) -> np.ndarray:
        """A plane (Y, X) as it is now; unlike ``array`` it leaves no pages of the file in memory."""
        count = prod(self.shape[-2:])
        self._file.seek(self._offset + int(np.ravel_multi_index(place, self.shape[:-2])) * count * self.dtype.itemsize)
        return np.frombuffer(self._file.read(count * self.dtype.itemsize), self.dtype).reshape(self.shape[-2:])

    def array(self) -> np.ndarray:
        """Everything so far, mapped for reading, in the file's shape."""
        self._file.flush()
        mapped: np.ndarray = np.memmap(self.path, self.dtype, "r", self._offset, self.shape)
        return mapped

    def stack(self) -> Stack:
        """The same with axes and scale."""
        return self._stack.with_(data=self.array())

    def close(self) -> None:
        self._file.close()


def check_dtype(dtype: Any) -> np.dtype[Any]:
    """The type in the machine's own byte order; BadInput for one that a set does not hold."""
    native = np.dtype(dtype).newbyteorder("=")
    if native.name not in DTYPES:
        raise BadInput(
            f"pixels of type {native} given; expected integers of up to 32 bits or float32 or float64: convert them"
        )
    return native


def check_numbers(plane: np.ndarray, name: str, frame: int) -> np.ndarray:
    """The plane; BadInput where it holds NaN or infinities, which would spoil scaling and training unseen.

    ``frame`` is the number in the file of the recording ``name``.
    """
    if plane.dtype.kind == "f" and not np.isfinite(plane).all():
        raise BadInput(
            f"frame {frame} of {name} (counted from 0) holds pixels that are not numbers; leave that frame out"
        )
    return plane


def _place_of_pixels(path: Path) -> tuple[int, np.dtype[Any]]:
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        if series.dataoffset is None or series.dtype is None:
            raise BadInput(f"{path} does not lie in one piece; it cannot be written plane by plane")
        return series.dataoffset, series.dtype.newbyteorder(file.byteorder)

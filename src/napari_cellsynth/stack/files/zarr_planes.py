"""Pixels of a Zarr array, a piece at a time; above this module nobody knows about Zarr."""

from __future__ import annotations

import os
import warnings
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput, Damaged
from napari_cellsynth.stack.files.boxes import BOXES, LARGEST
from napari_cellsynth.stack.files.planes import PROBED, full_key
from napari_cellsynth.stack.files.zarr_nodes import Node, node_at, refuse_code

_LARGEST_CHUNK = 2**32
"""Bytes of one chunk, which is decoded whole, up to which it is read."""
_LOOKED_FOR = 64
"""Chunks, evenly spaced, that are looked for when an array is opened."""


class ZarrPlanes:
    """Array-like over one Zarr array of version 2 or 3.

    Chunks that hold more than is asked for are decoded once and kept for a
    while (see :mod:`.boxes`).  No file is held open; it can be pickled.
    """

    def __init__(self, node: Node, name: str) -> None:
        refuse_code(node)
        self.folder, self.name = node.folder, name
        self._stamp = _stamp(self.folder)
        self._array = _opened(node, name)
        self._blosc = _packed_by_blosc(node)
        self.shape = tuple(int(n) for n in self._array.shape)
        self.ndim = len(self.shape)
        stored = np.dtype(self._array.dtype)
        self.dtype = stored.newbyteorder("=")
        self.chunks = tuple(int(n) for n in self._array.chunks)
        """Shape of a chunk (in a shard: of a chunk inside it)."""
        if prod(self.chunks) * stored.itemsize > _LARGEST_CHUNK:
            size = prod(self.chunks) * stored.itemsize / 1e9
            raise BadInput(f"{name} has chunks of {size:.3g} GB, which have to be read whole; save it in smaller ones")

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.folder, self.name)

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        return type(self).__name__, str(self.folder), self._stamp

    def __getitem__(self, key: Any) -> np.ndarray:
        asked = [_extent(one, size) for one, size in zip(full_key(key, self.ndim), self.shape, strict=True)]
        inner = tuple(one for _, _, one in asked)
        if any(stop <= start for start, stop, _ in asked):
            return np.empty([stop - start for start, stop, _ in asked], self.dtype)[inner]
        whole = tuple(
            (start // chunk * chunk, min(-(-stop // chunk) * chunk, size))
            for (start, stop, _), chunk, size in zip(asked, self.chunks, self.shape, strict=True)
        )
        wanted = tuple((start, stop) for start, stop, _ in asked)
        if whole == wanted or self._bytes(whole) > LARGEST:
            return self._read(wanted)[inner]
        box = BOXES.get((str(self.folder), self._stamp, whole), lambda: self._read(whole))
        offset = tuple(slice(a - b, c - b) for (a, c), (b, _) in zip(wanted, whole, strict=True))
        return box[offset][inner].copy()

    def check(self) -> None:
        """BadInput where the first chunks of the array cannot be read."""
        if prod(self.shape) == 0:
            raise BadInput(f"{self.name} has shape {self.shape}; expected at least one pixel")
        first = (*(slice(0, 1),) * (self.ndim - 2), slice(None), slice(None))
        if self._bytes(self._per_frame()) <= PROBED:
            _ = self[first]

    @property
    def notes(self) -> list[str]:
        """What is odd about the chunks, a sentence each."""
        notes = []
        frames = prod(self.chunks[:-2])
        if self._bytes(self._per_frame()) > LARGEST:
            notes.append(
                f"a frame cannot be read without {self._bytes(self._per_frame()) / 1e9:.3g} GB of others in the same"
                f" chunks ({frames} planes each), every time anew: save it with one plane per chunk"
            )
        looked, absent = self._absent()
        if absent:
            notes.append(
                f"{absent} of {looked} chunks looked for are not in the file: they read as"
                f" {self._array.fill_value or 0}, as empty images do, or were lost when it was copied"
            )
        return notes

    def _per_frame(self) -> tuple[tuple[int, int], ...]:
        """The box of whole chunks that the first (Y, X) plane needs."""
        lead = tuple((0, min(chunk, size)) for chunk, size in zip(self.chunks, self.shape, strict=True))[:-2]
        return (*lead, *((0, size) for size in self.shape[-2:]))

    def _bytes(self, box: tuple[tuple[int, int], ...]) -> int:
        return prod(stop - start for start, stop in box) * self.dtype.itemsize

    def _absent(self) -> tuple[int, int]:
        """Files of chunks (or shards) looked for, and how many are not there; all-zero chunks need not be."""
        stored = self._array.shards or self._array.chunks
        grid = [-(-size // chunk) for size, chunk in zip(self.shape, stored, strict=True)]
        total = prod(grid)
        numbers = np.unique(np.linspace(0, total - 1, min(total, _LOOKED_FOR)).round().astype(np.int64))
        keys = [self._array.metadata.encode_chunk_key(tuple(map(int, np.unravel_index(n, grid)))) for n in numbers]
        return len(keys), sum(not (self.folder / key).exists() for key in keys)

    def _read(self, box: tuple[tuple[int, int], ...]) -> np.ndarray:
        if _stamp(self.folder) != self._stamp:
            raise BadInput(f"{self.folder} has changed since it was opened; open it again")
        self._check_blosc(box)
        try:
            values = np.asarray(self._array[tuple(slice(start, stop) for start, stop in box)])
        except Exception as error:
            # Damaged chunks make zarr and its codecs raise nearly anything.
            raise self._damaged(box, error) from error
        return values.astype(self.dtype, copy=False)

    def _check_blosc(self, box: tuple[tuple[int, int], ...]) -> None:
        """BadInput where a chunk of Blosc is shorter than it says: Blosc would read on behind its end, silently."""
        if not self._blosc:
            return
        per_axis = (range(a // chunk, -(-b // chunk)) for (a, b), chunk in zip(box, self.chunks, strict=True))
        expected = prod(self.chunks) * self.dtype.itemsize
        for place in product(*per_axis):
            path = self.folder / self._array.metadata.encode_chunk_key(place)
            try:
                with open(path, "rb") as file:
                    head, size = file.read(16), os.fstat(file.fileno()).st_size
            except FileNotFoundError:
                continue  # which reads as the fill value
            raw, packed = (int.from_bytes(head[i : i + 4], "little") for i in (4, 12))
            if len(head) < 16 or size < packed or raw != expected:
                raise self._damaged(box, ValueError(f"{path.relative_to(self.folder)} is cut short or not whole"))

    def _damaged(self, box: tuple[tuple[int, int], ...], error: Exception) -> Damaged:
        reason = (" ".join(str(error).split()) or type(error).__name__)[:120]
        if isinstance(error, MemoryError):
            return Damaged(f"{self.name}: chunks of {self._bytes(box) / 1e9:.3g} GB do not fit into memory")
        lead = [str(start) for (start, _), size in zip(box, self.shape, strict=True) if size > 1][: self.ndim - 2]
        where = f"the chunk that begins at frame {', '.join(lead)}" if lead else "the image"
        return Damaged(f"{self.name}: {where} cannot be read ({reason}); the file is damaged")


def _extent(key: Any, size: int) -> tuple[int, int, Any]:
    """First and last-but-one index along an axis, and what to take of what lies between."""
    if not isinstance(key, slice):
        index = int(key) + (size if int(key) < 0 else 0)
        if not 0 <= index < size:
            raise IndexError(f"index {int(key)} for an axis of length {size}")
        return index, index + 1, 0
    places = range(size)[key]
    if len(places) == 0:
        return 0, 0, slice(None)
    start, stop = min(places[0], places[-1]), max(places[0], places[-1]) + 1
    return start, stop, slice(None, None, places.step)


def _packed_by_blosc(node: Node) -> bool:
    """Whether the files of chunks are what Blosc made, with nothing but a check sum behind it."""
    compressor = node.about.get("compressor")
    if isinstance(compressor, dict):
        return compressor.get("id") == "blosc"
    codecs = node.about.get("codecs")
    names = [str(codec.get("name")) for codec in codecs if isinstance(codec, dict)] if isinstance(codecs, list) else []
    return next((name.removeprefix("numcodecs.") for name in reversed(names) if name != "crc32c"), "") == "blosc"


def _opened(node: Node, name: str) -> Any:
    """The zarr library's array; BadInput where it cannot be read."""
    import zarr

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on drafts of the format: nothing that a user can mend
            return zarr.open_array(store=str(node.folder), mode="r")
    except Exception as error:
        reason = (" ".join(str(error).split()) or type(error).__name__)[:160]
        raise BadInput(f"{name} cannot be read as Zarr ({reason})") from error


def open_zarr_planes(folder: Path, name: str) -> ZarrPlanes:
    node = node_at(folder)
    if node is None or node.kind != "array":
        raise BadInput(f"{folder} is gone or no longer a Zarr array; open it again")
    return ZarrPlanes(node, name)


_reopen = open_zarr_planes


def _stamp(folder: Path) -> tuple[int, int]:
    """Time and size of the array's description; a missing chunk would read as zero, a missing array must not."""
    for name in ("zarr.json", ".zarray"):
        try:
            status = os.stat(folder / name)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise BadInput(f"{folder} cannot be reached ({error.strerror}); open it again") from error
        return status.st_mtime_ns, status.st_size
    raise BadInput(f"{folder} is gone; open it again")

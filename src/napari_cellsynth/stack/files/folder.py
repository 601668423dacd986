"""A folder of numbered files, one plane each, as one recording."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.tiff import open_planes

SUFFIXES = (".tif", ".tiff")
_DIGITS = re.compile(r"(\d+)")
_LETTERS = {"t": "T", "time": "T", "frame": "T", "z": "Z", "c": "C", "ch": "C", "w": "C"}


@dataclass(frozen=True)
class Numbered:
    """Files of a folder in the order of their numbers."""

    files: np.ndarray
    """Paths, one axis per number that varies."""
    axes: str | None
    """Their axes; None where more than one number varies and the names do not say what they count."""
    notes: tuple[str, ...] = ()


def numbered_files(folder: Path) -> Numbered:
    """Sort the TIFF files of ``folder`` by the numbers in their names; BadInput where they are not one series."""
    files = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
    if not files:
        inner = sorted(p.name for p in folder.iterdir() if p.is_dir())[:3]
        advice = f"give one of the folders in it ({', '.join(inner)})" if inner else "give a TIFF file"
        raise BadInput(f"{folder} holds no TIFF files, so it is no folder of numbered frames; {advice}")
    names: dict[tuple[str, ...], dict[tuple[int, ...], Path]] = defaultdict(dict)
    for file in files:
        parts = _DIGITS.split(file.stem)
        names[tuple(parts[::2])][tuple(int(n) for n in parts[1::2])] = file
    if len(names) > 1 or sum(len(group) for group in names.values()) < len(files):
        found = ", ".join(sorted("#".join(text) for text in names)[:4])
        raise BadInput(
            f"{folder} holds TIFF files with different names ({found}); put each recording in a folder of its own"
        )
    texts, group = next(iter(names.items()))
    return _grid(folder, texts, group)


def _grid(folder: Path, texts: tuple[str, ...], group: dict[tuple[int, ...], Path]) -> Numbered:
    numbers = np.array(sorted(group), dtype=object).reshape(len(group), -1)
    values = [sorted(set(column)) for column in numbers.T]
    varying = [i for i, v in enumerate(values) if len(v) > 1]
    if len(group) > 1 and not varying:
        raise BadInput(f"{folder} holds files whose names differ in no number; expected numbered frames")
    shape = [len(values[i]) for i in varying]
    if int(np.prod(shape)) != len(group):
        grid = " x ".join(map(str, shape))
        raise BadInput(f"{folder} holds {len(group)} files, but their numbers make a grid of {grid}; files are missing")
    ordered = [group[tuple(row)] for row in numbers]  # sorted rows: the last number runs fastest
    paths = np.empty(len(ordered), dtype=object)
    paths[:] = ordered
    notes = tuple(note for i in varying if (note := _gaps(values[i])))
    if len(varying) <= 1:
        return Numbered(paths, "T", notes)
    letters = [_LETTERS.get(re.split(r"[^a-z]+", texts[i].lower())[-1]) for i in varying]
    known = None not in letters and len(set(letters)) == len(letters)
    return Numbered(paths.reshape(shape), "".join(str(x) for x in letters) if known else None, notes)


def _gaps(numbers: list[int]) -> str | None:
    steps = np.diff(numbers)
    usual = int(np.median(steps))
    wide = [numbers[i] for i in np.flatnonzero(steps != usual)]
    return f"the numbers in the file names jump after {wide[0]}: frames may be missing" if wide else None


class FolderPlanes:
    """Array-like over files of one plane each: shape, dtype and reading by index."""

    def __init__(self, files: np.ndarray) -> None:
        self.files = files
        first = open_planes(files.flat[0], 0)
        plane = [n for n in first.shape if n != 1] if len(first.shape) > 2 else list(first.shape)
        if len(plane) != 2:
            raise BadInput(
                f"{files.flat[0].name} has shape {first.shape}; in a folder of numbered frames"
                " each file holds one grey (Y, X) frame (of an OME-TIFF in several files open the first file)"
            )
        self.plane = tuple(plane)
        self.shape = (*files.shape, *self.plane)
        self.ndim = len(self.shape)
        self.dtype = first.dtype
        self.lead = files.ndim

    def __dask_tokenize__(self) -> str:
        return uuid4().hex  # never the same as an earlier look at this folder, whose files may have changed

    @property
    def chunks(self) -> tuple[tuple[int, ...], ...]:
        return tuple((1,) * n for n in self.files.shape) + tuple((n,) for n in self.plane)

    def check(self) -> None:
        """Look at the first, middle and last file; the others are looked at when they are read."""
        for i in sorted({0, self.files.size // 2, self.files.size - 1}):
            self._read(self.files.flat[i])

    def __getitem__(self, key: Any) -> np.ndarray:
        key = key if isinstance(key, tuple) else (key,)
        key = key + (slice(None),) * (self.ndim - len(key))
        chosen = np.asarray(self.files[key[: self.lead]], dtype=object)
        inner = key[self.lead :]
        planes = [self._read(file)[inner] for file in chosen.flat]
        if not planes:
            return np.empty((*chosen.shape, *np.empty(self.plane, self.dtype)[inner].shape), self.dtype)
        return np.stack(planes).reshape(*chosen.shape, *planes[0].shape)

    def _read(self, file: Path) -> np.ndarray:
        planes = open_planes(file, 0)
        planes.check(decode=False)
        values = planes[()] if planes.ndim == 2 else planes[()].squeeze()
        if values.shape != self.plane or values.dtype != self.dtype:
            raise BadInput(
                f"{file.name} is {values.dtype} of shape {values.shape};"
                f" the first frame is {self.dtype} of shape {self.plane}"
            )
        return values

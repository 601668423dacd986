"""Series of numbered files in a folder: which files belong together, and what their numbers count."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.pictures import SUFFIXES as PICTURES

SUFFIXES = (".tif", ".tiff")
_DIGITS = re.compile(r"(\d+)")
_AXES = {
    **dict.fromkeys(("t", "time", "frame", "timepoint", "tp"), "T"),
    **dict.fromkeys(("z", "slice", "plane", "zplane"), "Z"),
    **dict.fromkeys(("c", "ch", "channel", "w", "wavelength"), "C"),
}
"""What a number counts, by the letters before it."""
_PLACES = "day exp experiment field movie point pos position recording replicate scene series site stage well xy"
"""Letters before a number that counts recordings, not frames of one."""
_PLACES_BESIDE = frozenset("pfs")
"""The same where another number varies too; alone, ``p001`` may be a page."""


@dataclass(frozen=True)
class Numbered:
    """Files of a folder in the order of their numbers."""

    files: np.ndarray
    """Paths, one axis per number that varies."""
    axes: str | None
    """Their axes; None where more than one number varies and the names do not say what they count."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """Files whose names differ in numbers only, of one position."""

    name: str
    """The files' name with ``#`` for what counts."""
    texts: tuple[str, ...]
    """What stands between the numbers."""
    group: dict[tuple[int, ...], Path]
    """The files by their numbers."""

    @property
    def alone(self) -> Path | None:
        """The only file, where there is one."""
        return next(iter(self.group.values())) if len(self.group) == 1 else None

    def ordered(self, folder: Path) -> Numbered:
        """The files on a grid of their numbers; BadInput where some are missing."""
        return _grid(folder, self)


class ScenesUnknown(BadInput):
    """A folder holds several recordings, and nobody said which."""

    def __init__(self, message: str, names: tuple[str, ...]) -> None:
        super().__init__(message)
        self.names = names

    def __reduce__(self) -> tuple[type[ScenesUnknown], tuple[str, tuple[str, ...]]]:
        return type(self), (str(self), self.names)


def series_in(folder: Path) -> list[Series]:
    """All series of TIFF files in ``folder``, or of pictures where there are no TIFF files; BadInput for none."""
    files = [p for p in sorted(folder.iterdir()) if not p.name.startswith(".") and p.is_file()]
    chosen = [p for p in files if p.suffix.lower() in SUFFIXES] or [p for p in files if p.suffix.lower() in PICTURES]
    if not chosen:
        inner = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))[:3]
        advice = f"give one of the folders in it ({', '.join(inner)})" if inner else "give a TIFF file"
        raise BadInput(f"{folder} holds no TIFF files or pictures, so it is no folder of numbered frames; {advice}")
    groups: dict[tuple[str, ...], dict[tuple[int, ...], Path]] = defaultdict(dict)
    for file in chosen:
        parts = _DIGITS.split(file.stem)
        texts, numbers = tuple(parts[::2]), tuple(int(n) for n in parts[1::2])
        twin = groups[texts].setdefault(numbers, file)
        if twin is not file:
            raise BadInput(
                f"{folder} holds files with different names for one number ({twin.name}, {file.name}); move one away"
            )
    found = [one for texts, group in groups.items() for one in _by_place(texts, group)]
    return sorted(found, key=lambda one: one.name)


def one_series(folder: Path, series: list[Series]) -> None:
    """ScenesUnknown where a folder holds more than one series."""
    if len(series) > 1:
        names = tuple(one.name for one in series)
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        raise ScenesUnknown(
            f"{folder} holds {len(names)} series of files with different names ({shown}); choose one with --scene 0 to"
            f" {len(names) - 1} (or its name), or put each recording in a folder of its own",
            names,
        )


def _by_place(texts: tuple[str, ...], group: dict[tuple[int, ...], Path]) -> list[Series]:
    """One series for each position that the numbers name."""
    places = [i for i in _varying(group) if _is_place(texts, i, group)]
    parts: dict[tuple[int, ...], dict[tuple[int, ...], Path]] = defaultdict(dict)
    for numbers, file in group.items():
        parts[tuple(numbers[i] for i in places)][numbers] = file
    return [Series(_pattern(part), texts, part) for part in parts.values()]


def _varying(group: dict[tuple[int, ...], Path]) -> list[int]:
    columns = list(zip(*group, strict=True))
    return [i for i, column in enumerate(columns) if len(set(column)) > 1]


def _word(texts: tuple[str, ...], place: int) -> str:
    """The letters right before a number."""
    found = re.search(r"([a-z]+)[^a-z]*$", texts[place].lower())
    return found.group(1) if found else ""


def _is_place(texts: tuple[str, ...], place: int, group: dict[tuple[int, ...], Path]) -> bool:
    word, beside = _word(texts, place), len(_varying(group)) > 1
    if word == "w":  # W0002 is a well, _w2 a wavelength
        return beside and len(_DIGITS.split(next(iter(group.values())).stem)[2 * place + 1]) > 2
    return word in _PLACES.split() or (beside and word in _PLACES_BESIDE)


def _pattern(group: dict[tuple[int, ...], Path]) -> str:
    """The name of the first file with ``#`` in place of the numbers that vary."""
    parts = _DIGITS.split(next(iter(group.values())).stem)
    for i in _varying(group):
        parts[2 * i + 1] = "#"
    return "".join(parts)


def _grid(folder: Path, series: Series) -> Numbered:
    group, texts = series.group, series.texts
    numbers = np.array(sorted(group), dtype=object).reshape(len(group), -1)
    values = [sorted(set(column)) for column in numbers.T]
    varying = _varying(group)
    shape = [len(values[i]) for i in varying]
    if int(np.prod(shape)) != len(group):
        grid = " x ".join(map(str, shape))
        raise BadInput(f"{folder} holds {len(group)} files, but their numbers make a grid of {grid}; files are missing")
    paths = np.empty(len(group), dtype=object)
    paths[:] = [group[tuple(row)] for row in numbers]  # sorted rows: the last number runs fastest
    notes = tuple(note for i in varying if (note := _gaps(values[i])))
    letters = [_AXES.get(_word(texts, i)) for i in varying]
    if len(varying) <= 1:
        return Numbered(paths, (letters and letters[0]) or "T", notes)
    known = None not in letters and len(set(letters)) == len(letters)
    return Numbered(paths.reshape(shape), "".join(str(x) for x in letters) if known else None, notes)


def _gaps(numbers: list[int]) -> str | None:
    steps = np.diff(numbers)
    usual = int(np.median(steps))
    wide = [numbers[i] for i in np.flatnonzero(steps != usual)]
    return f"the numbers in the file names jump after {wide[0]}: frames may be missing" if wide else None

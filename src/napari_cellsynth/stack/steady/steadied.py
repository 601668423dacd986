"""What was taken out of a recording when it was made steady, as a file, and the way back for results of every kind."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.replacing import replacing
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.steady.drift import Drift
from napari_cellsynth.stack.steady.places import restore_flow, restore_points
from napari_cellsynth.stack.steady.stabilise import KEY

PLACES = (("t", "y", "x"), ("axis-0", "axis-1", "axis-2"))
"""Columns of a table that say where and when: ours, and those of napari's Points."""


@dataclass(frozen=True, eq=False)
class Steadied:
    """How a recording was made steady; a JSON file and the provenance of the steady recording hold the same."""

    drift: Drift
    shape: tuple[int, int] | None = None
    """(Y, X) of the recording as it was made; None where nobody says."""
    origin: tuple[int, int] = (0, 0)
    """Corner (y, x) of the steady recording in the first frame, where it was cropped."""

    @classmethod
    def of(cls, stack: Stack) -> Steadied | None:
        """As the provenance of a steady recording, or of what was made of it, says; None where it says nothing."""
        told = ((stack.provenance or {}).get("settings") or {}).get(KEY)
        return None if told is None else cls.from_json(told)

    @classmethod
    def read(cls, path: Path) -> Steadied:
        """From ``x.drift.json``, from what ``info --fit --json`` printed, or from a steady recording; else BadInput."""
        if path.suffix.lower() != ".json":
            from napari_cellsynth.stack.files.read import read_stack

            found = cls.of(read_stack(path))
            if found is None:
                raise BadInput(
                    f"{path} does not say what was taken out of it; give the .drift.json that lies beside it"
                )
            return found
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            return cls.from_json(record)
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror}") from error
        except (BadInput, ValueError) as error:
            raise BadInput(
                f"{path} holds no drift; expected a .drift.json of cellsynth stabilise, or what cellsynth info --fit"
                f" --json prints"
            ) from error

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Steadied:
        """From what ``to_json`` gave, or what ``info --fit --json`` prints; BadInput for anything else."""
        try:
            if "fit" in record:
                size = [int(record["shape"][record["axes"].index(axis)]) for axis in "YX"]
                return cls(Drift.from_json(record["fit"]), (size[0], size[1]))
            (h, w), (y, x) = record["shape"], record["origin"]
            return cls(Drift.from_json(record["drift"]), (int(h), int(w)), (int(y), int(x)))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(f"no record of a steady recording: {error}") from error

    def to_json(self) -> dict[str, Any]:
        return {
            "drift": self.drift.to_json(),
            "shape": None if self.shape is None else list(self.shape),
            "origin": list(self.origin),
        }

    def write(self, path: Path) -> Path:
        """As a JSON file, whole or not at all."""
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(self.to_json()) + "\n", encoding="utf-8")
        return path


class RestoredFlow:
    """Flow (N, 2, Y, X) of a steady recording in the recording's own coordinates; an entry is moved when it is read."""

    def __init__(self, flow: Stack, how: Steadied, *, first: int = 0) -> None:
        if flow.axes != "TCYX" or flow.size("C") != 2 or flow.dtype.kind != "f":
            raise BadInput(
                f"{flow.name} holds {flow.axes} {' x '.join(map(str, flow.shape))} {flow.dtype}; expected flow:"
                f" fractions, axes TCYX, two channels (dx, dy)"
            )
        self._flow, self._how, self._first = flow, how, first
        self._size = how.shape or (flow.shape[2], flow.shape[3])
        (y, x), (h, w) = how.origin, flow.shape[2:]
        if y + h > self._size[0] or x + w > self._size[1]:
            raise BadInput(
                f"{flow.name} has frames of {h} x {w} pixels, the recording of {self._size[0]} x {self._size[1]}"
            )
        self.shape, self.dtype, self.ndim = (*flow.shape[:2], *self._size), flow.dtype, 4

    def __getitem__(self, place: tuple[int, int]) -> np.ndarray:
        """A plane (Y, X), dx or dy of an entry."""
        n, component = place
        (y, x), (h, w) = self._how.origin, self._flow.shape[2:]
        entry = np.full((1, 2, *self._size), np.nan, self.dtype)
        entry[0, :, y : y + h, x : x + w] = [np.asarray(self._flow.data[n, c]) for c in (0, 1)]
        return np.asarray(restore_flow(entry, self._how.drift, first=self._first + n)[0, component])


def restore_table(path: Path, out: Path, how: Steadied, *, first: int = 0) -> int:
    """Points or tracks (CSV with columns t, y, x among others) back in the recording's coordinates; returns how many.

    Frames count from 0 in the table; its frame 0 is frame ``first`` of the
    recording, and keeps its number.  Other columns stay as they are.
    """
    head, rows = _table(path)
    known = {name.strip().lower(): number for number, name in enumerate(head)}
    columns = next((names for names in PLACES if all(name in known for name in names)), None)
    if columns is None:
        raise BadInput(f"{path} has the columns {', '.join(head)}; expected t, y and x among them (frames and pixels)")
    at = [known[name] for name in columns]
    try:
        places = np.array([[float(row[i]) for i in at] for row in rows]).reshape(-1, 3)
    except (ValueError, IndexError) as error:
        raise BadInput(f"{path} holds a row without numbers for {', '.join(columns)}: {error}") from error
    places[:, 0] += first
    moved = restore_points(places, how.drift, origin=how.origin)
    for row, place in zip(rows, moved, strict=True):
        for i, value in zip(at[1:], place[1:], strict=True):
            row[i] = f"{value:.{_decimals(row[i], how.drift.subpixel)}f}"
    with replacing(out) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])
    return len(rows)


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines: Sequence[list[str]] = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not lines:
        raise BadInput(f"{path} is empty; expected a table with a head")
    return lines[0], list(lines[1:])


def _decimals(text: str, subpixel: bool) -> int:
    """As many as the number had, so that whole pixels there and back give the same file."""
    had = len(text.strip().partition(".")[2]) if "e" not in text.lower() else 6
    return max(had, 3) if subpixel else had

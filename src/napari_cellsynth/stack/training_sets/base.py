"""What prepared training sets of every kind have in common: a record, a table, pixels mapped into memory, parts."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.scaling import Scaling
from napari_cellsynth.stack.split import SPLITS
from napari_cellsynth.stack.training_sets.openings import note_opening, openings

FEW = 4
"""Recordings that are named in one line."""
PART_WORDS = {"train": "training", "validation": "tuning", "test": "test"}


@dataclass(frozen=True, eq=False)
class PreparedSet:
    """A folder with ``dataset.json``, a table with a row for each item, and pixels that are mapped, not read.

    A kind is a subclass: it names its table and its files, says how items
    are read, and checks in ``_check`` that the files are as the record says.
    """

    path: Path
    record: dict[str, Any]
    """dataset.json."""
    table: tuple[dict[str, str], ...]
    """Rows of the table, in order: row i describes item i."""

    KIND: ClassVar[str]
    """Name of the kind, which is also the word for its items: ``crops``, ``clips``, ``traps``, ``pairs``."""
    TABLE: ClassVar[str]
    """Name of the table's file."""
    FORMATS: ClassVar[tuple[int, ...]] = (1,)
    """Versions of dataset.json that are understood."""

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open a prepared folder; BadInput where it is none, of another kind, damaged, or made by a later version."""
        path = Path(path)
        record = read_record(path)
        if record.get("kind") != cls.KIND or record.get("format") not in cls.FORMATS:
            raise BadInput(unknown_kind(path, record))
        found = cls(path, record, read_table(path / cls.TABLE))
        try:
            found._check()
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, BadInput):
                raise
            raise BadInput(f"{path / 'dataset.json'} is damaged ({error!r}); prepare the set anew") from error
        return found

    def _check(self) -> None:
        """BadInput where files and record do not fit together; kinds add what is theirs."""
        wanted = sum(self.count(part) for part in SPLITS)
        if len(self.table) != wanted:
            raise BadInput(
                f"{self.path / self.TABLE} holds {len(self.table)} rows, dataset.json says {wanted}; "
                f"prepare the set anew"
            )

    @property
    def kind(self) -> str:
        return self.KIND

    @property
    def pixel_size(self) -> tuple[float, float] | None:
        """Height and width of a pixel of the items in micrometres."""
        pixel = self.record["pixel_size"]
        return None if pixel is None else (float(pixel[0]), float(pixel[1]))

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.record["dtype"])

    @property
    def modality(self) -> str | None:
        """``dic``, ``phase-contrast``, ``brightfield``, ``fluorescence``, or None where nobody said."""
        return None if self.record["modality"] is None else str(self.record["modality"])

    @property
    def scaling(self) -> Scaling:
        """From intensities to a model's range, from the training part."""
        return Scaling.from_json(self.record["scaling"])

    @property
    def hash(self) -> str:
        """Fingerprint of pixels and table."""
        return str(self.record["hash"])

    def count(self, split: str) -> int:
        """Items of ``train``, ``validation`` or ``test``."""
        return int(self.record["counts"][_part(split)])

    def indices(self, split: str) -> np.ndarray:
        """Indices (int64, ascending) of the items of a part."""
        wanted = _part(split)
        return np.array([i for i, row in enumerate(self.table) if row["split"] == wanted], dtype=np.int64)

    def examples(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Pictures (N, Y, X) of items in the recording's intensities, to be laid beside what a model makes of them.

        One picture of each item; which one, a kind says.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how its items are shown")

    def open_test(self, why: str, by: str = "") -> np.ndarray:
        """Indices (int64) of the test part, for a comparison named in ``why``, of the run or model named in ``by``.

        Every opening is counted: what a test part says is worth less each time something was chosen by
        it.  BadInput where the set has none, or the opening cannot be noted.
        """
        if not self.count("test"):
            raise BadInput(f"{self.path.name} has no test part; prepare a set that holds one out")
        note_opening(self.path, why, by)
        return self.indices("test")

    def times_test_opened(self) -> int:
        """How often the test part was opened with ``open_test``."""
        return len(openings(self.path))

    def summary(self) -> str:
        """One line in words."""
        return f"{self.names()}: {self.counts_text()}"

    def names(self) -> str:
        """The recordings it was made from, the first of many."""
        names = list(dict.fromkeys(str(source["name"]) for source in self.record["sources"]))
        more = [] if len(names) <= FEW else [f"{len(names) - FEW + 1} more"]
        return ", ".join(names[: FEW - 1] + more if more else names)

    def counts_text(self) -> str:
        """Such as ``490 training, 61 tuning, 61 test clips``."""
        counts = ", ".join(f"{self.count(part)} {PART_WORDS[part]}" for part in SPLITS if self.count(part))
        return f"{counts} {self.KIND}"

    def _expect(self, name: str, found: Sequence[int], wanted: Sequence[int]) -> None:
        """BadInput where a file's array does not have the shape that the record says."""
        if tuple(found) != tuple(wanted):
            raise BadInput(
                f"{self.path / name} holds {tuple(found)}, dataset.json says {tuple(wanted)}; prepare the set anew"
            )


def _part(split: str) -> str:
    if split not in SPLITS:
        raise BadInput(f"part {split!r} asked for; expected one of {', '.join(SPLITS)}")
    return split


def unknown_kind(path: Path, record: dict[str, Any]) -> str:
    """What to say of a set that is not of the kind, or of a format, that is wanted."""
    return (
        f"{path} holds a training set of kind {record.get('kind')!r}, format {record.get('format')!r}, "
        f"which this version does not know here; update napari-cellsynth, or prepare it anew"
    )


def read_record(path: Path) -> dict[str, Any]:
    """dataset.json of a folder; BadInput where there is none or it is damaged."""
    try:
        record = json.loads((path / "dataset.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BadInput(f"{path} is no training set (it has no dataset.json); prepare one first") from error
    except (OSError, ValueError) as error:
        raise BadInput(f"{path / 'dataset.json'} cannot be read: {error}") from error
    if not isinstance(record, dict):
        raise BadInput(f"{path / 'dataset.json'} holds no description of a training set; prepare it anew")
    return record


def read_table(path: Path) -> tuple[dict[str, str], ...]:
    """Rows of a set's table."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return tuple(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        said = getattr(error, "strerror", None) or error
        raise BadInput(f"{path} cannot be read: {said}; prepare the set anew") from error


def map_tiff(path: Path) -> np.ndarray:
    """The pixels, mapped into memory where they lie in one piece, else read."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            series = file.series[0]
            offset, shape, dtype = series.dataoffset, series.shape, series.dtype
            order = file.byteorder
            if offset is None or dtype is None:
                return np.asarray(series.asarray())
        return np.memmap(path, dtype.newbyteorder(order), "r", offset, shape)
    except (OSError, ValueError, IndexError, tifffile.TiffFileError) as error:
        raise BadInput(f"{path} cannot be read: {error}; prepare the set anew") from error

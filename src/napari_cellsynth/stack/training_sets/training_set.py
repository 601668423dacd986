"""A prepared training set on disk, as training reads it."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.crops.report import PART_WORDS, CropReport, box_text
from napari_cellsynth.stack.scaling import Scaling
from napari_cellsynth.stack.split import SPLITS

KINDS = ("crops",)
FORMATS = (1,)


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Crops of single cells with their masks, memory-mapped.

    The folder holds ``dataset.json``, ``crops.ome.tif`` (Q, T=1, Y, X),
    ``masks.tif`` (N, Y, X) and ``crops.csv``.
    """

    path: Path
    record: dict[str, Any]
    """dataset.json."""
    table: tuple[dict[str, str], ...]
    """Rows of crops.csv, in order."""

    @classmethod
    def open(cls, path: Path | str) -> TrainingSet:
        """Open a prepared folder; BadInput where it is none, or was made by a later version."""
        path = Path(path)
        record = _read_record(path)
        if record.get("kind") not in KINDS or record.get("format") not in FORMATS:
            raise BadInput(
                f"{path} holds a training set of kind {record.get('kind')!r}, format {record.get('format')!r}, "
                f"which this version does not know; update napari-cellsynth, or prepare it anew"
            )
        training_set = cls(path, record, _read_table(path))
        wanted = (sum(training_set.count(part) for part in SPLITS), training_set.size, training_set.size)
        for name, shape in (("crops.ome.tif", training_set._images.shape), ("masks.tif", training_set._masks.shape)):
            if shape != wanted or len(training_set.table) != wanted[0]:
                raise BadInput(f"{path / name} holds {shape}, dataset.json says {wanted}; prepare the set anew")
        return training_set

    @property
    def kind(self) -> str:
        return str(self.record["kind"])

    @property
    def size(self) -> int:
        """Pixels along a side of a crop."""
        return int(self.record["size"])

    @property
    def pixel_size(self) -> tuple[float, float] | None:
        """Height and width of a crop's pixel in micrometres."""
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
    def report(self) -> CropReport:
        """What was made and refused, with ``text()`` in words."""
        return CropReport.from_json(self.record["report"])

    @property
    def hash(self) -> str:
        """Fingerprint of crops and masks."""
        return str(self.record["hash"])

    def count(self, split: str) -> int:
        """Crops of ``train``, ``validation`` or ``test``."""
        if split not in SPLITS:
            raise BadInput(f"part {split!r} asked for; expected one of {', '.join(SPLITS)}")
        return int(self.record["counts"][split])

    def indices(self, split: str) -> np.ndarray:
        """Indices (int64, ascending) of the crops of a part."""
        if split not in SPLITS:
            raise BadInput(f"part {split!r} asked for; expected one of {', '.join(SPLITS)}")
        return np.array([i for i, row in enumerate(self.table) if row["split"] == split], dtype=np.int64)

    def images(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Crops (N, Y, X) in the recording's dtype and intensities."""
        return np.asarray(self._images[np.asarray(indices, dtype=np.int64)]).astype(self.dtype, copy=False)

    def masks(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Masks (N, Y, X) uint8 of the same crops, 1 inside the cell."""
        return np.asarray(self._masks[np.asarray(indices, dtype=np.int64)])

    def cells(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Number (int64) of the cell that each crop shows."""
        return np.array([int(self.table[i]["cell"]) for i in indices], dtype=np.int64)

    def summary(self) -> str:
        """One line in words, such as ``yeast, 64 px: 490 / 61 / 61 crops, about 70 cells``."""
        report = self.report
        names = ", ".join(dict.fromkeys(source["name"] for source in self.record["sources"]))
        box = box_text(report.box_um, report.box_px, self.size, short=True)
        counts = ", ".join(f"{self.count(part)} {PART_WORDS[part]}" for part in SPLITS if self.count(part))
        about = "" if report.cells_exact else "about "
        return f"{names}, box {box}: {counts} crops, {about}{report.cells} different cells"

    @cached_property
    def _images(self) -> np.ndarray:
        array = _map_tiff(self.path / "crops.ome.tif")
        return array.reshape(-1, *array.shape[-2:])

    @cached_property
    def _masks(self) -> np.ndarray:
        array = _map_tiff(self.path / "masks.tif")
        return array.reshape(-1, *array.shape[-2:])


def _read_record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads((path / "dataset.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BadInput(f"{path} is no training set (it has no dataset.json); prepare crops first") from error
    except (OSError, ValueError) as error:
        raise BadInput(f"{path / 'dataset.json'} cannot be read: {error}") from error
    if not isinstance(record, dict):
        raise BadInput(f"{path / 'dataset.json'} holds no description of a training set; prepare it anew")
    return record


def _read_table(path: Path) -> tuple[dict[str, str], ...]:
    try:
        with open(path / "crops.csv", encoding="utf-8", newline="") as file:
            return tuple(csv.DictReader(file))
    except OSError as error:
        raise BadInput(f"{path / 'crops.csv'} cannot be read: {error.strerror}; prepare the set anew") from error


def _map_tiff(path: Path) -> np.ndarray:
    """The pixels, mapped into memory where they lie in one piece, else read."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            in_one_piece = file.series[0].dataoffset is not None
        return tifffile.memmap(path, mode="r") if in_one_piece else tifffile.imread(path)
    except (OSError, ValueError, IndexError, tifffile.TiffFileError) as error:
        raise BadInput(f"{path} cannot be read: {error}; prepare the set anew") from error

"""Crops of single cells on disk, as training reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from napari_cellsynth.stack.crops.report import CropReport, box_text
from napari_cellsynth.stack.split import SPLITS
from napari_cellsynth.stack.training_sets.base import PreparedSet, map_tiff


@dataclass(frozen=True, eq=False)
class TrainingSet(PreparedSet):
    """Crops of single cells with their masks, memory-mapped.

    The folder holds ``dataset.json``, ``crops.ome.tif`` (Q, T=1, Y, X),
    ``masks.tif`` (N, Y, X) and ``crops.csv``.  Sets of other kinds are opened
    with :func:`~napari_cellsynth.stack.training_sets.kinds.open_training_set`.
    """

    KIND = "crops"
    TABLE = "crops.csv"

    def _check(self) -> None:
        wanted = (sum(self.count(part) for part in SPLITS), self.size, self.size)
        self._expect("crops.ome.tif", self._images.shape, wanted)
        self._expect("masks.tif", self._masks.shape, wanted)
        super()._check()

    @property
    def size(self) -> int:
        """Pixels along a side of a crop."""
        return int(self.record["size"])

    @property
    def report(self) -> CropReport:
        """What was made and refused, with ``text()`` in words."""
        return CropReport.from_json(self.record["report"])

    def images(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Crops (N, Y, X) in the recording's dtype and intensities."""
        return np.asarray(self._images[np.asarray(indices, dtype=np.int64)]).astype(self.dtype, copy=False)

    def examples(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """The crops (N, Y, X) themselves."""
        return self.images(indices)

    def masks(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Masks (N, Y, X) uint8 of the same crops, 1 inside the cell."""
        return np.asarray(self._masks[np.asarray(indices, dtype=np.int64)])

    def cells(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Number (int64) of the cell that each crop shows."""
        return np.array([int(self.table[i]["cell"]) for i in indices], dtype=np.int64)

    def summary(self) -> str:
        """One line in words, such as ``yeast, 64 px: 490 / 61 / 61 crops, about 70 cells``."""
        report = self.report
        box = box_text(report.box_um, report.box_px, self.size, short=True)
        about = "" if report.cells_exact else "about "
        return f"{self.names()}, box {box}: {self.counts_text()}, {about}{report.cells} different cells"

    @cached_property
    def _images(self) -> np.ndarray:
        array = map_tiff(self.path / "crops.ome.tif")
        return array.reshape(-1, *array.shape[-2:])

    @cached_property
    def _masks(self) -> np.ndarray:
        array = map_tiff(self.path / "masks.tif")
        return array.reshape(-1, *array.shape[-2:])

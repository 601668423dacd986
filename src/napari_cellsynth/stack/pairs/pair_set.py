"""Pairs on disk, as training reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.pairs.report import PairReport
from napari_cellsynth.stack.scaling import Scaling
from napari_cellsynth.stack.split import SPLITS
from napari_cellsynth.stack.training_sets.base import PreparedSet, map_tiff


@dataclass(frozen=True, eq=False)
class PairSet(PreparedSet):
    """Low and high exposures, memory-mapped: ``low.ome.tif`` and ``high.ome.tif`` (N, Y, X), and ``pairs.csv``."""

    KIND = "pairs"
    TABLE = "pairs.csv"

    def _check(self) -> None:
        wanted = (sum(self.count(part) for part in SPLITS), *self.size)
        self._expect("low.ome.tif", self._low.shape, wanted)
        self._expect("high.ome.tif", self._high.shape, wanted)
        super()._check()

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.record["size"]
        return int(height), int(width)

    @property
    def high_dtype(self) -> np.dtype[Any]:
        """Of the high exposures; ``dtype`` is the low ones'."""
        return np.dtype(self.record["high_dtype"])

    @property
    def high_scaling(self) -> Scaling:
        """Of the high exposures; ``scaling`` is the low ones'."""
        return Scaling.from_json(self.record["high_scaling"])

    @property
    def report(self) -> PairReport:
        return PairReport.from_json(self.record["report"])

    def low(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Low exposures (N, Y, X) in the recording's dtype and intensities."""
        return np.asarray(self._low[np.asarray(indices, dtype=np.int64)]).astype(self.dtype, copy=False)

    def high(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """High exposures (N, Y, X) of the same pairs."""
        return np.asarray(self._high[np.asarray(indices, dtype=np.int64)]).astype(self.high_dtype, copy=False)

    def examples(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """The high exposures (N, Y, X): what a model makes of the low ones is to be like them."""
        return self.high(indices)

    def summary(self) -> str:
        """One line in words."""
        height, width = self.size
        side = f"{height} px" if height == width else f"{height} x {width} px"
        return f"{self.names()}, {side}: {self.counts_text()}, {counted(self.report.fields, 'field')}"

    @cached_property
    def _low(self) -> np.ndarray:
        return self._mapped("low.ome.tif")

    @cached_property
    def _high(self) -> np.ndarray:
        return self._mapped("high.ome.tif")

    def _mapped(self, name: str) -> np.ndarray:
        array = map_tiff(self.path / name)
        return array.reshape(-1, *array.shape[-2:])

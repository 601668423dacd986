"""Sequences of traps on disk, as training reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.split import SPLITS
from napari_cellsynth.stack.training_sets.base import PART_WORDS, PreparedSet, map_tiff, read_table
from napari_cellsynth.stack.traps.report import TrapReport


@dataclass(frozen=True)
class SequenceItem:
    """One sequence of a set: frames of one trap in one plane that follow each other."""

    number: int
    recording: str
    trap: int
    z: int
    first: int
    """First frame in the recording's file, counted from 0; ``last`` is included."""
    last: int
    start: int
    """Its frames in the set are ``start`` to ``start + frames``, the end not included."""
    frames: int
    split: str
    condition: str | None

    @property
    def indices(self) -> np.ndarray:
        """Indices (int64) of its frames in the set, in the order of time."""
        return np.arange(self.start, self.start + self.frames, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class TrapSet(PreparedSet):
    """Crops of traps held fixed over time, memory-mapped.

    The folder holds ``dataset.json``, ``traps.ome.tif`` (Q, T=1, Y, X) with
    the frames of one sequence after the other, ``traps.csv`` (a row for each
    frame), ``sequences.csv`` (a row for each sequence), ``review.csv``, and
    ``labels.ome.tif`` where there were outlines.
    """

    KIND = "traps"
    TABLE = "traps.csv"

    def _check(self) -> None:
        count = sum(self.count(part) for part in SPLITS)
        wanted = (count, self.size, self.size)
        self._expect("traps.ome.tif", self._images.shape, wanted)
        if self.has_labels:
            self._expect("labels.ome.tif", self._labels.shape, wanted)
        super()._check()
        held = sum(item.frames for item in self._sequences)
        if held != count:
            raise BadInput(f"{self.path / 'sequences.csv'} holds {held} frames of {count}; prepare the set anew")

    @property
    def size(self) -> int:
        """Pixels along a side of a crop."""
        return int(self.record["size"])

    @property
    def frame_interval(self) -> float | None:
        """Seconds from frame to frame, where all recordings agree."""
        seconds = self.record["frame_interval"]
        return None if seconds is None else float(seconds)

    @property
    def has_labels(self) -> bool:
        return bool(self.record["labels"])

    @property
    def report(self) -> TrapReport:
        """What was made and refused, with ``text()`` in words."""
        return TrapReport.from_json(self.record["report"])

    def sequences(self, split: str) -> tuple[SequenceItem, ...]:
        """Sequences of ``train``, ``validation`` or ``test``; all planes of a trap are in one of them."""
        if split not in SPLITS:
            raise BadInput(f"part {split!r} asked for; expected one of {', '.join(SPLITS)}")
        return tuple(item for item in self._sequences if item.split == split)

    def images(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Frames (N, Y, X) in the recording's dtype and intensities."""
        return np.asarray(self._images[np.asarray(indices, dtype=np.int64)]).astype(self.dtype, copy=False)

    def examples(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """The frames (N, Y, X) themselves."""
        return self.images(indices)

    def clip(self, item: SequenceItem, first: int = 0, frames: int | None = None) -> np.ndarray:
        """Frames (T, Y, X) of a sequence, from its frame ``first`` on."""
        return self.images(item.indices[first : None if frames is None else first + frames])

    def labels(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Outlines (N, Y, X) uint32 of the same frames, numbered as in the recording; BadInput where there are none."""
        if not self.has_labels:
            raise BadInput(f"{self.path.name} holds no outlines; prepare it with labels")
        return np.asarray(self._labels[np.asarray(indices, dtype=np.int64)])

    def counts_text(self) -> str:
        """Such as ``30 training, 3 tuning, 3 test sequences of 12 traps``."""
        report = self.report
        counts = ", ".join(f"{report.sequences[part]} {PART_WORDS[part]}" for part in SPLITS if report.sequences[part])
        return f"{counts} {'sequence' if report.made == 1 else 'sequences'} of {counted(report.all_traps, 'trap')}"

    def summary(self) -> str:
        """One line in words."""
        frames = counted(sum(self.report.frames.values()), "frame")
        return f"{self.names()}, {self.size} px: {self.counts_text()}, {frames}"

    @cached_property
    def _sequences(self) -> tuple[SequenceItem, ...]:
        return tuple(
            SequenceItem(
                **{name: int(row[name]) for name in ("trap", "z", "first", "last", "start", "frames")},
                number=int(row["sequence"]),
                recording=row["recording"],
                split=row["split"],
                condition=row["condition"] or None,
            )
            for row in read_table(self.path / "sequences.csv")
        )

    @cached_property
    def _images(self) -> np.ndarray:
        array = map_tiff(self.path / "traps.ome.tif")
        return array.reshape(-1, *array.shape[-2:])

    @cached_property
    def _labels(self) -> np.ndarray:
        array = map_tiff(self.path / "labels.ome.tif")
        return array.reshape(-1, *array.shape[-2:])

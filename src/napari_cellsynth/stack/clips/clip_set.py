"""Clips on disk, as training reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.clips.labelled import CLASSES, LABELS
from napari_cellsynth.stack.clips.report import ClipReport
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.scaling import Scaling
from napari_cellsynth.stack.split import SPLITS
from napari_cellsynth.stack.training_sets.base import PreparedSet, map_tiff


@dataclass(frozen=True, eq=False)
class ClipSet(PreparedSet):
    """Clips, memory-mapped: ``clips.ome.tif`` (N, T, Y, X), or (N, T, C, Y, X), and ``clips.csv``.

    Made of recordings with outlines it has ``labels.tif`` (N, T, Y, X), too,
    and ``classes.tif`` where classes lay beside them.
    """

    KIND = "clips"
    TABLE = "clips.csv"

    def _check(self) -> None:
        count = sum(self.count(part) for part in SPLITS)
        channels = (self.channels,) if self.channels > 1 else ()
        if self._clips.size != count * self.stored * self.channels * self.size**2:
            self._expect("clips.ome.tif", self._clips.shape, (count, self.stored, *channels, self.size, self.size))
        for there, name, numbers in ((self.labelled, LABELS, "_labels"), (self.classes, CLASSES, "_classes")):
            if there and getattr(self, numbers).size != count * self.stored * self.size**2:
                self._expect(name, getattr(self, numbers).shape, (count, self.stored, self.size, self.size))
        super()._check()

    @property
    def size(self) -> int:
        """Pixels along a side."""
        return int(self.record["size"])

    @property
    def frames(self) -> int:
        """Frames in a clip."""
        return int(self.record["frames"])

    @property
    def read(self) -> int:
        """Frames of a clip that training reads, from its first."""
        return int(self.record["read"])

    @property
    def stored(self) -> int:
        """Frames on disk: one more than ``frames`` where it was asked for the flow."""
        return self.frames + int(self.record["for_flow"])

    @property
    def every(self) -> int:
        """Frames of the recording from one frame of a clip to the next."""
        return int(self.record["every"])

    @property
    def channels(self) -> int:
        return int(self.record["channels"])

    @property
    def frame_interval(self) -> float | None:
        """Seconds from frame to frame of a clip."""
        interval = self.record["frame_interval"]
        return None if interval is None else float(interval)

    @property
    def scalings(self) -> tuple[Scaling, ...]:
        """For each channel; ``scaling`` is the first's."""
        return tuple(Scaling.from_json(one) for one in self.record["channel_scalings"])

    @property
    def report(self) -> ClipReport:
        return ClipReport.from_json(self.record["report"])

    def clips(self, indices: Sequence[int] | np.ndarray, *, frames: int | None = None, first: int = 0) -> np.ndarray:
        """Clips (N, T, C, Y, X) in the recording's dtype and intensities.

        ``frames`` frames from frame ``first`` of each; default: as many as
        training reads, one more where clips were made for the flow.
        """
        wanted = self._wanted(frames, first)
        numbers = np.asarray(indices, dtype=np.int64)
        taken = np.asarray(self._clips[numbers, first : first + wanted])
        return taken.astype(self.dtype, copy=False)

    def _wanted(self, frames: int | None, first: int) -> int:
        wanted = frames if frames is not None else self.read + int(self.record["for_flow"])
        if first < 0 or wanted < 1 or first + wanted > self.stored:
            raise BadInput(
                f"frames {first} to {first + wanted - 1} of clips asked for; they have 0 to {self.stored - 1}"
            )
        return wanted

    @property
    def labelled(self) -> bool:
        """Whether labels are stored with the clips; of sets of earlier versions they are not."""
        return bool(self.record.get("labels", False))

    @property
    def classes(self) -> tuple[int, ...]:
        """The classes that its pixels have, 0 (background) first; empty where no classes are stored."""
        return tuple(int(one) for one in self.record.get("classes", ()))

    def labels(self, indices: Sequence[int] | np.ndarray, *, frames: int | None = None, first: int = 0) -> np.ndarray:
        """Instance labels (N, T, Y, X) uint16 or uint32 of clips, 0 background, with the recording's numbers.

        Frames as in :meth:`clips`.  BadInput where the set has none.
        """
        if not self.labelled:
            raise BadInput(
                f"{self.path.name} holds no labels; prepare clips of a recording with its outlines (--labels)"
            )
        return self._numbers(self._labels, indices, frames, first)

    def class_images(
        self, indices: Sequence[int] | np.ndarray, *, frames: int | None = None, first: int = 0
    ) -> np.ndarray:
        """Classes (N, T, Y, X) uint8 of the pixels of clips, 0 background; BadInput where the set has none."""
        if not self.classes:
            raise BadInput(f"{self.path.name} holds no classes; prepare clips of labels with x.classes.tif beside them")
        return self._numbers(self._classes, indices, frames, first)

    def _numbers(
        self, stored: np.ndarray, indices: Sequence[int] | np.ndarray, frames: int | None, first: int
    ) -> np.ndarray:
        wanted = self._wanted(frames, first)
        return np.asarray(stored[np.asarray(indices, dtype=np.int64), first : first + wanted])

    def examples(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """The first frame (N, Y, X) of each clip, in its first channel."""
        return self.clips(indices, frames=1)[:, 0, 0]

    def summary(self) -> str:
        """One line in words, such as ``hela, 10 frames of 128 px: 42 training, 6 test clips, 12 places``."""
        places = self.report.places
        words = f"{self.counts_text()}, {places} place{'s' if places != 1 else ''}"
        labels = ", with labels" if self.labelled else ""
        return f"{self.names()}, {counted(self.frames, 'frame')} of {self.size} px{labels}: {words}"

    @cached_property
    def _clips(self) -> np.ndarray:
        """(N, T, C, Y, X)."""
        array = map_tiff(self.path / "clips.ome.tif")
        shape = (-1, self.stored, self.channels, self.size, self.size)
        if array.size % (self.stored * self.channels * self.size**2) or array.shape[-1] != self.size:
            return array
        return array.reshape(shape)

    @cached_property
    def _labels(self) -> np.ndarray:
        """(N, T, Y, X)."""
        return self._mapped(LABELS)

    @cached_property
    def _classes(self) -> np.ndarray:
        """(N, T, Y, X)."""
        return self._mapped(CLASSES)

    def _mapped(self, name: str) -> np.ndarray:
        array = map_tiff(self.path / name)
        shape = (-1, self.stored, self.size, self.size)
        return array if array.size % (self.stored * self.size**2) else array.reshape(shape)

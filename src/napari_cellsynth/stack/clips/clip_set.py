"""Clips on disk, as training reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.clips.report import ClipReport
from napari_cellsynth.stack.scaling import Scaling
from napari_cellsynth.stack.split import SPLITS
from napari_cellsynth.stack.training_sets.base import PreparedSet, map_tiff


@dataclass(frozen=True, eq=False)
class ClipSet(PreparedSet):
    """Clips, memory-mapped: ``clips.ome.tif`` (N, T, Y, X), or (N, T, C, Y, X), and ``clips.csv``."""

    KIND = "clips"
    TABLE = "clips.csv"

    def _check(self) -> None:
        count = sum(self.count(part) for part in SPLITS)
        channels = (self.channels,) if self.channels > 1 else ()
        if self._clips.size != count * self.stored * self.channels * self.size**2:
            self._expect("clips.ome.tif", self._clips.shape, (count, self.stored, *channels, self.size, self.size))
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
        wanted = frames if frames is not None else self.read + int(self.record["for_flow"])
        if first < 0 or wanted < 1 or first + wanted > self.stored:
            raise BadInput(
                f"frames {first} to {first + wanted - 1} of clips asked for; they have 0 to {self.stored - 1}"
            )
        numbers = np.asarray(indices, dtype=np.int64)
        taken = np.asarray(self._clips[numbers, first : first + wanted])
        return taken.astype(self.dtype, copy=False)

    def examples(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """The first frame (N, Y, X) of each clip, in its first channel."""
        return self.clips(indices, frames=1)[:, 0, 0]

    def summary(self) -> str:
        """One line in words, such as ``hela, 10 frames of 128 px: 42 training, 6 test clips, 12 places``."""
        places = self.report.places
        words = f"{self.counts_text()}, {places} place{'s' if places != 1 else ''}"
        return f"{self.names()}, {self.frames} frames of {self.size} px: {words}"

    @cached_property
    def _clips(self) -> np.ndarray:
        """(N, T, C, Y, X)."""
        array = map_tiff(self.path / "clips.ome.tif")
        shape = (-1, self.stored, self.channels, self.size, self.size)
        if array.size % (self.stored * self.channels * self.size**2) or array.shape[-1] != self.size:
            return array
        return array.reshape(shape)

"""What a making of a training set of traps knows before the first crop is cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.recordings.recording import Recording
from napari_cellsynth.stack.training_sets.planes import check_dtype
from napari_cellsynth.stack.traps.boxes import CropShape
from napari_cellsynth.stack.traps.drift import Followed
from napari_cellsynth.stack.traps.review import ReviewRow
from napari_cellsynth.stack.traps.sequences import SequencePlan, TrapSequence
from napari_cellsynth.stack.traps.settings import TrapSettings


@dataclass(frozen=True, eq=False)
class Job:
    """Recordings, what is cut out of them, and how their stages move."""

    recordings: tuple[Recording, ...]
    settings: TrapSettings
    plan: SequencePlan
    rows: tuple[ReviewRow, ...]
    followed: tuple[Followed, ...]
    """One for each recording."""

    @cached_property
    def shapes(self) -> tuple[CropShape, ...]:
        """What is cut out around each trap, by recording."""
        return tuple(CropShape.of(one.stack, self.settings) for one in self.recordings)

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Of the crops; all recordings are of one."""
        return check_dtype(self.recordings[0].stack.dtype)

    @property
    def labelled(self) -> bool:
        """Whether all recordings have outlines, which are then cut out, too."""
        return all(one.labels is not None for one in self.recordings)

    @cached_property
    def pixel_size(self) -> tuple[float, float] | None:
        """Of a crop's pixel, in micrometres; BadInput where it differs from recording to recording."""
        sizes = [_pixel(one, shape) for one, shape in zip(self.recordings, self.shapes, strict=True)]
        known = [size for size in sizes if size is not None]
        if known and not all(np.allclose(size, known[0], rtol=0.01) for size in known):
            raise BadInput(
                "the pixel sizes of the recordings differ ("
                + ", ".join(f"{size[1]:.4g} µm" for size in known)
                + "); give the box in micrometres, so that all crops show the same"
            )
        return known[0] if len(known) == len(sizes) else None

    @property
    def frame_interval(self) -> float | None:
        """Seconds from frame to frame, where all recordings agree."""
        known = {one.stack.frame_interval for one in self.recordings}
        return known.pop() if len(known) == 1 else None

    @property
    def modality(self) -> str | None:
        """As the settings say, else where all recordings agree."""
        known = {one.modality for one in self.recordings}
        return self.settings.modality or (known.pop() if len(known) == 1 else None)

    @cached_property
    def planes(self) -> list[tuple[int, int, int]]:
        """What is read: recording, frame and plane, in the order of the files."""
        wanted = {(one.place.source, t, one.z) for one in self.plan.sequences for t in range(one.first, one.last + 1)}
        return sorted(wanted)

    @cached_property
    def _by_plane(self) -> dict[tuple[int, int, int], list[TrapSequence]]:
        found: dict[tuple[int, int, int], list[TrapSequence]] = {}
        for one in self.plan.sequences:
            for t in range(one.first, one.last + 1):
                found.setdefault((one.place.source, t, one.z), []).append(one)
        return found

    def showing(self, source: int, t: int, z: int) -> list[TrapSequence]:
        """The sequences that have a crop in a plane."""
        return self._by_plane.get((source, t, z), [])

    def middle(self, one: TrapSequence, t: int) -> tuple[int, int]:
        """Middle (y, x) of a sequence's crop in frame t of its recording."""
        dy, dx = self.followed[one.place.source].whole(t)
        return one.place.y + dy, one.place.x + dx

    def steps(self) -> Iterator[tuple[TrapSequence, int]]:
        """Every sequence with each of its frames, in the order of the set."""
        for one in self.plan.sequences:
            for t in range(one.first, one.last + 1):
                yield one, t


def _pixel(recording: Recording, shape: CropShape) -> tuple[float, float] | None:
    pixel = recording.stack.pixel_size
    return None if pixel is None else (pixel[0] * shape.height / shape.size, pixel[1] * shape.width / shape.size)

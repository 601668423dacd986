"""Recordings looked through before anything is cut from them: what is unfit is left out, what jumps is not crossed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.stack.recordings.recording import Recording
from napari_cellsynth.stack.training_sets.write import SetProgress

if TYPE_CHECKING:
    from napari_cellsynth.stack.fitness.drift import Drift
    from napari_cellsynth.stack.fitness.fitness import Fitness

FEWEST = 3
"""Frames that a recording needs for its frames to be compared."""


@dataclass(frozen=True)
class Looked:
    """Recordings with what was found in them."""

    recordings: tuple[Recording, ...]
    fitness: tuple[Fitness | None, ...]
    """None for a recording of too few frames."""

    def steadied(self) -> tuple[Recording, ...]:
        """The recordings with the stage's motion taken out, where there was any."""
        return tuple(
            one if found is None or not found.moves else steady(one, found.drift)
            for one, found in zip(self.recordings, self.fitness, strict=True)
        )

    def words(self) -> list[str]:
        """What is not as it should be, a line for each finding."""
        return [
            f"{one.name}: {finding.words}"
            for one, found in zip(self.recordings, self.fitness, strict=True)
            if found is not None
            for finding in found.findings()
            if finding.severity != "ok"
        ]


@dataclass(frozen=True, eq=False)
class SteadyRecording(Recording):
    """A recording without the motion of its stage; places are those of its first frame (after a new scene, of that)."""

    drift: Drift | None = None
    """What was taken out, by whole pixels."""

    def describe(self, *, hashes: bool = True) -> dict[str, Any]:
        drift = None if self.drift is None else self.drift.to_json()
        return {**super().describe(hashes=hashes), "drift": drift}


class _Moved:
    """Planes read when asked for, each moved by whole pixels and cut to what all of them show."""

    def __init__(self, data: Any, moves: np.ndarray, valid: tuple[int, int, int, int]) -> None:
        y0, y1, x0, x1 = valid
        self._data, self._moves, self._valid = data, moves, valid
        self.shape = (*data.shape[:-2], y1 - y0, x1 - x0)
        self.dtype, self.ndim = data.dtype, data.ndim

    def __getitem__(self, place: Any) -> np.ndarray:
        place = place if isinstance(place, tuple) else (place,)
        lead = len(self.shape) - 2
        if len(place) < lead or not all(isinstance(i, int | np.integer) for i in place[:lead]):
            chosen = np.arange(self.shape[0])[place[0]]
            return np.stack([self[(int(t), *place[1:])] for t in np.atleast_1d(chosen)])
        (y0, y1, x0, x1), (dy, dx) = self._valid, self._moves[place[0]]
        whole = np.asarray(self._data[place[:lead]])
        return whole[y0 + dy : y1 + dy, x0 + dx : x1 + dx][place[lead:]]


def steady(recording: Recording, drift: Drift) -> SteadyRecording:
    """The recording as if its stage had stood still: every frame moved by whole pixels, nothing interpolated.

    It is cut to what all its frames show; BadInput where that is nothing.
    """
    moves = np.rint(drift.offsets).astype(int)
    valid = drift.valid((recording.stack.size("Y"), recording.stack.size("X")))
    y0, y1, x0, x1 = valid
    origin = (recording.selection.origin[0] + y0, recording.selection.origin[1] + x0)
    labels = recording.labels
    return SteadyRecording(
        stack=recording.stack.with_(data=_Moved(recording.stack.data, moves, valid)),
        labels=None if labels is None else labels.with_(data=_Moved(labels.data, moves, valid)),
        split=recording.split,
        selection=replace(recording.selection, origin=origin, shape=(y1 - y0, x1 - x0)),
        row=recording.row,
        cuts=recording.cuts,
        unfit=recording.unfit,
        drift=drift,
    )


def look_through(recordings: Sequence[Recording]) -> Iterator[SetProgress | Looked]:
    """Judge every recording in its middle plane; last of all comes what was found.

    Cuts and unfit frames are added to those that were known.
    """
    from napari_cellsynth.stack.fitness.judge import judge

    total = sum(one.frames for one in recordings if one.frames >= FEWEST)
    done, found = 0, []
    for one in recordings:
        fitness: Fitness | None = None
        if one.frames >= FEWEST:
            for news in judge(one.stack, z=one.stack.size("Z") // 2):
                if isinstance(news, SetProgress):
                    yield replace(news, done=done + news.done, total=total)
                else:
                    fitness = news
            done += one.frames
        found.append(fitness)
    judged = [
        one if fitness is None else one.with_found(cuts=fitness.cuts, unfit=fitness.unfit)
        for one, fitness in zip(recordings, found, strict=True)
    ]
    yield Looked(tuple(judged), tuple(found))

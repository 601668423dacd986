"""Recordings that know how fit they are, and recordings without the stage's motion."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from napari_cellsynth.stack.fitness.fitness import Fitness
from napari_cellsynth.stack.recordings.recording import Recording
from napari_cellsynth.stack.steady.drift import Drift
from napari_cellsynth.stack.steady.stabilise import stabilise, stabilise_labels


@dataclass(frozen=True, eq=False)
class SteadyRecording(Recording):
    """A recording without the motion of its stage, cut to what all frames show.

    Places are those of its first frame (after a new scene, of that).
    """

    drift: Drift | None = None
    """What was taken out, by whole pixels."""

    def describe(self, *, hashes: bool = True) -> dict[str, Any]:
        """As of any recording, with the drift; the hash is of the steady pixels."""
        return {**super().describe(hashes=hashes), "drift": None if self.drift is None else self.drift.to_json()}


def with_fitness(recording: Recording, fitness: Fitness) -> Recording:
    """With the jumps as cuts, and the frames that no clip may hold; the fitness is of ``recording.stack``."""
    return recording.with_found(cuts=fitness.cuts, unfit=fitness.unfit)


def steady(recording: Recording, drift: Drift) -> Recording:
    """The recording without the stage's motion, its outlines moved along, cut to what every frame shows.

    No pixel is made up and none changes its value.  It is the recording
    itself where the stage stood still.  BadInput where nothing would be left.
    """
    whole = replace(drift, subpixel=False)
    if whole.still:
        return recording
    y0, y1, x0, x1 = whole.valid((recording.stack.size("Y"), recording.stack.size("X")))
    top, left = recording.selection.origin
    stack, labels = recording.stack, recording.labels
    if labels is not None:
        labels = stabilise_labels(labels, whole, border="crop").with_(path=labels.path)
    changes = {
        # Where it comes from stays known, though the file holds other pixels: the drift is told beside it.
        "stack": stabilise(stack, whole, border="crop").with_(path=stack.path),
        "labels": labels,
        "selection": replace(recording.selection, origin=(top + y0, left + x0), shape=(y1 - y0, x1 - x0)),
        "drift": whole,
    }
    kept = {one.name: getattr(recording, one.name) for one in fields(Recording)}
    return SteadyRecording(**(kept | changes))

"""Labels and classes that are stored beside clips: whole numbers, never mixed by resampling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.clips.plan import Clip, ClipPlan, Source
from napari_cellsynth.stack.recordings.recording import Recording
from napari_cellsynth.stack.recordings.select import select
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.training_sets.planes import PlaneFile
from napari_cellsynth.stack.training_sets.write import SetWriter

LABELS, CLASSES = "labels.tif", "classes.tif"
"""Files of a set: (N, T, Y, X) instance labels, 0 background, numbers of the recording; and classes, uint8."""
LARGEST = 2**32 - 1


def classes_beside(recording: Recording) -> Stack | None:
    """Classes (axes as the recording's) that lie beside its labels: ``x.classes.tif`` beside ``x.labels.tif``.

    None where there are none, or where the recording or its labels were
    changed since (made steady, projected), so that they would not fit.
    """
    labels, selection = recording.labels, recording.selection
    path = None if labels is None or labels.path is None else Path(labels.path)
    if path is None or ".labels." not in path.name:
        return None
    beside = path.with_name(path.name.replace(".labels.", ".classes."))
    if not beside.exists() or selection.z in ("max", "mean", "sharpest") or _moved(recording):
        return None
    from napari_cellsynth.stack.files.read import read_stack

    found = read_stack(beside)
    if found.dtype.kind not in "iu" or "C" in found.axes:
        return None
    if selection.frames and max(selection.frames) >= found.size("T"):
        return None
    chosen = select(found, selection) if selection.frames else found
    sizes = [tuple(one.size(axis) for axis in "TYX") for one in (chosen, recording.stack)]
    return chosen if sizes[0] == sizes[1] else None


def _moved(recording: Recording) -> bool:
    return recording.asked is not None and recording.asked.steadied


@dataclass(frozen=True)
class LabelFiles:
    """Where the numbers of clips go, and where they come from."""

    labels: PlaneFile
    classes: PlaneFile | None
    beside: tuple[Stack | None, ...]
    """Classes of each source."""

    def write(self, source: Source, t: int, z: int, clips: Sequence[tuple[int, int, Clip]]) -> None:
        """Put the pieces of one plane where they belong: ``clips`` are (clip, frame of it, where it lies)."""
        plane = source.outlines(t, z)
        if plane is None or not clips:
            return
        if int(plane.min(initial=0)) < 0 or int(plane.max(initial=0)) > LARGEST:
            raise BadInput(f"labels of {source.first.name} hold numbers below 0 or above {LARGEST}; number them anew")
        size = self.labels.shape[-1]
        classes = self.beside[source.number]
        kinds = None if classes is None or self.classes is None else _fitting(source, plane, classes, t, z)
        for number, k, clip in clips:
            self.labels.write((number, k), cut_numbers(source, plane, clip.y0, clip.x0, size))
            if self.classes is not None and kinds is not None:
                self.classes.write((number, k), cut_numbers(source, kinds, clip.y0, clip.x0, size))


def _fitting(source: Source, labels: np.ndarray, classes: Stack, t: int, z: int) -> np.ndarray:
    kinds = classes.frame(t, z=z if classes.size("Z") > 1 else 0)
    if int(kinds.min(initial=0)) < 0 or int(kinds.max(initial=0)) > 255:
        raise BadInput(f"{classes.name} holds classes beyond 0 to 255; expected few classes, 0 background")
    inside = labels > 0
    if inside.any() and (kinds[inside] == 0).mean() > 0.5:
        raise BadInput(
            f"the classes {classes.name} do not lie on the labels of {source.first.name}; move the file away, or make"
            " both of the same frames"
        )
    return kinds


def is_labelled(plan: ClipPlan) -> bool:
    """Whether all recordings have labels: of a clip without, nobody could say what it holds."""
    return all(source.first.labels is not None for source in plan.sources)


def label_dtype(plan: ClipPlan) -> np.dtype[np.unsignedinteger]:
    """The smallest that surely holds the recordings' numbers."""
    widths = [source.first.labels.dtype.itemsize for source in plan.sources if source.first.labels is not None]
    return np.dtype(np.uint16 if max(widths, default=1) <= 2 else np.uint32)


def label_bytes(plan: ClipPlan, count: int) -> int:
    """Of ``count`` clips; that of classes included, whether there are some or not."""
    pixels = count * plan.settings.stored * plan.settings.size**2
    return pixels * (label_dtype(plan).itemsize + 1) if is_labelled(plan) else 0


def open_labels(writer: SetWriter, plan: ClipPlan, count: int, provenance: dict[str, Any]) -> LabelFiles | None:
    """Empty files for the numbers of ``count`` clips; None where not all recordings have labels."""
    if not is_labelled(plan):
        return None
    shape = (count, plan.settings.stored, plan.settings.size, plan.settings.size)
    about: dict[str, Any] = {
        "pixel_size": plan.pixel_size,
        "frame_interval": plan.frame_interval,
        "provenance": provenance,
    }
    beside = tuple(classes_beside(source.first) for source in plan.sources)
    labels = writer.planes(LABELS, "QTYX", shape, label_dtype(plan), **about, name="labels")
    if any(one is None for one in beside):
        return LabelFiles(labels, None, beside)
    return LabelFiles(labels, writer.planes(CLASSES, "QTYX", shape, np.uint8, **about, name="classes"), beside)


def cut_numbers(source: Source, plane: np.ndarray, y0: int, x0: int, size: int) -> np.ndarray:
    """One frame (size, size) of a clip's numbers: of each pixel that under its middle."""
    rows, columns = (
        np.clip(np.floor(start + (np.arange(size) + 0.5) * side / size).astype(int), 0, length - 1)
        for start, side, length in zip((y0, x0), source.box, plane.shape, strict=True)
    )
    return plane[np.ix_(rows, columns)]

"""Cutting the crops and writing them: each plane of a recording is read once, and nothing is held in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.provenance import set_provenance
from napari_cellsynth.stack.training_sets.planes import PlaneFile, check_numbers
from napari_cellsynth.stack.training_sets.write import SetWriter
from napari_cellsynth.stack.traps.job import Job
from napari_cellsynth.stack.traps.review import review_text
from napari_cellsynth.stack.traps.tables import FRAMES, SEQUENCES, frame_rows, record_of, sequence_rows, sources_of


def check_inside(job: Job) -> None:
    """BadInput where a crop leaves the frame because the stage moves."""
    for one, t in job.steps():
        recording = job.recordings[one.place.source]
        frame = recording.stack.size("Y"), recording.stack.size("X")
        beyond = job.shapes[one.place.source].around(*job.middle(one, t)).beyond(frame)
        if beyond:
            raise BadInput(
                f"the stage moves the crop of trap {one.place.row.trap} of {recording.name} {beyond} px out of the"
                f" frame at frame {recording.file_frame(t)}: reject it, or take other frames"
            )


def write(job: Job, out: Path) -> Iterator[SetProgress]:
    """Write the training set; yields progress.  Closing the generator leaves nothing."""
    size, count = job.settings.size, job.plan.frames
    shape = (count, 1, size, size)
    needed = count * size * size * (job.dtype.itemsize + (4 if job.labelled else 0))
    total = len(job.planes) + 1
    # Before anything is cut: a copy of a recording on the other side of the split is refused here.
    sources = sources_of(job)
    provenance = set_provenance("traps", job.settings.model_dump(mode="json"), sources)

    with SetWriter(out, needed=needed) as writer:

        def empty(name: str, dtype: object) -> PlaneFile:
            scale = {"pixel_size": job.pixel_size, "frame_interval": job.frame_interval}
            return writer.planes(name, "QTYX", shape, dtype, provenance=provenance, progress=None, **scale)

        images = empty("traps.ome.tif", job.dtype)
        labels = empty("labels.ome.tif", np.uint32) if job.labelled else None
        for done, (source, t, z) in enumerate(job.planes, start=1):
            _cut_plane(job, source, t, z, images, labels)
            yield SetProgress(done, total, f"cutting the traps of {job.recordings[source].name}")
        writer.table("traps.csv", FRAMES, frame_rows(job))
        writer.table("sequences.csv", SEQUENCES, sequence_rows(job))
        (writer.folder / "review.csv").write_text(review_text(job.rows), encoding="utf-8-sig", newline="")
        yield SetProgress(total, total, "writing the training set")
        writer.finish(record_of(job, images.array()[:, 0], sources, provenance))


def _cut_plane(job: Job, source: int, t: int, z: int, images: PlaneFile, labels: PlaneFile | None) -> None:
    recording, shape = job.recordings[source], job.shapes[source]
    plane = check_numbers(recording.stack.frame(t, z=z), recording.name, recording.file_frame(t))
    outlines = recording.labels if labels is not None else None
    numbers = None if outlines is None else outlines.frame(t, z=z if outlines.size("Z") > 1 else 0)
    for one in job.showing(source, t, z):
        place = (one.start + t - one.first, 0)
        y, x = job.middle(one, t)
        images.write(place, shape.cut(plane, y, x).astype(job.dtype, copy=False))
        if labels is not None and numbers is not None:
            labels.write(place, shape.cut_labels(numbers, y, x).astype(np.uint32))

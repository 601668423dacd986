"""Tables, record and report of a training set of traps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from napari_cellsynth.stack.recordings.recording import check_copies
from napari_cellsynth.stack.scaling import Scaling
from napari_cellsynth.stack.split import SPLITS
from napari_cellsynth.stack.traps.job import Job
from napari_cellsynth.stack.traps.report import TrapReport

FORMAT = 1
"""Version of dataset.json."""
FRAMES = ("id", "sequence", "recording", "trap", "z", "t", "y", "x", "split")
"""Columns of traps.csv, a row for each frame: t, z, and the middle of the crop y, x in the recording's file, from 0."""
SEQUENCES = (
    "sequence", "recording", "trap", "z", "first", "last", "frames", "start", "split",
    "condition", "session", "position", "y", "x", "score",
)  # fmt: skip
"""Columns of sequences.csv: ``start`` is the id of its first frame in the set, ``first`` and ``last`` in the file."""


def frame_rows(job: Job) -> Iterator[dict[str, Any]]:
    """Rows of traps.csv."""
    for number, (one, t) in enumerate(job.steps()):
        recording = job.recordings[one.place.source]
        y, x = recording.file_place(*job.middle(one, t))
        values = (one.number, recording.name, one.place.row.trap, recording.selection.plane(one.z))
        place = (recording.file_frame(t), round(y), round(x))
        yield dict(zip(FRAMES, (number, *values, *place, one.split), strict=True))


def sequence_rows(job: Job) -> Iterator[dict[str, Any]]:
    """Rows of sequences.csv."""
    for one in job.plan.sequences:
        recording, row = job.recordings[one.place.source], one.place.row
        told = (recording.condition or "", recording.session or "", recording.position or "")
        time = (recording.file_frame(one.first), recording.file_frame(one.last), one.frames, one.start)
        what = (one.number, recording.name, row.trap, recording.selection.plane(one.z))
        score = "" if row.score is None else row.score
        yield dict(zip(SEQUENCES, (*what, *time, one.split, *told, row.y, row.x, score), strict=True))


def sources_of(job: Job) -> list[dict[str, Any]]:
    """The recordings as dataset.json describes them; refuses one that stands on both sides of the split."""
    sources = [{**one.describe(), "crop": str(shape)} for one, shape in zip(job.recordings, job.shapes, strict=True)]
    if job.plan.by != "traps":  # whole traps are held out alike in a recording and in its copy
        check_copies(sources)
    return sources


def record_of(
    job: Job, pixels: np.ndarray, sources: list[dict[str, Any]], provenance: dict[str, Any]
) -> dict[str, Any]:
    """What dataset.json holds; ``pixels`` (N, Y, X) are the crops: the scaling is that of the training part."""
    training = [one for one in job.plan.sequences if one.split == "train"]
    frames: Iterable[np.ndarray] = (pixels[i] for one in training for i in range(one.start, one.start + one.frames))
    report = report_of(job)
    return {
        "format": FORMAT,
        "kind": "traps",
        "size": job.settings.size,
        "pixel_size": job.pixel_size,
        "frame_interval": job.frame_interval,
        "dtype": job.dtype.name,
        "modality": job.modality,
        "labels": job.labelled,
        "washed": job.settings.washed,
        "sources": sources,
        "scaling": Scaling.of(frames, job.dtype).to_json(),
        "split": {"by": job.plan.by, "rule": job.settings.split},
        "counts": report.frames,
        "sequences": report.sequences,
        "report": report.to_json(),
        "provenance": provenance,
    }


def report_of(job: Job) -> TrapReport:
    """Count what is cut out."""
    made = job.plan.sequences
    traps: dict[str, int] = {
        part: len({(one.place.source, one.place.row.trap) for one in made if one.split == part}) for part in SPLITS
    }
    pixel = "" if job.pixel_size is None else f", a pixel is {job.pixel_size[1]:.3g} µm"
    stages = zip(job.recordings, job.followed, strict=True)
    return TrapReport(
        traps=traps,
        sequences={part: sum(one.split == part for one in made) for part in SPLITS},
        frames={part: sum(one.frames for one in made if one.split == part) for part in SPLITS},
        refused=job.plan.refused,
        short=job.plan.short,
        planes=max(one.stack.size("Z") for one in job.recordings),
        by=job.plan.by,
        washed=job.settings.washed,
        size=job.settings.size,
        crop=f"{job.shapes[0]}{pixel}",
        drift=tuple(f"{recording.name}: {stage.words()}." for recording, stage in stages),
        labels=job.labelled,
    )

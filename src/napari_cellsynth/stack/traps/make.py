"""Sequences of traps as a training set: what models of trapped cells learn from."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.recordings.recording import Recording
from napari_cellsynth.stack.training_sets.write import check_out
from napari_cellsynth.stack.traps.counted import plane_here
from napari_cellsynth.stack.traps.cut import check_inside, write
from napari_cellsynth.stack.traps.drift import Followed, Stage
from napari_cellsynth.stack.traps.job import Job
from napari_cellsynth.stack.traps.look_over import Review, review_traps
from napari_cellsynth.stack.traps.report import TrapReport
from napari_cellsynth.stack.traps.review import ReviewRow
from napari_cellsynth.stack.traps.sequences import TrapSequence, plan_sequences
from napari_cellsynth.stack.traps.settings import TrapSettings
from napari_cellsynth.stack.traps.tables import report_of
from napari_cellsynth.stack.traps.template import Template, plane_of
from napari_cellsynth.stack.usable import mixed_types


def make_traps(
    recordings: Sequence[Recording],
    out: Path,
    settings: TrapSettings | None = None,
    *,
    review: Sequence[ReviewRow] | None = None,
    template: Template | None = None,
    drifts: Sequence[Any] | None = None,
) -> Iterator[SetProgress | TrapReport]:
    """Cut the traps of recordings out and write them as a training set.

    Parameters
    ----------
    recordings
        Each TYX or TZYX, with outlines where there are any.
    out
        Folder of the training set (see :class:`.training_set.TrapSet`); must
        not exist, or be empty.
    review
        Which traps to take, where they are and from which frame to which;
        else they are found, and taken as proposed.
    template, drifts
        See :func:`.look_over.review_traps`.

    Yields
    ------
    SetProgress after every frame; last of all the TrapReport.  The folder
    appears when everything is in it: closing the generator leaves nothing.

    Raises
    ------
    BadInput
        Where recordings, review and settings do not fit together, a part
        would be empty, or ``out`` holds something.
    """
    settings = settings or TrapSettings()
    out = Path(out)
    check_out(out)
    # Before anything is looked for; a search by itself may go through recordings of several types.
    mixed = mixed_types([one.stack for one in recordings])
    if mixed is not None:
        raise BadInput(mixed)
    stages: list[Followed] | None = None
    if review is None:
        found = yield from _found(recordings, settings, template, drifts)
        review, stages = found.rows, [one.followed for one in found.judged]
    plan = plan_sequences(recordings, review, settings)
    if stages is None:
        stages = []
        for source, recording in enumerate(recordings):
            mine = [one for one in plan.sequences if one.place.source == source]
            drift = None if drifts is None else drifts[source]
            stages.append((yield from _follow(recording, mine, settings, drift)))
    job = Job(tuple(recordings), settings, plan, tuple(review), tuple(stages))
    check_inside(job)
    yield from write(job, out)
    yield report_of(job)


def _found(
    recordings: Sequence[Recording], settings: TrapSettings, template: Template | None, drifts: Sequence[Any] | None
) -> Generator[SetProgress, None, Review]:
    review: Review | None = None
    for news in review_traps(recordings, settings, template=template, drifts=drifts):
        if isinstance(news, Review):
            review = news
        else:
            yield news
    assert review is not None
    return review


def _follow(
    recording: Recording, sequences: Sequence[TrapSequence], settings: TrapSettings, drift: Any
) -> Generator[SetProgress, None, Followed]:
    """Where the stage is in each frame that is needed of a recording."""
    followed = Followed(follow=not settings.stay)
    references = {one.place.reference for one in sequences}
    if not references:
        return followed
    if len(references) > 1:
        frames = " and ".join(str(recording.file_frame(t)) for t in sorted(references))
        raise BadInput(f"traps of {recording.name} lie in frames {frames}; give the places of all in one frame")
    (reference,) = references
    if drift is not None:
        return Followed.given(drift, recording.frames, reference, not settings.stay)
    needed = sorted({t for one in sequences for t in range(one.first, one.last + 1)})
    z = plane_of(recording.stack, plane_here(recording, settings))
    stage = Stage(recording.stack.frame(reference, z=z))
    for done, t in enumerate(needed, start=1):
        followed.note(t, (0.0, 0.0) if t == reference else stage.offset(recording.stack.frame(t, z=z)))
        yield SetProgress(done, len(needed), f"looking whether the stage of {recording.name} moves")
    return followed

"""Training sets, and outlines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.api.models import Model
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.stack.clips.settings import ClipSettings
    from napari_cellsynth.stack.crops.settings import CropSettings
    from napari_cellsynth.stack.modality import Modality
    from napari_cellsynth.stack.outlines.many import OutlineProgress
    from napari_cellsynth.stack.outlines.settings import OutlineSettings
    from napari_cellsynth.stack.pairs.settings import PairSettings
    from napari_cellsynth.stack.recordings.recording import Pair, Recording
    from napari_cellsynth.stack.stack import Stack
    from napari_cellsynth.stack.traps.look_over import Review
    from napari_cellsynth.stack.traps.settings import TrapSettings
    from napari_cellsynth.stack.traps.template import Template


def prepare_crops(
    recordings: Sequence[Recording | Pair], out: Path, settings: CropSettings | None = None
) -> Iterator[Progress]:
    """Cut the cells of recordings out with their outlines into a training set.

    Recordings are those of a table (``Table.read("recordings.csv").recordings()``), or (movie, labels) pairs.
    The last event's ``details`` hold the report: crops made, refused and why, and how many different cells.
    """
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.stack.crops.make import make_crops
    from napari_cellsynth.stack.crops.report import CropReport
    from napari_cellsynth.stack.crops.settings import CropSettings

    for news in make_crops(recordings, out, settings or CropSettings()):
        if isinstance(news, CropReport):
            yield Progress(done=news.made, total=news.made, message=news.text(), details=news.to_json())
        else:
            yield Progress(done=news.done, total=news.total, message=news.message)


def prepare_clips(
    recordings: Sequence[Recording], out: Path, settings: ClipSettings | None = None
) -> Iterator[Progress]:
    """Cut clips of consecutive frames out of recordings into a training set.

    Recordings are those of a table, or of ``recordings_of(stacks)``.  The last event's ``details`` hold the report:
    clips made, of how many independent places, left out and why.
    """
    from napari_cellsynth.stack.clips.make import make_clips

    yield from _told(make_clips(recordings, out, settings))


def prepare_pairs(
    recordings: Sequence[Recording], out: Path, settings: PairSettings | None = None
) -> Iterator[Progress]:
    """Put low and high exposures of the same fields together into a training set.

    Recordings have a role in their table, or alternate (see the settings).  The last event's ``details`` hold the
    report: pairs made, of how many fields, how they are shifted, left out and why.
    """
    from napari_cellsynth.stack.pairs.make import make_pairs

    yield from _told(make_pairs(recordings, out, settings))


def prepare_traps(
    recordings: Sequence[Recording],
    out: Path,
    settings: TrapSettings | None = None,
    *,
    review: Path | None = None,
    as_taken: bool = False,
    template: Template | None = None,
) -> Iterator[Progress]:
    """Cut the traps of recordings out, held fixed over time, into a training set.

    Recordings are those of a table, or of ``recordings_of(stacks)``.  ``review`` is a review table (see
    ``find_traps``) with the numbers of the recordings' files, or, ``as_taken``, of the recordings as they are taken
    of them; without it traps are found by the box in the settings, or by ``template``, and taken as proposed.
    The last event's ``details`` hold the report: traps, sequences and frames, what was not taken and why.
    """
    from napari_cellsynth.stack.traps.counted import as_in_files
    from napari_cellsynth.stack.traps.make import make_traps
    from napari_cellsynth.stack.traps.review import read_review

    rows = None if review is None else read_review(review)
    if rows is not None and as_taken:
        rows = as_in_files(rows, recordings)
    yield from _told(make_traps(recordings, out, settings, review=rows, template=template))


def find_traps(
    recordings: Sequence[Recording], settings: TrapSettings, *, template: Template | None = None
) -> Iterator[Progress | Review]:
    """Find the traps of recordings and look at all their frames; the last that comes is the review.

    ``write_review(path, review.rows)`` (``stack.traps.review``) writes it as a table to be looked through.
    """
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.stack.traps.look_over import Review, review_traps

    for news in review_traps(recordings, settings, template=template):
        if isinstance(news, Review):
            yield news
        else:
            yield Progress(done=news.done, total=news.total, message=news.message)


def _told(making: Iterator[Any]) -> Iterator[Progress]:
    """News of a making as events: progress, and the report that comes last."""
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.stack.progress import SetProgress

    for news in making:
        if isinstance(news, SetProgress):
            yield Progress(done=news.done, total=news.total, message=news.message)
        else:
            yield Progress(done=news.made, total=news.made, message=news.text(), details=news.to_json())


def segment(
    stack: Stack,
    settings: OutlineSettings | None = None,
    *,
    modality: Modality | None = None,
    run: Path | Model | None = None,
    channel: int = 0,
    device: str = "auto",
) -> Iterator[OutlineProgress | Stack]:
    """Outline the cells of every frame: progress, and last of all the labels (axes without C).

    Without training, as the settings say (:func:`napari_cellsynth.stack.outlines.many.outline_stack`), or with what a
    ``run`` has learned, in the given channel (:func:`.segmenting.segment_with`, which gives classes, too).
    """
    from napari_cellsynth.stack.outlines.many import outline_stack

    if run is None:
        yield from outline_stack(stack, settings, modality=modality)
        return
    if settings is not None or modality is not None:
        raise BadInput("settings or a modality given with a run; a run knows its own: give one or the other")
    from napari_cellsynth.api.segmenting import SegmentedStack, segment_with

    for news in segment_with(run, stack, channel=channel, device=device):
        yield news.labels if isinstance(news, SegmentedStack) else news

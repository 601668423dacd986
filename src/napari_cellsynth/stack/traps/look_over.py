"""Finding and judging the traps of all recordings: everything that stands in the review table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.recordings.recording import Recording
from napari_cellsynth.stack.training_sets.write import SetProgress
from napari_cellsynth.stack.traps.counted import plane_here, template_here, time_here
from napari_cellsynth.stack.traps.find import Still, box_template, find_traps, look
from napari_cellsynth.stack.traps.judge import Judged, judge_traps
from napari_cellsynth.stack.traps.review import ReviewRow, counts, review_of
from napari_cellsynth.stack.traps.settings import TrapSettings
from napari_cellsynth.stack.traps.template import Template


@dataclass(frozen=True, eq=False)
class Review:
    """The traps of all recordings with what is proposed, and what it is based on."""

    rows: tuple[ReviewRow, ...]
    judged: tuple[Judged, ...]
    """One for each recording."""
    template: Template

    def words(self) -> str:
        """A line for each recording, and how many are proposed."""
        lines = [f"{one.found.words()}; {one.followed.words()}" for one in self.judged]
        return "\n".join([*lines, counts(self.rows)])


def review_traps(
    recordings: Sequence[Recording],
    settings: TrapSettings,
    *,
    template: Template | None = None,
    drifts: Sequence[Any] | None = None,
) -> Iterator[SetProgress | Review]:
    """Find the traps of every recording, look at all their frames, and propose which to take.

    ``template`` is that of another recording; else the settings' box lies in
    the first.  ``drifts`` are of the recordings' frames (``offsets`` (T, 2),
    dy and dx in pixels), None where the drift shall be found here.  Yields
    progress, last of all the :class:`Review`.  BadInput where there is no
    template, no trap, or the settings do not fit a recording.
    """
    check_names(recordings)
    drifts = drifts or [None] * len(recordings)
    total = sum(_frames(one, settings) for one in recordings)
    rows: list[ReviewRow] = []
    judged: list[Judged] = []
    done = 0
    yield SetProgress(0, total, "looking for what stands still")
    if template is None and settings.box is None:
        raise BadInput("no template given; box one trap: y0:y1,x0:x1 in pixels of a frame")
    for recording, drift in zip(recordings, drifts, strict=True):
        still, template = _look(recording, settings, template, drift, first=not judged)
        here = plane_here(recording, time_here(recording, settings))
        found = find_traps(recording.stack, still, template, here)
        yield SetProgress(done, total, found.words())
        seeing = judge_traps(recording.stack, found, here, labels=recording.labels, unfit=recording.unfit)
        for news in seeing:
            if isinstance(news, Judged):
                judged.append(news)
                rows += review_of(recording, news, settings)
            else:
                yield SetProgress(done + news.done, total, news.message)
        done += _frames(recording, settings)
    if not rows or template is None:
        raise BadInput(f"no trap found: {'; '.join(one.found.threshold.words() for one in judged)}")
    yield Review(tuple(rows), tuple(judged), template)


def _look(
    recording: Recording, settings: TrapSettings, template: Template | None, drift: Any, *, first: bool
) -> tuple[Still, Template]:
    """What stands still, on the frame of the box where that is in this recording."""
    own = template is None or (first and template.recording == recording.stack.name)
    here = plane_here(recording, time_here(recording, settings))
    if own:
        here = template_here(recording, here)
    still = look(
        recording.stack,
        here,
        reference=here.template_frame if own else None,
        drift=drift,
        unfit=recording.unfit,
    )
    if template is None:
        assert here.box is not None
        template = box_template(recording.stack, still, here.box)
    return still, template


def template_of(recording: Recording, settings: TrapSettings) -> Template:
    """The template from a recording that is itself not cut; BadInput where no box is given or it does not fit."""
    if settings.box is None:
        raise BadInput("no template given; box one trap: y0:y1,x0:x1 in pixels of a frame")
    return _look(recording, settings, None, None, first=True)[1]


def check_names(recordings: Sequence[Recording]) -> None:
    """BadInput where two recordings share a name, by which the review table knows them."""
    if not recordings:
        raise BadInput("no recording given; expected at least one")
    names = [one.name for one in recordings]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadInput(f"two recordings are called {twice}; give each a name of its own in the table's column name")


def _frames(recording: Recording, settings: TrapSettings) -> int:
    here = time_here(recording, settings)
    return (here.last or 0) + 1 - here.first

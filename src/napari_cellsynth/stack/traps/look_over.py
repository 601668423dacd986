"""Finding and judging the traps of all recordings: everything that stands in the review table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.recordings.recording import Recording
from napari_cellsynth.stack.traps.counted import plane_here, template_here, time_here
from napari_cellsynth.stack.traps.find import Still, TrapMap, box_template, find_traps, look
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


@dataclass(frozen=True, eq=False)
class Found:
    """Where traps are in all recordings."""

    maps: tuple[TrapMap, ...]
    """One for each recording."""
    template: Template

    def at(self, threshold: float) -> Found:
        """The same with another threshold."""
        return replace(self, maps=tuple(one.at(threshold) for one in self.maps))

    def words(self) -> str:
        """A line for each recording."""
        return "\n".join(one.words() for one in self.maps)


def find_everywhere(
    recordings: Sequence[Recording],
    settings: TrapSettings,
    *,
    template: Template | None = None,
    drifts: Sequence[Any] | None = None,
) -> Iterator[SetProgress | Found]:
    """Where traps are in every recording; few frames of each are read.

    Parameters as for :func:`review_traps`.  Yields progress, last of all the :class:`Found`.
    """
    _check(recordings, settings, template)
    maps: list[TrapMap] = []
    for done, recording in enumerate(recordings):
        yield SetProgress(done, len(recordings), f"looking for traps in {recording.name}")
        drift = None if drifts is None else drifts[done]
        found, template = _find(recording, settings, template, drift)
        maps.append(found)
    assert template is not None
    yield Found(tuple(maps), template)


def look_through(
    recordings: Sequence[Recording], found: Found, settings: TrapSettings
) -> Iterator[SetProgress | Review]:
    """Look at all frames of the traps that were found, and propose which to take; last of all the :class:`Review`."""
    total = sum(_frames(one, settings) for one in recordings)
    rows: list[ReviewRow] = []
    judged: list[Judged] = []
    done = 0
    for recording, one in zip(recordings, found.maps, strict=True):
        for news in _judge(recording, one, settings):
            if isinstance(news, Judged):
                judged.append(news)
                rows += review_of(recording, news, settings)
            else:
                yield SetProgress(done + news.done, total, news.message)
        done += _frames(recording, settings)
    if not rows:
        raise BadInput(f"no trap found: {'; '.join(one.threshold.words() for one in found.maps)}")
    yield Review(tuple(rows), tuple(judged), found.template)


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
    for news in find_everywhere(recordings, settings, template=template, drifts=drifts):
        if isinstance(news, Found):
            yield from look_through(recordings, news, settings)
        else:
            yield SetProgress(0, sum(_frames(one, settings) for one in recordings), news.message)


def _check(recordings: Sequence[Recording], settings: TrapSettings, template: Template | None) -> None:
    check_names(recordings)
    if template is None and settings.box is None:
        raise BadInput("no template given; box one trap: y0:y1,x0:x1 in pixels of a frame")
    for recording in recordings:
        time_here(recording, settings)


def _find(
    recording: Recording, settings: TrapSettings, template: Template | None, drift: Any
) -> tuple[TrapMap, Template]:
    still, template = _look(recording, settings, template, drift)
    here = plane_here(recording, time_here(recording, settings))
    return find_traps(recording.stack, still, template, here), template


def _judge(recording: Recording, found: TrapMap, settings: TrapSettings) -> Iterator[SetProgress | Judged]:
    here = plane_here(recording, time_here(recording, settings))
    return judge_traps(recording.stack, found, here, labels=recording.labels, unfit=recording.unfit)


def _look(
    recording: Recording, settings: TrapSettings, template: Template | None, drift: Any
) -> tuple[Still, Template]:
    """What stands still, on the frame of the box where that is in this recording."""
    own = template is None or template.recording == recording.stack.name
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
    return _look(recording, settings, None, None)[1]


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

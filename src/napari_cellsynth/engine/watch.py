"""Writes down what is thought of a training whenever that changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

from napari_cellsynth.engine.events import Event, Health, Started, Step, Validation
from napari_cellsynth.engine.health import verdict
from napari_cellsynth.engine.history import History
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.words import IMAGES, Things
from napari_cellsynth.errors import CellsynthError


def watched(events: Iterator[Event], folder: RunFolder, makes: Things = IMAGES) -> Iterator[Event]:
    """The events of a run's writer, a generator, and :class:`~.events.Health` among them, written to the folder, too.

    Closing this closes ``events``.
    """
    writer: Any = events
    history = History(makes)
    with closing(writer):
        for event in writer:
            yield event
            if isinstance(event, Started):
                # The log holds what was before a resume, cut back to where it goes on.
                history = History(makes)
                history.add(folder.events())
            else:
                history.add([event])
            news = _news(history, event)
            if news is not None:
                history.add([news])
                # Where there is no room for it, or no folder, the writer will find out, and knows what to do.
                with suppress(OSError, CellsynthError):
                    news = folder.log_of_events.append(news)
                yield news


def _news(history: History, event: Event) -> Event | None:
    """What has to be said after an event."""
    if not isinstance(event, Step | Validation):
        return None
    found, before = verdict(history), history.health
    # Between previews only what cannot wait, so that the verdict does not waver from stretch to stretch.
    if found.severity == "quiet" or (isinstance(event, Step) and found.severity != "bad"):
        return None
    if before is not None and (before.code, before.state) == (found.code, found.severity):
        return None
    return Health(step=history.step, state=found.severity, code=found.code, words=found.words)

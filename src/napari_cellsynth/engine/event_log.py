"""events.jsonl: one line an event, appended by one writer and followed by many readers."""

from __future__ import annotations

import json
import math
import os
import time
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_cellsynth.engine.events import (
    CancelledByUser,
    DamagedRemoved,
    Event,
    Failed,
    Finished,
    Health,
    MemoryMet,
    Paused,
    Resumed,
    Started,
    Stopped,
    Waiting,
)
from napari_cellsynth.engine.files import end_of

TURNS = (Started, Waiting, Paused, Resumed, Finished, Stopped, CancelledByUser, Failed)
"""Events that change how a run is doing."""
ASIDE = (Waiting, MemoryMet, Health, DamagedRemoved)
"""Events that say something of the run, and nothing of how far it has come."""
END = 1 << 16
"""Bytes at the end of the file in which the last events are looked for; about 300 lines."""
FAR_BACK = 1 << 22
"""Bytes at the end in which the last word on a training's health is looked for; about 20,000 lines."""


@dataclass(frozen=True)
class Recent:
    """The end of a log."""

    turn: Event | None
    """The last event that changed how the run is doing."""
    last: Event | None
    """The last event that says how far training has come."""
    events: tuple[Event, ...]
    """The newest, oldest first: at least from ``turn`` on."""

    @property
    def step(self) -> int:
        """Steps done, as far as the log says."""
        return max(getattr(self.last, "step", 0), getattr(self.turn, "step", 0))


class EventLog:
    """The file as its one writer sees it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, event: Event) -> Event:
        """Add a line at once; returns the event with its time."""
        event = stamped(event)
        self.write(event)
        return event

    def write(self, event: Event) -> None:
        """Add a line for an event that has its time."""
        line = json.dumps(_no_nan(event.to_json()), ensure_ascii=False, allow_nan=False) + "\n"
        with open(self.path, "ab+") as file:
            if file.tell() and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
                # A writer that was killed has left half a line.
                file.write(b"\n")
            file.write(line.encode())

    def catch_up(self) -> None:
        """Write what could not be written before; here everything is written at once."""

    def settle(self) -> None:
        """Wait until everything is written."""

    def recent(self) -> Recent:
        """The newest events, back to the last that changed how the run is doing (but no further than :data:`END`)."""
        turn: Event | None = None
        last: Event | None = None
        found: list[Event] = []
        for line in reversed(self._end()):
            event = parse(line)
            if event is None:
                continue
            found.append(event)
            if last is None and hasattr(event, "step") and not isinstance(event, ASIDE):
                last = event
            if isinstance(event, TURNS):
                turn = event
                break
        return Recent(turn, last, tuple(reversed(found)))

    def last(self) -> tuple[Event | None, Event | None]:
        """The last event that changed how the run is doing, and the last that says how far training has come."""
        recent = self.recent()
        return recent.turn, recent.last

    def _end(self) -> list[bytes]:
        content, whole = end_of(self.path, END)
        lines = content.split(b"\n")[:-1]
        return lines if whole else lines[1:]

    def health(self) -> Health | None:
        """What was last thought of the training, where that was said within the last :data:`FAR_BACK` bytes."""
        try:
            with open(self.path, "rb") as file:
                end, rest = file.seek(0, os.SEEK_END), b""
                for start in range(end - END, end - FAR_BACK - END, -END):
                    file.seek(max(0, start))
                    lines = (file.read(END + min(0, start)) + rest).split(b"\n")
                    rest = lines[0]
                    for line in reversed(lines if start <= 0 else lines[1:]):
                        if b'"health"' in line and isinstance(event := parse(line), Health):
                            return event
                    if start <= 0:
                        return None
        except OSError:
            pass
        return None

    def answered(self) -> int:
        """The highest number of a wish that an event has answered."""
        try:
            lines = self.path.read_bytes().split(b"\n")[:-1]
        except OSError:
            return 0
        # Few of a long training's lines answer anything; the others need not be understood.
        numbers = [getattr(parse(line), "n", None) for line in lines if b'"n":' in line]
        return max((n for n in numbers if isinstance(n, int)), default=0)

    def cut_back(self, step: int) -> None:
        """Forget everything from the first event past ``step`` on, and a last line that was not finished."""
        keep = 0
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return
        for line in content.splitlines(keepends=True):
            event = parse(line)
            if not line.endswith(b"\n") or getattr(event, "step", 0) > step:
                break
            keep += len(line)
        if keep < len(content):
            os.truncate(self.path, keep)


class EventTail:
    """Returns what is new.

    When a run is resumed its log is cut back and grows again; the tail then
    returns what stands after the cut, which begins with a
    :class:`~.events.Started`: what was seen of later steps is void.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._seen: list[int] = []
        self._last = b""

    def read(self) -> list[Event]:
        """Events since the last call; only whole lines."""
        try:
            with open(self._path, "rb") as file:
                lines = self._new_lines(file)
        except OSError:
            # Not there yet, or away for a while.
            return []
        return [event for event in map(parse, lines) if event is not None]

    def _new_lines(self, file: Any) -> list[bytes]:
        # The line before our place tells whether the log was cut back meanwhile.
        file.seek(self._offset - len(self._last))
        content = file.read()
        if not content.startswith(self._last):
            return self._after_cut(file)
        return self._take(content[len(self._last) :])

    def _after_cut(self, file: Any) -> list[bytes]:
        file.seek(0)
        seen, self._seen, self._offset, self._last = self._seen, [], 0, b""
        lines = self._take(file.read())
        same = 0
        while same < min(len(seen), len(self._seen)) and seen[same] == self._seen[same]:
            same += 1
        return lines[same:]

    def _take(self, content: bytes) -> list[bytes]:
        lines = content[: content.rfind(b"\n") + 1].splitlines(keepends=True)
        if lines:
            self._offset += sum(map(len, lines))
            self._last = lines[-1]
            self._seen += map(zlib.crc32, lines)
        return lines


def stamped(event: Event) -> Event:
    """The event as of now."""
    return replace(event, time=time.time())


def parse(line: bytes) -> Event | None:
    """The event of a line; None for what this version does not understand."""
    try:
        record = json.loads(line)
        event = Event.from_json({key: _nan_back(value) for key, value in record.items()})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return event if event is not None and _sound(event) else None


def _sound(event: Event) -> bool:
    """Whether the entries that everyone relies on are numbers: the folder may come from anywhere."""
    step, n = getattr(event, "step", 0), getattr(event, "n", None)
    return isinstance(step, int) and isinstance(event.time, int | float) and (n is None or isinstance(n, int))


def _no_nan(value: Any) -> Any:
    """Not-a-number has no place in JSON: null."""
    if isinstance(value, dict):
        return {key: _no_nan(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _nan_back(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: math.nan if item is None else item for key, item in value.items()}
    return value

"""One after the other, whoever it is: a file that is there while something is changed.

Not the system's locks, which some shares do not have: that a file is made
only where there is none holds on all of them.  A process that was killed
leaves its file behind; it is known by its number here, and elsewhere by a
file that stays the same for a while.
"""

from __future__ import annotations

import json
import os
import random
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_cellsynth.engine.owner import Owner

STALE = 10.0
"""Seconds for which the file of a process that cannot be asked may stay the same; a change takes milliseconds."""
PATIENCE = 30.0
"""Seconds for which a living process is waited for."""
RETRY = 0.01
"""Seconds from one try to the next, on average."""
REFUSALS = 50
"""Times that Windows may refuse a name which another process is just removing."""


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Hold the file ``path`` while this is entered; waits for whoever holds it.

    Raises OSError where its folder is away or cannot be written to, and
    TimeoutError (an OSError) where a living process has it for too long.
    """
    mine = _take(path)
    try:
        yield
    finally:
        # Another process may have taken us for dead: its file is not ours to remove.
        if _read(path) == mine:
            _remove(path)


def _take(path: Path) -> bytes:
    mine = json.dumps({**Owner.me().to_json(), "token": uuid.uuid4().hex}).encode()
    held, guarded = _Watched(path), _Watched(_guard(path))
    begun = time.monotonic()
    refused = 0
    while True:
        try:
            _make(path, mine)
            return mine
        except FileExistsError:
            pass
        except PermissionError:
            refused += 1
            if os.name != "nt" or refused > REFUSALS:
                raise
        found, unchanged = held.look()
        lives = _lives(found)
        if found is not None and (lives is False or (lives is None and unchanged > STALE)):
            if _take_away(path, found):
                continue
            # Another one is about it; if it was killed there, its guard stays.
            if guarded.look()[1] > STALE:
                _remove(_guard(path))
        if time.monotonic() - begun > PATIENCE:
            raise TimeoutError(f"{path.parent} is being changed by another process for {PATIENCE:.0f} s; end that")
        # Not the common generator: no draw of a training depends on how long it waited.
        time.sleep(RETRY * random.SystemRandom().uniform(0.5, 1.5))


class _Watched:
    """A file, and for how long it has been the same."""

    def __init__(self, path: Path) -> None:
        self._path, self._seen, self._since = path, _read(path), time.monotonic()

    def look(self) -> tuple[bytes | None, float]:
        found, now = _read(self._path), time.monotonic()
        if found != self._seen:
            self._seen, self._since = found, now
        return found, now - self._since


def _make(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    try:
        os.write(handle, content)
    finally:
        os.close(handle)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _lives(content: bytes | None) -> bool | None:
    try:
        owner = Owner.from_json(json.loads(content or b""))
    except ValueError:
        owner = None
    return None if owner is None else owner.lives()


def _guard(path: Path) -> Path:
    return path.with_name(f"{path.name}.taking")


def _take_away(path: Path, stale: bytes) -> bool:
    """Take away what a dead process has left; False where another one is about it.

    One looks and removes at a time: who looked before another one was quicker
    would remove the file of a living one.
    """
    guard = _guard(path)
    try:
        _make(guard, uuid.uuid4().hex.encode())
    except OSError:
        return False
    try:
        if _read(path) == stale:
            _remove(path)
    finally:
        _remove(guard)
    return True


def _remove(path: Path) -> None:
    for _ in range(REFUSALS):
        try:
            path.unlink(missing_ok=True)
            return
        except PermissionError:
            # Windows, while another process reads it.
            time.sleep(RETRY)
        except OSError:
            return

"""One writer a run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from napari_cellsynth.engine.heartbeat import BEAT, Alive
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.errors import BadInput


def _still_beats(folder: RunFolder, alive: Alive) -> bool:
    """Whether a writer elsewhere that seems dead, perhaps for its clock alone, gives another sign of life."""
    if alive.ended or alive.here:
        return False
    until = time.monotonic() + 2 * BEAT
    while time.monotonic() < until:
        time.sleep(BEAT / 10)
        now = folder.alive
        if now is not None and now.time != alive.time and not now.ended:
            return True
    return False


@contextmanager
def claim(folder: RunFolder) -> Iterator[None]:
    """Be the one writer of a run; refused while another is.

    The sign of life speaks for writers on other computers; the lock, which
    the system drops when a process dies, for two that start at once.
    """
    alive = folder.alive
    if alive is not None and (alive.lives() or _still_beats(folder, alive)):
        raise BadInput(
            f"{folder.path} is being trained by process {alive.pid} on {alive.host}; "
            "stop that first, or follow it instead of starting a second"
        )
    lock = FileLock(folder.path / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise BadInput(f"{folder.path} is being trained by another process; stop that first") from None
    except (NotImplementedError, OSError):
        # A file system without locks: the sign of life has to do.
        pass
    try:
        yield
    finally:
        lock.release()

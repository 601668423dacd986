"""What time it is on a disk: the clocks of two computers, and of the share between them, may differ by hours."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from napari_cellsynth.stack.files.replacing import temporary_beside

KEPT = 300.0
"""Seconds for which the difference between a disk's clock and ours is taken to stay as it is."""

_AHEAD: dict[int, tuple[float, float]] = {}
"""Device number to (seconds by which its clock is ahead of our monotonic one, when that was measured)."""


def disk_time(folder: Path) -> float | None:
    """Now, as a file that is written into ``folder`` now would be dated; None where nothing can be written.

    In seconds since 1970 by the clock of whoever dates the files there.
    Compare it with modification times in the same folder, and with nothing else.
    """
    try:
        device = os.stat(folder).st_dev
    except OSError:
        return None
    known = _AHEAD.get(device)
    if known is None or time.monotonic() - known[1] > KEPT:
        ahead = _measured(folder)
        if ahead is None:
            return None
        known = _AHEAD[device] = (ahead, time.monotonic())
    return time.monotonic() + known[0]


def _measured(folder: Path) -> float | None:
    """By a small file that is there for a moment."""
    probe = temporary_beside(folder / "clock")
    try:
        with open(probe, "xb") as file:
            file.write(b"?")
        return probe.stat().st_mtime - time.monotonic()
    except OSError:
        return None
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)

"""Time limits that mean the same on a computer that has other things to do."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import psutil


def stretched(seconds: float) -> float:
    """A time limit on this computer as busy as it is: as given where it is idle, more the more waits for its cores."""
    waiting = psutil.getloadavg()[0]
    with suppress(OSError):  # the mean of a minute lags behind
        waiting = max(waiting, float(Path("/proc/loadavg").read_text().split()[3].partition("/")[0]))
    return seconds * (1 + 2 * waiting / (os.cpu_count() or 1))

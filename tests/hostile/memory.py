"""How much memory a process took at most."""

from __future__ import annotations

import re
import resource
from pathlib import Path


def peak_mb() -> float:
    """Resident at most, in MB, of this program alone.

    Linux' ru_maxrss counts what the process was before it became this
    program: a child of a large test run would be found as large.
    """
    status = Path("/proc/self/status")
    if status.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", status.read_text())):
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

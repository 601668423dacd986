"""Whether a folder answers: a share whose server is gone may keep whoever asks waiting for ever."""

from __future__ import annotations

import os
import threading
from pathlib import Path

PATIENCE = 2.0
"""Seconds for which an answer is waited for."""

_ASKED: dict[Path, threading.Thread] = {}
"""Folders that have not answered yet."""


def answers(folder: Path, seconds: float = PATIENCE) -> bool:
    """Whether a folder is there and says so in time; one that has kept us waiting is not asked twice at once."""
    before = _ASKED.get(folder)
    if before is not None and before.is_alive():
        return False
    found: list[bool] = []
    asking = threading.Thread(target=lambda: found.append(os.path.isdir(folder)), name="reach", daemon=True)
    _ASKED[folder] = asking
    asking.start()
    asking.join(seconds)
    return found == [True]

"""Which saved states stay: old ones are removed whole or not at all.  Loads no torch: the panels do it, too."""

from __future__ import annotations

import math
import os
import shutil
from contextlib import suppress
from pathlib import Path

from napari_cellsynth.engine.run_folder import RunFolder


def keep_newest(folder: RunFolder, count: int, gigabytes: float = math.inf) -> None:
    """Remove all but the newest ``count`` checkpoints, and of these all that take more than so much together.

    The newest always stays.  What cannot be removed now (it is being read on
    Windows, the folder is away) stays whole for the next time.
    """
    room = gigabytes * 1e9
    for place, path in enumerate(reversed(folder.checkpoints())):
        with suppress(OSError):
            room -= sum(file.stat().st_size for file in path.iterdir())
            if place >= count or (place > 0 and room < 0):
                _remove(path)


def _remove(checkpoint: Path) -> None:
    """Its name goes first, so that half of it is taken for a state by nobody."""
    gone = checkpoint.with_name(f".{checkpoint.name}.old.tmp")
    shutil.rmtree(gone, ignore_errors=True)
    os.replace(checkpoint, gone)
    shutil.rmtree(gone, ignore_errors=True)

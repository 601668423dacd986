"""Which saved states stay: old ones are removed whole or not at all.  Loads no torch: the panels do it, too."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from napari_cellsynth.engine.run_folder import RunFolder, step_of
from napari_cellsynth.engine.whole import is_whole


def keep_newest(
    folder: RunFolder, count: int, gigabytes: float = math.inf, *, damaged: Collection[str] = ()
) -> list[str]:
    """Remove all but the newest ``count`` checkpoints, and of these all that take more than so much together.

    The newest always stays.  What cannot be removed now (it is being read on
    Windows, the folder is away) stays whole for the next time.

    Damaged states, those of the names ``damaged`` and those that do not even
    look whole, do not count.  They are removed once a whole one of their step
    or a later one is there, which is when nothing more can be saved from
    them; their names are returned.
    """
    whole = [path for path in folder.checkpoints() if path.name not in damaged]
    _remove_old(whole, count, gigabytes * 1e9)
    newest = step_of(whole[-1]) if whole else -1
    spoilt = [path for path in folder.saved() if step_of(path) <= newest and path not in whole]
    return [path.name for path in spoilt if _removed(path)]


def damaged_states(folder: RunFolder) -> list[str]:
    """Names of the states that look whole and are not what was written; reads from the newest to the first whole one.

    What is older is not looked at: it is gone on from in no case.
    """
    found = []
    for path in reversed(folder.checkpoints()):
        if is_whole(path):
            break
        found.append(path.name)
    return found


def _remove_old(whole: list[Path], count: int, room: float) -> None:
    for place, path in enumerate(reversed(whole)):
        with suppress(OSError):
            room -= sum(file.stat().st_size for file in path.iterdir())
            if place >= count or (place > 0 and room < 0):
                _remove(path)


def _removed(checkpoint: Path) -> bool:
    try:
        _remove(checkpoint)
    except OSError:
        return False
    return True


def _remove(checkpoint: Path) -> None:
    """Its name goes first, so that half of it is taken for a state by nobody."""
    gone = checkpoint.with_name(f".{checkpoint.name}.old.tmp")
    shutil.rmtree(gone, ignore_errors=True)
    os.replace(checkpoint, gone)
    shutil.rmtree(gone, ignore_errors=True)

"""Real paths that a fit learned from, and those that it did not: the same parting as when it was fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.motion.autoregressive.model import MotionFit
from napari_cellsynth.motion.autoregressive.readings import Observations, observe
from napari_cellsynth.motion.autoregressive.settings import MotionSettings
from napari_cellsynth.motion.paths import Paths

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Parts:
    """Paths (n, 2) in units, and of each the number of its cell and of its recording."""

    learned: tuple[Floats, ...]
    held_out: tuple[Floats, ...]
    held_cells: tuple[int, ...]
    held_recordings: tuple[int, ...]
    seen: Observations


def parted(paths: Paths, fit: MotionFit) -> Parts:
    """In the reading of cells the held-out cells; in the joint reading the last part of the time of all cells."""
    settings = MotionSettings.model_validate(dict(fit.settings))
    seen = observe(paths, settings)
    if seen.joint:
        learn = int(seen.learned.sum())
        whole = seen.y.reshape(len(seen.y), -1, 2).transpose(1, 0, 2)
        # The step into the first held-out frame is predicted, too.
        both = tuple(one[:learn] for one in whole), tuple(one[learn - 1 :] for one in whole)
        cells = tuple(range(len(whole)))
        of = {int(cell): int(recording) for cell, recording in zip(paths.cell, paths.recording, strict=True)}
        return Parts(*both, cells, tuple(of[cell] for cell in seen.joint_cells), seen)
    needed = settings.window + settings.max_d + 1
    usable = [i for i, path in enumerate(paths.paths) if len(path) >= needed]
    held = [i for i in usable if int(paths.cell[i]) in seen.held_cells]
    return Parts(
        tuple(paths.paths[i] for i in usable if i not in set(held)),
        tuple(paths.paths[i] for i in held),
        tuple(int(paths.cell[i]) for i in held),
        tuple(int(paths.recording[i]) for i in held),
        seen,
    )

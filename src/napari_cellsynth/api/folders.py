"""Where training sets and runs go."""

from __future__ import annotations

import os
from pathlib import Path

from napari_cellsynth.engine.user_folder import RUNS, TRAINING_SETS

__all__ = ["RUNS", "TRAINING_SETS", "home", "home_is_chosen", "keep_home"]


def home() -> Path:
    """Where training sets and runs go by default: ``CELLSYNTH_HOME``, else as chosen, else ``~/CellSynth``."""
    from napari_cellsynth.engine.user_folder import chosen_home

    if given := os.environ.get("CELLSYNTH_HOME"):
        return Path(given)
    return chosen_home() or Path.home() / "CellSynth"


def home_is_chosen() -> bool:
    """Whether somebody said where the home is: ``CELLSYNTH_HOME``, or :func:`keep_home`."""
    from napari_cellsynth.engine.user_folder import chosen_home

    return bool(os.environ.get("CELLSYNTH_HOME")) or chosen_home() is not None


def keep_home(folder: Path) -> None:
    """Choose the home for this and later sessions, of napari and the shell; what lies in another one stays there."""
    from napari_cellsynth.engine.user_folder import keep_home as keep

    keep(Path(folder))

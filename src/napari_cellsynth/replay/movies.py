"""Simulated movies: of which cells, which motion and which background, and whether these are there still."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_cellsynth.errors import BadInput
from napari_cellsynth.replay.steps import MovieMade
from napari_cellsynth.simulation.settings import SimulationSettings


def movie_made(block: Mapping[str, Any], name: str, saved: Path | None) -> MovieMade:
    """The step; BadInput where something that it was made from lay in no file."""
    said = dict(block.get("settings") or {})
    known = {key: value for key, value in said.items() if key in SimulationSettings.model_fields}
    settings = SimulationSettings.model_validate(known)
    changed = {key: value for key, value in settings.model_dump(mode="json").items() if value is not None}
    appearance, motion, ground = (dict(said.get(part) or {}) for part in ("appearance", "motion", "background"))
    recording, outlines = (ground.get(part) or {} for part in ("recording", "outlines"))
    return MovieMade(
        settings=changed,
        appearance=None if appearance.get("kind") == "example cells" else _path(appearance, "cells", name),
        motion=None if motion.get("kind") != "fitted" else _path(motion, "motion", name),
        background=None if not recording else _path(recording, "background", name),
        background_labels=None if not outlines else _path(outlines, "outlines of the background", name),
        background_channel=int(ground.get("channel") or 0),
        saved=None if saved is None else str(saved),
    )


def _path(part: Mapping[str, Any], what: str, name: str) -> str:
    if not part.get("path"):
        raise BadInput(f"the {what} of {name} lay in no file ({part.get('name') or part.get('kind')}); save it first")
    return str(part["path"])

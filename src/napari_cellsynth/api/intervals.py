"""The frame interval of a simulated movie in which neither the cells nor their motion have a time of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_cellsynth.simulation.paths import RandomWalk

if TYPE_CHECKING:
    from napari_cellsynth.simulation.ground import Ground
    from napari_cellsynth.simulation.look import Appearance
    from napari_cellsynth.simulation.paths import Motion
    from napari_cellsynth.stack.stack import Stack


def timed(
    motion: Motion, looks: Appearance, learned_from: Mapping[str, Any], background: Stack | Ground | None
) -> Motion:
    """A walk at the interval of the recordings that the cells come from, else of the background's recording.

    A walk's steps are shares of a cell, so that any interval suits it; without
    one the movie would not lie beside its recordings in time.  ``learned_from``
    is the record of the training set, empty where there is none.
    """
    if not isinstance(motion, RandomWalk) or motion.frame_interval is not None or looks.frame_interval is not None:
        return motion
    interval = interval_of_record(learned_from) or getattr(background, "frame_interval", None)
    return replace(motion, frame_interval=interval)


def interval_of_record(record: Mapping[str, Any]) -> float | None:
    """Seconds between two frames of the recordings of a set, or of a run's set; None where they differ."""
    found = {source.get("frame_interval") for source in record.get("sources") or ()}
    interval = found.pop() if len(found) == 1 else None
    return None if interval is None else float(interval)


def record_of(appearance: Any) -> Mapping[str, Any]:
    """What is written of the training set behind a set's folder, a run's folder or an open model; else empty."""
    import json
    from pathlib import Path

    from napari_cellsynth.api.models import Model

    if isinstance(appearance, Model):
        return dict(appearance.record["data"])
    if isinstance(appearance, str | Path):
        if (file := Path(appearance) / "dataset.json").exists():
            return dict(json.loads(file.read_text(encoding="utf-8")))
        if (file := Path(appearance) / "run.json").exists():
            return dict(json.loads(file.read_text(encoding="utf-8")).get("data", {}))
    return {}

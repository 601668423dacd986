"""What a row of the study says of a movie that is open, for its layers: they are what is worked on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_cellsynth.stack.recordings.row import interval_s, pixel_size_um, z_step_um


def facts_in(said: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of :class:`.facts.Facts` that columns of a row say; what is empty says nothing."""
    size = pixel_size_um(said.get("pixel_size"))
    known = {
        "pixel_size": (size, size) if isinstance(size, float | int) else size,
        "z_step": z_step_um(said.get("z_step")),
        "frame_interval": interval_s(said.get("interval")),
        "modality": said.get("modality"),
    }
    return {name: value for name, value in known.items() if value is not None}

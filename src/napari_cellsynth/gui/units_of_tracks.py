"""A Tracks layer as tracks with pixel size and interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_cellsynth.motion.tracks.tracks import Tracks


def tracks_of_layer(layer: Any) -> Tracks:
    """Of a Tracks layer (id, t, y, x), or (id, t, z, y, x) in one plane; what is in pixels stays without a size.

    Raises:
        BadInput: the tracks cannot be used.
    """
    from napari_cellsynth.gui.facts import physical_steps
    from napari_cellsynth.motion.tracks.tracks import Tracks

    data = np.asarray(layer.data, np.float64)
    axes = "TYX" if data.shape[1] == 4 else "TZYX"
    steps = physical_steps(layer, axes)
    size = None if None in (steps.get("Y"), steps.get("X")) else (float(steps["Y"]), float(steps["X"]))
    graph = {int(child): int(np.atleast_1d(parent)[0]) for child, parent in dict(layer.graph).items()}
    return Tracks(
        data[:, 0].astype(np.int64),
        data[:, 1].round().astype(np.int64),
        data[:, -2],
        data[:, -1],
        graph,
        pixel_size=size,
        frame_interval=steps.get("T"),
        name=layer.name,
    )

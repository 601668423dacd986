"""A simulated movie in the viewer: image, labels, tracks and flow, in the movie's units, beside what is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.gui.beside import right_of_everything
from napari_cellsynth.gui.facts import BLOCK, Facts
from napari_cellsynth.gui.layers import SHOWN, add, contrast, unwrapped

if TYPE_CHECKING:
    import napari

    from napari_cellsynth.phantoms.phantom import Phantom

ARROWS = 20_000
"""Arrows of all frames together, at most; napari takes 0.14 s for 4,000."""
STEP = 12
"""Pixels from arrow to arrow, at least."""


def add_simulated(
    viewer: napari.viewer.Viewer,
    made: Phantom,
    modality: str | None,
    name: str,
    limits: tuple[float, float] | None = None,
) -> list[Any]:
    """Image, Labels, Tracks and Vectors layers of a simulated movie; returns them in this order.

    ``limits`` are the contrast of the movie that it is to be looked at beside.
    """
    beside = right_of_everything(viewer)
    facts = replace(Facts.of_stack(made.stack), modality=modality)
    attributes = facts.attributes(3)
    attributes["metadata"][BLOCK][SHOWN] = True
    attributes["translate"] = (0.0, 0.0, beside)
    limits = limits or contrast(np.asarray(made.stack.frame(made.stack.size("T") // 2)))
    image = add(viewer, made.stack.data, {**attributes, "name": name, "contrast_limits": limits}, "image")
    labels = add(viewer, made.labels, {**attributes, "name": f"{name}: labels"}, "labels")
    # As the image stands: in pixels where the movies beside it are.
    like = {key: getattr(image, key) for key in ("scale", "translate", "units", "axis_labels", "metadata")}
    rows = np.stack([made.tracks.ids, made.tracks.t, made.tracks.y, made.tracks.x], axis=1)
    features = {"id": made.tracks.ids, **made.tracks.features}
    tracks = unwrapped(viewer.add_tracks(rows, name=f"{name}: tracks", features=features, tail_length=10, **like))
    layers = [image, labels, tracks]
    arrows = flow_arrows(made.flow)
    if len(arrows):
        about = {"edge_width": 0.6, "vector_style": "arrow", "edge_color": "yellow", "visible": False, **like}
        layers.append(unwrapped(viewer.add_vectors(arrows, name=f"flow: {name}", **about)))
    viewer.layers.selection.active = image
    viewer.reset_view()
    _into_it(viewer, made.stack.size("T"), float(image.scale[0]))
    return layers


def _into_it(viewer: napari.viewer.Viewer, frames: int, interval: float) -> None:
    """To the first frame where the slider stands behind the last: nothing would be seen of the new movie."""
    if viewer.dims.point[0] > (frames - 0.5) * interval:
        viewer.dims.set_point(0, 0.0)


def flow_arrows(flow: Any) -> np.ndarray:
    """(N, 2, 3) places (t, y, x) and steps of a flow (T - 1, 2, Y, X), on a grid, where there is true motion."""
    if not len(flow):
        return np.empty((0, 2, 3))
    found = []
    for t in range(len(flow)):
        dx, dy = (np.asarray(flow[t, i, ::STEP, ::STEP]) for i in range(2))
        rows, columns = np.nonzero(np.isfinite(dx) & (np.hypot(dx, dy) > 0))
        place = np.stack([np.full(len(rows), t + 1.0), rows * float(STEP), columns * float(STEP)], axis=1)
        way = np.stack([np.zeros(len(rows)), dy[rows, columns], dx[rows, columns]], axis=1)
        found.append(np.stack([place, way], axis=1))
    arrows = np.concatenate(found)
    return arrows[:: len(arrows) // ARROWS + 1]

"""The state of motion in three dimensions, in a window of its own: it is no place in the movie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.gui.facts import BLOCK
from napari_cellsynth.gui.layers import unwrapped

if TYPE_CHECKING:
    from napari_cellsynth.quality.motion_check import MotionCheck

COLOURS = (("#0072b2", "#56b4e9"), ("#d55e00", "#e69f00"))
"""Of the conditions: blues, and vermilion to orange (Okabe and Ito), which colour-blind readers can tell apart."""
TITLE = "State of motion: first three dimensions"


def new_viewer() -> Any:
    """Another window of napari."""
    import napari

    return napari.Viewer(title=TITLE, ndisplay=3)


def show_states(check: MotionCheck, viewer: Any = None) -> Any:
    """Paths of the state of real cells as a Tracks layer for each condition; returns the viewer, a new one if None.

    Axes are the third, second and first dimension, which napari calls z, y and x; time is the slider.
    """
    from napari.utils.colormaps import Colormap

    from napari_cellsynth.quality.figures.motion import three
    from napari_cellsynth.quality.motion_words import length_unit

    viewer = new_viewer() if viewer is None else viewer
    longest = 1
    for place, one in enumerate(check.conditions):
        paths = [path for path in three(one, check.seed) if len(path)]
        longest = max(longest, *(len(path) for path in paths))
        unit = "micrometer" if length_unit(one.fit) != "px" else "pixel"
        timed = one.fit.frame_interval
        viewer.add_tracks(
            rows_of(paths),
            name=f"{one.name}: state of {len(paths)} {'cells' if one.fit.reading == 'cell' else 'path'}",
            scale=(timed or 1.0, 1.0, 1.0, 1.0),
            units=("second" if timed else "pixel", unit, unit, unit),
            axis_labels=("t", "dimension 3", "dimension 2", "dimension 1"),
            features={"time": np.concatenate([np.arange(len(path)) for path in paths])},
            colormaps_dict={"track_id": Colormap(COLOURS[place], name=one.name)},
            color_by="track_id",
            tail_width=2,
            tail_length=longest,
            metadata={BLOCK: {**check.provenance, "preview": True}},
        )
    viewer.dims.ndisplay = 3
    viewer.dims.set_current_step(0, longest - 1)
    unwrapped(viewer).axes.visible = True
    viewer.reset_view()
    # Not along an axis, from where three dimensions look like two.
    viewer.camera.angles = (15, 35, 70)
    return viewer


def rows_of(paths: list[np.ndarray]) -> np.ndarray:
    """(N, 5) as napari has tracks: number, frame, and the third, second and first dimension."""
    return np.concatenate(
        [
            np.concatenate([np.full((len(path), 1), number), np.arange(len(path))[:, None], path[:, ::-1]], axis=1)
            for number, path in enumerate(paths, start=1)
        ]
    )

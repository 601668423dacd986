"""Layers that a model made beside a movie whose pixel size or interval nobody has said: in its units, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_cellsynth.gui.beside import add_samples, complete_in_view, time_shown
from napari_cellsynth.gui.layers import (
    add_stack,
    facts_of,
    stack_of,
)
from napari_cellsynth.gui.preview_layer import PreviewLayer
from napari_cellsynth.stack.stack import Stack

MADE = {"run": "r", "synthetic": True}


@pytest.fixture
def viewer(plugins: Any) -> ViewerModel:
    return ViewerModel()


def movie(**known: Any) -> Stack:
    return Stack(np.zeros((5, 12, 16), np.uint16), "TYX", name="m", **known)


def samples(**known: Any) -> Stack:
    return Stack(np.ones((4, 1, 8, 8), np.uint8), "QTYX", provenance=MADE, **known)


SCALE: dict[str, Any] = {"pixel_size": (0.25, 0.25)}


@pytest.mark.parametrize("interval", [None, 60.0])
@pytest.mark.parametrize("size", [None, (0.2, 0.2)])
def test_made_cells_have_the_units_of_the_movie(viewer: ViewerModel, size: Any, interval: Any) -> None:
    add_stack(viewer, movie(pixel_size=size, frame_interval=interval))
    images, outlines = add_samples(viewer, samples(**SCALE), samples(**SCALE))
    preview = PreviewLayer(viewer, "p", pixel_size=(0.25, 0.25))
    preview.show(np.ones((4, 6, 6), np.uint8))
    assert viewer.layers.extent.units is not None  # else napari says so, and draws without
    for layer in (images, outlines, preview.layer):
        assert facts_of(layer).pixel_size == (0.25, 0.25)
    assert stack_of(images).pixel_size == (0.25, 0.25)  # and so in a file


def test_made_cells_have_micrometres_again_once_the_movie_has(viewer: ViewerModel) -> None:
    layer = add_stack(viewer, movie())
    images, outlines = add_samples(viewer, samples(**SCALE), samples(**SCALE))
    assert tuple(images.scale[-2:]) == (1, 1)
    complete_in_view(viewer, layer, pixel_size=(0.5, 0.5), frame_interval=60.0)
    assert viewer.layers.extent.units is not None
    assert [str(unit) for unit in images.units] == ["dimensionless", "second", "micrometer", "micrometer"]
    assert tuple(images.scale[-2:]) == (0.25, 0.25)
    assert tuple(images.translate) == tuple(outlines.translate)
    assert layer.extent.world[1][-1] < images.extent.world[0][-1] < layer.extent.world[1][-1] + 2
    assert [int(np.round(images.world_to_data((0, t * 60.0, 0, 0))[1])) for t in range(5)] == [0] * 5


def test_without_a_movie_made_cells_have_their_own_units(viewer: ViewerModel) -> None:
    images, _ = add_samples(viewer, samples(**SCALE))
    assert tuple(images.scale[-2:]) == (0.25, 0.25)


def test_a_layer_that_holds_nothing_yet_moves_no_made_cells_away(viewer: ViewerModel) -> None:
    viewer.add_points(np.empty((0, 3)), ndim=3, name="nothing here")
    layer = add_stack(viewer, movie())
    images, _ = add_samples(viewer, samples(**SCALE))
    complete_in_view(viewer, layer, pixel_size=(0.5, 0.5))
    assert np.isfinite(images.translate).all()
    assert images.translate[-1] > 15 * 0.5  # to the right of the movie, which is 16 pixels wide


def test_points_are_no_frames(viewer: ViewerModel) -> None:
    """Fifty marks in a movie of 5 frames: made cells last as long as the movie."""
    add_stack(viewer, movie(frame_interval=2.0))
    viewer.add_points(np.zeros((50, 3)), axis_labels=("t", "y", "x"), scale=(2.0, 1, 1))
    assert time_shown(viewer) == (0.0, 10.0)

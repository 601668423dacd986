"""What leaves for the viewer carries axes and units; what is not known stays open; pixels are never touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.beside import add_samples, complete_in_view
from napari_cellsynth.gui.facts import array_of
from napari_cellsynth.gui.layers import (
    add_stack,
    complete,
    contrast,
    facts_in_file,
    facts_of,
    missing,
    movies_in,
    stack_of,
)
from napari_cellsynth.gui.preview_layer import PreviewLayer
from napari_cellsynth.stack.provenance import provenance_block
from napari_cellsynth.stack.stack import Stack


@pytest.fixture
def viewer(plugins: Any) -> ViewerModel:
    return ViewerModel()


def movie(shape: tuple[int, ...] = (5, 12, 16), axes: str = "TYX", **known: Any) -> Stack:
    values = np.arange(int(np.prod(shape)), dtype=np.uint16).reshape(shape)
    return Stack(values, axes, **({"pixel_size": (0.2, 0.3), "frame_interval": 600.0, "name": "m"} | known))


def units(layer: Any) -> tuple[str, ...]:
    return tuple(str(unit) for unit in layer.units)


# -- stacks become layers --------------------------------------------------------------------------------------------


def test_a_layer_carries_scale_units_axis_labels_and_origin(viewer: ViewerModel) -> None:
    made = provenance_block(made_by="test", synthetic=True, seed=3)
    layer = add_stack(viewer, movie(provenance=made))
    assert tuple(layer.scale) == (600.0, 0.2, 0.3)
    assert units(layer) == ("second", "micrometer", "micrometer")
    assert layer.axis_labels == ("t", "y", "x")
    assert layer.metadata["napari-cellsynth"]["synthetic"] is True
    assert viewer.layers.units is not None


def test_what_is_not_known_stays_open(viewer: ViewerModel) -> None:
    layer = add_stack(viewer, movie(pixel_size=None, frame_interval=None))
    assert units(layer) == ("pixel", "pixel", "pixel")
    assert missing(layer) == ("pixel_size", "frame_interval")
    back = stack_of(layer)
    assert (back.pixel_size, back.frame_interval, back.axes) == (None, None, "TYX")


@pytest.mark.parametrize(("shape", "axes"), [((5, 12, 16), "TYX"), ((2, 3, 12, 16), "TZYX"), ((12, 16), "YX")])
def test_a_stack_comes_back_from_its_layer(viewer: ViewerModel, shape: tuple[int, ...], axes: str) -> None:
    there = movie(shape, axes, z_step=0.5 if "Z" in axes else None, frame_interval=60.0 if "T" in axes else None)
    there = there.with_(notes=("odd",), provenance=provenance_block(made_by="test", synthetic=False))
    back = stack_of(add_stack(viewer, there))
    assert back.data is there.data
    for name in ("axes", "pixel_size", "z_step", "frame_interval", "name", "notes", "provenance"):
        assert getattr(back, name) == getattr(there, name)


def test_channels_become_layers_with_their_names(viewer: ViewerModel) -> None:
    there = movie((4, 2, 12, 16), "TCYX", channels=("DIC", "GFP"))
    first = add_stack(viewer, there)
    assert [layer.name for layer in viewer.layers] == ["m DIC", "m GFP"]
    assert facts_of(first).channels == ("DIC",)
    np.testing.assert_array_equal(viewer.layers[1].data, there.data[:, 1])
    assert stack_of(first).axes == "TYX"


def test_labels_are_loaded_so_that_they_can_be_painted(viewer: ViewerModel) -> None:
    lazy = movie().with_(data=da.ones((5, 12, 16), dtype=np.uint16, chunks=(1, 12, 16)))
    layer = add_stack(viewer, lazy, kind="labels")
    assert isinstance(layer.data, np.ndarray)
    with pytest.raises(BadInput, match="whole numbers"):
        add_stack(viewer, lazy.with_(data=lazy.data.astype(float)), kind="labels")


# -- layers of other readers -----------------------------------------------------------------------------------------


def test_a_bare_layer_lacks_everything_and_is_completed_with_its_pixels_kept(viewer: ViewerModel) -> None:
    layer = viewer.add_image(movie().data)
    data = layer.data
    assert missing(layer) == ("axes", "pixel_size")
    with pytest.raises(BadInput, match="nobody has said"):
        stack_of(layer)
    complete(layer, axes="TYX")
    assert missing(layer) == ("pixel_size", "frame_interval")
    complete(layer, pixel_size=(0.2, 0.2), frame_interval=30.0)
    assert missing(layer) == ()
    assert layer.data is data
    assert tuple(layer.scale) == (30.0, 0.2, 0.2)
    assert units(layer) == ("second", "micrometer", "micrometer")


def test_a_scale_in_pixels_is_no_pixel_size(viewer: ViewerModel) -> None:
    layer = viewer.add_image(movie().data, scale=(1, 0.2, 0.2), axis_labels=("t", "y", "x"))
    assert "pixel_size" in missing(layer)


def test_units_of_others_are_converted(viewer: ViewerModel) -> None:
    layer = viewer.add_image(
        movie().data, scale=(2, 190, 190), units=("minute", "nanometer", "nanometer"), axis_labels=("t", "y", "x")
    )
    facts = facts_of(layer)
    assert facts.pixel_size == pytest.approx((0.19, 0.19))
    assert facts.frame_interval == pytest.approx(120.0)


def test_axes_in_another_order_are_put_in_ours_lazily(viewer: ViewerModel) -> None:
    data = da.from_array(np.arange(2 * 3 * 8 * 9).reshape(2, 3, 8, 9), chunks=(1, 1, 8, 9))
    layer = viewer.add_image(data, axis_labels=("z", "t", "y", "x"))
    stack = stack_of(layer)
    assert stack.axes == "TZYX"
    assert stack.shape == (3, 2, 8, 9)
    assert isinstance(stack.data, da.Array)
    np.testing.assert_array_equal(stack.frame(2, z=1), np.asarray(data)[1, 2])


@pytest.mark.parametrize("axes", ["YX", "TTYX", "TQ", "ABCD"])
def test_axes_that_do_not_fit_are_refused(viewer: ViewerModel, axes: str) -> None:
    layer = viewer.add_image(movie().data)
    before = (layer.axis_labels, tuple(layer.scale))
    with pytest.raises(BadInput, match="name each once"):
        complete(layer, axes=axes)
    assert (layer.axis_labels, tuple(layer.scale)) == before


def test_a_colour_image_is_refused(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((8, 9, 3), np.uint8), rgb=True)
    with pytest.raises(BadInput, match="colour"):
        array_of(layer)


def test_completing_brings_the_movie_back_into_view(viewer: ViewerModel) -> None:
    layer = viewer.add_image(movie().data)
    zoom = viewer.camera.zoom
    complete_in_view(viewer, layer, axes="TYX", pixel_size=(0.01, 0.01))
    assert viewer.camera.zoom > 10 * zoom


# -- what the file says ----------------------------------------------------------------------------------------------


@pytest.fixture
def imagej(tmp_path: Path) -> Path:
    path = tmp_path / "hyperstack.tif"
    values = np.random.default_rng(0).integers(0, 4000, (4, 2, 10, 12), dtype=np.uint16)
    metadata = {"axes": "TCYX", "finterval": 30.0, "unit": "um", "Channels": 2}
    tifffile.imwrite(path, values, imagej=True, resolution=(1 / 0.19, 1 / 0.19), metadata=metadata)
    return path


def opened_by_another(viewer: ViewerModel, path: Path) -> Any:
    (layer,) = viewer.open(path, plugin="napari")
    return layer


def test_the_file_of_a_bare_layer_is_asked(viewer: ViewerModel, imagej: Path) -> None:
    layer = opened_by_another(viewer, imagej)
    said = facts_in_file(layer)
    assert (said.axes, said.frame_interval) == ("TCYX", 30.0)
    assert said.pixel_size == pytest.approx((0.19, 0.19), rel=1e-3)


def test_a_layer_that_is_no_longer_its_file_is_not_given_its_scale(viewer: ViewerModel, imagej: Path) -> None:
    layer = opened_by_another(viewer, imagej)
    layer.data = layer.data[..., ::-1].copy()
    with pytest.raises(BadInput, match=r"not what hyperstack\.tif holds"):
        facts_in_file(layer)
    layer.data = layer.data[:, :, :5]
    with pytest.raises(BadInput, match="not what"):
        facts_in_file(layer)


def test_a_layer_without_a_file_says_so(viewer: ViewerModel) -> None:
    with pytest.raises(BadInput, match="no file"):
        facts_in_file(viewer.add_image(movie().data))


# -- samples ---------------------------------------------------------------------------------------------------------


def samples(count: int = 3) -> Stack:
    made = provenance_block(made_by="m", synthetic=True, run="r")
    values = np.arange(count, dtype=np.uint8)[:, None, None, None] + np.ones((count, 1, 8, 8), np.uint8)
    return Stack(values, "QTYX", pixel_size=(0.25, 0.25), provenance=made)


def test_samples_have_an_axis_of_their_own_and_stay_in_sight_at_all_times(viewer: ViewerModel) -> None:
    add_stack(viewer, movie())
    images, masks = add_samples(viewer, samples(), samples())
    assert images.axis_labels == ("sample", "t", "y", "x")
    assert units(images) == ("dimensionless", "second", "micrometer", "micrometer")
    assert viewer.layers.units is not None
    assert masks is not None
    at = [np.asarray(images.world_to_data((0, t * 600.0, 0, 0))).round().astype(int)[1] for t in range(5)]
    assert at == [0] * 5
    assert facts_of(images).frame_interval is None
    assert stack_of(images).pixel_size == (0.25, 0.25)


def test_generating_again_does_not_lengthen_the_time(viewer: ViewerModel) -> None:
    add_stack(viewer, movie())
    add_samples(viewer, samples(), samples())
    before = viewer.dims.range[1]
    first = viewer.layers[-1]
    images, _ = add_samples(viewer, samples())
    assert viewer.dims.range[1] == before
    assert (images.scale[1], images.translate[1]) == (first.scale[1], first.translate[1])


def test_samples_stand_beside_the_movie(viewer: ViewerModel) -> None:
    first = add_stack(viewer, movie())
    images, _ = add_samples(viewer, samples())
    assert images.extent.world[0][-1] > first.extent.world[1][-1]
    assert images not in movies_in(viewer)
    assert first in movies_in(viewer)


# -- the layer that is updated in place ------------------------------------------------------------------------------


def blocks(value: int, count: int = 4) -> np.ndarray:
    return np.stack([np.full((6, 6), value + i, np.uint8) for i in range(count)])


def test_a_preview_is_one_layer_written_over_in_place(viewer: ViewerModel) -> None:
    preview = PreviewLayer(viewer, "real | made", pixel_size=(0.2, 0.2))
    layer = preview.show(blocks(10), blocks(100))
    data = layer.data
    assert layer.data.shape == (12, 12 + 3 + 12)
    assert layer.data[0, 0] == 10
    assert layer.data[0, 12 + 3] == 100
    again = preview.show(blocks(20), blocks(120))
    assert again is layer
    assert layer.data is data
    assert layer.data[6, 6] == 23
    assert len(viewer.layers) == 1
    assert units(layer) == ("micrometer", "micrometer")


def test_the_contrast_is_that_of_the_real_ones_until_the_user_sets_it(viewer: ViewerModel) -> None:
    preview = PreviewLayer(viewer, "p")
    layer = preview.show(blocks(10), blocks(200))
    assert tuple(layer.contrast_limits) == pytest.approx(contrast(blocks(10)))
    preview.show(blocks(50), blocks(200))
    assert tuple(layer.contrast_limits) == pytest.approx(contrast(blocks(50)))
    layer.contrast_limits = (51, 52)
    preview.show(blocks(60), blocks(200))
    assert tuple(layer.contrast_limits) == (51, 52)


def test_a_deleted_preview_comes_back_and_another_size_is_taken(viewer: ViewerModel) -> None:
    preview = PreviewLayer(viewer, "p")
    first = preview.show(blocks(10))
    viewer.layers.remove(first)
    assert not preview.there
    second = preview.show(blocks(10))
    assert second is not first
    assert preview.show(blocks(10, count=9)).data.shape == (18, 18)
    assert preview.layer is second
    preview.remove()
    assert len(viewer.layers) == 0


def test_a_preview_is_no_movie(viewer: ViewerModel) -> None:
    PreviewLayer(viewer, "p").show(blocks(1))
    assert movies_in(viewer) == []

"""What a child process reads of a layer has the layer's pixels, whatever was done to the layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import tifffile
import zarr
from napari.components import ViewerModel

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.hand_over import (
    Given,
    Held,
    given_by,
    hand_over_layer,
    hand_over_movies,
    held,
    recordings_here,
)
from napari_cellsynth.gui.layers import add_stack, as_grey, complete, stack_of
from napari_cellsynth.gui.opening import open_path
from napari_cellsynth.gui.state import Session
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.files.write import write_ome_tiff
from napari_cellsynth.stack.find_in_file import plain
from napari_cellsynth.stack.handover import HandedOver
from napari_cellsynth.stack.hashing import content_hash
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.recording import Recording
from napari_cellsynth.stack.recordings.row import Row
from napari_cellsynth.stack.recordings.table import Table
from napari_cellsynth.stack.stack import Stack

KNOWN: dict[str, Any] = {"pixel_size": (0.2, 0.2), "frame_interval": 60.0}


@pytest.fixture
def viewer(plugins: Any) -> ViewerModel:
    return ViewerModel()


def noise(*shape: int, dtype: str = "uint16") -> np.ndarray:
    return np.random.default_rng(1).integers(0, 200, shape or (6, 24, 30)).astype(dtype)


def saved(folder: Path, values: np.ndarray, axes: str = "TYX", **known: Any) -> Path:
    return write_ome_tiff(folder / "movie.ome.tif", Stack(values, axes, **(KNOWN | known)))


def child_reads(layer: Any, folder: Path) -> HandedOver:
    """Hands a layer over, and checks that what comes out has its pixels and scale."""
    going = hand_over_layer(held(layer), folder / "data")
    while True:
        try:
            next(going)
        except StopIteration as end:
            over: HandedOver = end.value
            break
    there, here = over.read(), plain(stack_of(layer))
    assert content_hash(there) == content_hash(here)
    assert there.dtype == here.dtype
    assert there.pixel_size == pytest.approx(here.pixel_size)
    assert there.frame_interval == pytest.approx(here.frame_interval)
    return over


def test_a_movie_as_its_file_has_it(viewer: ViewerModel, tmp_path: Path) -> None:
    layer = add_stack(viewer, read_stack(saved(tmp_path, noise())))
    assert not child_reads(layer, tmp_path).written


def test_a_painted_labels_layer_keeps_its_numbers(viewer: ViewerModel, tmp_path: Path) -> None:
    path = saved(tmp_path, noise(dtype="int64"))
    layer = add_stack(viewer, read_stack(path), kind="labels")
    assert not child_reads(layer, tmp_path).written
    layer.data[4, 20, 20] = 70_000
    over = child_reads(layer, tmp_path)
    assert over.written
    assert over.read().dtype == np.int64
    assert over.read().frame(4)[20, 20] == 70_000


def test_a_trimmed_layer(viewer: ViewerModel, tmp_path: Path) -> None:
    layer = add_stack(viewer, read_stack(saved(tmp_path, noise())))
    layer.data = layer.data[2:5, 3:]
    assert child_reads(layer, tmp_path).columns() == {
        "file": tmp_path / "movie.ome.tif",
        "frames": "2-4",
        "region": "3:24,0:30",
    }


def test_an_inverted_layer(viewer: ViewerModel, tmp_path: Path) -> None:
    layer = add_stack(viewer, read_stack(saved(tmp_path, noise())))
    layer.data = 65535 - layer.data
    assert child_reads(layer, tmp_path).written


def test_one_channel_of_three_that_share_a_path(viewer: ViewerModel, tmp_path: Path) -> None:
    path = saved(tmp_path, noise(6, 3, 24, 30), "TCYX", channels=("a", "b", "c"))
    add_stack(viewer, read_stack(path))
    for channel, layer in enumerate(viewer.layers):
        assert child_reads(layer, tmp_path).columns() == {"file": path, "channel": channel}


def test_a_scene_of_a_file_with_several_images(viewer: ViewerModel, tmp_path: Path) -> None:
    path = tmp_path / "scenes.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tif:
        for scene in range(3):
            tif.write(noise() + scene, photometric="minisblack", metadata={"axes": "TYX"})
    stack = read_stack(path, scene=1).with_(**KNOWN)
    over = child_reads(add_stack(viewer, stack), tmp_path)
    assert (over.written, over.selection.scene) == (False, 1)


def of_another_reader(viewer: ViewerModel, data: Any, path: Path | None, **attributes: Any) -> Any:
    """A layer as another plugin's reader makes it: axes in its metadata, if anywhere, and a path in its source."""
    from napari.layers._source import layer_source

    with layer_source(path=None if path is None else str(path), reader_plugin="another"):
        layer = viewer.add_image(data, **attributes)
    complete(layer, **{"axes": "TYX", **KNOWN} if "axis_labels" not in attributes else KNOWN)
    return layer


def test_a_layer_of_a_format_that_only_another_reader_knows(viewer: ViewerModel, tmp_path: Path) -> None:
    path = tmp_path / "movie.xyz"
    path.write_bytes(b"a format of a microscope")
    assert child_reads(of_another_reader(viewer, noise(), path), tmp_path).written


def test_a_layer_of_naparis_own_reader(plugins: Any, viewer: ViewerModel, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "bare.tif", noise(), photometric="minisblack")
    (layer,) = viewer.open(tmp_path / "bare.tif", plugin="napari")
    complete(layer, axes="TYX", **KNOWN)
    over = child_reads(layer, tmp_path)
    assert over.columns()["axes"] == "TYX"
    assert over.columns()["pixel_size"] == "0.2um,0.2um"


class Named:
    """As xarray's arrays behave: they hold another, slices are of their own kind, and ``transpose`` takes names."""

    def __init__(self, data: Any) -> None:
        self.data, self.shape, self.ndim, self.dtype = data, data.shape, data.ndim, data.dtype

    def __getitem__(self, place: Any) -> Named:
        return Named(self.data[place])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.data, dtype)

    def transpose(self, *names: str) -> Named:
        raise ValueError(f"{names} are not dimensions of this array")


@pytest.mark.parametrize("kind", ["dask", "zarr", "multiscale", "xarray"])
def test_lazy_layers_without_a_file(viewer: ViewerModel, tmp_path: Path, kind: str) -> None:
    lazy = da.from_array(noise(), chunks=(1, 24, 30))
    data: Any = lazy
    if kind == "zarr":
        data = zarr.create_array(tmp_path / "a.zarr", data=noise(), chunks=(1, 24, 30))
    if kind == "multiscale":
        data = [lazy, lazy[:, ::2, ::2]]
    if kind == "xarray":
        data = Named(lazy)
    assert child_reads(of_another_reader(viewer, data, None), tmp_path).written


def test_grey_that_is_stored_as_colour(viewer: ViewerModel, tmp_path: Path) -> None:
    path = tmp_path / "colour.tif"
    colours = np.repeat(noise(dtype="uint8")[..., None], 3, axis=-1)
    tifffile.imwrite(path, colours, photometric="rgb")
    layer = of_grey(viewer, colours, path)
    assert not child_reads(layer, tmp_path).written
    layer.data = layer.data + 1
    assert child_reads(layer, tmp_path).written


def of_grey(viewer: ViewerModel, colours: np.ndarray, path: Path) -> Any:
    from napari.layers._source import layer_source

    with layer_source(path=str(path)):
        shown = viewer.add_image(colours, rgb=True)
    layer = as_grey(viewer, shown)
    complete(layer, axes="TYX", **KNOWN)
    return layer


@pytest.mark.parametrize("labels", [("x", "y", "t"), ("y", "x", "t"), ("t", "x", "y")])
@pytest.mark.parametrize("kind", ["numpy", "dask", "zarr", "xarray"])
def test_axes_in_another_order(viewer: ViewerModel, tmp_path: Path, labels: tuple[str, ...], kind: str) -> None:
    path = tmp_path / "order.tif"
    values = noise(5, 6, 7)
    tifffile.imwrite(path, values, photometric="minisblack")
    data: Any = {
        "xarray": lambda: Named(da.from_array(values)),
        "numpy": lambda: values,
        "dask": lambda: da.from_array(values),
        "zarr": lambda: zarr.create_array(tmp_path / "a.zarr", data=values),
    }[kind]()
    steps = {"t": 60.0, "y": 0.2, "x": 0.2}
    units = {"t": "second", "y": "micrometer", "x": "micrometer"}
    layer = of_another_reader(
        viewer,
        data,
        path,
        axis_labels=labels,
        scale=[steps[a] for a in labels],
        units=[units[a] for a in labels],
    )
    over = child_reads(layer, tmp_path)
    assert over.selection.axes == "".join(labels).upper()


def test_units_of_others_go_along_as_ours(viewer: ViewerModel, tmp_path: Path) -> None:
    units = ("millisecond", "millimeter", "millimeter")
    layer = viewer.add_image(noise(), axis_labels=("t", "y", "x"), scale=(500, 2e-4, 2e-4), units=units)
    there = child_reads(layer, tmp_path).read()
    assert (there.pixel_size, there.frame_interval) == (pytest.approx((0.2, 0.2)), pytest.approx(0.5))


def test_the_real_colour_movie_is_handed_over_by_its_path(
    plugins: Any, viewer: ViewerModel, tmp_path: Path, real_data: Any
) -> None:
    path = sorted(real_data("drosophila_gfp_histone").glob("*.tif"))[0]
    layer = of_grey(viewer, tifffile.imread(path), path)
    assert not child_reads(layer, tmp_path).written


# -- the table of a study --------------------------------------------------------------------------------------------


def recordings_that_a_child_reads(movies: list[Given], folder: Path) -> list[Recording]:
    """By way of the file of the table, as the child does."""
    folder.mkdir(exist_ok=True)
    going = hand_over_movies(movies, folder)
    while True:
        try:
            next(going)
        except StopIteration as end:
            end.value.write(folder / "recordings.csv")
            break
    hold_out = HoldOut(validation_fraction=0, test_fraction=0)
    made = Table.read(folder / "recordings.csv").recordings(hold_out)
    for there, here in zip(made, recordings_here(movies, hold_out), strict=True):
        assert content_hash(there.stack) == content_hash(here.stack)
        assert (there.labels is None) == (here.labels is None)
        assert here.labels is None or content_hash(there.labels) == content_hash(here.labels)
        assert (there.name, there.modality) == (here.name, here.modality)
    return made


def outlines_of(viewer: ViewerModel, values: np.ndarray) -> Any:
    labels = Stack((values > 100).astype(np.int64) * 3, "TYX", name="outlines", **KNOWN)
    return add_stack(viewer, labels, kind="labels")


def test_a_study_of_a_layer_and_a_file(viewer: ViewerModel, tmp_path: Path) -> None:
    other = saved(tmp_path, noise() + 7)
    layer = of_another_reader(viewer, da.from_array(noise()), None)
    complete(layer, modality="dic")
    painted = outlines_of(viewer, noise())
    rows = [Row(file=Path("gone.nd2"), name="first", session="Monday", frames="1-4", split="train"), Row(file=other)]
    first, second = recordings_that_a_child_reads(
        [Given(rows[0], held(layer), held(painted)), Given(rows[1])], tmp_path / "job"
    )
    assert content_hash(first.stack) == content_hash(stack_of(layer).with_(data=layer.data[1:5]))
    assert first.labels is not None
    assert content_hash(first.labels) == content_hash(stack_of(painted).with_(data=painted.data[1:5]))
    assert (first.name, first.session, first.modality) == ("first", "Monday", "dic")
    assert first.stack.pixel_size == (0.2, 0.2)
    assert content_hash(second.stack) == content_hash(read_stack(other))
    assert second.stack.path == other


@pytest.mark.parametrize("z", [1, "max", "sharpest", "all"])
@pytest.mark.parametrize("lazy", [True, False])
def test_channel_and_plane_of_a_layer_with_both(viewer: ViewerModel, tmp_path: Path, z: int | str, lazy: bool) -> None:
    path = saved(tmp_path, noise(6, 2, 3, 24, 30), "TCZYX")
    values: Any = read_stack(path).data if lazy else noise(6, 2, 3, 24, 30) + 1
    source = path if lazy else None
    layer = of_another_reader(
        viewer,
        values,
        source,
        axis_labels=("t", "c", "z", "y", "x"),
        scale=(60, 1, 1, 0.2, 0.2),
        units=("second", "pixel", "pixel", "micrometer", "micrometer"),
    )
    painted = None if z == "all" else held(outlines_of(viewer, noise()))  # which plane would they be of?
    (made,) = recordings_that_a_child_reads([Given(None, held(layer), painted, channel=1, z=z)], tmp_path / "job")
    expected = np.asarray(values)[:, 1]
    if z == "sharpest":
        assert made.stack.axes == "TYX"
        assert any(np.array_equal(made.stack.frame(2), plane) for plane in expected[2])
    else:
        expected = {"all": expected, "max": expected.max(axis=1), 1: expected[:, 1]}[z]
        np.testing.assert_array_equal(np.asarray(made.stack.data), expected)
    assert (made.labels is None) == (painted is None)
    assert (made.stack.path == path) == lazy
    if not lazy and z == 1:
        assert read_stack(made.stack.path).axes == "TYX"  # no more than is needed


def test_outlines_of_the_table_serve_where_none_are_shown(viewer: ViewerModel, tmp_path: Path) -> None:
    masks = write_ome_tiff(tmp_path / "masks.ome.tif", Stack((noise() > 100).astype(np.uint16), "TYX"))
    layer = of_another_reader(viewer, da.from_array(noise()), None)
    row = Row(file=tmp_path / "gone.nd2", labels=masks, frames="2-4")
    (made,) = recordings_that_a_child_reads([Given(row, held(layer))], tmp_path / "job")
    assert made.labels is not None
    np.testing.assert_array_equal(np.asarray(made.labels.data), (noise() > 100)[2:5])


def test_a_channel_that_is_not_there_is_refused(viewer: ViewerModel, tmp_path: Path) -> None:
    stack = Stack(noise(4, 2, 8, 9), "TCYX", channels=("DIC", "GFP"), name="m")
    assert Given(None, Held(stack), channel="gfp").chosen.stack.channels == ("GFP",)
    with pytest.raises(BadInput, match="channel 'RFP' asked for; m has DIC, GFP"):
        _ = Given(None, Held(stack), channel="RFP").chosen


# -- what the session gives ------------------------------------------------------------------------------------------


def test_the_channel_that_is_worked_on_is_meant_for_files_too(viewer: ViewerModel, tmp_path: Path) -> None:
    session = Session.of(viewer)
    first = saved(tmp_path, noise(6, 3, 24, 30), "TCYX", channels=("a", "b", "c"))
    second = write_ome_tiff(tmp_path / "other.ome.tif", Stack(noise(6, 3, 24, 30), "TCYX"))
    open_path(viewer, first)
    session.study.add_files([second])
    session.movie = viewer.layers[1]
    shown, named = given_by(session)
    assert shown.chosen is not None
    assert shown.chosen.stack.channels == ("b",)
    assert (named.image, named.row.channel if named.row else None) == (None, 1)


def test_the_same_channel_twice_is_no_other_channel(viewer: ViewerModel, tmp_path: Path) -> None:
    session = Session.of(viewer)
    open_path(viewer, saved(tmp_path, noise()))
    session.study.add_files([write_ome_tiff(tmp_path / "other.ome.tif", Stack(noise(), "TYX"))])
    cut = viewer.layers[0]
    session.movie = viewer.add_image(
        cut.data[1:], scale=cut.scale, units=cut.units, axis_labels=cut.axis_labels, metadata=dict(cut.metadata)
    )
    shown, named = given_by(session)
    assert shown.image is not None
    assert shown.image.stack.size("T") == 5
    assert named.row is not None
    assert named.row.channel is None


def test_what_is_left_out_is_not_given(viewer: ViewerModel, tmp_path: Path) -> None:
    session = Session.of(viewer)
    session.movie = open_path(viewer, saved(tmp_path, noise()))
    session.study.add_files([tmp_path / "b.tif", tmp_path / "c.tif"])
    session.study.set(1, "split", "leave out")
    assert [given.row.file.name for given in given_by(session) if given.row] == ["movie.ome.tif", "c.tif"]

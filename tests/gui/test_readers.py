"""Three ways in, and the way out: axes, pixel size and interval survive, and nothing is guessed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot

from napari_cellsynth.errors import BadInput, RunFailed
from napari_cellsynth.gui import commands, opening, readers
from napari_cellsynth.gui.dock import show_dock, show_with_movie
from napari_cellsynth.gui.layers import add_stack, complete, facts_in_file, facts_of, missing, stack_of
from napari_cellsynth.gui.state import Session
from napari_cellsynth.stack.files.read import read_levels, read_stack
from napari_cellsynth.stack.files.write import write_ome_tiff, write_plain_tiff
from napari_cellsynth.stack.files.write_zarr import write_ome_zarr
from napari_cellsynth.stack.provenance import provenance_block
from napari_cellsynth.stack.stack import Stack

US = "napari-cellsynth"
PATIENCE = 20_000
"""Milliseconds within which a small file is open on a busy machine."""


@pytest.fixture
def viewer(plugins: Any) -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).integers(0, 4000, (6, 20, 24), dtype=np.uint16)
    stack = Stack(values, "TYX", pixel_size=(0.19, 0.19), frame_interval=600.0)
    return write_ome_tiff(tmp_path / "movie.ome.tif", stack)


@pytest.fixture
def unnamed(tmp_path: Path) -> Path:
    path = tmp_path / "pages.tif"
    with tifffile.TiffWriter(path) as tif:
        for plane in np.random.default_rng(1).integers(0, 200, (5, 20, 24), dtype=np.uint8):
            tif.write(plane, contiguous=False, metadata=None)
    return path


def units(layer: Any) -> tuple[str, ...]:
    return tuple(str(unit) for unit in layer.units)


# -- our reader picked -----------------------------------------------------------------------------------------------


def test_our_reader_brings_axes_pixel_size_and_interval(viewer: ViewerModel, recording: Path) -> None:
    (layer,) = viewer.open(recording, plugin=US)
    assert layer.axis_labels == ("t", "y", "x")
    assert tuple(layer.scale) == pytest.approx((600.0, 0.19, 0.19))
    assert units(layer) == ("second", "micrometer", "micrometer")
    assert isinstance(layer.data, da.Array)
    assert (layer.name, facts_of(layer).path) == ("movie", recording)


def test_napari_offers_our_reader_when_a_recording_is_dropped(plugins: Any, recording: Path) -> None:
    from napari.plugins._npe2 import get_readers

    assert get_readers(str(recording))[US] == "CellSynth"
    assert US not in get_readers(str(recording.with_suffix(".csv")))


def test_what_the_file_does_not_say_is_not_guessed(viewer: ViewerModel, unnamed: Path) -> None:
    (layer,) = viewer.open(unnamed, plugin=US)
    assert layer.data.shape == (5, 20, 24)
    assert missing(layer) == ("axes", "pixel_size")
    complete(layer, axes="TYX")
    np.testing.assert_array_equal(np.asarray(layer.data), tifffile.imread(unnamed, key=range(5)))


def test_a_folder_of_numbered_frames_is_a_movie(viewer: ViewerModel, tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for i in range(12):
        tifffile.imwrite(folder / f"img_t{i}.tif", np.full((8, 9), i, np.uint8))
    (layer,) = viewer.open(folder, plugin=US)
    assert layer.axis_labels == ("t", "y", "x")
    assert np.asarray(layer.data)[:, 0, 0].tolist() == list(range(12))


def test_a_folder_that_is_no_recording_is_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    assert readers.get_reader(str(tmp_path)) is None


def test_files_stacked_by_napari_get_an_axis_that_nobody_has_named(viewer: ViewerModel, tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.tif" for name in "ab"]
    for i, path in enumerate(paths):
        tifffile.imwrite(path, np.full((8, 9), i, np.uint8))
    (layer,) = viewer.open(paths, stack=True, plugin=US)
    assert np.asarray(layer.data)[:, 0, 0].tolist() == [0, 1]
    assert "axes" in missing(layer)


def test_files_that_do_not_match_are_refused(tmp_path: Path) -> None:
    paths = [tmp_path / "a.tif", tmp_path / "b.tif"]
    tifffile.imwrite(paths[0], np.zeros((8, 9), np.uint8))
    tifffile.imwrite(paths[1], np.zeros((8, 10), np.uint8))
    with pytest.raises(BadInput, match=r"b is \(8, 10\)"):
        readers.read([str(path) for path in paths])


def test_a_colour_file_is_refused_in_words(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 255, (8, 9, 3)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "rgb.tif", colours, photometric="rgb")
    with pytest.raises(BadInput, match="one grey channel"):
        readers.read(str(tmp_path / "rgb.tif"))


def test_outlines_beside_a_recording_open_as_labels_in_its_scale(viewer: ViewerModel, recording: Path) -> None:
    path = write_plain_tiff(
        recording.with_name("movie.labels.tif"), np.ones((6, 20, 24), np.uint16), {"kind": "labels"}
    )
    (layer,) = viewer.open(path, plugin=US)
    assert type(layer).__name__ == "Labels"
    assert tuple(layer.scale) == pytest.approx((600.0, 0.19, 0.19))


# -- Open recording… -------------------------------------------------------------------------------------------------


@pytest.fixture
def window(plugins: Any, make_napari_viewer_proxy: Callable[..., Any]) -> Any:
    return make_napari_viewer_proxy()


def test_open_recording_asks_opens_and_shows_the_dock(
    qtbot: QtBot, window: Any, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening.QFileDialog, "getOpenFileName", lambda *_: (str(recording), ""))
    commands.open_recording(window)
    session = Session.of(window)
    qtbot.waitUntil(lambda: session.movie is not None, timeout=PATIENCE)
    assert session.movie.name == "movie"
    assert missing(session.movie) == ()
    qtbot.waitUntil(lambda: bool(window.window.dock_widgets), timeout=PATIENCE)
    assert [dock for dock in window.window.dock_widgets if "CellSynth" in dock]
    dock = show_dock(window)
    assert dock.shown == "movies"
    # Who is at work in another tab stays there.
    dock.show_tab("use")
    assert show_with_movie(window) is dock
    assert dock.shown == "use"
    dock.show_tab("start")
    show_with_movie(window)
    assert dock.shown == "movies"


def test_a_single_numbered_frame_offers_its_folder(
    qtbot: QtBot, window: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(3):
        tifffile.imwrite(tmp_path / f"t{i}.tif", np.zeros((8, 9), np.uint8))
    assert opening.series_beside(tmp_path / "t1.tif") == (0, 3)
    monkeypatch.setattr(opening.QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "t1.tif"), ""))
    monkeypatch.setattr(opening, "ask_for_all", lambda _, path, number, frames: opening.Chosen(path.parent, number))
    opening.open_recording(window)
    session = Session.of(window)
    qtbot.waitUntil(lambda: session.movie is not None, timeout=PATIENCE)
    assert session.movie.data.shape == (3, 8, 9)
    assert facts_of(session.movie).path == tmp_path


def test_a_movie_file_offers_nothing_else(recording: Path, unnamed: Path) -> None:
    assert opening.series_beside(recording) == (0, 0)


def test_a_file_that_cannot_be_opened_is_a_message(
    qtbot: QtBot, window: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_error", said.append)
    (tmp_path / "bad.tif").write_bytes(b"no tiff")
    opening.open_with_words(window, tmp_path / "bad.tif")
    qtbot.waitUntil(lambda: bool(said), timeout=PATIENCE)
    assert not len(window.layers)
    assert "not TIFF" in said[0]


# -- saving ----------------------------------------------------------------------------------------------------------


def test_a_saved_layer_comes_back_as_it_was(viewer: ViewerModel, tmp_path: Path) -> None:
    made = provenance_block(made_by="test", synthetic=True, seed=7)
    values = np.random.default_rng(2).integers(0, 60000, (4, 20, 24), dtype=np.uint16)
    there = Stack(values, "TYX", pixel_size=(0.19, 0.2), frame_interval=30.0, provenance=made)
    layer = add_stack(viewer, there)
    (path,) = layer.save(str(tmp_path / "out.ome.tif"), plugin=US)
    back = read_stack(path)
    np.testing.assert_array_equal(np.asarray(back.data), values)
    assert (back.axes, back.pixel_size, back.frame_interval) == ("TYX", (0.19, 0.2), 30.0)
    assert back.provenance is not None
    assert back.provenance["synthetic"] is True
    assert back.provenance["seed"] == 7
    assert "recording" not in back.provenance


def test_generated_cells_and_their_outlines_open_again_and_say_what_they_are(
    viewer: ViewerModel, tmp_path: Path
) -> None:
    made = provenance_block(made_by="sample", synthetic=True, run="r")
    cells = Stack(np.ones((3, 1, 8, 8), np.uint8), "QTYX", pixel_size=(0.25, 0.25), provenance=made, name="cells")
    write_ome_tiff(tmp_path / "cells.ome.tif", cells)
    write_ome_tiff(tmp_path / "cells.labels.tif", cells)
    (images,) = viewer.open(tmp_path / "cells.ome.tif", plugin=US)
    (outlines,) = viewer.open(tmp_path / "cells.labels.tif", plugin=US)
    assert type(outlines).__name__ == "Labels"
    assert images.axis_labels == outlines.axis_labels == ("sample", "t", "y", "x")
    np.testing.assert_array_equal(images.scale, outlines.scale)
    assert images.name.endswith("(synthetic)")
    assert outlines.name.endswith("(synthetic)")


def test_painted_labels_are_saved_with_the_movies_scale(viewer: ViewerModel, tmp_path: Path) -> None:
    layer = viewer.add_labels(np.zeros((4, 20, 24), np.int64) + 3)
    complete(layer, axes="TYX", pixel_size=(0.19, 0.19), frame_interval=30.0)
    (path,) = layer.save(str(tmp_path / "labels.ome.tif"), plugin=US)
    back = read_stack(path)
    assert back.dtype == np.int64
    assert int(np.asarray(back.data).max()) == 3
    assert back.pixel_size == (0.19, 0.19)


def test_a_layer_without_axes_is_not_saved_as_something(viewer: ViewerModel, tmp_path: Path) -> None:
    layer = viewer.add_image(np.zeros((4, 20, 24)))
    with pytest.raises(RunFailed, match="axes"):
        layer.save(str(tmp_path / "out.ome.tif"), plugin=US)
    assert list(tmp_path.iterdir()) == []


# -- example movies --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("condition", ["normal", "inhibited"])
def test_example_movies_come_with_outlines_and_say_what_they_are(
    viewer: ViewerModel, condition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "EXAMPLE", {"frames": 3, "size": 128, "seed": 1})
    movie, outlines = viewer.open_sample(US, f"neutrophils_{condition}")
    assert movie.metadata[US]["synthetic"] is True
    assert facts_of(movie).modality == "dic"
    assert missing(movie) == missing(outlines) == ()
    assert movie.data.shape == outlines.data.shape
    assert condition in movie.name
    assert viewer.layers.units is not None


@pytest.mark.parametrize("key", ["yeast_calm", "yeast_washed", "yeast_field"])
def test_example_movies_of_yeast(viewer: ViewerModel, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("YEAST", "YEAST_FIELD"):
        monkeypatch.setattr(readers, name, {**getattr(readers, name), "frames": 2, "size": 96})
    movie, outlines = viewer.open_sample(US, key)
    assert movie.metadata[US]["synthetic"] is True
    assert facts_of(movie).modality == "brightfield"
    assert missing(movie) == missing(outlines) == ()
    assert movie.data.shape == outlines.data.shape
    assert "yeast" in movie.name
    assert (key == "yeast_field") == (movie.data.shape[1] > 96)


@pytest.mark.parametrize("key", ["yeast_calm", "yeast_washed", "yeast_field"])
def test_examples_are_made_in_a_moment(key: str) -> None:
    import time

    start = time.process_time()
    getattr(readers, f"example_{key}")()
    assert time.process_time() - start < 5


def test_the_example_moves_less_when_inhibited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "EXAMPLE", {"frames": 6, "size": 160, "seed": 1})
    changes = {}
    for condition in ("normal", "inhibited"):
        labels = np.asarray(readers.example_movie(condition)[1][0])
        changes[condition] = int(((labels[0] > 0) != (labels[-1] > 0)).sum())
    assert changes["inhibited"] < changes["normal"]


# -- real recordings -------------------------------------------------------------------------------------------------


def test_real_frames_in_a_folder(viewer: ViewerModel, real_data: Callable[[str], Path]) -> None:
    (layer,) = viewer.open(real_data("mitocheck_movie"), plugin=US)
    assert layer.data.shape == (30, 190, 211)
    assert stack_of(layer).axes == "TYX"
    assert "pixel_size" in missing(layer)


def test_the_real_yeast_movie(viewer: ViewerModel, real_data: Callable[[str], Path]) -> None:
    (layer,) = viewer.open(real_data("yeast_pos13_phase") / "yeast_phase.tif", plugin=US)
    assert missing(layer) == ("pixel_size", "frame_interval")


# -- OME-Zarr, pictures, scenes, other readers -----------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """An OME-Zarr of two channels in three resolutions, with outlines inside."""
    values = np.random.default_rng(0).integers(0, 4000, (3, 2, 90, 70), dtype=np.uint16)
    said: dict[str, Any] = {"pixel_size": (0.19, 0.2), "frame_interval": 600.0}
    path = write_ome_zarr(
        tmp_path / "movie.ome.zarr", Stack(values, "TCYX", channels=("DIC", "GFP"), **said), smallest=32
    )
    cells = np.zeros((3, 90, 70), np.int32)
    cells[:, 10:30, 10:30] = 5
    (path / "labels").mkdir()
    about = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5", "labels": ["cells"]}}}
    (path / "labels" / "zarr.json").write_text(json.dumps(about))
    inner = write_ome_zarr(tmp_path / "cells.zarr", Stack(cells, "TYX", **said), kind="labels")
    inner.rename(path / "labels" / "cells")
    return path


def test_an_ome_zarr_comes_with_its_resolutions_and_outlines(viewer: ViewerModel, store: Path) -> None:
    dic, gfp, cells = viewer.open(store, plugin=US)
    assert dic.multiscale and gfp.multiscale
    assert [level.shape for level in gfp.data] == [(3, 90, 70), (3, 45, 35), (3, 23, 18)]
    assert (gfp.name, gfp.axis_labels) == ("movie GFP", ("t", "y", "x"))
    assert tuple(gfp.scale) == pytest.approx((600.0, 0.19, 0.2))
    assert missing(gfp) == ()
    assert type(cells).__name__ == "Labels"
    assert cells.data[2, 20, 20] == 5
    assert tuple(cells.scale) == tuple(gfp.scale)
    stack = stack_of(gfp)
    np.testing.assert_array_equal(stack.frame(1), read_stack(store).frame(1, channel=1))


def test_outlines_alone_open_as_labels(viewer: ViewerModel, store: Path) -> None:
    (cells,) = viewer.open(store / "labels" / "cells", plugin=US)
    assert type(cells).__name__ == "Labels"


def test_napari_offers_our_reader_for_zarr_and_grey_pictures_alone(plugins: Any, store: Path, tmp_path: Path) -> None:
    from PIL import Image

    assert readers.get_reader(str(store)) is not None
    Image.fromarray(np.arange(72, dtype=np.uint8).reshape(8, 9)).save(tmp_path / "grey.png")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (8, 9, 3)).astype(np.uint8)).save(tmp_path / "photo.png")
    assert readers.get_reader(str(tmp_path / "grey.png")) is not None
    assert readers.get_reader(str(tmp_path / "photo.png")) is None
    assert readers.read(str(tmp_path / "grey.png"))[0][0].shape == (8, 9)


def test_a_tint_opens_as_grey_with_a_note(viewer: ViewerModel, tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 255, (4, 20, 24)).astype(np.uint8)
    green = np.stack([np.zeros_like(grey), grey, grey // 2], axis=-1)
    tifffile.imwrite(tmp_path / "a.tif", green, photometric="rgb", metadata={"axes": "TYXS"})
    (layer,) = viewer.open(tmp_path / "a.tif", plugin=US)
    assert layer.axis_labels == ("t", "y", "x")
    np.testing.assert_array_equal(np.asarray(layer.data), grey)
    assert "green" in facts_of(layer).notes[0]


@pytest.mark.parametrize(("ending", "kind"), [(".ome.zarr", "image"), (".zarr", "labels"), (".ome.tif", "labels")])
def test_layers_are_saved_by_their_ending(viewer: ViewerModel, tmp_path: Path, ending: str, kind: Any) -> None:
    values = np.random.default_rng(2).integers(0, 9, (4, 300, 24), dtype=np.int64)
    there = Stack(values, "TYX", pixel_size=(0.19, 0.2), frame_interval=30.0)
    layer = add_stack(viewer, there, kind=kind)
    (path,) = layer.save(str(tmp_path / f"out{ending}"), plugin=US)
    back = read_stack(path)
    np.testing.assert_array_equal(np.asarray(back.data), values)
    assert (back.scale, back.dtype) == ((30.0, 0.19, 0.2), np.int64)
    if ending != ".ome.tif":
        coarse = np.asarray(read_levels(path, back)[1])
        assert coarse.shape == (4, 150, 12)
        blended = np.asarray([values[:, ::2, ::2], values[:, 1::2, ::2], values[:, ::2, 1::2], values[:, 1::2, 1::2]])
        assert (coarse == blended).any(axis=0).all() == (kind == "labels")


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    with tifffile.TiffWriter(tmp_path / "two.ome.tif", ome=True) as tif:
        for name, size in (("left", 20), ("right", 24)):
            tif.write(np.zeros((3, size, size), np.uint8), metadata={"axes": "TYX", "Name": name})
    return tmp_path / "two.ome.tif"


def test_which_of_several_recordings_is_asked_and_remembered(
    qtbot: QtBot, window: Any, scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def answer(parent: Any, title: str, text: str, names: list[str], current: int, editable: bool) -> tuple[str, bool]:
        asked.append((text, names, current))
        return names[1], True

    monkeypatch.setattr(opening.QInputDialog, "getItem", answer)
    opening.open_with_words(window, scenes)
    qtbot.waitUntil(lambda: Session.of(window).movie is not None, timeout=PATIENCE)
    layer = Session.of(window).movie
    assert asked == [("two.ome.tif holds 2 recordings:", ["0: left", "1: right"], 0)]
    assert layer.data.shape == (3, 24, 24)
    assert (facts_of(layer).scene, facts_of(layer).path) == (1, scenes)
    assert stack_of(layer).scene == 1
    assert facts_in_file(layer).axes == "TYX"  # of the same image, not of the first
    monkeypatch.setattr(opening.QInputDialog, "getItem", lambda *_: ("", False))
    opening.open_with_words(window, scenes)
    qtbot.waitUntil(lambda: not opening.Openings.of(window).readings, timeout=PATIENCE)
    assert len(window.layers) == 1


def test_a_file_of_one_recording_asks_nothing(
    qtbot: QtBot, window: Any, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening.QInputDialog, "getItem", lambda *_: pytest.fail("asked"))
    opening.open_with_words(window, recording)
    qtbot.waitUntil(lambda: Session.of(window).movie is not None, timeout=PATIENCE)
    assert facts_of(Session.of(window).movie).scene == 0


def test_one_series_of_a_folder_is_opened_from_one_of_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(3):
        tifffile.imwrite(tmp_path / f"a{i}.tif", np.zeros((8, 9), np.uint8))
        tifffile.imwrite(tmp_path / f"b{i}.tif", np.zeros((8, 9), np.uint8))
    assert opening.series_beside(tmp_path / "b1.tif") == (1, 3)
    layers = readers.read(str(tmp_path), 1)
    assert layers[0][0].shape == (3, 8, 9)
    assert readers.get_reader(str(tmp_path)) is readers.read  # which says that one has to be chosen
    with pytest.raises(BadInput, match="different names"):
        readers.read(str(tmp_path))


def test_a_file_inside_a_store_means_the_store(store: Path, recording: Path) -> None:
    assert opening.whole_store(store / "0" / "zarr.json") == store
    assert opening.whole_store(store / "labels" / "cells" / "zarr.json") == store
    assert opening.whole_store(recording) == recording


def test_open_folder_opens_a_store(qtbot: QtBot, window: Any, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening.QFileDialog, "getExistingDirectory", lambda *_: str(store))
    commands.open_folder(window)
    session = Session.of(window)
    qtbot.waitUntil(lambda: session.outlines is not None, timeout=PATIENCE)
    assert session.movie.name == "movie DIC"
    assert session.outlines.data.max() == 5


def test_what_we_do_not_read_goes_to_the_reader_that_napari_has(
    window: Any, plugins: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bioio", None)
    path = tmp_path / "cells.nd2"
    path.write_bytes(b"\xda\xce\xbe\x0a")
    with pytest.raises(BadInput, match="no reader that napari has here opens"):
        opening.open_path(window, path)

    def theirs(path: Any) -> Any:
        attributes = {"name": "theirs", "scale": (60, 0.2, 0.2), "axis_labels": ("t", "y", "x")}
        attributes["units"] = ("second", "micrometer", "micrometer")
        return lambda _: [(np.zeros((4, 8, 9), np.uint8), attributes, "image")]

    with plugins.tmp_plugin(name="their-reader") as plugin:
        plugin.contribute.reader(theirs, filename_patterns=["*.nd2"])
        layer = opening.open_path(window, path)
    assert (layer.name, Session.of(window).movie.name) == ("theirs", "theirs")
    assert missing(layer) == ()

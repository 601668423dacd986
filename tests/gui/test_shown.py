"""A frame that cannot be read: blank in the viewer, named once, and never worked with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import tifffile
from pytestqt.qtbot import QtBot

from napari_cellsynth.errors import Damaged
from napari_cellsynth.gui import readers
from napari_cellsynth.gui.facts import array_of
from napari_cellsynth.gui.hand_over import hand_over_layer, held
from napari_cellsynth.gui.layers import stack_of
from napari_cellsynth.gui.opening import open_path
from napari_cellsynth.gui.shown import own, planes_of, shown
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.files.tiff import TiffPlanes
from napari_cellsynth.stack.fitness.fitness import Fitness
from napari_cellsynth.stack.fitness.judge import judge
from napari_cellsynth.stack.stack import Stack

FRAMES = 12


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A compressed movie in which the bytes of frames 7 to 11 were lost."""
    values = np.random.default_rng(0).integers(100, 200, (FRAMES, 20, 24), dtype=np.uint16)
    path = tmp_path / "damaged.tif"
    tifffile.imwrite(path, values, compression="zlib", metadata={"axes": "TYX"})
    with tifffile.TiffFile(path) as tif:
        places = [(page.dataoffsets[0], page.databytecounts[0]) for page in tif.pages[7:]]
    with path.open("r+b") as file:
        for place, count in places:
            file.seek(place)
            file.write(b"\0" * count)
    return path


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    heard: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", heard.append)
    return heard


def test_the_slider_passes_a_frame_that_cannot_be_read(
    qtbot: QtBot, plugins: Any, make_napari_viewer: Callable[..., Any], damaged: Path, said: list[str]
) -> None:
    viewer = make_napari_viewer()
    layer = open_path(viewer, damaged)
    for _ in range(2):
        viewer.dims.set_current_step(0, 7)
        viewer.dims.set_current_step(0, 3)
    viewer.dims.set_current_step(0, 7)
    qtbot.waitUntil(lambda: bool(said))
    blank = np.asarray(layer.data[7])
    assert (blank == blank[0, 0]).all()
    assert blank[0, 0] >= 100  # as dark as the darkest, so that the contrast stays
    assert len(said) == 1
    assert "frame 7 cannot be read" in said[0]
    assert "shown blank" in said[0]
    for t in range(8, FRAMES):
        viewer.dims.set_current_step(0, t)
    qtbot.wait(50)
    assert len(said) == 4  # three by name, then all others at once
    assert "more of its frames" in said[-1]


def test_work_knows_that_it_cannot_be_read(plugins: Any, make_napari_viewer: Callable[..., Any], damaged: Path) -> None:
    layer = open_path(make_napari_viewer(), damaged)
    stack = stack_of(layer)
    assert stack.data is stack_of(layer).data
    with pytest.raises(Damaged, match="frame 7"):
        stack.frame(7)
    with pytest.raises(Damaged, match="frame 8"):
        np.asarray(stack.data[8])
    np.testing.assert_array_equal(stack.frame(3), np.asarray(layer.data[3]))


@pytest.mark.parametrize(
    "cut", [lambda a: a[5:], lambda a: a[2:][3:, ::2, 4:], lambda a: da.concatenate([a[5:], a[:2]])]
)
def test_what_the_user_cuts_himself_knows_it_too(
    plugins: Any, make_napari_viewer: Callable[..., Any], damaged: Path, cut: Callable[[Any], Any]
) -> None:
    layer = open_path(make_napari_viewer(), damaged)
    for t in range(5, FRAMES):
        np.asarray(layer.data[t])  # dask may keep what it has seen
    was = np.asarray(cut(layer.data))
    layer.data = cut(layer.data)
    assert (np.asarray(layer.data[3]) == np.asarray(layer.data[3])[0, 0]).all()  # shown blank, as before
    stack = stack_of(layer)
    assert stack.data is stack_of(layer).data
    np.testing.assert_array_equal(stack.frame(1), was[1])
    with pytest.raises(Damaged, match="frame 8"):
        stack.frame(3)
    *_, fitness = judge(stack)
    assert isinstance(fitness, Fitness)
    assert fitness.unreadable == (2, 3, 4, 5, 6)


def test_a_cut_of_a_damaged_movie_is_handed_over_as_frames_of_its_file(
    plugins: Any, make_napari_viewer: Callable[..., Any], damaged: Path, tmp_path: Path
) -> None:
    layer = open_path(make_napari_viewer(), damaged)
    layer.data = layer.data[3:]
    news = hand_over_layer(held(layer), tmp_path / "job")
    while True:
        try:
            next(news)
        except StopIteration as end:
            over = end.value
            break
    assert (over.path, over.written, over.selection.frames) == (damaged, False, (3, 11))
    with pytest.raises(Damaged, match="frame 7"):
        over.read().frame(4)


def test_saving_does_not_write_blank_frames(
    plugins: Any, make_napari_viewer: Callable[..., Any], damaged: Path, tmp_path: Path
) -> None:
    layer = open_path(make_napari_viewer(), damaged)
    with pytest.raises(Exception, match="frame 7"):
        readers.write(str(tmp_path / "copy.ome.tif"), layer.data, layer.as_layer_data_tuple()[1])
    assert not (tmp_path / "copy.ome.tif").exists()


def test_a_file_that_went_away_is_no_defect(
    plugins: Any, make_napari_viewer: Callable[..., Any], damaged: Path
) -> None:
    layer = open_path(make_napari_viewer(), damaged)
    damaged.unlink()
    assert np.asarray(layer.data[2]).shape == (20, 24)


def test_a_layers_array_is_that_of_the_file(damaged: Path) -> None:
    stack = read_stack(damaged)
    array = shown(stack.data, "a")
    assert isinstance(array, da.Array)
    assert own(array) is stack.data
    assert own(array[2:4]) is not stack.data
    assert (array.shape, array.dtype) == (stack.shape, stack.dtype)
    for index in [2, (2, 3), (slice(1, 5, 2), slice(3, 9)), (slice(None, 7), 4, 5), -12, (1, slice(None, None, -1))]:
        np.testing.assert_array_equal(np.asarray(array[index]), np.asarray(stack.data[index]))
    planes = planes_of(array)
    assert planes is not None
    assert planes[7].shape == (20, 24)
    assert planes[7:9, 3:5].shape == (2, 2, 24)


def test_what_was_read_ahead_is_not_read_again(damaged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []
    page = TiffPlanes._page
    monkeypatch.setattr(TiffPlanes, "_page", lambda *given: (read.append(given[1]), page(*given))[1])
    array = shown(read_stack(damaged).data, "a")
    planes = planes_of(array)
    assert planes is not None
    planes.read_ahead([(2,), (7,)])
    read.clear()
    np.testing.assert_array_equal(np.asarray(array[2, 3:9, 4]), tifffile.imread(damaged, key=2)[3:9, 4])
    assert not read
    np.asarray(array[3])
    assert read == [(3,)]


def test_arrays_in_memory_stay_as_they_are() -> None:
    values = np.zeros((3, 4, 5))
    assert shown(values, "a") is values
    assert shown(da.zeros(5), "a").ndim == 1


def test_channels_are_looked_at_one_by_one(
    plugins: Any, make_napari_viewer: Callable[..., Any], tmp_path: Path
) -> None:
    values = np.random.default_rng(0).integers(0, 99, (3, 2, 20, 24), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "two.tif", values, metadata={"axes": "TCYX"})
    first = open_path(make_napari_viewer(), tmp_path / "two.tif")
    np.testing.assert_array_equal(np.asarray(first.data), values[:, 0])
    assert array_of(first) is own(first.data) is not first.data
    assert isinstance(stack_of(first), Stack)

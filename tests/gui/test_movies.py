"""The tab Movies and the movie line, driven as a user would, in a real viewer."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import tifffile
from busy import stretched
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QPushButton

from napari_cellsynth import api
from napari_cellsynth.gui import dock as dock_module
from napari_cellsynth.gui import jobs, readers, words
from napari_cellsynth.gui.cells import count_cells
from napari_cellsynth.gui.dock import TABS, CellSynthDock, show_dock
from napari_cellsynth.gui.layers import add_stack, facts_of, missing, movies_in, stack_of
from napari_cellsynth.gui.opening import open_example, open_path
from napari_cellsynth.gui.preparing import JOBS, PreparingJob
from napari_cellsynth.gui.set_maker import folder_name
from napari_cellsynth.gui.state import Session
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.stack import Stack

PATIENCE = 20_000
"""Milliseconds that background work may take on a busy machine."""


@pytest.fixture
def viewer(plugins: Any, make_napari_viewer_proxy: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(readers, "EXAMPLE", {"frames": 12, "size": 160, "seed": 1})
    monkeypatch.setattr(jobs, "NICE", 0)  # beside other tests it would wait for them all
    return make_napari_viewer_proxy()


@pytest.fixture
def dock(viewer: Any) -> CellSynthDock:
    return show_dock(viewer, "movies")


def cells_movie(frames: int = 10, **known: Any) -> tuple[Stack, Stack]:
    """Four bright discs that stand still, and their outlines."""
    y, x = np.mgrid[:160, :160]
    labels = np.zeros((frames, 160, 160), np.uint16)
    for number, (cy, cx) in enumerate([(40, 40), (40, 120), (120, 40), (120, 120)], start=1):
        labels[:, (y - cy) ** 2 + (x - cx) ** 2 < 12**2] = number
    noise = np.random.default_rng(0).integers(0, 50, labels.shape)
    movie = Stack((100 * (labels > 0) + noise).astype(np.uint16), "TYX", name="discs", **known)
    return movie, movie.with_(data=labels, name="outlines")


KNOWN = {"pixel_size": (0.2, 0.2), "frame_interval": 60.0}


def settled(qtbot: QtBot, dock: CellSynthDock) -> Any:
    """The section that makes training sets, once it has looked at the cells."""
    section = dock.tab("movies").training_set
    qtbot.waitUntil(lambda: section.plan is not None and section.maker.make.isEnabled(), timeout=PATIENCE)
    return section


# -- the dock --------------------------------------------------------------------------------------------------------


def test_the_dock_holds_the_tabs_that_exist_and_fits(qtbot: QtBot, dock: CellSynthDock) -> None:
    shown = [dock.tabs.tabText(i) for i in range(dock.tabs.count())]
    assert shown[:4] == ["Start", "Movies", "Train", "Use"] and len(shown) == len(TABS)
    dock.resize(380, 700)
    for name in TABS:
        dock.show_tab(name)
        assert dock.minimumSizeHint().width() <= 380
        assert dock.minimumSizeHint().height() <= 700


def test_everything_fits_into_380_pixels(
    qtbot: QtBot, plugins: Any, make_napari_viewer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "EXAMPLE", {"frames": 12, "size": 160, "seed": 1})
    viewer = make_napari_viewer(show=True)
    dock = show_dock(viewer, "movies")
    open_example(viewer)
    section = settled(qtbot, dock)
    section.advanced.head.click()
    tab, line = dock.tab("movies"), dock.movie_line
    line.ask_for(("axes", "pixel_size", "frame_interval"))
    qtbot.wait(50)
    assert tab.widget().minimumSizeHint().width() + tab.verticalScrollBar().sizeHint().width() <= 380
    assert line.minimumSizeHint().width() <= 380


def test_a_tab_is_asked_for_by_name(dock: CellSynthDock) -> None:
    dock.session.tab_requested.emit("train")
    assert dock.tabs.tabText(dock.tabs.currentIndex()) == "Train"


def test_the_dock_is_opened_once(viewer: Any, dock: CellSynthDock) -> None:
    assert show_dock(viewer, "use") is dock
    assert dock.tabs.tabText(dock.tabs.currentIndex()) == "Use"
    assert len([name for name in viewer.window.dock_widgets if "CellSynth" in name]) == 1


def test_a_closed_dock_opens_anew_with_what_was_chosen(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    layer = add_stack(viewer, cells_movie()[0])
    viewer.window.remove_dock_widget(dock)
    dock.deleteLater()
    qtbot.waitUntil(lambda: not dock_module.isalive(dock), timeout=PATIENCE)
    again = show_dock(viewer)
    assert again is not dock
    assert again.session.movie is layer
    viewer.layers.remove(layer.name)  # the old dock's ears are gone with it


def test_a_dock_closed_with_its_cross_is_shown_again_at_once(viewer: Any, dock: CellSynthDock) -> None:
    dock_module.holder_of(dock).destroyOnClose()
    assert dock_module.isalive(dock)  # somebody still holds it
    again = show_dock(viewer)
    holder = dock_module.holder_of(again)
    assert holder is not None
    assert again.isVisibleTo(holder)
    assert not holder.isHidden()
    assert len([name for name in viewer.window.dock_widgets if "CellSynth" in name]) == 1


def test_one_session_per_viewer(viewer: Any) -> None:
    assert Session.of(viewer) is Session.of(viewer)
    assert Session.of(viewer.__wrapped__) is Session.of(viewer)


def test_the_home_is_kept_from_session_to_session(
    plugins: Any,
    plugin_settings: Any,
    make_napari_viewer: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.delenv("CELLSYNTH_HOME")
    viewer = make_napari_viewer()
    Session(viewer).keep_home(tmp_path)
    assert Session(viewer).home == tmp_path
    monkeypatch.setenv("CELLSYNTH_HOME", str(tmp_path / "of the shell"))
    assert Session(viewer).home == tmp_path / "of the shell"


# -- the movie line --------------------------------------------------------------------------------------------------


def test_without_a_movie_it_says_how_to_get_one(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    assert dock.movie_line.empty.isVisibleTo(dock)
    assert not dock.tab("movies").cells.isVisibleTo(dock)
    add_stack(viewer, cells_movie()[0])
    assert not dock.movie_line.empty.isVisibleTo(dock)


def test_a_dock_opened_later_finds_movie_and_outlines(qtbot: QtBot, viewer: Any) -> None:
    movie, labels = cells_movie(**KNOWN)
    layer = add_stack(viewer, movie)
    outlines = add_stack(viewer, labels, kind="labels")
    dock = show_dock(viewer, "movies")
    assert dock.session.movie is layer
    assert dock.session.outlines is outlines
    counted(qtbot, dock)


def test_the_line_shows_what_is_known_and_asks_for_the_rest(viewer: Any, dock: CellSynthDock) -> None:
    add_stack(viewer, cells_movie(**KNOWN)[0])
    line = dock.movie_line
    assert line.frames.text().startswith("10 frames")
    assert line.pixel.button.text().startswith("0.2 µm")
    assert line.interval.button.text().startswith("1 min")
    assert not line.complete.isVisibleTo(dock)
    dock.session.movie = add_stack(viewer, cells_movie()[0])
    assert line.pixel.button.text().startswith("pixel size?")
    assert line.complete.isVisibleTo(dock)


def test_the_pencil_completes_in_place(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    layer = add_stack(viewer, cells_movie()[0])
    data, line = layer.data, dock.movie_line
    qtbot.mouseClick(line.pixel.button, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(line.pixel.field.line, "0.19")
    qtbot.keyClick(line.pixel.field.line, Qt.Key.Key_Return)
    qtbot.mouseClick(line.interval.button, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(line.interval.field.line, "10 min")
    qtbot.keyClick(line.interval.field.line, Qt.Key.Key_Return)
    assert tuple(layer.scale) == (600.0, 0.19, 0.19)
    assert [str(unit) for unit in layer.units] == ["second", "micrometer", "micrometer"]
    assert layer.data is data
    assert line.pixel.button.text().startswith("0.19 µm")


def test_the_second_field_keeps_what_was_typed_when_the_first_is_entered(
    qtbot: QtBot, viewer: Any, dock: CellSynthDock
) -> None:
    layer, line = add_stack(viewer, cells_movie()[0]), dock.movie_line
    qtbot.mouseClick(line.complete, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(line.interval.field.line, "10 min")
    qtbot.keyClicks(line.pixel.field.line, "0.19")
    qtbot.keyClick(line.pixel.field.line, Qt.Key.Key_Return)
    assert not line.pixel.field.isVisibleTo(dock)
    assert line.interval.field.isVisibleTo(dock)
    line.complete_movie()
    assert line.interval.field.line.text() == "10 min"
    qtbot.keyClick(line.interval.field.line, Qt.Key.Key_Return)
    assert tuple(layer.scale) == (600.0, 0.19, 0.19)
    assert not line.interval.field.isVisibleTo(dock)
    line.interval.edit()
    qtbot.keyClicks(line.interval.field.line, "10 min")
    qtbot.keyClick(line.interval.field.line, Qt.Key.Key_Return)  # the same once more
    assert not line.interval.field.isVisibleTo(dock)
    line.interval.edit()
    dock.session.movie = add_stack(viewer, cells_movie()[0])
    assert not line.interval.field.isVisibleTo(dock)


@pytest.mark.parametrize(("typed", "words"), [("abc", "not a length"), ("-1", "above zero"), ("3 s", "not a unit")])
def test_nonsense_is_refused_with_an_example(
    qtbot: QtBot, viewer: Any, dock: CellSynthDock, typed: str, words: str
) -> None:
    layer = add_stack(viewer, cells_movie()[0])
    line = dock.movie_line
    line.pixel.edit()
    qtbot.keyClicks(line.pixel.field.line, typed)
    qtbot.keyClick(line.pixel.field.line, Qt.Key.Key_Return)
    assert words in line.says.text()
    assert "pixel_size" in missing(layer)
    qtbot.keyClick(line.pixel.field.line, Qt.Key.Key_Escape)
    assert line.pixel.button.isVisibleTo(dock)
    assert line.says.text() == ""


@pytest.mark.parametrize(
    ("typed", "unusual"), [("0.19", ""), ("19000", "A pixel of 19 mm is unusual"), ("0.19 nm", "0.19 nm")]
)
def test_an_unusual_pixel_size_is_taken_with_a_question(
    qtbot: QtBot, viewer: Any, dock: CellSynthDock, typed: str, unusual: str
) -> None:
    line = dock.movie_line
    viewer.add_image(np.zeros((6, 32, 40)), name="bare")
    line.pixel.button.click()
    qtbot.keyClicks(line.pixel.field.line, typed)
    qtbot.keyClick(line.pixel.field.line, Qt.Key.Key_Return)
    assert facts_of(viewer.layers["bare"]).pixel_size is not None
    assert unusual in line.says.text()
    assert bool(line.says.text()) == bool(unusual)


def test_complete_takes_what_the_file_says_and_keeps_the_pixels(
    qtbot: QtBot, viewer: Any, dock: CellSynthDock, tmp_path: Path
) -> None:
    path = tmp_path / "imagej.tif"
    values = np.random.default_rng(0).integers(0, 255, (6, 32, 40), dtype=np.uint8)
    about = {"axes": "TYX", "finterval": 30.0, "unit": "um"}
    tifffile.imwrite(path, values, imagej=True, resolution=(4, 4), metadata=about)
    (layer,) = viewer.open(path, plugin="napari")
    data = layer.data
    assert missing(layer) == ("axes", "pixel_size")
    qtbot.mouseClick(dock.movie_line.complete, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: missing(layer) == (), timeout=PATIENCE)
    assert tuple(layer.scale) == pytest.approx((30.0, 0.25, 0.25))
    assert layer.axis_labels == ("t", "y", "x")
    assert missing(layer) == ()
    assert np.shares_memory(np.asarray(layer.data), np.asarray(data))
    assert "pixel size" in dock.movie_line.says.text()


def test_complete_asks_for_what_the_file_does_not_say(
    qtbot: QtBot, viewer: Any, dock: CellSynthDock, real_data: Callable[[str], Path]
) -> None:
    (layer,) = viewer.open(real_data("yeast_pos13_phase") / "yeast_phase.tif", plugin="napari")
    line = dock.movie_line
    qtbot.mouseClick(line.complete, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: layer.axis_labels == ("t", "y", "x"), timeout=PATIENCE)
    assert missing(layer) == ("pixel_size", "frame_interval")
    assert line.pixel.field.isVisibleTo(dock)
    assert line.interval.field.isVisibleTo(dock)
    assert "does not say the pixel size and interval" in line.says.text()


def test_unnamed_axes_are_chosen_not_guessed(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    layer = viewer.add_image(np.zeros((7, 20, 24), np.uint8))
    line = dock.movie_line
    assert "7 × 20 × 24" in line.frames.text()
    qtbot.mouseClick(line.frames, Qt.MouseButton.LeftButton)
    (choice,) = line.axes.choices
    assert choice.value is None
    choice.setCurrentIndex(1)
    choice.activated.emit(1)
    assert layer.axis_labels == ("t", "y", "x")
    assert line.frames.text().startswith("7 frames")


def test_the_example_opens_by_its_button(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    (example,) = [b for b in dock.movie_line.empty.findChildren(QPushButton) if b.text() == "Example movie"]
    example.click()
    qtbot.waitUntil(lambda: dock.session.movie is not None, timeout=PATIENCE)


def test_a_colour_image_is_named_as_such(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    values = np.random.default_rng(0).integers(0, 255, (20, 24, 3), np.uint8)
    viewer.add_image(values, rgb=True)
    assert "colour" in dock.movie_line.says.text()
    qtbot.wait(200)
    assert not dock.movie_line.grey.isVisibleTo(dock)


def test_grey_that_is_stored_as_colour_is_offered_as_grey(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    grey = np.random.default_rng(0).integers(0, 255, (5, 20, 24), np.uint8)
    lazy = da.from_array(np.repeat(grey[..., None], 3, axis=-1), chunks=(1, 20, 24, 3))
    viewer.add_image(lazy, rgb=True, scale=(2, 200, 200), units=("min", "nm", "nm"), axis_labels=("t", "y", "x"))
    line = dock.movie_line
    qtbot.waitUntil(lambda: line.grey.isVisibleTo(dock), timeout=PATIENCE)
    line.grey.click()
    movie = dock.session.movie
    assert isinstance(movie.data, da.Array)
    np.testing.assert_array_equal(movie.data, grey)
    known = facts_of(movie)
    assert (known.axes, known.pixel_size, known.frame_interval) == ("TYX", (0.2, 0.2), 120.0)
    assert not line.grey.isVisibleTo(dock)


def line_of_facts(dock: CellSynthDock) -> tuple[str, ...]:
    line = dock.movie_line
    buttons = (line.frames, line.pixel.button, line.interval.button)
    return tuple(each.text().removesuffix(words.PENCIL).strip() for each in buttons)


def test_without_a_modality_the_section_says_what_that_means(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    movie, labels = cells_movie(**KNOWN)
    add_stack(viewer, movie)
    add_stack(viewer, labels, kind="labels")
    section = settled(qtbot, dock)
    assert "neither mirror nor turn" in section.filmed.text()
    dock.movie_line.modality.picked.emit("brightfield")
    section.replan()
    qtbot.waitUntil(lambda: section.filmed.text() == "", timeout=PATIENCE)


def test_modality_stays_with_the_layer(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    layer = add_stack(viewer, cells_movie(**KNOWN)[0])
    choice = dock.movie_line.modality
    choice.setCurrentIndex(2)
    choice.activated.emit(2)
    assert line_of_facts(dock) == ("10 frames", "0.2 µm", "1 min")
    assert facts_of(layer).modality == "phase-contrast"
    assert tuple(layer.scale) == (60.0, 0.2, 0.2)


def test_a_removed_movie_gives_way_to_the_next(viewer: Any, dock: CellSynthDock) -> None:
    add_stack(viewer, cells_movie()[0], name="a")
    second = add_stack(viewer, cells_movie()[0], name="b")
    viewer.layers.remove("a")
    assert dock.session.movie is second
    viewer.layers.clear()
    assert dock.session.movie is None
    assert dock.movie_line.empty.isVisibleTo(dock)


def test_a_changed_scale_shows_at_once(viewer: Any, dock: CellSynthDock) -> None:
    layer = add_stack(viewer, cells_movie(**KNOWN)[0])
    layer.scale = (60.0, 0.5, 0.5)
    assert dock.movie_line.pixel.button.text().startswith("0.5 µm")


def test_a_channel_is_chosen_where_a_layer_holds_several(viewer: Any, dock: CellSynthDock) -> None:
    viewer.add_image(np.zeros((5, 2, 20, 24), np.uint8), axis_labels=("t", "c", "y", "x"))
    line = dock.movie_line
    assert line.channel.isVisibleTo(dock)
    line.channel.setCurrentIndex(1)
    line.channel.activated.emit(1)
    assert dock.session.channel == 1


def test_of_a_z_stack_the_plane_is_chosen(viewer: Any, dock: CellSynthDock) -> None:
    line, told = dock.movie_line, []
    dock.session.movie_facts_changed.connect(told.append)
    add_stack(viewer, cells_movie()[0])
    assert not line.z.isVisibleTo(dock)
    dock.session.movie = viewer.add_image(np.zeros((5, 3, 20, 24), np.uint8), axis_labels=("t", "z", "y", "x"))
    assert line.z.isVisibleTo(dock)
    assert (line.z.value, dock.session.z) == ("sharpest", "sharpest")
    line.z.setCurrentIndex(line.z.count() - 1)
    line.z.activated.emit(line.z.count() - 1)
    assert line.z.currentText() == "z: plane 2"
    assert dock.session.z == 2
    assert told


# -- cells -----------------------------------------------------------------------------------------------------------


def counted(qtbot: QtBot, dock: CellSynthDock) -> Any:
    cells = dock.tab("movies").cells
    qtbot.waitUntil(lambda: cells.count is not None, timeout=PATIENCE)
    return cells


def test_outlines_of_the_movies_shape_are_found_and_counted(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    movie, labels = cells_movie(**KNOWN)
    add_stack(viewer, movie)
    layer = add_stack(viewer, labels, kind="labels")
    cells = counted(qtbot, dock)
    assert dock.session.outlines is layer
    assert (cells.count.outlines, cells.count.cells, cells.count.tracked) == (40, 4, True)
    assert cells.says.text() == "40 outlines, 4 different cells"


def test_bare_outlines_take_the_movies_scale(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    movie, labels = cells_movie(**KNOWN)
    add_stack(viewer, movie)
    layer = viewer.add_labels(labels.data)
    counted(qtbot, dock)
    assert tuple(layer.scale) == (60.0, 0.2, 0.2)
    assert viewer.layers.units is not None


def test_a_pixel_size_does_not_count_anew(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    movie, labels = cells_movie()
    add_stack(viewer, movie)
    add_stack(viewer, labels, kind="labels")
    cells = counted(qtbot, dock)
    dock.movie_line.pixel.field.line.setText("0.5")
    dock.movie_line.pixel.accept()
    assert cells.count is not None
    assert facts_of(dock.session.outlines).pixel_size == (0.5, 0.5)


def test_painting_counts_anew(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    movie, labels = cells_movie(**KNOWN)
    add_stack(viewer, movie)
    layer = add_stack(viewer, labels, kind="labels")
    counted(qtbot, dock)
    layer.paint((0, 80, 80), 9)
    cells = dock.tab("movies").cells
    qtbot.waitUntil(lambda: cells.count is not None and cells.count.outlines == 41, timeout=PATIENCE)


def result_of(generator: Generator[Any, None, Any]) -> Any:
    """What a generator returns at its end."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def test_labels_that_are_not_tracked_are_an_estimate() -> None:
    _, labels = cells_movie()
    swapped = labels.data.copy()
    for t in range(len(swapped)):
        swapped[t] = np.where(swapped[t] > 0, (swapped[t] + t) % 4 + 1, 0)
    count = result_of(count_cells(labels.with_(data=swapped)))
    assert (count.cells, count.tracked) == (4, False)


def test_a_mask_file_becomes_outlines(qtbot: QtBot, viewer: Any, dock: CellSynthDock, tmp_path: Path) -> None:
    movie, labels = cells_movie(**KNOWN)
    add_stack(viewer, movie)
    tifffile.imwrite(tmp_path / "masks.tif", labels.data)
    cells = dock.tab("movies").cells
    layer = cells.open_file(tmp_path / "masks.tif")
    assert dock.session.outlines is layer
    assert tuple(layer.scale) == (60.0, 0.2, 0.2)
    counted(qtbot, dock)


def test_outlines_of_a_file_lie_on_a_movie_that_was_moved(viewer: Any, dock: CellSynthDock, tmp_path: Path) -> None:
    movie, labels = cells_movie(**KNOWN)
    add_stack(viewer, movie).translate = (0, 7.5, -3)
    tifffile.imwrite(tmp_path / "masks.tif", labels.data)
    assert tuple(dock.tab("movies").cells.open_file(tmp_path / "masks.tif").translate) == (0, 7.5, -3)


def test_outlines_of_one_plane_fit_a_z_stack(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    movie, labels = cells_movie(20, **KNOWN)
    deep = movie.with_(data=np.stack([movie.data, movie.data // 2], axis=1), axes="TZYX", z_step=1.0)
    add_stack(viewer, deep)
    layer = viewer.add_labels(labels.data)
    section = settled(qtbot, dock)
    assert facts_of(layer).axes == "TYX"
    assert section.recordings[0].stack.axes == "TYX"  # the sharpest planes
    np.testing.assert_array_equal(section.recordings[0].stack.frame(3), movie.data[3])


def test_a_mask_file_of_another_movie_is_refused(viewer: Any, dock: CellSynthDock, tmp_path: Path) -> None:
    movie, labels = cells_movie(**KNOWN)
    add_stack(viewer, movie)
    tifffile.imwrite(tmp_path / "masks.tif", labels.data[:, :80])
    cells = dock.tab("movies").cells
    assert cells.open_file(tmp_path / "masks.tif") is None
    assert "does not fit" in cells.says.text()


def test_each_movie_keeps_its_own_outlines(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    pairs = []
    for name in ("a", "b"):
        movie, labels = cells_movie(**KNOWN)
        layer = add_stack(viewer, movie, name=name)
        dock.session.movie = layer
        dock.session.outlines = outlines = add_stack(viewer, labels, name=f"cells of {name}", kind="labels")
        pairs.append((layer, outlines))
    third = add_stack(viewer, cells_movie(**KNOWN)[0], name="c")
    for layer, outlines in [*pairs, *reversed(pairs)]:
        dock.session.movie = layer
        assert dock.session.outlines is outlines
    dock.session.movie = third
    assert dock.session.outlines is None
    dock.session.outlines = pairs[0][1]  # the user may say so
    assert dock.session.outlines is pairs[0][1]


def test_outlines_that_do_not_fit_say_so(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    movie, labels = cells_movie(**KNOWN)
    add_stack(viewer, movie)
    dock.session.outlines = five = add_stack(viewer, labels.with_(data=labels.data[:5]), kind="labels")
    cells = dock.tab("movies").cells
    assert "does not fit discs" in cells.says.text()
    dock.session.movie = add_stack(viewer, movie.with_(data=movie.data[:7], name="seven"))
    dock.session.outlines = five
    assert "does not fit seven" in cells.says.text()
    dock.session.movie = viewer.layers["discs"]
    assert "does not fit discs" in cells.says.text()


def test_a_mask_file_that_was_refused_is_forgotten_with_the_movie(
    viewer: Any, dock: CellSynthDock, tmp_path: Path
) -> None:
    movie, labels = cells_movie(**KNOWN)
    add_stack(viewer, movie)
    tifffile.imwrite(tmp_path / "masks.tif", labels.data[:, :80])
    cells = dock.tab("movies").cells
    cells.open_file(tmp_path / "masks.tif")
    assert "does not fit" in cells.says.text()
    dock.session.movie = add_stack(viewer, movie.with_(name="other"))
    assert "does not fit" not in cells.says.text()


# -- a training set --------------------------------------------------------------------------------------------------


def test_the_journey_from_the_example_to_a_training_set(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    open_example(viewer)
    section = settled(qtbot, dock)
    assert "learns from frames" in section.split_words.text()
    assert "→ 64 px" in section.panes[0].becomes.text()
    section.maker.make.click()
    qtbot.waitUntil(lambda: section.maker.then.isVisibleTo(dock), timeout=3 * PATIENCE)
    path = dock.session.training_set
    assert path is not None
    made = TrainingSet.open(path)
    assert made.modality == "dic"
    assert made.count("train") > 0
    assert path.parent == dock.session.home / api.TRAINING_SETS
    assert "crops of" in section.maker.says.text()
    section.maker.then.click()
    assert dock.tabs.tabText(dock.tabs.currentIndex()) == "Train"


def test_a_second_set_takes_another_name(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    open_example(viewer)
    section = settled(qtbot, dock)
    first = section.maker.out()
    first.mkdir(parents=True)
    assert section.maker.out() == first.with_name(f"{first.name} 2")
    PreparingJob.create(dock.session.home, first.with_name(f"{first.name} 2"), "crops")
    assert section.maker.out() == first.with_name(f"{first.name} 3"), "another napari makes that one"


@pytest.mark.parametrize("late", [False, True])
def test_cancel_keeps_nothing(qtbot: QtBot, viewer: Any, dock: CellSynthDock, late: bool) -> None:
    open_example(viewer)
    section = settled(qtbot, dock)
    maker, out = section.maker, section.maker.out()
    section.start()
    if late:
        qtbot.waitUntil(lambda: maker.job is not None, timeout=PATIENCE)
    began = time.monotonic()
    maker.stop()
    qtbot.waitUntil(lambda: not maker.busy, timeout=PATIENCE)
    assert time.monotonic() - began < stretched(2.5)
    assert [path for path in dock.session.home.rglob("*") if path.name not in (out.parent.name, JOBS)] == []
    assert dock.session.training_set is None
    assert maker.make.isVisibleTo(dock)
    assert "nothing was kept" in maker.says.text()


def test_examples_are_shown_in_the_panel_and_in_one_layer(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    open_example(viewer)
    section = settled(qtbot, dock)
    section.examples.ask.click()
    qtbot.waitUntil(lambda: section.examples.thumbnails.isVisibleTo(dock), timeout=PATIENCE)
    first = section.examples.examples.images.copy()
    assert first.shape == (16, 64, 64)
    section.examples.in_viewer.click()
    count = len(viewer.layers)
    qtbot.waitUntil(section.examples.ask.isEnabled, timeout=PATIENCE)
    section.examples.ask.click()
    qtbot.waitUntil(lambda: not np.array_equal(section.examples.examples.images, first), timeout=PATIENCE)
    assert len(viewer.layers) == count
    assert [str(unit) for unit in viewer.layers["examples of cells"].units] == ["micrometer", "micrometer"]
    assert "examples of cells" not in [layer.name for layer in movies_in(viewer)]


def test_a_box_of_the_users_is_taken(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    open_example(viewer)
    section = settled(qtbot, dock)
    section.panes[0].box.setText("20")
    assert section.settings().box_um == 20.0
    section.panes[0].unit.choose("px")
    assert section.settings().box_px == 20.0
    section.panes[0].box.setText("wide")
    section.replan()
    assert "Box 'wide'" in section.split_words.text()
    assert not section.maker.make.isEnabled()


def test_settings_say_what_the_rows_say(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    open_example(viewer)
    section = settled(qtbot, dock)
    section.panes[0].neighbours.setChecked(True)
    section.gap.setValue(2)
    section.held_out.choose((0.2, 0.2))
    section.advanced.head.click()
    settings = section.settings()
    held_out = section.hold_out(settings)
    assert (settings.mask_neighbours, held_out.gap, held_out.test_fraction) == (True, 2, 0.2)


def test_too_few_frames_say_what_to_change(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    movie, labels = cells_movie(3, **KNOWN)
    add_stack(viewer, movie)
    add_stack(viewer, labels, kind="labels")
    section = dock.tab("movies").training_set
    section.gap.setValue(3)
    section.replan()
    qtbot.waitUntil(lambda: "smaller gap" in section.split_words.text(), timeout=PATIENCE)
    assert not section.maker.make.isEnabled()


def test_the_real_yeast_movie_becomes_a_training_set(
    qtbot: QtBot, viewer: Any, dock: CellSynthDock, real_data: Callable[[str], Path]
) -> None:
    folder = real_data("yeast_pos13_phase")
    movie = open_path(viewer, folder / "yeast_phase.tif")
    dock.tab("movies").cells.open_file(folder / "yeast_masks.tif")
    cells = counted(qtbot, dock)
    assert cells.count.outlines == 937
    assert not cells.count.tracked
    section = settled(qtbot, dock)
    section.start()
    qtbot.waitUntil(lambda: dock.session.training_set is not None, timeout=3 * PATIENCE)
    made = TrainingSet.open(dock.session.training_set)
    assert made.pixel_size is None  # nobody said, nobody guessed
    assert stack_of(movie).pixel_size is None


@pytest.mark.parametrize(
    ("text", "name"), [("a/b: c?", "a b c"), ("Zellen, größer", "Zellen größer"), ("...", ""), ("x" * 200, "x" * 80)]
)
def test_names_of_folders(text: str, name: str) -> None:
    assert folder_name(text) == name


def test_scrolling_the_panel_changes_no_setting(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    open_example(viewer)
    section = settled(qtbot, dock)
    turned = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(0, -120), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    before = (section.gap.value(), section.held_out.value, dock.movie_line.modality.value)
    for widget in (section.gap, section.held_out, dock.movie_line.modality):
        QApplication.sendEvent(widget, turned)
    assert (section.gap.value(), section.held_out.value, dock.movie_line.modality.value) == before

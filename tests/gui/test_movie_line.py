"""The movie line: what it doubts can be confirmed, the distance of planes said, another image of the file chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from napari_cellsynth.gui import opening
from napari_cellsynth.gui.layers import add_stack, facts_of, stack_of
from napari_cellsynth.gui.movie_line import MovieLine
from napari_cellsynth.gui.opening import open_path
from napari_cellsynth.gui.state import Session
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.files.write import write_ome_tiff
from napari_cellsynth.stack.stack import Stack

PATIENCE = 20_000


@pytest.fixture
def line(qtbot: QtBot, plugins: Any, make_napari_viewer: Callable[..., Any]) -> MovieLine:
    line = MovieLine(Session.of(make_napari_viewer()))
    qtbot.addWidget(line)
    line.resize(380, 200)
    line.show()
    return line


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    """A movie whose pixel size stands only in the resolution tag."""
    path = tmp_path / "tagged.tif"
    values = np.zeros((4, 20, 24), np.uint8)
    tifffile.imwrite(path, values, resolution=(50000, 50000), resolutionunit="CENTIMETER", metadata={"axes": "TYX"})
    return path


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    with tifffile.TiffWriter(tmp_path / "two.ome.tif", ome=True) as tif:
        for name, size in (("left", 20), ("right", 24)):
            tif.write(np.zeros((3, size, size), np.uint8), metadata={"axes": "TYX", "Name": name})
    return tmp_path / "two.ome.tif"


# -- a pixel size that may be a program's default ----------------------------------------------------------------------


def test_what_is_doubted_is_confirmed_with_a_button_and_stays_so(
    qtbot: QtBot, line: MovieLine, tagged: Path, tmp_path: Path
) -> None:
    layer = open_path(line.session.viewer, tagged)
    assert "check it" in line.says.text()
    qtbot.mouseClick(line.right, Qt.MouseButton.LeftButton)
    assert line.says.text() == ""
    assert not line.right.isVisible()
    assert facts_of(layer).pixel_size == pytest.approx((0.2, 0.2))
    other = add_stack(line.session.viewer, Stack(np.zeros((2, 5, 5)), "TYX"))
    line.session.movie = other
    line.session.movie = layer
    assert line.says.text() == ""
    (row,) = [row for row in line.session.study.rows if row.file.name == "tagged.tif"]
    assert row.pixel_size == pytest.approx(0.2)
    assert not any("check it" in note for note in read_stack(tagged, pixel_size=0.2).notes)
    assert any("check it" in note for note in read_stack(tagged).notes)


def test_enter_in_the_empty_field_confirms(qtbot: QtBot, line: MovieLine, tagged: Path) -> None:
    open_path(line.session.viewer, tagged)
    qtbot.mouseClick(line.pixel.button, Qt.MouseButton.LeftButton)
    qtbot.keyClick(line.pixel.field.line, Qt.Key.Key_Return)
    assert line.says.text() == ""
    assert not line.pixel.field.isVisible()


def test_another_pixel_size_leaves_nothing_to_check(qtbot: QtBot, line: MovieLine, tagged: Path) -> None:
    layer = open_path(line.session.viewer, tagged)
    qtbot.mouseClick(line.pixel.button, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(line.pixel.field.line, "0.5")
    qtbot.keyClick(line.pixel.field.line, Qt.Key.Key_Return)
    assert facts_of(layer).pixel_size == (0.5, 0.5)
    assert line.says.text() == ""


def test_enter_where_nothing_is_known_still_asks(qtbot: QtBot, line: MovieLine) -> None:
    add_stack(line.session.viewer, Stack(np.zeros((2, 5, 5)), "TYX"))
    qtbot.mouseClick(line.pixel.button, Qt.MouseButton.LeftButton)
    qtbot.keyClick(line.pixel.field.line, Qt.Key.Key_Return)
    assert line.says.text() != ""
    assert line.pixel.field.isVisible()


# -- the distance of focus planes --------------------------------------------------------------------------------------


def test_the_distance_of_planes_is_said_in_the_line(qtbot: QtBot, line: MovieLine, tmp_path: Path) -> None:
    path = tmp_path / "planes.tif"
    tifffile.imwrite(path, np.zeros((4, 3, 20, 24), np.uint8), metadata={"axes": "TZYX"})
    layer = open_path(line.session.viewer, path)
    assert line.step.button.text().startswith("z step?")
    qtbot.mouseClick(line.step.button, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(line.step.field.line, "1500 nm")
    qtbot.keyClick(line.step.field.line, Qt.Key.Key_Return)
    assert line.step.button.text().startswith("1.5 µm")
    assert layer.scale[1] == 1.5
    assert stack_of(layer).z_step == 1.5
    assert line.session.study.rows[0].z_step == 1.5
    written = write_ome_tiff(tmp_path / "b.ome.tif", stack_of(layer))
    assert read_stack(written).z_step == 1.5
    line.session.viewer.layers.clear()
    assert line.session.study.whole_row(0).z_step == 1.5


def test_planes_and_images_fit_into_380_pixels(qtbot: QtBot, line: MovieLine, tmp_path: Path) -> None:
    path = tmp_path / "a plate with a long name.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tif:
        for name in ("position A1", "position B2"):
            tif.write(np.zeros((120, 21, 2, 8, 8), np.uint8), metadata={"axes": "TZCYX", "Name": name})
    open_path(line.session.viewer, path, 0)
    qtbot.waitUntil(line.scene.isVisible, timeout=PATIENCE)
    assert line.planes.text() == "21 planes"
    assert line.minimumSizeHint().width() <= 380
    line.ask_for(("pixel_size",))
    line.step.edit()
    qtbot.wait(50)
    assert line.minimumSizeHint().width() <= 380


def test_a_movie_of_one_plane_has_no_distance(line: MovieLine) -> None:
    add_stack(line.session.viewer, Stack(np.zeros((2, 5, 5)), "TYX"))
    assert not line.step.isVisible()
    assert not line.z.isVisible()


# -- several images in a file ------------------------------------------------------------------------------------------


def pick(line: MovieLine, scene: int) -> None:
    line.scene.setCurrentIndex(scene)
    line.scene.activated.emit(scene)


def test_another_image_of_the_file_is_chosen_in_the_line(
    qtbot: QtBot, line: MovieLine, scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "ask_for_scene", lambda *_: pytest.fail("asked"))
    viewer, session = line.session.viewer, line.session
    left = open_path(viewer, scenes, 0)
    qtbot.waitUntil(line.scene.isVisible, timeout=PATIENCE)
    assert [line.scene.itemText(i) for i in range(line.scene.count())] == ["0: left", "1: right"]
    assert line.scene.value == 0
    assert line.says.text() == ""  # the choice says that there are two
    outlines = viewer.add_labels(np.zeros((3, 20, 20), int))
    session.outlines = outlines
    pick(line, 1)
    qtbot.waitUntil(lambda: session.movie is not left, timeout=PATIENCE)
    right = session.movie
    assert (facts_of(right).scene, right.data.shape) == (1, (3, 24, 24))
    qtbot.waitUntil(lambda: not left.visible, timeout=PATIENCE)
    assert line.scene.value == 1
    assert session.outlines is None
    assert not outlines.visible
    pick(line, 0)
    assert session.movie is left
    assert (left.visible, right.visible, outlines.visible) == (True, False, True)
    assert session.outlines is outlines
    assert len([layer for layer in viewer.layers if layer.name.startswith("two")]) == 2
    assert [row.scene for row in session.study.rows] == [None, 1]


def test_a_file_of_one_image_offers_no_other(qtbot: QtBot, line: MovieLine, tagged: Path) -> None:
    open_path(line.session.viewer, tagged)
    qtbot.waitUntil(lambda: tagged in line.scene._names, timeout=PATIENCE)
    assert not line.scene.isVisible()


# -- while it is filled in ---------------------------------------------------------------------------------------------


def test_the_frame_in_sight_stays_when_the_interval_is_said(qtbot: QtBot, line: MovieLine) -> None:
    viewer = line.session.viewer
    add_stack(viewer, Stack(np.zeros((9, 20, 24), np.uint8), "TYX", pixel_size=(0.2, 0.2)))
    viewer.dims.set_current_step(0, 5)
    qtbot.mouseClick(line.interval.button, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(line.interval.field.line, "5 min")
    qtbot.keyClick(line.interval.field.line, Qt.Key.Key_Return)
    assert stack_of(line.session.movie).frame_interval == 300
    assert viewer.dims.current_step[0] == 5


def test_a_microscopy_that_nobody_has_said_is_asked_for_in_colour(qtbot: QtBot, line: MovieLine) -> None:
    add_stack(line.session.viewer, Stack(np.zeros((2, 20, 24), np.uint8), "TYX"))
    assert "color" in line.modality.styleSheet()
    line.modality.setFocus()
    qtbot.keyClicks(line.modality, "phase")
    assert facts_of(line.session.movie).modality == "phase-contrast"
    assert "color" not in line.modality.styleSheet()

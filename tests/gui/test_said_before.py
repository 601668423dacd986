"""What was said of a file before is filled in when the same file comes again, and of no other."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from napari_cellsynth import api
from napari_cellsynth.engine.user_folder import config_folder, read_kept
from napari_cellsynth.gui.facts import Facts
from napari_cellsynth.gui.layers import facts_of
from napari_cellsynth.gui.movie_line import MovieLine
from napari_cellsynth.gui.opening import open_path
from napari_cellsynth.gui.said_before import FILE, Before, in_words, key_of
from napari_cellsynth.gui.state import Session
from napari_cellsynth.stack.recordings.table import Table

PATIENCE = 20_000


@pytest.fixture
def line(qtbot: QtBot, plugins: Any, make_napari_viewer: Callable[..., Any]) -> MovieLine:
    line = MovieLine(Session.of(make_napari_viewer()))
    qtbot.addWidget(line)
    line.resize(380, 200)
    line.show()
    return line


def frames(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4000, (6, 40, 48)).astype(np.uint16)


def movie(path: Path, seed: int = 0, **more: Any) -> Path:
    tifffile.imwrite(path, frames(seed), metadata={"axes": "TYX"}, imagej=False, **more)
    return path


def typed(qtbot: QtBot, fact: Any, text: str) -> None:
    qtbot.mouseClick(fact.button, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(fact.field.line, text)
    qtbot.keyClick(fact.field.line, Qt.Key.Key_Return)


def say_all(qtbot: QtBot, line: MovieLine) -> None:
    typed(qtbot, line.pixel, "0.19")
    typed(qtbot, line.interval, "5 min")
    line.modality.choose("phase-contrast")
    line.modality.picked.emit("phase-contrast")
    wanted = {"pixel_size", "frame_interval", "modality", "name", "said"}
    qtbot.waitUntil(lambda: any(set(one) == wanted for one in read_kept(FILE)[0].values()), timeout=PATIENCE)


def test_the_same_file_comes_with_what_was_said(qtbot: QtBot, line: MovieLine, tmp_path: Path) -> None:
    open_path(line.session.viewer, movie(tmp_path / "a.tif"))
    say_all(qtbot, line)
    line.session.viewer.layers.clear()
    elsewhere = Path(shutil.copy(tmp_path / "a.tif", tmp_path / "renamed.tif"))
    layer = open_path(line.session.viewer, elsewhere)
    qtbot.waitUntil(lambda: facts_of(layer).pixel_size == (0.19, 0.19), timeout=PATIENCE)
    assert (facts_of(layer).frame_interval, facts_of(layer).modality) == (300.0, "phase-contrast")
    assert line.says.text() == "Pixel size 0.19 µm, interval 5 min and phase contrast: as you said before."
    assert line.pixel.button.text().startswith("0.19 µm") and line.modality.value == "phase-contrast"
    qtbot.mouseClick(line.right, Qt.MouseButton.LeftButton)
    assert line.says.text() == "" and not line.right.isVisible()
    typed(qtbot, line.pixel, "0.25")
    assert facts_of(layer).pixel_size == (0.25, 0.25)
    qtbot.waitUntil(lambda: [0.25, 0.25] in [one["pixel_size"] for one in read_kept(FILE)[0].values()])
    assert len(read_kept(FILE)[0]) == 1, "what was said last of one movie"


def test_another_file_is_asked_about(qtbot: QtBot, line: MovieLine, tmp_path: Path) -> None:
    open_path(line.session.viewer, movie(tmp_path / "a.tif"))
    say_all(qtbot, line)
    line.session.viewer.layers.clear()
    other = open_path(line.session.viewer, movie(tmp_path / "a.tif", seed=1))  # of the same name and size
    qtbot.wait(500)
    assert facts_of(other).pixel_size is None and facts_of(other).modality is None
    assert line.says.text() == ""


def test_what_the_file_says_otherwise_is_offered(qtbot: QtBot, line: MovieLine, tmp_path: Path) -> None:
    open_path(line.session.viewer, movie(tmp_path / "a.tif"))
    say_all(qtbot, line)
    line.session.viewer.layers.clear()
    tifffile.imwrite(
        tmp_path / "a.ome.tif", frames(), metadata={"axes": "TYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    )
    layer = open_path(line.session.viewer, tmp_path / "a.ome.tif")
    qtbot.waitUntil(lambda: facts_of(layer).frame_interval == 300.0, timeout=PATIENCE)
    assert facts_of(layer).pixel_size == (0.5, 0.5), "the file's own word is not changed unasked"
    line.session.movie = None
    line.memory._asked.clear()
    line.session.movie = layer
    qtbot.waitUntil(line.as_before.isVisible, timeout=PATIENCE)
    assert line.says.text() == "Pixel size 0.19 µm as you said before; the file says otherwise."
    qtbot.mouseClick(line.as_before, Qt.MouseButton.LeftButton)
    assert facts_of(layer).pixel_size == (0.19, 0.19) and not line.as_before.isVisible()


def test_a_pixel_size_that_was_confirmed_is_not_doubted_again(qtbot: QtBot, line: MovieLine, tmp_path: Path) -> None:
    path = movie(tmp_path / "tagged.tif", resolution=(50000, 50000), resolutionunit="CENTIMETER")
    open_path(line.session.viewer, path)
    qtbot.mouseClick(line.right, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(read_kept(FILE)[0]), timeout=PATIENCE)
    line.session.viewer.layers.clear()
    layer = open_path(line.session.viewer, path)
    assert "check it" in line.says.text()
    qtbot.waitUntil(lambda: "as you said before" in line.says.text(), timeout=PATIENCE)
    assert not any("check it" in note for note in facts_of(layer).notes)


def test_what_is_being_typed_is_not_taken_away(qtbot: QtBot, line: MovieLine, tmp_path: Path, monkeypatch: Any) -> None:
    open_path(line.session.viewer, movie(tmp_path / "a.tif"))
    say_all(qtbot, line)
    line.session.viewer.layers.clear()
    found = []
    monkeypatch.setattr(line.memory, "_found", lambda *what: found.append(what))
    layer = open_path(line.session.viewer, tmp_path / "a.tif")
    qtbot.mouseClick(line.pixel.button, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(line.pixel.field.line, "0.3")
    qtbot.waitUntil(lambda: bool(found), timeout=PATIENCE)
    monkeypatch.undo()
    line.memory._found(*found[0])
    assert line.pixel.field.isVisible() and line.pixel.field.line.text() == "0.3"
    assert facts_of(layer).pixel_size is None and facts_of(layer).frame_interval == 300.0


def test_a_training_set_of_the_same_file_has_said_it(qtbot: QtBot, line: MovieLine, tmp_path: Path) -> None:
    path = movie(tmp_path / "a.tif")
    labels = np.zeros((6, 40, 48), np.uint16)
    labels[:, 12:28, 12:28] = 1
    tifffile.imwrite(tmp_path / "m.tif", labels)
    line_of = "file;labels;pixel_size;interval;modality\na.tif;m.tif;0.4um;2min;brightfield\n"
    recordings = Table.parse(line_of, tmp_path).recordings()
    from napari_cellsynth.stack.crops.settings import CropSettings

    home = line.session.homes[0] / api.TRAINING_SETS / "cells-01"
    settings = CropSettings(box_px=20, size=16)
    list(api.prepare_crops(recordings, home, settings))
    layer = open_path(line.session.viewer, path)
    qtbot.waitUntil(lambda: facts_of(layer).pixel_size == (0.4, 0.4), timeout=PATIENCE)
    assert (facts_of(layer).frame_interval, facts_of(layer).modality) == (120.0, "brightfield")
    assert line.says.text().endswith("brightfield: as in the training set cells-01.")
    # written anew, it is another recording
    line.session.viewer.layers.clear()
    other = open_path(line.session.viewer, movie(path, seed=3))
    qtbot.wait(500)
    assert facts_of(other).pixel_size is None


def test_an_entry_that_cannot_be_meant_is_left_aside(qtbot: QtBot, line: MovieLine, tmp_path: Path) -> None:
    config_folder().mkdir(parents=True)
    entry = '{"pixel_size": [0, 1], "frame_interval": "soon", "modality": "x-ray", "axes": "TT"}'
    (config_folder() / FILE).write_text(f'{{"{key_of(frames())}": {entry}}}', encoding="utf-8")
    layer = open_path(line.session.viewer, movie(tmp_path / "a.tif"))
    qtbot.wait(300)
    assert facts_of(layer).pixel_size is None and facts_of(layer).modality is None


def test_a_distance_of_planes_is_nothing_for_a_movie_without_planes() -> None:
    before = Before({"z_step": 1.5, "pixel_size": (0.2, 0.2)})
    assert before.new(Facts(axes="TYX")) == {"pixel_size": (0.2, 0.2)}
    assert before.new(Facts(axes="TZYX", pixel_size=(0.2, 0.2))) == {"z_step": 1.5}
    assert before.other(Facts(axes="TZYX", pixel_size=(0.3, 0.3))) == {"pixel_size": (0.2, 0.2)}
    assert in_words({"axes": "TYX", "z_step": 1.5}) == "what the axes are and z step 1.5 µm"


def test_other_channels_of_the_file_take_what_is_said_of_one(qtbot: QtBot, line: MovieLine, tmp_path: Path) -> None:
    path = tmp_path / "two.tif"
    tifffile.imwrite(path, np.stack([frames(1), frames(2)], axis=1), metadata={"axes": "TCYX"})
    open_path(line.session.viewer, path)
    first, second = line.session.viewer.layers
    line.session.movie = first
    typed(qtbot, line.pixel, "0.19")
    line.modality.picked.emit("phase-contrast")
    assert facts_of(second).pixel_size == (0.19, 0.19)
    assert facts_of(second).modality is None, "one channel may be fluorescence, the other not"

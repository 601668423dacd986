"""What is said of a simulated movie, what its layers are called, and how it is saved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QFileDialog

from napari_cellsynth.gui.layers import add_stack
from napari_cellsynth.gui.pieces import Choice
from napari_cellsynth.gui.simulated_layers import add_simulated
from napari_cellsynth.gui.simulated_saving import FORMATS, Simulated, what_was_made
from napari_cellsynth.gui.start_tasks import Tasks
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.suggested import suggested
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.phantoms.phantom import Phantom
from napari_cellsynth.stack.files.write import write_ome_tiff
from napari_cellsynth.stack.provenance import provenance_block
from napari_cellsynth.stack.stack import Stack


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def session(viewer, cellsynth_home):
    return Session.of(viewer)


@pytest.fixture(scope="module")
def made():
    """Two cells in the first frame, three in the second, the first of them gone."""
    frames = np.zeros((2, 40, 60), np.uint16)
    tracks = Tracks([1, 2, 2, 3, 4], [0, 0, 1, 1, 1], [9, 30, 30, 9, 9], [9, 9, 9, 30, 50], pixel_size=(0.132, 0.132))
    block = provenance_block(made_by="simulate", synthetic=True, seed=1)
    facts = {"pixel_size": (0.132, 0.132), "frame_interval": 300.0, "provenance": block}
    flow = np.full((1, 2, 40, 60), 2.0, np.float32)
    return Phantom(Stack(frames, "TYX", name="s", **facts), frames, tracks, flow, frames.astype(np.float32))


def test_a_movie_is_said_with_its_cells_at_a_time_and_in_all_and_its_pixels(made):
    assert what_was_made(made, None) == "2 frames, 2 to 3 cells at a time, 4 in all, pixels of 0.132 µm"
    assert what_was_made(made, (0.1, 0.1)).endswith("0.132 µm as in the training set (those of the movie: 0.1 µm)")
    assert what_was_made(made, (0.1321, 0.132)).endswith("pixels of 0.132 µm")
    steady = replace(made, tracks=Tracks([1, 1], [0, 1], [9, 9], [9, 9]), stack=made.stack.with_(pixel_size=None))
    assert what_was_made(steady, (0.1, 0.1)) == "2 frames, 1 cell"


def test_every_format_stands_in_a_menu_that_has_words(made, viewer, session, qtbot):
    simulated = Simulated(session)
    qtbot.addWidget(simulated)
    layers = add_simulated(viewer, made, None, "mine")
    simulated.take(made, layers)
    assert layers[3].name.startswith("flow"), "the end of a long name is not read in the list"
    assert simulated.save.text() == "Save as…" and not simulated.save.isHidden()
    assert [action.text() for action in simulated.save.menu().actions()] == list(FORMATS.values())
    assert simulated.said.text().startswith("2 frames, 2 to 3 cells at a time")


def test_dialogs_suggest_the_folder_and_the_name_of_the_movie(made, viewer, session, qtbot, tmp_path, monkeypatch):
    assert suggested(session, "tracks.csv").name == "tracks.csv"
    file = write_ome_tiff(tmp_path / "yeast 1.2.ome.tif", made.stack)
    session.movie = add_stack(viewer, made.stack.with_(path=file))
    assert suggested(session, "tracks.csv") == tmp_path / "yeast 1.2 tracks.csv"
    assert suggested(session, "01_RES", named=False) == tmp_path / "01_RES"
    asked = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *words: asked.append(words[2]) or ("", ""))
    simulated = Simulated(session)
    qtbot.addWidget(simulated)
    simulated._ask("ome")
    assert asked == [str(tmp_path / "yeast 1.2 simulated.ome.tif")]
    session.movie = add_stack(viewer, made.stack, name="a:b 1.5")
    assert suggested(session, "tracks.csv").name == "a b 1.5 tracks.csv"


def test_long_words_of_a_choice_are_cut_with_dots_and_told_in_full(qtbot):
    choice = Choice()
    qtbot.addWidget(choice)
    long = "the cells of yeast_masks, followed from the first frame to the last"
    choice.offer([("short", 1), (long, 2)])
    choice.choose(2)
    choice.resize(120, 28)
    assert choice.words_in(100).endswith("…") and choice.words_in(2000) == long
    assert choice.toolTip() == long
    choice.choose(1)
    choice.setCurrentIndex(1)
    choice.activated.emit(1)
    assert choice.toolTip() == long
    assert not choice.grab().isNull()


def test_start_offers_what_takes_data_of_ones_own(session, qtbot):
    tasks = Tasks(session)
    qtbot.addWidget(tasks)
    asked = []
    session.tab_requested.connect(asked.append)
    session.section_wanted.connect(asked.append)
    session.set_wanted.connect(lambda kind, values: asked.append((kind, values)))
    for row in tasks.errands:
        row.begin.click()
    wanted = ["movies", "tracks", "check", "moves", "movies", ("clips", {"frames": 1}), "check", "useful"]
    assert asked == wanted

"""Which training set the Train tab takes, and the way to one where none fits."""

from __future__ import annotations

from pathlib import Path

import pytest
from napari.components import ViewerModel

from napari_cellsynth.gui.kind_panes import ClipsPane
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.train_setup import BEING_MADE, MASKS, NONE_YET, TrainSetup
from napari_cellsynth.gui.train_wish import Known
from napari_cellsynth.gui.training_set_section import TrainingSetSection

CELLS, CLIPS = Known(Path("cells"), "9 cells", "crops"), Known(Path("clips"), "9 clips", "clips")


@pytest.fixture
def setup(qtbot, cellsynth_home, monkeypatch):
    """The upper half of the Train tab, which reads no folder by itself."""
    monkeypatch.setattr(TrainSetup, "refresh", lambda self: None)
    setup = TrainSetup(Session.of(viewer := ViewerModel()))
    setup.viewer = viewer  # held only weakly
    qtbot.addWidget(setup)
    return setup


def pick(setup, data):
    family = next(one for one in setup._families if one.data == data)
    setup.task.choose(family)
    setup.task.picked.emit(family)


def test_another_task_takes_the_set_that_fits_it(setup):
    setup._session.training_set = CELLS.path
    setup._list_sets([CLIPS, CELLS])
    assert setup.data.value == CELLS.path
    pick(setup, "clips")
    setup._list_sets([CLIPS, CELLS])
    assert setup.data.value == setup._session.training_set == CLIPS.path
    pick(setup, "crops")
    setup._list_sets([CLIPS, CELLS])
    assert setup.data.value == CELLS.path and setup.go_to_movies.isHidden()


def test_a_set_that_was_chosen_in_spite_of_the_task_stays(setup):
    setup._session.training_set = CLIPS.path
    setup._list_sets([CLIPS, CELLS])
    assert setup.data.value == CLIPS.path


def test_where_no_set_fits_a_button_leads_to_making_one(setup, qtbot):
    section = TrainingSetSection(setup._session)
    qtbot.addWidget(section)
    setup._session.training_set = CELLS.path
    pick(setup, "clips")
    setup._list_sets([CELLS])
    setup._say_what_it_holds(CELLS)
    assert "make a set of them, or choose" in setup.summary.text()
    assert not setup.go_to_movies.isHidden() and setup.go_to_movies.text() == "Make a training set of clips"
    asked = []
    setup._session.tab_requested.connect(asked.append)
    section.fold()
    setup.go_to_movies.click()
    assert asked == ["movies"] and section.head.isChecked()
    assert section.pane.KIND == "clips" and section.pane.settings(None).frames == 1
    section._settle.stop()


def test_a_set_that_is_being_made_is_said(setup):
    setup._list_sets([])
    assert setup.estimate.text() == NONE_YET
    setup._list_sets([], True)
    assert setup.estimate.text() == BEING_MADE


def test_outlines_are_asked_for_beside_the_button_not_among_thirty_settings(setup):
    pick(setup, "crops")
    setup._session.training_set = CELLS.path
    setup._list_sets([CELLS])
    assert not setup.outlines.isHidden()
    assert MASKS not in setup.wish().changes, "as published unless the user wants them"
    setup.advanced.head.setChecked(True)
    assert MASKS not in setup.advanced.content.rows
    setup.outlines.setChecked(True)
    assert setup.wish().changes == {MASKS: True}
    pick(setup, "clips")
    assert setup.outlines.isHidden()


def test_clips_for_finding_cells_have_one_frame(qtbot):
    pane = ClipsPane()
    qtbot.addWidget(pane)
    assert not pane.one.isHidden() and pane.settings(None).frames == 10
    pane.one.click()
    assert pane.settings(None).frames == 1 and pane.one.isHidden()

"""What panels remember from one napari to the next."""

from __future__ import annotations

import pytest
from qtpy.QtWidgets import QPushButton

from napari_cellsynth.engine.user_folder import config_folder, read_kept
from napari_cellsynth.gui.kept import FILE, Kept, kept
from napari_cellsynth.gui.movies_tab import MoviesTab
from napari_cellsynth.gui.start_tab import StartTab
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.train_setup import TrainSetup
from napari_cellsynth.gui.train_tab import TrainTab
from napari_cellsynth.gui.training_set_section import TrainingSetSection


def test_what_was_put_is_there_in_the_next_session(qtbot):
    kept().put("tab", "use")
    qtbot.waitUntil(lambda: read_kept(FILE)[0] == {"tab": "use"})
    again = Kept()
    assert again.get("tab", str) == "use"
    assert again.get("tab", bool) is None and again.get("other", str, "x") == "x"


def test_a_button_is_as_the_user_left_it(qtbot):
    button = QPushButton()
    qtbot.addWidget(button)
    button.setCheckable(True)
    kept().button("fold", button)
    button.click()
    button.setChecked(False)  # not the user's doing
    kept().save()
    assert Kept().get("fold", bool) is True


def test_a_damaged_file_is_said_and_not_used(make_napari_viewer):
    config_folder().mkdir(parents=True)
    (config_folder() / FILE).write_text('{"tab": ', encoding="utf-8")
    tab = StartTab(Session.of(make_napari_viewer()))
    assert "is damaged and is not used" in tab.note.text()
    tab.deleteLater()


def test_values_of_another_kind_are_as_none():
    config_folder().mkdir(parents=True)
    (config_folder() / FILE).write_text('{"tab": 3, "start.tasks": "yes"}', encoding="utf-8")
    assert Kept().get("tab", str, "start") == "start"
    assert Kept().get("start.tasks", bool) is None


@pytest.mark.parametrize("preset", ["paper", "tiny"])
def test_the_preset_that_was_trained_with_last_is_chosen_again(make_napari_viewer, preset, tmp_path):
    session = Session.of(make_napari_viewer())
    first = TrainSetup(session)
    first.presets.choose(preset)
    first._created(tmp_path / "run")
    again = TrainSetup(session)
    assert again.presets.chosen().name == preset
    for setup in (first, again):
        setup.deleteLater()


def test_sections_are_folded_as_the_user_left_them(make_napari_viewer):
    viewer = make_napari_viewer()
    first = MoviesTab(Session.of(viewer))
    first.cells.head.click()
    first.table.head.click()
    first.training_set.advanced.head.click()
    assert not first.table.head.isChecked()
    again = MoviesTab(Session.of(viewer))
    assert not again.cells.head.isChecked()
    assert again.training_set.head.isChecked() and again.training_set.advanced.is_open()
    again._study_changed()  # which shows the table of several movies, or of none, by itself
    assert not again.table.head.isChecked()
    assert again.fitness not in again._touched
    for tab in (first, again):
        tab.deleteLater()


def test_advanced_and_curves_of_train_are_as_they_were_left(make_napari_viewer):
    session = Session.of(make_napari_viewer())
    first = TrainTab(session)
    first.setup.advanced.head.click()
    first.live.curves.head.click()
    again = TrainTab(session)
    assert again.setup.advanced.is_open() and again.setup.advanced.content is not None
    assert again.live.curves.is_open()
    for tab in (first, again):
        tab.deleteLater()


def test_the_kind_of_set_that_the_user_chose_is_chosen_again(make_napari_viewer):
    session = Session.of(make_napari_viewer())
    first = TrainingSetSection(session)
    first.choose("clips")  # as an example does
    again = TrainingSetSection(session)
    assert again.pane.KIND == "crops"
    again.kinds.button(2).click()
    third = TrainingSetSection(session)
    assert third.pane.KIND == "traps" and not third.pane.isHidden() and third.panes[0].isHidden()
    for section in (first, again, third):
        section.deleteLater()

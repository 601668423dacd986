"""What panels remember from one napari to the next."""

from __future__ import annotations

import pytest
from qtpy.QtWidgets import QPushButton

from napari_cellsynth.engine.user_folder import config_folder, read_kept
from napari_cellsynth.gui.kept import FILE, Kept, kept
from napari_cellsynth.gui.start_tab import StartTab
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.train_setup import TrainSetup


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


def test_a_damaged_file_is_left_aside_with_a_note(make_napari_viewer):
    config_folder().mkdir(parents=True)
    (config_folder() / FILE).write_text('{"tab": ', encoding="utf-8")
    tab = StartTab(Session.of(make_napari_viewer()))
    assert "is damaged and was left aside" in tab.note.text()
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

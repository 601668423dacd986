"""What the Train tab brings into sight once a training begins."""

from __future__ import annotations

from pathlib import Path

import pytest
from qtpy.QtWidgets import QAbstractSlider, QWidget

from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.train_tab import TrainTab


@pytest.fixture
def tab(make_napari_viewer, qtbot, cellsynth_home, monkeypatch):
    """In a low dock, with a training that shows itself but does not run."""
    viewer = make_napari_viewer(show=True)
    tab = TrainTab(Session.of(viewer))
    viewer.window.add_dock_widget(tab, name="Train")
    tab.setup.advanced.head.setChecked(True)
    monkeypatch.setattr(tab.live, "show_run", lambda run, begin=False: tab.live.setVisible(run is not None))
    return tab


def top_of_live(tab) -> int:
    return tab.live.mapTo(tab._scroll.viewport(), tab.live.rect().topLeft()).y()


def test_a_training_that_begins_is_in_sight_and_the_user_may_scroll_away(tab, qtbot):
    bar = tab._scroll.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    assert bar.value() == 0
    tab._begin(Path("run"))
    room = tab._scroll.viewport().height()
    qtbot.waitUntil(lambda: top_of_live(tab) + tab.live.height() <= room or top_of_live(tab) == 0)
    bar.triggerAction(QAbstractSlider.SliderAction.SliderToMinimum)
    more = QWidget()
    more.setFixedHeight(300)
    before = bar.maximum()
    tab.live.layout().addWidget(more)
    qtbot.waitUntil(lambda: bar.maximum() > before)
    assert bar.value() == 0

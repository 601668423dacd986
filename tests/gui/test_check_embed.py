"""Can it make real cells?  Held-out cells made again in the Check tab: asked, shown, counted, saved, forgotten."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from looks import cut, nameless, too_wide
from trainings import trained

from napari_cellsynth import api
from napari_cellsynth.api import TRAINING_SETS
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.gui import check_model
from napari_cellsynth.gui.check_embed import DONE
from napari_cellsynth.gui.dock import show_dock
from napari_cellsynth.gui.layers import movies_in
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.theme import THEME
from napari_cellsynth.stack.training_sets.openings import openings

SOON = 100_000


@pytest.fixture
def remade(cellsynth_home, make_napari_viewer, qtbot):
    """The dock, the section, and a trained model in it."""
    run = trained(cellsynth_home, steps=4)
    dock = show_dock(make_napari_viewer(), "check")
    dock.setFixedSize(380, 700)
    section = dock.tab("check").sections["remade"]
    qtbot.waitUntil(lambda: section.run == run and bool(section.more.text()), timeout=SOON)
    for spin, value in ((section.count, 3), (section.starts, 1), (section.steps, 3)):
        spin.setValue(value)
    return dock, section, cellsynth_home / TRAINING_SETS / "blobs"


def make(section: Any, qtbot: Any) -> None:
    section.main.click()
    qtbot.waitUntil(lambda: section.check is not None, timeout=SOON)


def test_without_a_model_it_says_what_it_needs(make_napari_viewer, qtbot) -> None:
    dock = show_dock(make_napari_viewer(), "check")
    section = dock.tab("check").sections["remade"]
    asked: list[str] = []
    dock.session.tab_requested.disconnect()
    dock.session.tab_requested.connect(asked.append)
    assert section.lacking.text() == "Needs a trained model that can make given cells again."
    section.main.click()
    assert asked == ["train"]


def test_held_out_cells_are_made_again_and_shown(remade, qtbot, tmp_path) -> None:
    dock, section, data = remade
    viewer = dock.session.viewer
    make(section, qtbot)
    check = section.check
    assert len(check.held_out) == len(check.training) == 3 and openings(data) == []
    assert section.sentence.text() == check.sentence() and "n: 3 held-out crops" in section.notes.text()
    noted = Recorder.of(dock.session).record.actions[-1].words
    assert noted == DONE.format("blobs-1", 0, check.sentence())
    assert section.figure.isVisibleTo(dock) and "Low is not good" in section.figure.toolTip()
    section.show_cells.click()
    real, made, apart = viewer.layers
    assert real.data.shape[:2] == made.data.shape[:2] == (3, 1)
    assert made.metadata["napari-cellsynth"]["synthetic"] is True and "(synthetic)" in made.name
    assert real.metadata["napari-cellsynth"]["synthetic"] is False
    assert real.contrast_limits == made.contrast_limits and apart.contrast_limits[0] == -apart.contrast_limits[1]
    np.testing.assert_allclose(np.asarray(apart.data), np.asarray(made.data, float) - np.asarray(real.data, float))
    assert movies_in(viewer) == [], "none is a movie to work on"
    section.report.save_to(tmp_path / "report")
    qtbot.waitUntil(lambda: section.report.says.text() == "Saved in report.", timeout=SOON)
    assert (tmp_path / "report" / "reconstruction.svg").exists()
    before = section.figure.pixmap().toImage()
    THEME.take("light")
    qtbot.waitUntil(lambda: section.figure.pixmap().toImage() != before, timeout=SOON)
    THEME.take("dark")
    dock.session.viewer.window._qt_window.show()
    section.advanced.head.setChecked(True)
    qtbot.wait(100)
    assert not too_wide(dock) and not cut(dock) and not nameless(dock)
    section.seed.setValue(3)
    assert section.check is None and not section.show_cells.isVisibleTo(dock) and not section.sentence.text()


def test_the_test_part_is_opened_only_after_a_question_and_counted(remade, qtbot, monkeypatch) -> None:
    _, section, data = remade
    asked, answers = [], [False, True]
    monkeypatch.setattr(check_model, "sure", lambda *words: asked.append(words) or answers.pop(0))
    section.part.choose("test")
    section.main.click()
    assert len(asked) == 1 and openings(data) == [] and not section.work.working
    make(section, qtbot)
    assert len(asked) == 2 and len(openings(data)) == 1
    qtbot.waitUntil(lambda: section.part.itemText(1).endswith("(opened 1×)"), timeout=SOON)


def test_cancel_keeps_nothing_and_failures_are_said(remade, qtbot, monkeypatch) -> None:
    _, section, data = remade
    ended = []

    def slowly(*_: Any, **__: Any) -> Any:
        try:
            while True:
                yield Progress(done=1, total=4, message="making given images again")
        finally:
            ended.append(True)

    with monkeypatch.context() as patched:
        patched.setattr(api, "check_reconstruction", slowly)
        section.main.click()
        qtbot.waitUntil(lambda: section.says.text() == "Making given images again, 1 of 4…", timeout=SOON)
        section.work.cancel.click()
        qtbot.waitUntil(lambda: bool(ended), timeout=SOON)
    assert section.says.text() == "Cancelled; nothing was kept." and section.check is None
    data.rename(data.parent.parent.parent / "gone")
    section.main.click()
    qtbot.waitUntil(lambda: "blobs" in section.says.text() and not section.work.working, timeout=SOON)
    assert section.check is None and section.main.isEnabled()

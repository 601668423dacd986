"""Find cells with a trained run: offered beside the methods, shown live, used on all frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from outlined_runs import found_by
from trainings import blobs

from napari_cellsynth.gui.check_outlines import was_found
from napari_cellsynth.gui.dock import show_dock
from napari_cellsynth.gui.facts import BLOCK
from napari_cellsynth.gui.find_cells import NAME, FindCells
from napari_cellsynth.gui.layers import add_stack, complete
from napari_cellsynth.gui.live_pictures import Pictures
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.models.registry import FAMILIES

SOON = 100_000


@pytest.fixture
def finding(cellsynth_home: Path, plugins: Any, make_napari_viewer: Any, qtbot: Any) -> tuple[Any, FindCells, Path]:
    """The dock with a movie, the opened form, and a run that finds cells."""
    run = found_by(cellsynth_home)
    dock = show_dock(make_napari_viewer(show=True), "movies")
    complete(add_stack(dock.session.viewer, blobs()[0]), modality="fluorescence")
    cells = dock.tab("movies").cells
    cells.find.click()
    form = cells.find_cells
    qtbot.waitUntil(lambda: f"learned: {run.name}" in offered(form), timeout=SOON)
    return dock, form, run


def offered(form: FindCells) -> list[str]:
    return [form.method.itemText(i) for i in range(form.method.count())]


def pick(form: FindCells, words: str) -> None:
    form.method.setCurrentIndex(offered(form).index(words))
    form.method.activated.emit(form.method.currentIndex())


def test_a_run_is_offered_shows_what_it_finds_and_is_used_on_all_frames(finding: Any, qtbot: Any) -> None:
    dock, form, run = finding
    viewer = dock.session.viewer
    assert form.run is None and form.sensitivity.isVisible()
    pick(form, f"learned: {run.name}")
    assert form.run == run and not form.sensitivity.isVisible() and not form.diameter.isVisible()
    qtbot.waitUntil(lambda: form.says.text().startswith("4 cells in this frame"), timeout=SOON)
    assert any(layer.name == NAME for layer in viewer.layers)
    with qtbot.waitSignal(form.found, timeout=SOON):
        form.use.click()
    layer = dock.session.outlines
    assert [int(np.asarray(layer.data[t]).max()) for t in range(12)] == [4] * 12
    block = layer.metadata[BLOCK]
    assert block["run"] == run.name and block["synthetic"] is False and was_found(layer)
    assert form.says.text().endswith(f"Found by {run.name}: look through the frames before you trust them.")
    assert "found by finder" in str(Recorder.of(dock.session).record.to_json())
    qtbot.waitUntil(lambda: form.use.isEnabled(), timeout=SOON)
    pick(form, offered(form)[0])
    assert form.sensitivity.isVisible()


def test_a_preview_shows_what_is_true_beside_what_was_found(finding: Any, qtbot: Any) -> None:
    dock, _, run = finding
    pictures = Pictures(dock.session)
    qtbot.addWidget(pictures)
    pictures.show_run(run)
    assert [caption.text() for caption in pictures.captions] == ["real", "made"]
    preview = np.zeros((3, 2, 16, 16), np.uint8)
    preview[:, 1] = 200
    pictures.show_preview(preview)
    pictures.call_them(FAMILIES["segmentation"].makes)
    assert [caption.text() for caption in pictures.captions] == ["true", "found"]
    np.testing.assert_array_equal(pictures._real, preview[:, 1])
    pictures.watch_in_viewer()
    pictures._show()
    qtbot.waitUntil(lambda: pictures.layer is not None, timeout=SOON)
    assert pictures.layer.name == f"true | found · {run.name}"
    assert pictures.layer.layer.metadata[BLOCK]["synthetic"] is False

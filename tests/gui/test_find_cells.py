"""Find cells without training, driven as a user would, in a real viewer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot

from napari_cellsynth.gui import find_cells as module
from napari_cellsynth.gui import find_with_run as making
from napari_cellsynth.gui.dock import show_dock
from napari_cellsynth.gui.facts import BLOCK
from napari_cellsynth.gui.find_cells import NAME, FindCells
from napari_cellsynth.gui.layers import add_stack, complete, facts_of, outlines_in
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.steady_layers import add_stabilised, returnable
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.steady.drift import Drift

PATIENCE = 20_000
KNOWN = {"pixel_size": (0.5, 0.5), "frame_interval": 60.0}
PLACES = ((40, 40), (40, 120), (120, 40), (120, 120))


def movie(frames: int = 4, **more: Any) -> Stack:
    """Bright discs of 12 pixels' radius: four in the first frame, one less in each that follows."""
    y, x = np.mgrid[:160, :160]
    image = np.random.default_rng(0).normal(50, 3, (frames, 160, 160))
    for t in range(frames):
        for cy, cx in PLACES[: max(0, 4 - t)]:
            image[t][(y - cy) ** 2 + (x - cx) ** 2 < 144] += 100
    return Stack(image.astype(np.uint16), "TYX", name="discs", **{**KNOWN, **more})


@pytest.fixture
def viewer(plugins: Any, make_napari_viewer: Callable[..., Any]) -> Any:
    return make_napari_viewer(show=True)


@pytest.fixture
def cells(viewer: Any) -> Any:
    """The section Cells of a shown dock, with the movie open and known to be fluorescence."""
    dock = show_dock(viewer, "movies")
    complete(add_stack(viewer, movie()), modality="fluorescence")
    dock.session.movie_facts_changed.emit(dock.session.movie)
    return dock.tab("movies").cells


def opened(cells: Any) -> FindCells:
    cells.find.click()
    assert cells.find_cells is not None
    return cells.find_cells


def preview_of(viewer: Any) -> Any:
    return next((layer for layer in viewer.layers if layer.name == NAME), None)


def shown(viewer: Any, count: int) -> Callable[[], bool]:
    return lambda: preview_of(viewer) is not None and int(preview_of(viewer).data.max()) == count


def test_the_preview_follows_the_frame_in_sight(qtbot: QtBot, viewer: Any, cells: Any) -> None:
    viewer.dims.set_current_step(0, 0)
    pane = opened(cells)
    qtbot.waitUntil(shown(viewer, 4), timeout=PATIENCE)
    layer = preview_of(viewer)
    assert (layer.contour, tuple(layer.scale), str(layer.units[0])) == (2, (0.5, 0.5), "micrometer")
    assert pane.says.text() == "4 cells in this frame."
    assert float(pane.diameter.placeholderText().removeprefix("fits: ")) == pytest.approx(12, rel=0.35)
    viewer.dims.set_current_step(0, 2)
    qtbot.waitUntil(shown(viewer, 2), timeout=PATIENCE)
    viewer.dims.set_current_step(0, 3)
    qtbot.waitUntil(shown(viewer, 1), timeout=PATIENCE)


def test_a_diameter_that_was_estimated_of_another_movie_is_not_said_of_this_one(
    qtbot: QtBot, cellsynth_home: Path
) -> None:
    viewer = ViewerModel()
    session = Session.of(viewer)
    session.movie = add_stack(viewer, movie())
    pane = FindCells(session)
    qtbot.addWidget(pane)
    pane._show_diameter(24.0)
    assert pane.diameter.placeholderText() == "fits: 12"
    pane.unit.choose("px")
    pane._unit_picked("px")
    assert pane.diameter.placeholderText() == "", "it was in micrometres"
    pane._show_diameter(24.0)
    session.movie = add_stack(viewer, movie(pixel_size=(0.1, 0.1)))
    assert pane.diameter.placeholderText() == "" and pane.unit.value == "um"


def test_a_preview_is_no_outline_to_choose_and_keeps_the_selection(qtbot: QtBot, viewer: Any, cells: Any) -> None:
    selected = set(viewer.layers.selection)
    opened(cells)
    qtbot.waitUntil(lambda: preview_of(viewer) is not None, timeout=PATIENCE)
    assert outlines_in(viewer) == []
    assert cells.session.outlines is None
    assert set(viewer.layers.selection) == selected


def test_closing_takes_the_preview_away(qtbot: QtBot, viewer: Any, cells: Any) -> None:
    pane = opened(cells)
    qtbot.waitUntil(lambda: preview_of(viewer) is not None, timeout=PATIENCE)
    cells.find.click()
    assert preview_of(viewer) is None
    assert not pane.isVisible()
    cells.find.click()
    qtbot.waitUntil(lambda: preview_of(viewer) is not None, timeout=PATIENCE)
    pane.live.setChecked(False)
    assert preview_of(viewer) is None


def test_a_deleted_preview_comes_back(qtbot: QtBot, viewer: Any, cells: Any) -> None:
    pane = opened(cells)
    qtbot.waitUntil(lambda: preview_of(viewer) is not None, timeout=PATIENCE)
    viewer.layers.remove(NAME)
    pane.sensitivity.setValue(60)
    qtbot.waitUntil(lambda: preview_of(viewer) is not None, timeout=PATIENCE)


def test_only_the_last_of_many_changes_is_shown(
    qtbot: QtBot, viewer: Any, cells: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer.dims.set_current_step(0, 0)
    pane = opened(cells)
    qtbot.waitUntil(shown(viewer, 4), timeout=PATIENCE)
    seen = []
    show = pane._show
    monkeypatch.setattr(pane, "_show", lambda labels, region: (seen.append(int(labels.max())), show(labels, region)))
    for t in (1, 2, 3):
        viewer.dims.set_current_step(0, t)
        pane.look()  # without waiting for the pause
    qtbot.waitUntil(shown(viewer, 1), timeout=PATIENCE)
    qtbot.wait(100)
    assert seen == [1]


def test_use_on_all_frames_gives_the_sessions_outlines(qtbot: QtBot, viewer: Any, cells: Any) -> None:
    pane = opened(cells)
    qtbot.waitUntil(lambda: preview_of(viewer) is not None, timeout=PATIENCE)
    with qtbot.waitSignal(pane.found, timeout=PATIENCE):
        pane.use.click()
    layer = cells.session.outlines
    assert layer.name == "discs: cells found"
    assert [int(np.asarray(layer.data[t]).max()) for t in range(4)] == [4, 3, 2, 1]
    assert (layer.contour, facts_of(layer).axes, facts_of(layer).pixel_size) == (2, "TYX", (0.5, 0.5))
    assert facts_of(layer).frame_interval == 60
    block = layer.metadata[BLOCK]
    assert block["made_by"] == "segment" and block["settings"]["method"] == "watershed"
    assert preview_of(viewer) is None
    assert pane.says.text().startswith("10 cells found in 4 frames, 1 to 4 in each. Found without training")
    qtbot.waitUntil(lambda: cells.count is not None and cells.count.outlines == 10, timeout=PATIENCE)
    qtbot.waitUntil(lambda: pane.use.isEnabled(), timeout=PATIENCE)


def test_cancel_keeps_nothing(qtbot: QtBot, viewer: Any, cells: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pane = opened(cells)
    qtbot.waitUntil(lambda: preview_of(viewer) is not None, timeout=PATIENCE)
    from napari_cellsynth.stack.outlines.many import OutlineProgress

    def endless(*_: Any, **__: Any) -> Any:
        while True:
            yield OutlineProgress(1, 100, 5)

    monkeypatch.setattr(making.api, "segment", endless)
    pane.use.click()
    qtbot.waitUntil(lambda: "5 cells so far" in pane.says.text(), timeout=PATIENCE)
    assert pane.cancel.isVisible() and not pane.use.isEnabled()
    pane.cancel.click()
    qtbot.waitUntil(lambda: pane.use.isEnabled(), timeout=PATIENCE)
    assert pane.says.text() == "Cancelled; nothing was kept."
    assert outlines_in(viewer) == []


def test_settings_of_the_rows(qtbot: QtBot, viewer: Any, cells: Any) -> None:
    pane = opened(cells)
    pane.diameter.setText("13,5")
    pane.sensitivity.setValue(70)
    pane.more.head.click()
    assert pane.form is not None
    pane.form.rows["smallest"].line.setText("0.5")
    settings = pane.settings()
    assert (settings.diameter_um, settings.sensitivity, settings.smallest) == (13.5, 0.7, 0.5)
    pane.diameter.setText("a lot")
    pane.look()
    assert "expected a number" in pane.says.text()
    assert preview_of(viewer) is None


def test_of_a_large_frame_the_part_in_sight(
    qtbot: QtBot, viewer: Any, cells: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SIDE", 80)
    viewer.dims.set_current_step(0, 0)
    viewer.camera.center, viewer.camera.zoom = (0, 20, 20), 12  # micrometres: the first disc
    qtbot.wait(100)
    pane = opened(cells)
    qtbot.waitUntil(lambda: preview_of(viewer) is not None, timeout=PATIENCE)
    layer = preview_of(viewer)
    assert max(layer.data.shape) <= 80
    assert layer.data.max() >= 1
    assert "the part in sight" in pane.says.text()
    y, x = np.argwhere(layer.data == 1).mean(0) * 0.5 + np.asarray(layer.translate)
    assert min(np.hypot(y - cy / 2, x - cx / 2) for cy, cx in PLACES) < 2


def test_it_says_that_nothing_was_found(qtbot: QtBot, viewer: Any, cells: Any) -> None:
    empty = movie().with_(data=np.random.default_rng(0).normal(50, 3, (2, 100, 100)).astype(np.uint16), name="empty")
    cells.session.movie = add_stack(viewer, empty)
    pane = opened(cells)
    qtbot.waitUntil(lambda: "No cells found" in pane.says.text(), timeout=PATIENCE)


def test_folders_of_masks_are_opened(qtbot: QtBot, viewer: Any, cells: Any, tmp_path: Path) -> None:
    for t in range(4):
        mask = np.zeros((160, 160), np.uint16)
        mask[10:20, 10:20] = 1
        tifffile.imwrite(tmp_path / f"f{t}_cp_masks.tif", mask)
    layer = cells.open_file(tmp_path)
    assert layer is not None and layer.data.shape == (4, 160, 160)
    assert [action.text().split(":")[0] for action in cells.open_mask.menu().actions()] == ["File", "Folder"]


def test_the_pane_fits_into_380_pixels(qtbot: QtBot, viewer: Any, cells: Any) -> None:
    pane = opened(cells)
    pane.more.head.click()
    qtbot.wait(50)
    assert pane.minimumSizeHint().width() <= 340


def test_outlines_found_on_a_stabilised_movie_know_it(qtbot: QtBot, viewer: Any, cells: Any) -> None:
    steady = add_stabilised(viewer, cells.session.movie, Drift(np.zeros((4, 2))))
    cells.session.movie = steady
    pane = opened(cells)
    with qtbot.waitSignal(pane.found, timeout=PATIENCE):
        pane.start()
    assert cells.session.outlines in returnable(viewer, steady)


def test_outlines_of_the_movie_as_filmed_are_doubted_on_the_steady_one(
    qtbot: QtBot, viewer: Any, cells: Any, tmp_path: Path
) -> None:
    offsets = np.array([(0, 0), (3, 1), (-2, 4), (1, 1)], float)
    steady = add_stabilised(viewer, cells.session.movie, Drift(offsets))
    cells.session.movie = steady
    labels = np.zeros((4, 160, 160), np.uint16)
    labels[::2, 30:50, 30:50] = 1  # of every other frame: nobody sees how they follow the stage
    tifffile.imwrite(tmp_path / "masks.tif", labels)
    assert cells.open_file(tmp_path / "masks.tif") is not None
    qtbot.waitUntil(lambda: cells.count is not None, timeout=PATIENCE)
    assert cells.says.text().count("drawn before or after the stage's motion") == 1
    painted = viewer.add_labels(labels.copy(), metadata={BLOCK: {"made_on": "another"}})
    cells.session.outlines = painted
    qtbot.waitUntil(lambda: cells.count is not None, timeout=PATIENCE)
    assert "drawn before" not in cells.says.text()


def test_what_was_said_of_one_movie_is_gone_with_the_next(qtbot: QtBot, viewer: Any, cells: Any) -> None:
    pane = opened(cells)
    qtbot.waitUntil(lambda: "in this frame" in pane.says.text(), timeout=PATIENCE)
    assert pane.hint.text().startswith("Several cells in one")
    pane.live.setChecked(False)
    other = add_stack(viewer, movie(), name="other")
    cells.session.movie = other
    assert pane.says.text() == pane.hint.text() == ""


def test_a_colour_image_is_refused_in_words(qtbot: QtBot, viewer: Any, cells: Any) -> None:
    pane = opened(cells)
    qtbot.waitUntil(lambda: preview_of(viewer) is not None, timeout=PATIENCE)
    cells.session.movie = viewer.add_image(np.zeros((32, 32, 3), np.uint8), rgb=True, name="colour")
    qtbot.waitUntil(lambda: "colour" in pane.says.text(), timeout=PATIENCE)
    assert preview_of(viewer) is None


def test_a_diameter_is_estimated_once_for_each_movie(
    qtbot: QtBot, viewer: Any, cells: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_cellsynth.stack.outlines import many

    asked: list[str] = []
    settled = many.settled
    monkeypatch.setattr(many, "settled", lambda stack, *rest: asked.append(stack.name) or settled(stack, *rest))
    viewer.dims.set_current_step(0, 0)
    pane = opened(cells)
    qtbot.waitUntil(shown(viewer, 4), timeout=PATIENCE)
    viewer.dims.set_current_step(0, 2)
    qtbot.waitUntil(shown(viewer, 2), timeout=PATIENCE)
    assert asked == ["discs"]
    assert list(pane.diameters) == [cells.session.movie], "another that lies where it lay is another"


def test_cells_are_counted_off_the_windows_thread(
    qtbot: QtBot, viewer: Any, cells: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[bool] = []
    in_words = making.in_words

    def noted(labels: Stack, honest: str) -> tuple[str, str]:
        threads.append(threading.current_thread() is threading.main_thread())
        return in_words(labels, honest)

    monkeypatch.setattr(making, "in_words", noted)
    pane = opened(cells)
    with qtbot.waitSignal(pane.found, timeout=PATIENCE):
        pane.use.click()
    assert threads == [False]
    qtbot.waitUntil(lambda: pane.use.isEnabled(), timeout=PATIENCE)

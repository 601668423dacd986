"""The pane Simulate: works without any model, says what it lacks, makes layers in units, saves folders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_cellsynth import api, phantoms
from napari_cellsynth.gui import simulate_pane
from napari_cellsynth.gui.facts import BLOCK
from napari_cellsynth.gui.layers import add_stack, movies_in
from napari_cellsynth.gui.simulate_pane import EXAMPLE, PLAIN, WALK
from napari_cellsynth.gui.simulated_layers import flow_arrows
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.units_of_tracks import tracks_of_layer
from napari_cellsynth.gui.use_tab import UseTab
from napari_cellsynth.motion.tracks.tracks import Tracks

pytestmark = pytest.mark.gui
SOON = 60_000


@pytest.fixture
def pane(make_napari_viewer, cellsynth_home):
    viewer = make_napari_viewer()
    tab = UseTab(Session.of(viewer))
    viewer.window.add_dock_widget(tab, name="Use")
    pane = tab.pane("simulate")
    pane.cells.setValue(5)
    pane.frames.setValue(3)
    yield pane
    pane.work.stop()


def small(pane):
    pane.advanced.head.setChecked(True)
    pane.advanced.content.show_values({"height": 160, "width": 200})


def make(pane, qtbot):
    pane.work.begin.click()
    qtbot.waitUntil(lambda: not pane.work.working, timeout=SOON)


def test_without_any_model_or_training_set_it_shows_the_example_cells(pane, qtbot):
    small(pane)
    assert pane.sets.value == EXAMPLE and pane.motion.value == WALK and pane.ground.value == PLAIN
    assert "make a training set" in pane.no_set.text() and not pane.to_movies.isHidden()
    make(pane, qtbot)
    viewer = pane._session.viewer
    kinds = [type(layer).__name__ for layer in viewer.layers]
    assert kinds[:3] == ["Image", "Labels", "Tracks"]
    image, labels, tracks = list(viewer.layers)[:3]
    assert image.data.shape == labels.data.shape == (3, 160, 200)
    for layer in viewer.layers:
        assert tuple(layer.axis_labels) == ("t", "y", "x")
        np.testing.assert_allclose(layer.scale[1:], 0.25)
        assert layer.metadata[BLOCK]["synthetic"] is True
    assert set(np.unique(tracks.data[:, 0])) == set(np.unique(labels.data)) - {0}
    assert viewer.layers.units is not None
    assert movies_in(viewer) == [], "no movie of the study"
    assert pane._session.movie is None
    assert "true by construction" in pane.made.said.text()


def test_a_movie_of_fewer_frames_than_the_one_beside_it_is_seen_at_once(pane, qtbot):
    small(pane)
    viewer = pane._session.viewer
    viewer.add_image(np.zeros((20, 64, 64), np.uint16), name="longer")
    viewer.dims.set_current_step(0, 15)
    make(pane, qtbot)
    assert viewer.dims.current_step[0] == 0, "or it would be black"


def test_a_fit_that_predicts_worse_than_none_is_said(pane, tmp_path):
    paths = np.cumsum(np.random.default_rng(0).normal(size=(16, 30, 2)), axis=1)
    ids, t = np.repeat(np.arange(1, 17), 30), np.tile(np.arange(30), 16)
    fit = api.fit_motion([Tracks(ids, t, paths[..., 0].ravel(), paths[..., 1].ravel())])
    replace(fit, error=1.2 * min(fit.baselines.values())).to_json(tmp_path / "poor.json")
    replace(fit, error=0.5 * min(fit.baselines.values())).to_json(tmp_path / "good.json")
    pane.take_fit(tmp_path / "good.json")
    assert pane.fit.text() == "fit: 16 tracks ok"
    pane.take_fit(tmp_path / "poor.json")
    assert "20.0% worse than" in pane.fit.text() and "ok" not in pane.fit.text().split()
    back = np.zeros_like(fit.steps)
    back[0] = -0.95 * np.eye(2)
    swinging = replace(fit, steps=back, error=0.1)
    swinging.to_json(tmp_path / "swings.json")
    pane.take_fit(tmp_path / "swings.json")
    assert "swing to and fro" in pane.fit.text()


def test_cancel_leaves_nothing(pane, qtbot):
    pane.frames.setValue(500)
    pane.work.begin.click()
    qtbot.waitUntil(lambda: "of 500" in pane.says.text(), timeout=SOON)
    pane.work.cancel.click()
    qtbot.waitUntil(lambda: not pane.work.working, timeout=SOON)
    assert len(pane._session.viewer.layers) == 0 and "Cancelled" in pane.says.text()
    assert pane.made.save.isHidden()


def test_the_background_is_that_of_the_movie_and_saved_folders_say_synthetic(pane, qtbot, tmp_path):
    made = phantoms.make("neutrophils", frames=3, size=160, seed=2)
    viewer = pane._session.viewer
    layer = add_stack(viewer, made.stack)
    pane._session.movie = layer
    assert pane.ground.value == PLAIN, "the example's cells have intensities of their own"
    pane.ground.choose(layer)
    pane.ground.picked.emit(layer)
    make(pane, qtbot)
    image = next(one for one in viewer.layers if "synthetic" in one.name and type(one).__name__ == "Image")
    assert image.data.shape == (3, 160, 160) and image.translate[-1] > 0
    pane.made.save_to(tmp_path / "cells", "cellpose")
    qtbot.waitUntil(lambda: "Saved" in pane.made.said.text(), timeout=SOON)
    assert (tmp_path / "cells_synthetic" / "002_masks.tif").exists()
    pane.made.save_to(tmp_path / "cells", "ome")
    qtbot.waitUntil(lambda: (tmp_path / "cells.json").exists(), timeout=SOON)


def test_motion_of_tracks_in_the_viewer(pane, qtbot):
    made = phantoms.make("neutrophils", frames=12, size=160, seed=2)
    rows = np.stack([made.tracks.ids, made.tracks.t, made.tracks.y, made.tracks.x], axis=1)
    units = ("second", "micrometer", "micrometer")
    viewer = pane._session.viewer
    layer = viewer.add_tracks(rows, name="mine", scale=(1.0, 0.25, 0.25), units=units, axis_labels=("t", "y", "x"))
    tracks = tracks_of_layer(layer)
    assert (tracks.pixel_size, tracks.frame_interval) == ((0.25, 0.25), 1.0)
    np.testing.assert_allclose(tracks.y, made.tracks.y, atol=1e-4)
    assert "tracks" in pane.motion.currentText() and "is fitted when" in pane.fit.text()


def test_doubts_of_what_is_fitted_on_the_way_are_said_before_the_movie_is_made(pane, monkeypatch):
    made = phantoms.make("neutrophils", frames=12, size=160, seed=2)
    monkeypatch.setattr(simulate_pane, "tracks_of_layer", lambda layer: made.tracks)
    rows = np.stack([made.tracks.ids, made.tracks.t, made.tracks.y, made.tracks.x], axis=1)
    pane._session.viewer.add_tracks(rows, name="mine")
    fitted = next(iter(pane._maker(pane.settings(), "x")()))
    monkeypatch.setattr(simulate_pane, "doubt", lambda fit: "cells would swing")
    pane._take("x", fitted)
    assert pane.fit.text() == "Cells would swing" and len(pane._session.viewer.layers) == 1
    pane._session.viewer.add_image(np.zeros((3, 8, 8)), name="another")
    assert pane.fit.text() == "Cells would swing", "layers come with the movie itself"


def test_a_long_name_of_a_model_makes_the_pane_no_wider(pane):
    before = pane.minimumSizeHint().width()
    pane.set_run(Path("example movie of many cells & one more word-12"))
    assert pane.minimumSizeHint().width() <= max(before, 340)
    assert "one more word" in pane.made_by.toolTip() and pane.made_by.text().endswith("…")


def test_what_is_no_fit_is_said(pane, tmp_path):
    (tmp_path / "x.json").write_text("{}")
    pane.take_fit(tmp_path / "x.json")
    assert "no fit of motion" in pane.fit.text() and pane.motion.value == WALK


def test_arrows_point_as_the_flow_does():
    flow = np.full((2, 2, 40, 40), np.nan, np.float32)
    flow[1, 0, 12:36, 12:36], flow[1, 1, 12:36, 12:36] = 2.0, -1.0
    arrows = flow_arrows(flow)
    assert len(arrows) == 4
    np.testing.assert_allclose(arrows[:, 0, 0], 2)
    np.testing.assert_allclose(arrows[:, 1], [[0, -1, 2]] * 4)
    assert len(flow_arrows(np.zeros((0, 2, 4, 4)))) == 0

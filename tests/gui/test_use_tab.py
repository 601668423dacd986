"""The Use tab: what a model can do by its verbs, the same pixels as from a script, saved with where they come from."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog
from trainings import trained

from napari_cellsynth import api
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui import morph_pane
from napari_cellsynth.gui.models_kept import ModelsKept
from napari_cellsynth.gui.morph_pane import numbers
from napari_cellsynth.gui.morpher import Latest, make_way
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.use_tab import UseTab
from napari_cellsynth.stack.files.read import read_stack

SOON = 30_000


@pytest.fixture
def tab(make_napari_viewer, cellsynth_home, qtbot):
    """A Use tab beside a viewer and a trained model."""
    run = trained(cellsynth_home, with_masks=True)
    viewer = make_napari_viewer()
    tab = UseTab(Session.of(viewer))
    viewer.window.add_dock_widget(tab, name="Use")
    qtbot.waitUntil(lambda: tab.run == run, timeout=SOON)
    return tab


def test_without_a_model_the_tab_sends_to_train(make_napari_viewer):
    tab = UseTab(Session.of(make_napari_viewer()))
    assert [tab.panes.tabText(i) for i in range(tab.panes.count())] == ["Simulate"], "which needs no model"
    asked = []
    tab._session.tab_requested.connect(asked.append)
    tab.train.click()
    assert asked == ["train"]
    tab.deleteLater()


def test_panes_follow_the_verbs(tab):
    assert [tab.panes.tabText(i) for i in range(tab.panes.count())] == ["Generate", "Simulate", "Morph"]
    tab._offer(("sample",))
    assert [tab.panes.tabText(i) for i in range(tab.panes.count())] == ["Generate", "Simulate"]
    tab._offer(("predict",))
    assert [tab.panes.tabText(i) for i in range(tab.panes.count())] == ["Simulate"]


def test_a_model_that_makes_no_cells_is_not_offered_to_simulate_with(tab):
    pane, run = tab.pane("simulate"), tab.run
    assert pane.made_by.text() == f"made by {run.name}" and not pane.made_by.isHidden()
    tab._rows[run] = {**tab._rows[run], "verbs": ("segment",)}
    tab.choose(run)
    assert pane.made_by.isHidden() and not tab.pane("segment").isHidden()


def test_generated_images_are_those_of_the_script(tab, qtbot, tmp_path, monkeypatch):
    viewer, pane = tab._session.viewer, tab._made["sample"]
    pane.count.setValue(20)
    pane.seed.setValue(3)
    assert pane.make.text() == "Generate 20 images"
    pane.make.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=SOON)
    images, labels = api.sample(tab.run, count=20, seed=3)
    layer, mask = viewer.layers
    assert np.array_equal(layer.data, images.data)
    assert np.array_equal(mask.data, labels.data)
    assert layer.axis_labels == ("sample", "t", "y", "x")
    block = layer.metadata["napari-cellsynth"]
    assert block["synthetic"] is True
    assert block["seed"] == 3
    assert block["weights_hash"] == images.provenance["weights_hash"]
    assert "(synthetic)" in layer.name
    assert viewer.layers.units is not None

    out = tmp_path / "ü b" / "made.ome.tif"
    out.parent.mkdir()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(out), ""))
    pane.made.save.click()
    qtbot.waitUntil(lambda: pane.made.said.text().startswith("Saved"), timeout=SOON)
    back = read_stack(out)
    assert np.array_equal(np.asarray(back.data), images.data)
    assert back.pixel_size == images.pixel_size
    assert back.provenance["weights_hash"] == block["weights_hash"]
    assert (out.parent / "made.labels.tif").exists()


def test_a_damaged_state_that_was_passed_over_is_said(tab, qtbot, cellsynth_home):
    run = trained(cellsynth_home, "blobs-2", steps=40)
    newest = RunFolder(run).checkpoints()[-1]
    for file in newest.glob("*.safetensors"):
        file.write_bytes(b"no weights")
    tab._session.run = run
    tab._watch.look_now()
    qtbot.waitUntil(lambda: tab.run == run, timeout=SOON)
    pane = tab.pane("sample")
    pane.make.click()
    qtbot.waitUntil(lambda: not pane.made.save.isHidden(), timeout=SOON)
    assert "the weights of step 20 are used" in pane.made.warning.text()
    tab.pane("decode").begin.click()
    qtbot.waitUntil(lambda: tab.pane("decode")._way is not None, timeout=SOON)
    assert "the weights of step 20 are used" in tab.pane("decode").note.text()
    pane.made.clear()
    assert pane.made.warning.text() == ""


def test_many_images_can_be_cancelled(tab, qtbot):
    pane = tab._made["sample"]
    pane.count.setValue(100_000)
    pane.make.click()
    qtbot.waitUntil(lambda: "made…" in pane.made.said.text(), timeout=SOON)
    pane.cancel.click()
    qtbot.waitUntil(lambda: pane.make.isEnabled(), timeout=2_000)
    assert len(tab._session.viewer.layers) == 0
    assert pane.made.said.text() == "Cancelled."


def test_images_of_another_model_are_made_while_the_first_ends(tab, qtbot, monkeypatch):
    pane, ends = tab._made["sample"], [threading.Event(), threading.Event()]
    waiting = list(ends)

    def slow(*_):
        end = waiting.pop(0)
        yield 0
        end.wait(20)
        yield 0

    monkeypatch.setattr(pane._models, "generate", slow)
    pane.make.click()
    first = pane._worker
    qtbot.waitUntil(lambda: len(waiting) == 1, timeout=SOON)
    pane.set_run(None)
    pane.set_run(tab.run)
    pane.make.click()
    second = pane._worker
    with qtbot.waitSignal(first.finished, timeout=SOON):
        ends[0].set()
    assert pane._worker is second is not first
    assert not pane.make.isEnabled() and pane.cancel.isVisibleTo(pane)
    ends[1].set()
    qtbot.waitUntil(lambda: pane._worker is None, timeout=SOON)


def test_the_slider_walks_and_writes_in_place(tab, qtbot):
    viewer, pane = tab._session.viewer, tab._made["decode"]
    pane.through.setText("2, 5, 0")
    pane.begin.click()
    qtbot.waitUntil(lambda: pane.controls.isVisibleTo(pane), timeout=SOON)
    (layer,) = viewer.layers
    assert layer.metadata["napari-cellsynth"]["synthetic"] is True
    array = layer.data
    made, _ = api.walk(tab.run, through=[2, 5, 0], between=16)
    for place in (0, 7, 16, 32):
        pane.slider.setValue(place)
        # One image alone may be rounded otherwise than among sixteen.
        assert np.abs(layer.data.astype(float) - made.data[place, 0]).max() <= 1
    assert layer.data is array
    assert pane.where.text() == "cell 0"
    pane.slider.setValue(4)
    assert pane.where.text() == "cell 2 → 5, 25 %"
    pane.keep.click()
    qtbot.waitUntil(lambda: len(viewer.layers) >= 2, timeout=SOON)
    assert np.array_equal(viewer.layers[1].data, made.data)


def test_a_slow_computer_makes_only_the_newest_image_elsewhere(tab, qtbot, monkeypatch):
    monkeypatch.setattr(morph_pane, "BUDGET_S", 0.0)
    pane = tab._made["decode"]
    pane.begin.click()
    qtbot.waitUntil(lambda: pane.controls.isVisibleTo(pane), timeout=SOON)
    way, asked = pane._way, []
    decode = way.model.verbs.decode

    free = threading.Event()

    def slow(latents):
        asked.append(threading.current_thread() is threading.main_thread())
        assert free.wait(SOON / 1000)
        return decode(latents)

    monkeypatch.setattr(way.model.verbs, "decode", slow)
    for place in range(1, 60):
        pane.slider.setValue(place)
    free.set()
    wanted = decode(way.latents[59:60]).images[0]
    qtbot.waitUntil(lambda: np.array_equal(pane._layer.layer.data, wanted), timeout=SOON)
    assert 0 < len(asked) < 10 and not any(asked), "in the window's thread"


def test_a_model_opens_once_and_again_when_it_has_learned_more(cellsynth_home):
    run = trained(cellsynth_home, steps=20)
    models = ModelsKept()
    first = models.get(run)
    assert models.get(run) is first
    other = trained(cellsynth_home, "blobs-2", steps=40)
    assert models.get(other) is not first
    assert models.get(other).step == 40
    shutil.rmtree(other)
    assert trained(cellsynth_home, "blobs-2", steps=40, seed=7) == other
    assert models.get(other).weights_hash == api.open_model(other).weights_hash, "another of the same name"


def test_a_way_is_the_apis_way(cellsynth_home):
    model = api.open_model(trained(cellsynth_home))
    way = make_way(model, [0, 3], 4, "linear", seed=2)
    assert way.latents.shape == (5, model.verbs.latent_size)
    assert np.array_equal(way.latents[4], model.verbs.latents(1, seed=2, start=3)[0])
    assert np.allclose(way.latents[2], (way.latents[0] + way.latents[4]) / 2)
    with pytest.raises(BadInput, match="at least two"):
        make_way(model, [1], 4, "linear", seed=0)
    latest = Latest(way)
    images = latest.images()
    assert next(images) is None
    for place in range(5):
        latest.want(place)
    assert next(images)[0] == 4


def test_numbers():
    assert numbers("3, 7 12;1") == [3, 7, 12, 1]
    assert numbers("  ") == []
    with pytest.raises(BadInput, match="expected numbers"):
        numbers("3, -1")


def test_hand_over_of_a_run(tab, qtbot, cellsynth_home):
    other = trained(cellsynth_home, "blobs-2")
    tab._watch.look_now()
    qtbot.waitUntil(lambda: other in tab._rows, timeout=SOON)
    assert tab.run != other
    tab._session.run = other
    assert tab.run == other
    assert Path(tab.model.value) == other

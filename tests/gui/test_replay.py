"""What is done with the panels is written as scripts that do it again, in fresh processes, to the last bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QApplication, QFileDialog
from trainings import SMALL, trained

from napari_cellsynth import api
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.weight_files import hash_of
from napari_cellsynth.gui import jobs, opening
from napari_cellsynth.gui.dock import CellSynthDock, show_dock
from napari_cellsynth.gui.forms import SettingsForm
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.replay import ScriptDialog, how_layer_was_made, write_what_was_done
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.use_tab import UseTab
from napari_cellsynth.phantoms.catalogue import make
from napari_cellsynth.replay.record import Record
from napari_cellsynth.replay.steps import Replay, Said
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.files.write import write_stack

PATIENCE = 120_000


@pytest.fixture
def dock(plugins: Any, make_napari_viewer_proxy: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> CellSynthDock:
    monkeypatch.setattr(jobs, "NICE", 0)
    return show_dock(make_napari_viewer_proxy())


def find_cells(qtbot: QtBot, dock: CellSynthDock, movie: Path) -> Any:
    """A file is opened, and the cells of all its frames are found; the pane."""
    there = []
    opening.open_file(dock.session.viewer, movie, there.append)
    qtbot.waitUntil(lambda: bool(there), timeout=PATIENCE)
    dock.session.movie = there[0]
    cells = dock.tab("movies").cells
    cells.find.click()
    pane = cells.find_cells
    pane.live.setChecked(False)
    pane.sensitivity.setValue(60)
    with qtbot.waitSignal(pane.found, timeout=PATIENCE):
        pane.start()
    return pane


def make_set(qtbot: QtBot, dock: CellSynthDock) -> Path:
    section = dock.tab("movies").training_set
    section.advanced.head.setChecked(True)
    form = section.advanced.content
    assert isinstance(form, SettingsForm)
    form.rows["size"].line.setText("16")
    form.rows["every"].line.setText("2")
    section.held_out.choose((0.15, 0.15))
    section.replan()
    qtbot.waitUntil(lambda: section.settled and section.plan is not None, timeout=PATIENCE)
    section.maker.make.click()
    qtbot.waitUntil(lambda: section.maker.then.isVisibleTo(section), timeout=PATIENCE)
    assert dock.session.training_set is not None
    return Path(dock.session.training_set)


def train(qtbot: QtBot, dock: CellSynthDock) -> Path:
    tab = dock.tab("train")
    dock.show_tab("train")
    qtbot.waitUntil(lambda: tab.setup.data.value == dock.session.training_set, timeout=PATIENCE)
    tab.setup.presets.choose("tiny")
    tab.setup.advanced.head.setChecked(True)
    for name, value in {**SMALL, "steps": 30, "seed": 7}.items():
        tab.setup.advanced.content.rows[name].line.setText(str(value))
    qtbot.waitUntil(lambda: bool(tab.setup.name.text()) and tab.setup.train.isEnabled(), timeout=PATIENCE)
    tab.setup.train.click()
    qtbot.waitUntil(lambda: dock.session.run is not None, timeout=PATIENCE)
    run = Path(dock.session.run)  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: RunFolder(run).state().state == "finished", timeout=PATIENCE)
    return run


def use(qtbot: QtBot, session: Session, tab: Any, run: Path) -> tuple[np.ndarray, np.ndarray]:
    """Eight images of seed 3, and a morph; their pixels."""
    viewer = session.viewer
    qtbot.waitUntil(lambda: run in tab._rows, timeout=PATIENCE)
    tab.choose(run)
    pane = tab.pane("sample")
    pane.count.setValue(8)
    pane.seed.setValue(3)
    before = set(viewer.layers)
    pane.make.click()
    qtbot.waitUntil(lambda: pane.made.save.isVisibleTo(pane), timeout=PATIENCE)
    made = next(layer for layer in viewer.layers if layer not in before)
    morph = tab.pane("decode")
    morph.through.setText("2, 5, 0")
    morph.seed.setValue(3)
    morph.begin.click()
    qtbot.waitUntil(lambda: morph.controls.isVisibleTo(morph), timeout=PATIENCE)
    before = set(viewer.layers)
    morph.keep.click()
    qtbot.waitUntil(lambda: morph.made.save.isVisibleTo(morph), timeout=PATIENCE)
    walked = next(layer for layer in viewer.layers if layer not in before)
    return np.asarray(made.data), np.asarray(walked.data)


def shown(qtbot: QtBot, dialog: ScriptDialog | None) -> ScriptDialog:
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.replay is not None, timeout=PATIENCE)
    return dialog


def played(script: Path, out: Path) -> None:
    """In a fresh process without a display."""
    tools = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    environment.pop("DISPLAY", None)
    words = [sys.executable] if script.suffix == ".py" else ["sh"]
    done = subprocess.run([*words, str(script), str(out)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def weights(run: Path) -> str:
    newest = RunFolder(run).latest_weights()
    assert newest is not None
    return hash_of(newest)


def record_of(folder: Path) -> Any:
    return json.loads((folder / "dataset.json").read_text("utf-8"))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_whole_journey(qtbot: QtBot, dock: CellSynthDock, tmp_path: Path) -> None:
    phantom = make("neutrophils", frames=12, size=128, seed=1)
    folder = tmp_path / "Proben ä"
    folder.mkdir()
    movie = write_stack(folder / "film 1.ome.tif", phantom.stack)
    find_cells(qtbot, dock, movie)
    cells = make_set(qtbot, dock)
    run = train(qtbot, dock)
    dock.show_tab("use")
    images, morph = use(qtbot, dock.session, dock.tab("use"), run)
    dialog = shown(qtbot, write_what_was_done(dock.session))
    assert dialog.replay is not None
    steps = [one.step for one in dialog.replay.steps]
    assert steps == ["opened", "outlined", "training set", "training", "generated", "morphed"]
    outlines = np.asarray(dock.session.outlines.data)
    for language, ending in (("python", "py"), ("shell", "sh")):
        dialog.language.choose(language)
        script, out = tmp_path / f"was getan.{ending}", tmp_path / f"new {language}"
        dialog.save_to(script)
        played(script, out)
        assert record_of(out / cells.name)["hash"] == record_of(cells)["hash"]
        assert weights(out / run.name) == weights(run)
        found = np.asarray(read_stack(next(out.glob("* outlines.ome.tif"))).data)
        assert np.array_equal(found, outlines)
        for pixels, name in ((images, "generated"), (morph, "morph")):
            made = read_stack(next(out.glob(f"{run.name} {name}*.ome.tif")))
            assert np.array_equal(np.asarray(made.data), pixels)
    dialog.close()


def test_cells_found_and_a_set_are_noted(qtbot: QtBot, dock: CellSynthDock, tmp_path: Path) -> None:
    phantom = make("neutrophils", frames=12, size=128, seed=1)
    movie = write_stack(tmp_path / "film.ome.tif", phantom.stack)
    find_cells(qtbot, dock, movie)
    dialog = shown(qtbot, write_what_was_done(dock.session))
    assert dialog.replay is not None and [one.step for one in dialog.replay.steps] == ["opened", "outlined"]
    assert "OutlineSettings(" in dialog.text.toPlainText() and "sensitivity=0.6" in dialog.text.toPlainText()
    dialog.close()
    layer = dock.session.outlines
    layer.metadata = dict(layer.metadata)
    dock.session.viewer.layers.selection = {layer}
    of_layer = shown(qtbot, how_layer_was_made(dock.session.viewer))
    assert "api.segment" in of_layer.text.toPlainText()
    of_layer.close()


def test_what_a_model_made_is_noted_and_written(
    qtbot: QtBot, make_napari_viewer: Any, cellsynth_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(cellsynth_home, with_masks=True)
    session = Session.of(make_napari_viewer())
    tab = UseTab(session)
    session.viewer.window.add_dock_widget(tab, name="Use")
    use(qtbot, session, tab, run)
    saved = tmp_path / "meine Zellen.ome.tif"
    pane = tab.pane("sample")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(saved), ""))
    pane.made.save.click()
    qtbot.waitUntil(lambda: pane.made.said.text().startswith("Saved"), timeout=PATIENCE)
    # The crops were cut in memory, which is said; the rest is there.
    replay = Recorder.of(session).replay()()
    assert isinstance(replay, Replay)
    text = " ".join(api.as_script(replay).replace("#", "").split())
    assert 'OUT / "meine Zellen.ome.tif"' in text and "api.walk(" in text
    assert "was in no file when the training set was made" in text
    session.viewer.layers.selection = {next(layer for layer in session.viewer.layers if "seed 3" in layer.name)}
    pane.made.how.click()
    dialog = next(one for one in QApplication.topLevelWidgets() if isinstance(one, ScriptDialog))
    qtbot.waitUntil(lambda: bool(dialog.says.text()) and "Looking" not in dialog.says.text(), timeout=PATIENCE)
    dialog.close()


def test_records_are_json_and_told_apart(qtbot: QtBot, make_napari_viewer: Any, tmp_path: Path) -> None:
    session = Session.of(make_napari_viewer())
    record = Recorder.of(session).record
    assert Recorder.of(session).record is record
    record.add("said", words="µ")
    (tmp_path / "record.json").write_text(json.dumps(record.to_json()), "utf-8")
    assert [one.words for one in api.how_made(tmp_path / "record.json").steps if isinstance(one, Said)] == ["µ"]
    assert Record.read(json.loads(json.dumps(record.to_json()))) == record
    with pytest.raises(Exception, match="version 9"):
        Record.read({"version": 9})


def test_nothing_was_done_yet(qtbot: QtBot, make_napari_viewer: Any) -> None:
    dialog = write_what_was_done(Session.of(make_napari_viewer()))
    qtbot.waitUntil(lambda: "Nothing was made yet" in dialog.says.text(), timeout=PATIENCE)
    assert not dialog.copy.isEnabled() and not dialog.save.isEnabled()
    dialog.close()

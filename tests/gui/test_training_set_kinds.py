"""Training sets of every kind from the movies of a study, made by a child process and found again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from napari_cellsynth.cli.from_settings import settings_from
from napari_cellsynth.cli.options import parse
from napari_cellsynth.cli.prepare_clips import PrepareClips
from napari_cellsynth.cli.prepare_crops import PrepareCrops
from napari_cellsynth.cli.prepare_pairs import PreparePairs
from napari_cellsynth.cli.prepare_pairs import _settings as pair_settings
from napari_cellsynth.gui import hand_over, jobs, preparing, readers, set_maker
from napari_cellsynth.gui.dock import CellSynthDock, show_dock
from napari_cellsynth.gui.kind_panes import Examples
from napari_cellsynth.gui.layers import add_stack, complete, same
from napari_cellsynth.gui.made_from import MADE_FROM
from napari_cellsynth.gui.opening import show_layers
from napari_cellsynth.gui.shell_words import hold_out_words, settings_words
from napari_cellsynth.stack.clips.settings import ClipSettings
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.find_in_file import plain
from napari_cellsynth.stack.hashing import content_hash
from napari_cellsynth.stack.pairs.settings import PairSettings
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.table import Table
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.training_sets.kinds import open_training_set

PATIENCE = 60_000


@pytest.fixture
def viewer(plugins: Any, make_napari_viewer_proxy: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(jobs, "NICE", 0)  # beside other tests it would wait for them all
    return make_napari_viewer_proxy()


@pytest.fixture
def dock(viewer: Any) -> CellSynthDock:
    return show_dock(viewer)


def discs(frames: int = 12, seed: int = 0) -> tuple[Stack, Stack]:
    """Four bright discs in noise, and their outlines."""
    y, x = np.mgrid[:96, :96]
    labels = np.zeros((frames, 96, 96), np.int64)
    for number, (cy, cx) in enumerate([(24, 24), (24, 72), (72, 24), (72, 72)], start=1):
        labels[:, (y - cy) ** 2 + (x - cx) ** 2 < 9**2] = number
    noise = np.random.default_rng(seed).integers(0, 50, labels.shape)
    known: dict[str, Any] = {"pixel_size": (0.2, 0.2), "frame_interval": 60.0}
    movie = Stack((100 * (labels > 0) + noise).astype(np.uint16), "TYX", name=f"discs {seed}", **known)
    return movie, movie.with_(data=labels, name=f"outlines {seed}")


def planned(qtbot: QtBot, dock: CellSynthDock) -> Any:
    section = dock.tab("movies").training_set
    qtbot.waitUntil(lambda: section.settled, timeout=PATIENCE)
    assert section.plan is not None, section.split_words.text()
    assert section.maker.make.isEnabled()
    return section


def made(qtbot: QtBot, dock: CellSynthDock, section: Any) -> Any:
    section.maker.make.click()
    qtbot.waitUntil(lambda: not section.maker.busy, timeout=PATIENCE)
    path = dock.session.training_set
    assert path is not None, section.maker.says.text()
    return open_training_set(path)


# -- words of the shell ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        CropSettings(),
        CropSettings(box_um=16.25, mask_neighbours=True, min_area=7, every=3),
        CropSettings(box_px=33.5, size=32),
        ClipSettings(),
        ClipSettings(frames=4, for_flow=True, leave_rest=True, read=2, box_px=50, channels="together"),
        PairSettings(),
        PairSettings(size=None, alternating=True, first="high", max_shift=0.25, when_shifted="align"),
    ],
)
def test_the_shell_understands_what_the_panel_means(settings: Any) -> None:
    hold_out = HoldOut(by="time", validation_fraction=0.15, test_fraction=0.2, gap=3)
    words = ["--table", "t.csv", "--out", "x", *settings_words(settings), *hold_out_words(hold_out)]
    if isinstance(settings, PairSettings):
        options: Any = parse(PreparePairs, "prepare pairs", words)
        assert pair_settings(options) == settings
    elif isinstance(settings, ClipSettings):
        options = parse(PrepareClips, "prepare clips", words)
        assert settings_from(ClipSettings, options.clips, **boxed(options.box)) == settings
    else:
        options = parse(PrepareCrops, "prepare crops", words)
        assert settings_from(CropSettings, options.crops, **boxed(options.box)) == settings
    assert options.source.hold_out() == hold_out


def boxed(text: str | None) -> dict[str, float]:
    if text is None:
        return {}
    return {"box_px": float(text[:-2])} if text.endswith("px") else {"box_um": float(text[:-2])}


# -- a study of two --------------------------------------------------------------------------------------------------


def test_all_movies_of_the_study_go_in_as_the_table_says(
    qtbot: QtBot, viewer: Any, dock: CellSynthDock, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = []
    for seed in (0, 1):
        movie, labels = discs(seed=seed)
        layer = add_stack(viewer, movie)
        complete(layer, modality="fluorescence")
        dock.session.movie = layer
        dock.session.outlines = outlines = add_stack(viewer, labels, kind="labels")
        layers.append((layer, outlines))
    layers[0][1].data[3, 24, 24] = 9  # painted on
    study = dock.session.study
    assert len(study) == 2
    study.set(0, "split", "train")
    study.set(1, "split", "test")
    section = planned(qtbot, dock)
    assert section.split_words.text() == "learns from 1 movie, is tested on 1 movie"
    data = made(qtbot, dock, section)
    assert (data.count("train") > 0, data.count("validation"), data.count("test") > 0) == (True, 0, True)
    sources = data.record["sources"]
    for source, (layer, outlines) in zip(sources, layers, strict=True):
        stack, labels = (hand_over.held(each).stack for each in (layer, outlines))
        assert source["hash"] == content_hash(plain(stack))
        assert source["labels"]["hash"] == content_hash(plain(labels))
        assert Path(source["path"]).exists()  # what was learned from is on disk
    kept = Table.read(data.path / MADE_FROM / "recordings.csv")
    assert [content_hash(one.stack) for one in kept.recordings()] == [source["hash"] for source in sources]
    assert data.modality == "fluorescence"
    dock.show_tab("train")
    setup = dock.tab("train").setup
    qtbot.waitUntil(lambda: setup.data.value == data.path, timeout=PATIENCE)
    qtbot.waitUntil(lambda: "different cells" in setup.summary.text(), timeout=PATIENCE)


def test_clips_need_no_outlines(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    add_stack(viewer, discs(40)[0])
    section = dock.tab("movies").training_set
    section.replan()
    assert "outline the cells first" in section.split_words.text().lower()
    section.choose("clips")
    pane = section.pane
    for name, value in {"frames": 3, "size": 32, "min_content": 0}.items():
        pane.form.rows[name].line.setText(str(value))
    planned(qtbot, dock)
    assert "clips are possible" in pane.says.text()
    section.examples.ask.click()
    qtbot.waitUntil(lambda: section.examples.sheet.isVisibleTo(section), timeout=PATIENCE)
    data = made(qtbot, dock, section)
    assert data.kind == "clips"
    assert data.record["sources"][0]["hash"] == content_hash(discs(40)[0])
    assert "how many suffice was not measured" in section.maker.says.text()
    dock.show_tab("train")
    setup = dock.tab("train").setup
    qtbot.waitUntil(lambda: "This set holds clips" in setup.summary.text(), timeout=PATIENCE)
    assert not setup.train.isEnabled()


def test_pairs_of_alternating_exposures(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    movie = discs(40)[0]
    alternating = movie.with_(data=movie.data * np.where(np.arange(40) % 2, 8, 1).astype(np.uint16)[:, None, None])
    add_stack(viewer, alternating)
    section = dock.tab("movies").training_set
    section.choose("pairs")
    section.replan()
    qtbot.waitUntil(lambda: "high" in section.split_words.text(), timeout=PATIENCE)  # it has no role
    section.pane.form.rows["alternating"].box.setChecked(True)
    section.pane.form.rows["size"].line.setText("48")
    planned(qtbot, dock)
    data = made(qtbot, dock, section)
    assert (data.kind, data.count("train") > 0) == ("pairs", True)


# -- in a process of its own -----------------------------------------------------------------------------------------


def test_a_set_that_is_being_made_is_found_again(
    qtbot: QtBot, viewer: Any, dock: CellSynthDock, monkeypatch: pytest.MonkeyPatch
) -> None:
    movie, labels = discs()
    add_stack(viewer, movie)
    add_stack(viewer, labels, kind="labels")
    section = planned(qtbot, dock)
    out = section.maker.out()
    section.maker.make.click()
    qtbot.waitUntil(lambda: section.maker.job is not None, timeout=PATIENCE)
    viewer.window.remove_dock_widget(dock)
    dock.deleteLater()
    qtbot.wait(300)
    assert not (out / "dataset.json").exists(), "the machine is too fast for this test"
    again = show_dock(viewer).tab("movies").training_set.maker
    qtbot.waitUntil(lambda: again.then.isVisibleTo(again), timeout=PATIENCE)
    assert open_training_set(out).count("train") > 0
    assert not list((out.parent.parent / preparing.JOBS).iterdir())


def test_much_to_write_is_asked_for(
    qtbot: QtBot, viewer: Any, dock: CellSynthDock, monkeypatch: pytest.MonkeyPatch
) -> None:
    movie, labels = discs()
    add_stack(viewer, movie)
    add_stack(viewer, labels, kind="labels")
    section = planned(qtbot, dock)
    asked: list[str] = []
    answers = iter([False, True])

    def answer(parent: Any, title: str, question: str, do: str) -> bool:
        asked.append(question)
        return next(answers)

    monkeypatch.setattr(set_maker, "sure", answer)
    monkeypatch.setattr(set_maker, "ASK_ABOVE", 1000)
    start = section.maker.start
    monkeypatch.setattr(section.maker, "start", lambda order, ask_above=1000: start(order, ask_above=ask_above))
    section.start()
    qtbot.waitUntil(lambda: section.maker.says.text() == "Nothing was written.", timeout=PATIENCE)
    assert "discs 0 is not what its file holds" in asked[0]
    assert not section.maker.busy
    section.start()
    qtbot.waitUntil(lambda: dock.session.training_set is not None, timeout=PATIENCE)


def test_why_it_failed_is_one_line(
    qtbot: QtBot, viewer: Any, dock: CellSynthDock, monkeypatch: pytest.MonkeyPatch
) -> None:
    movie, labels = discs()
    add_stack(viewer, movie)
    add_stack(viewer, labels, kind="labels")
    section = planned(qtbot, dock)
    monkeypatch.setattr(section.pane, "words", lambda settings: ["--size", "7"])
    section.start()
    qtbot.waitUntil(lambda: not section.maker.busy and bool(section.maker.says.text()), timeout=PATIENCE)
    assert section.maker.says.text().startswith("--size 7 given")
    time.sleep(0.05)
    assert dock.session.training_set is None


def test_every_kind_has_its_panel_and_says_what_it_lacks(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    add_stack(viewer, discs()[0])
    section = dock.tab("movies").training_set
    assert [pane.KIND for pane in section.panes] == ["crops", "clips", "traps", "pairs"]
    section.choose("traps")
    qtbot.waitUntil(lambda: "box one trap" in section.split_words.text().lower(), timeout=PATIENCE)
    assert not section.maker.make.isEnabled()
    assert [pane.isVisibleTo(section) for pane in section.panes] == [False, False, True, False]


def test_every_kind_fits_into_380_pixels(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    add_stack(viewer, discs()[0])
    tab = dock.tab("movies")
    bar = tab.verticalScrollBar().sizeHint().width()
    for pane in tab.training_set.panes:
        tab.training_set.choose(pane.KIND)
        tab.training_set.advanced.head.setChecked(True)
        qtbot.wait(20)
        assert tab.widget().minimumSizeHint().width() + bar <= 380, pane.KIND


def test_examples_of_a_movie_that_was_left_are_not_shown(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    for seed in range(2):
        layer = add_stack(viewer, discs(seed=seed)[0])
        complete(layer, modality="fluorescence")
    section = dock.tab("movies").training_set
    section.choose("clips")
    drawn, begun, go = [], threading.Event(), threading.Event()

    def slow(*_: Any) -> Any:
        yield None
        begun.set()
        go.wait(20)
        drawn.append(1)
        yield Examples(np.zeros((8, 8, 3), np.uint8), "of the other movie")

    section.pane.examples = slow
    section.plan, section.recordings = object(), ()
    section.examples.ask.setEnabled(True)
    section.draw_examples()
    qtbot.waitUntil(begun.is_set, timeout=PATIENCE)  # what was not begun would only be given up
    dock.session.movie = next(one for one in viewer.layers if not same(one, dock.session.movie))
    go.set()
    qtbot.waitUntil(lambda: bool(drawn), timeout=PATIENCE)
    qtbot.wait(100)
    assert section.examples.looked.text() == "" and not section.examples.sheet.isVisibleTo(section)


# -- the whole way ---------------------------------------------------------------------------------------------------


def test_from_two_movies_to_the_train_tab(
    qtbot: QtBot, viewer: Any, dock: CellSynthDock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "EXAMPLE", {"frames": 6, "size": 128, "seed": 1})
    normal = show_layers(viewer, readers.example_normal())
    tab, study = dock.tab("movies"), dock.session.study
    assert not tab.table.head.isChecked()  # a single movie needs no table
    show_layers(viewer, readers.example_inhibited())
    assert tab.table.head.isChecked()
    assert [row.condition for row in study.rows] == ["normal", "inhibited"]
    study.set(0, "split", "train")
    study.set(1, "split", "test")
    qtbot.waitUntil(lambda: tab.fitness.fitness is not None, timeout=PATIENCE)
    assert tab.fitness.head.isChecked() == any(one.severity != "ok" for one in tab.fitness.fitness.findings())

    dock.session.movie = normal
    simulated = dock.session.outlines
    tab.cells.find.click()
    found = tab.cells.find_cells
    found.live.setChecked(False)
    found.unit.choose("px")
    found.diameter.setText("40")
    found.use.click()
    qtbot.waitUntil(lambda: dock.session.outlines is not simulated, timeout=PATIENCE)
    qtbot.waitUntil(lambda: tab.cells.count is not None and tab.cells.count.outlines > 0, timeout=PATIENCE)
    outlines = dock.session.outlines

    section = dock.tab("movies").training_set
    section.panes[0].box.setText("16")
    section.replan()
    section = planned(qtbot, dock)
    assert section.split_words.text() == "learns from 1 movie, is tested on 1 movie"
    data = made(qtbot, dock, section)
    assert data.record["sources"][0]["labels"]["hash"] == content_hash(plain(hand_over.held(outlines).stack))
    assert [source["condition"] for source in data.record["sources"]] == ["normal", "inhibited"]
    section.maker.then.click()
    setup = dock.tab("train").setup
    qtbot.waitUntil(lambda: "different cells" in setup.summary.text(), timeout=PATIENCE)
    assert setup.data.value == data.path


def test_a_movie_without_outlines_is_left_out_and_said(qtbot: QtBot, viewer: Any, dock: CellSynthDock) -> None:
    movie, labels = discs(frames=60)
    bare = add_stack(viewer, discs(seed=1)[0])
    layer = add_stack(viewer, movie)
    dock.session.movie = layer
    dock.session.outlines = add_stack(viewer, labels, kind="labels")
    section = planned(qtbot, dock)
    assert section.without.text() == "1 movie has no outlines and is left out: discs 1."
    data = made(qtbot, dock, section)
    assert "discs 1" in section.maker.says.text()
    assert [source["name"] for source in data.record["sources"]] == ["discs 0"]
    assert data.record["notes"] == ["1 movie has no outlines and is left out: discs 1."]
    viewer.layers.remove(bare)
    section = planned(qtbot, dock)
    assert section.without.text() == ""


def test_a_row_whose_file_is_gone_is_named_with_what_to_do(
    qtbot: QtBot, viewer: Any, dock: CellSynthDock, tmp_path: Path
) -> None:
    dock.session.movie = add_stack(viewer, discs(frames=60)[0])
    dock.session.study.add_files([tmp_path / "gone.tif"])
    dock.session.study.set(0, "split", "train")
    dock.session.study.set(1, "split", "test")
    section = dock.tab("movies").training_set
    section.choose("clips")
    qtbot.waitUntil(lambda: "gone.tif" in section.split_words.text(), timeout=PATIENCE)
    said = section.split_words.text()
    assert "Row" not in said
    assert '*used for* to "leave out", or take its row out' in said

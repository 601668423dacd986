"""Can you tell?  Whole tests by key presses in a real viewer: answers, going away and coming back, several persons."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from looks import cut, nameless, too_wide
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QApplication
from trainings import SIZE, blobs, trained

from napari_cellsynth import api
from napari_cellsynth.api import RUNS, TRAINING_SETS
from napari_cellsynth.errors import RunFailed
from napari_cellsynth.gui import check_model, check_tell, tell_stage
from napari_cellsynth.gui.dock import show_dock
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.quality import tell_files
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.training_sets.openings import openings

SOON = 60_000
REAL, MADE, BACK, GO = Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Backspace, Qt.Key.Key_Space


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tell_stage, "TOO_SOON_S", 0.0)


@pytest.fixture(scope="module")
def trained_home(tmp_path_factory) -> Path:
    """A home with a model, and a training set that holds enough out."""
    home = tmp_path_factory.mktemp("tell")
    settings = CropSettings(size=SIZE, validation_fraction=0.5, test_fraction=0.2)
    list(api.prepare_crops([blobs(24)], home / TRAINING_SETS / "blobs", settings))
    trained(home)
    return home


@pytest.fixture
def tell(trained_home, cellsynth_home, make_napari_viewer, qtbot):
    """The dock, the section, and the trained model in it."""
    shutil.copytree(trained_home, cellsynth_home)
    run = cellsynth_home / RUNS / "blobs-1"
    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.zeros((9, 8, 8)))
    viewer.dims.set_current_step(0, 4)
    dock = show_dock(viewer, "check")
    dock.setFixedSize(380, 700)
    section = dock.tab("check").sections["tell"]
    qtbot.waitUntil(lambda: section.run == run and section._known is not None, timeout=SOON)
    return dock, section, run


def begin(section: Any, qtbot: Any, person: str, pictures: int = 10) -> Any:
    section.who.setText(person)
    section.trials.setValue(pictures)
    section.main.click()
    qtbot.waitUntil(lambda: section.stage.test is not None, timeout=SOON)
    return section.stage


def press(stage: Any, qtbot: Any, *keys: Any) -> None:
    """Each key once its picture has been drawn."""
    for key in keys:
        if stage.state == "looking":
            qtbot.waitUntil(lambda: stage.picture.since is not None, timeout=SOON)
        qtbot.keyClick(stage, key)


def through(section: Any, qtbot: Any, person: str, answer: Any, pictures: int = 10) -> None:
    """A whole test; ``answer`` is a key, or what gives one for a trial."""
    stage = begin(section, qtbot, person, pictures)
    press(stage, qtbot, GO)
    for trial in list(stage.test.sitting.trials):
        press(stage, qtbot, answer(trial) if callable(answer) else answer)
    press(stage, qtbot, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: section.told is not None and not section.testing, timeout=SOON)


def knows(trial: Any) -> Any:
    return REAL if trial.truth == "real" else MADE


def test_who_always_says_real_is_right_half_of_the_time(tell, qtbot) -> None:
    dock, section, run = tell
    through(section, qtbot, "AB", REAL, 20)
    assert section.sentence.text().startswith(
        "Told right 10 of 20 (50 %, 95 % interval 30 to 70 %): all were called real"
    )
    assert "10 of 10 made cells were taken for real" in section.sentence.text()
    (one,) = api.told(run).everybody.scores
    assert (one.right, one.of, one.verdict) == (10, 20, "one answer")
    with open(run / "told" / "001 AB.csv", encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["answer"] for row in table] == ["real"] * 20 and all(float(row["seconds"]) >= 0 for row in table)
    assert dock.session.viewer.dims.current_step[0] == 4, "no arrow reached the slider"
    assert "A blinded test of blobs-1 was finished" in Recorder.of(dock.session).record.actions[-1].words


def test_going_away_in_the_middle_and_coming_back(tell, qtbot) -> None:
    dock, section, run = tell
    stage = begin(section, qtbot, "AB")
    press(stage, qtbot, GO, REAL, MADE, Qt.Key.Key_R)
    shown = stage.test.pictures
    dock.show_tab("use")
    assert stage.state == "paused" and stage.picture._grey is None, "what cannot be answered is not shown"
    dock.show_tab("check")
    press(stage, qtbot, REAL)
    assert stage.test.sitting.place == 3, "no answer while it waits"
    press(stage, qtbot, GO, Qt.Key.Key_M)
    assert stage.test.sitting.place == 4
    stage.leave.click()
    assert not stage.isVisibleTo(dock) and section.asking.isVisibleTo(dock) and not section.who.text()
    qtbot.waitUntil(lambda: "Not finished: AB" in section.says.text(), timeout=SOON)
    section.who.setText("ab")
    assert section.main.text() == "Go on (4 of 10 done)"
    stage = begin(section, qtbot, "ab", 30)
    assert (stage.test.pictures == shown).all()
    press(stage, qtbot, GO, *[MADE] * 6, Qt.Key.Key_Enter)
    (sitting,) = api.told(run).sittings
    assert [one.answer for one in sitting.trials] == ["real", "made", "real", *["made"] * 7]


def test_nothing_is_lost_where_napari_ends_in_the_middle(tell, qtbot) -> None:
    _, section, run = tell
    stage = begin(section, qtbot, "AB")
    press(stage, qtbot, GO)
    for number, key in enumerate((REAL, MADE, MADE), start=1):
        press(stage, qtbot, key)
        ((found,), _) = tell_files.read(run / "told")
        assert found.place == number, "kept at once"


def test_two_persons_know_nothing_of_each_other(tell, qtbot) -> None:
    dock, section, _ = tell
    through(section, qtbot, "AB", knows)
    assert section.sentence.text().startswith("Told right 10 of 10")
    assert not section.results.is_open() and section.next.isVisibleTo(dock)
    section.next.click()
    assert not section.sentence.text() and not section.who.text()
    section.results.head.click()
    stage = begin(section, qtbot, "CD")
    said = [label.text() for label in dock.tab("check").findChildren(tell_stage.QLabel) if label.isVisibleTo(section)]
    assert not any("Told right" in text or "10/10" in text for text in said)
    press(stage, qtbot, GO, *[REAL] * 10, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: section.told is not None and len(section.told.everybody.scores) == 2, timeout=SOON)
    assert not section.results.is_open()
    section.results.head.click()
    texts = [label.text() for label in section.results.findChildren(tell_stage.QLabel)]
    assert {"AB", "CD", "10/10", "5/10", "0/5", "5/5"} <= set(texts)
    assert any(text.startswith("2 people: 75 % right on average") for text in texts)


def test_the_last_answer_can_be_taken_back_but_not_after_the_result(tell, qtbot) -> None:
    _, section, _ = tell
    stage = begin(section, qtbot, "AB")
    press(stage, qtbot, GO, REAL, BACK, MADE, BACK, BACK, REAL)
    assert [one.answer for one in stage.test.sitting.trials[:2]] == ["real", None]
    assert stage.test.sitting.trials[0].undone
    press(stage, qtbot, *[MADE] * 9)
    assert stage.state == "last" and stage.picture._grey is None and not section.sentence.text()
    press(stage, qtbot, BACK)
    assert stage.state == "looking" and stage.test.sitting.place == 9
    press(stage, qtbot, MADE, Qt.Key.Key_Return)
    assert section.sentence.text() and stage.test is None


def test_keys_that_napari_knows_stay_with_the_test_and_others_do_nothing(tell, qtbot) -> None:
    dock, section, _ = tell
    stage = begin(section, qtbot, "AB")
    viewer = dock.session.viewer
    press(stage, qtbot, GO, Qt.Key.Key_3, Qt.Key.Key_Home, Qt.Key.Key_Up, Qt.Key.Key_G)
    assert stage.test.sitting.place == 0 and viewer.dims.ndisplay == 2 and viewer.dims.current_step[0] == 4
    for key in tell_stage.KEYS:
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier)
        event.ignore()
        QApplication.sendEvent(stage, event)
        assert event.isAccepted(), key
    held = QKeyEvent(QEvent.Type.KeyPress, REAL, Qt.KeyboardModifier.NoModifier, "", True)
    QApplication.sendEvent(stage, held)
    assert stage.test.sitting.place == 0, "a key that is held down answers once"


def test_an_answer_before_the_picture_was_seen_is_none(tell, qtbot, monkeypatch) -> None:
    _, section, _ = tell
    stage = begin(section, qtbot, "AB")
    monkeypatch.setattr(tell_stage, "TOO_SOON_S", 60.0)
    press(stage, qtbot, GO, REAL)
    assert stage.test.sitting.place == 0
    stage.picture.since = None
    monkeypatch.setattr(tell_stage, "TOO_SOON_S", 0.0)
    stage.do("real")
    assert stage.test.sitting.place == 0, "not drawn yet"


def test_when_the_keys_go_elsewhere_it_waits(tell, qtbot) -> None:
    _, section, _ = tell
    stage = begin(section, qtbot, "AB")
    press(stage, qtbot, GO)
    stage.focusOutEvent(tell_stage.QFocusEvent(QEvent.Type.FocusOut))
    assert stage.state == "paused"
    qtbot.mouseClick(stage.picture, Qt.MouseButton.LeftButton)
    assert stage.state == "looking"
    qtbot.waitUntil(lambda: stage.picture.since is not None, timeout=SOON)
    stage.made.click()
    assert stage.test.sitting.trials[0].answer == "made", "a click counts as a key"


def test_what_cannot_be_kept_is_said_and_asked_again(tell, qtbot, monkeypatch) -> None:
    _, section, _ = tell
    stage = begin(section, qtbot, "AB")
    press(stage, qtbot, GO)

    def full(_: object) -> None:
        raise RunFailed("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(tell_files, "keep", full)
        press(stage, qtbot, REAL)
        assert "disk is full" in stage.trouble.text() and stage.test.sitting.place == 0
    press(stage, qtbot, REAL)
    assert not stage.trouble.text() and stage.test.sitting.place == 1
    with monkeypatch.context() as patched:
        patched.setattr(tell_files, "keep", full)
        press(stage, qtbot, BACK)
        assert "The last answer stays" in stage.trouble.text() and stage.test.sitting.place == 1
        assert stage.count.text().startswith("2 of "), "the picture in sight is the one that is asked for"
        press(stage, qtbot, Qt.Key.Key_Escape)
        assert "may be lost" in stage.trouble.text() and stage.state == "paused"
    press(stage, qtbot, GO, BACK)
    assert stage.test.sitting.place == 0 and stage.count.text().startswith("1 of ")


def test_a_name_and_enough_held_out_crops_are_needed(tell, qtbot) -> None:
    _, section, run = tell
    section.main.click()
    assert section.says.text() == check_tell.NOBODY and not section.testing
    held_out = section._known.counts["validation"]
    section.trials.setValue(4000)
    assert section.trials.value() == min(2 * held_out, check_tell.MOST)
    section.trials.setValue(12)
    assert "At least 20" in section.power.text() and section.trials.valueFromText("41") == 40
    section.trials.setValue(40)
    assert section.power.text().startswith("Of 40 pictures, 27 right (68 %) or more are better than guessing.")
    assert not (run / "told").exists()


def test_the_test_part_is_opened_only_after_a_question(tell, qtbot, monkeypatch) -> None:
    _, section, _ = tell
    asked, answers = [], [False, True]
    monkeypatch.setattr(check_model, "sure", lambda *words: asked.append(words) or answers.pop(0))
    section.part.choose("test")
    section._limit()
    section.who.setText("AB")
    section.trials.setValue(4)
    data = api.training_data(section.run)
    section.main.click()
    assert len(asked) == 1 and not section.testing and openings(data) == []
    begin(section, qtbot, "AB", 4)
    assert len(openings(data)) == 1


def test_the_report_is_saved(tell, qtbot, tmp_path: Path) -> None:
    _, section, _ = tell
    through(section, qtbot, "AB", knows)
    qtbot.waitUntil(lambda: section.results.isVisible(), timeout=SOON)
    section.results.head.click()
    section.report.save_to(tmp_path / "report")
    qtbot.waitUntil(lambda: section.report.says.text() == "Saved in report.", timeout=SOON)
    assert (tmp_path / "report" / "numbers.csv").is_file()


def test_all_of_it_fits_into_380_pixels_and_is_named(tell, qtbot) -> None:
    dock, section, _ = tell
    section.advanced.head.click()
    section.who.setText("A person with quite a long name, Dr.")

    def fits() -> None:
        """Once it is laid out."""
        qtbot.wait(30)

        def nothing_wrong() -> None:
            assert [*too_wide(dock), *cut(section), *nameless(section)] == []

        qtbot.waitUntil(nothing_wrong, timeout=5000)

    fits()
    stage = begin(section, qtbot, "A person with quite a long name, Dr.")
    for keys in ((), (GO,), (REAL,), (Qt.Key.Key_Escape,), (GO,), [MADE] * 9, (Qt.Key.Key_Return,)):
        press(stage, qtbot, *keys)
        fits()
    qtbot.waitUntil(lambda: section.results.isVisible(), timeout=SOON)
    section.results.head.click()
    fits()

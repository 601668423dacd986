"""Training sets of traps in a real viewer: box one, find the others, look them through, make."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from napari_cellsynth.cli import main
from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.hand_over import given_by, recordings_here
from napari_cellsynth.gui.layers import add_stack
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.trap_boxes import COLOURS, MOST, TEMPLATE, Shown, box_of, corners_of
from napari_cellsynth.gui.trap_search import UNDIVIDED
from napari_cellsynth.gui.traps_pane import TrapsPane
from napari_cellsynth.stack.files.write import write_ome_tiff
from napari_cellsynth.stack.traps.boxes import PixelBox
from napari_cellsynth.stack.traps.training_set import TrapSet

sys.path.insert(0, str(Path(__file__).parents[1] / "stack" / "traps"))

from fields import Field, box_around, draw_field

PATIENCE = 40_000


@pytest.fixture(scope="module")
def chip() -> Field:
    return draw_field(3, frames=3, noise=0.1)


@pytest.fixture
def pane(qtbot: QtBot, make_napari_viewer_proxy: Callable[..., Any], chip: Field) -> TrapsPane:
    """A pane on a viewer that shows twelve traps."""
    viewer = make_napari_viewer_proxy()
    layer = add_stack(viewer, chip.stack)
    session = Session.of(viewer)
    session.movie = layer
    made = TrapsPane(session)
    qtbot.addWidget(made)
    made.show()
    return made


def boxed(qtbot: QtBot, pane: TrapsPane, chip: Field, frame: int = 0) -> PixelBox:
    """Draw a box as a user does, as far as napari tells us of it."""
    pane.size.setValue(64)
    pane.draw.click()
    assert pane.boxes.template.mode == "add_rectangle"
    pane.session.viewer.dims.set_current_step(0, frame)
    box = PixelBox.parse(box_around(chip.traps[4]))
    pane.boxes.template.add_rectangles(corners_of(box))
    qtbot.waitUntil(lambda: pane.box is not None, timeout=PATIENCE)
    return box


def found(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    boxed(qtbot, pane, chip)
    pane.find.click()
    qtbot.waitUntil(lambda: pane.looked is not None and pane.find.isEnabled(), timeout=PATIENCE)


def looked_through(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    found(qtbot, pane, chip)
    pane.look.click()
    qtbot.waitUntil(lambda: pane.review is not None, timeout=PATIENCE)


def test_the_drawn_box_is_the_template(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    assert not pane.find.isEnabled()
    box = boxed(qtbot, pane, chip, frame=2)
    assert pane.box == box
    settings = pane.settings()
    assert (settings.template, settings.template_frame, settings.template_z) == (str(box), 2, None)
    assert pane.find.isEnabled()
    assert "52 x 56 px, frame 2" in pane.boxed.text()
    layer = pane.boxes.template
    np.testing.assert_allclose(layer.scale, pane.session.movie.scale[-2:])
    assert layer.units == pane.session.movie.units[-2:]
    assert layer.mode == "select"


def test_a_second_box_takes_the_place_of_the_first(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    boxed(qtbot, pane, chip)
    other = PixelBox(20, 70, 30, 85)
    pane.boxes.template.add_rectangles(corners_of(other))
    qtbot.waitUntil(lambda: pane.box == other, timeout=PATIENCE)
    assert len(pane.boxes.template.data) == 1


def test_a_box_on_another_movie_is_in_its_pixels(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    boxed(qtbot, pane, chip)
    other = chip.stack.with_(name="other", pixel_size=(1.5, 1.5))
    pane.session.movie = add_stack(pane.session.viewer, other)
    assert pane.box is None
    boxed(qtbot, pane, chip)
    np.testing.assert_allclose(pane.boxes.template.scale, (1.5, 1.5))
    assert [layer.name for layer in pane.session.viewer.layers].count(TEMPLATE) == 1


def test_found_traps_lie_on_the_movie_and_follow_the_threshold(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    found(qtbot, pane, chip)
    layer = pane.boxes.found
    assert len(layer.data) == 12
    np.testing.assert_allclose(layer.scale, pane.session.movie.scale[-2:])
    middles = np.array([corners.mean(0) for corners in layer.data])
    assert np.abs(middles[:, None] - chip.traps[None]).max(2).min(1).max() < 2
    assert "12 traps, threshold" in pane.says.text()
    scores = sorted(trap.score for trap in pane.looked.found.maps[0].traps)
    pane.threshold.setValue(int(100 * scores[-1]))
    qtbot.waitUntil(lambda: len(pane.boxes.found.data) < 12, timeout=PATIENCE)
    assert len(pane.boxes.found.data) == sum(score >= pane.threshold.value() / 100 for score in scores)
    assert pane.settings().threshold == pytest.approx(pane.threshold.value() / 100)


def test_crops_change_as_the_user_turns(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    found(qtbot, pane, chip)
    before = np.array([corners.mean(0) for corners in pane.boxes.found.data])
    pane.raised.setValue(9)
    qtbot.waitUntil(lambda: abs(pane.boxes.found.data[0].mean(0) - before[0]).max() > 8, timeout=PATIENCE)
    np.testing.assert_allclose([corners.mean(0) for corners in pane.boxes.found.data], before - (9, 0))
    assert pane.settings().offset_y == -9
    pane.size.setValue(160)
    qtbot.waitUntil(lambda: len(pane.boxes.found.data) < 12, timeout=PATIENCE)
    assert "cut by the border" in pane.says.text()


def test_settings_that_will_not_do_are_said_in_the_pane(
    qtbot: QtBot, pane: TrapsPane, chip: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise BadInput("gap -3 given; expected 0 or more")

    looked_through(qtbot, pane, chip)
    monkeypatch.setattr(pane, "settings", refused)
    pane.table.picked.emit(0)  # an error in a slot fails the test
    assert pane.says.text() == "Gap -3 given; expected 0 or more"
    pane.says.say("")
    pane.raised.setValue(9)
    assert pane.says.text() == "Gap -3 given; expected 0 or more"


def test_traps_are_accepted_and_rejected_by_keys(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    looked_through(qtbot, pane, chip)
    table = pane.table
    assert table.table.rowCount() == 12
    assert table.says.text() == "12 traps: 12 accepted, 0 rejected."
    assert not table.pictures.pixmap().isNull()
    table.table.setFocus()
    table.table.setCurrentCell(0, 0)
    with qtbot.waitSignal(pane.changed):
        qtbot.keyClick(table.table, Qt.Key.Key_R)
    assert table.rows[0].decision == "reject"
    assert table.table.currentRow() == 1
    qtbot.keyClick(table.table, Qt.Key.Key_A)
    assert table.rows[1].decision == "accept"
    assert table.says.text() == "12 traps: 11 accepted, 1 rejected (2 decided by you)."
    assert table.table.item(0, 5).text() == "reject, by you"
    colours = [tuple(np.round(255 * c[:3]).astype(int)) for c in pane.boxes.found.edge_color]
    wanted = tuple(int(COLOURS["reject"][i : i + 2], 16) for i in (1, 3, 5))
    assert colours[0] == wanted and colours.count(wanted) == 1
    table.table.setCurrentCell(0, 0)
    qtbot.keyClick(table.table, Qt.Key.Key_Backspace)
    assert table.rows[0].decision is None


def test_frames_are_typed(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    looked_through(qtbot, pane, chip)
    item = pane.table.table.item(3, 4)
    assert item.text() == "0-2"
    item.setText("1-2")
    assert (pane.table.rows[3].first, pane.table.rows[3].last) == (1, 2)
    pane.table.table.item(3, 4).setText("later")
    assert pane.table.table.item(3, 4).text() == "1-2"
    assert "such as 3-20" in pane.table.why.text()


def test_decisions_travel_through_a_table(qtbot: QtBot, pane: TrapsPane, chip: Field, tmp_path: Path) -> None:
    looked_through(qtbot, pane, chip)
    pane.save_table(tmp_path / "review.csv")
    with open(tmp_path / "review.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[2]["decision"] = "r"
    with open(tmp_path / "review.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    pane.load_table(tmp_path / "review.csv")
    assert [row.decision for row in pane.table.rows].count("reject") == 1
    assert pane.table.rows[2].decision == "reject"
    assert "12 of 12 rows" in pane.says.text()
    pane.load_table(tmp_path / "nowhere.csv")
    assert "does not exist" in pane.says.text()


def test_what_is_shown_is_what_the_shell_makes(qtbot: QtBot, pane: TrapsPane, chip: Field, tmp_path: Path) -> None:
    looked_through(qtbot, pane, chip)
    pane.table.table.setCurrentCell(0, 0)
    qtbot.keyClick(pane.table.table, Qt.Key.Key_R)
    settings = pane.settings()
    plan = pane.plan(pane.looked.recordings, settings)
    write_ome_tiff(tmp_path / "chip.ome.tif", chip.stack)
    words = ["prepare", "traps", str(tmp_path / "chip.ome.tif"), "--out", str(tmp_path / "set"), "--quiet"]
    ((option, name, text),) = pane.files()
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert main([*words, *pane.words(settings), option, str(tmp_path / name)]) == 0
    made = TrapSet.open(tmp_path / "set")
    items = [item for part in ("train", "validation", "test") for item in made.sequences(part)]
    assert len(items) == len(plan.sequences) == 11
    assert 1 not in {item.trap for item in items}


def test_a_review_of_other_pixels_is_not_used(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    """Its places count in the movies as they were taken then."""
    looked_through(qtbot, pane, chip)
    settings, study = pane.settings(), pane.session.study
    study.set(0, "condition", "treated")
    assert pane.words(settings)
    for column, text in (("region", "10:300,0:200"), ("frames", "1-2")):
        study.set(0, column, text)
        with pytest.raises(BadInput, match="find the traps again"):
            pane.words(settings)
        taken = recordings_here(given_by(pane.session), UNDIVIDED)
        with pytest.raises(BadInput, match="find the traps again"):
            pane.plan(taken, settings)
        study.set(0, column, "")
    assert pane.words(settings)


def test_what_lacks_is_said(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    with pytest.raises(BadInput, match="box one trap"):
        pane.plan((), pane.settings())
    ready: list[bool] = []
    pane.ready.connect(ready.append)
    found(qtbot, pane, chip)
    with pytest.raises(BadInput, match="look the found traps through"):
        pane.plan((), pane.settings())
    assert not any(ready)
    pane.session.movie = None
    assert pane.looked is None and pane.box is None
    pane.draw.click()
    assert "Open a movie first" in pane.says.text()


def test_a_search_can_be_given_up(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    boxed(qtbot, pane, chip)
    pane.find.click()
    assert pane.cancel.isVisible()
    worker = pane._worker
    with qtbot.waitSignal(worker.finished, timeout=PATIENCE):
        pane.cancel.click()
    qtbot.wait(0)  # what it had under way has come
    assert pane.looked is None and pane.find.isEnabled() and not pane.cancel.isVisible()


# -- decisions are the user's ----------------------------------------------------------------------------------------


def look_again(qtbot: QtBot, pane: TrapsPane) -> None:
    assert pane.review is None
    pane.look.click()
    qtbot.waitUntil(lambda: pane.review is not None, timeout=PATIENCE)


def decisions(pane: TrapsPane) -> dict[tuple[float, float], tuple[Any, ...]]:
    """By the middle of the box, wherever the crop lies."""
    dy = pane.settings().offset_y
    return {(one.y - dy, one.x): (one.decision, one.first, one.last) for one in pane.table.rows}


def decided(qtbot: QtBot, pane: TrapsPane, chip: Field) -> dict[tuple[float, float], tuple[Any, ...]]:
    looked_through(qtbot, pane, chip)
    for at, verdict in ((0, "reject"), (5, "accept"), (7, "reject")):
        pane.table.table.setCurrentCell(at, 0)
        pane.table.decide(verdict)
    pane.table.table.item(3, 4).setText("1-2")
    return decisions(pane)


@pytest.mark.parametrize("change", ["height", "size", "empty", "find"])
def test_decisions_are_kept_when_traps_are_cut_anew(qtbot: QtBot, pane: TrapsPane, chip: Field, change: str) -> None:
    before = decided(qtbot, pane, chip)
    if change == "height":
        pane.raised.setValue(6)
        pane.raised.setValue(9)
    elif change == "size":
        pane.size.setValue(48)
    elif change == "empty":
        pane.empty.setChecked(True)
    else:
        pane.find.click()
        qtbot.waitUntil(pane.find.isEnabled, timeout=PATIENCE)
    look_again(qtbot, pane)
    assert {place: what[0] for place, what in decisions(pane).items()} == {p: w[0] for p, w in before.items()}
    assert [what[1:] for what in decisions(pane).values()].count((1, 2)) == 1
    assert "Decisions about 4 traps were carried over." in pane.carried.text()


def test_decisions_about_traps_that_are_away_wait(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    before = decided(qtbot, pane, chip)
    value = pane.threshold.value()
    scores = sorted(one.score for one in pane.table.rows)
    pane.threshold.setValue(int(100 * scores[-4]))
    look_again(qtbot, pane)
    few = decisions(pane)
    assert 0 < len(few) < 12 and all(before[place][0] == what[0] for place, what in few.items())
    assert "wait: no such trap is whole among these" in pane.carried.text()
    pane.threshold.setValue(value)
    look_again(qtbot, pane)
    assert {p: w[0] for p, w in decisions(pane).items()} == {p: w[0] for p, w in before.items()}


def test_a_decision_that_was_taken_back_does_not_come_back(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    decided(qtbot, pane, chip)
    pane.raised.setValue(4)
    look_again(qtbot, pane)
    pane.table.table.setCurrentCell(0, 0)
    pane.table.decide(None)
    pane.raised.setValue(0)
    look_again(qtbot, pane)
    assert pane.table.rows[0].decision is None and pane.table.rows[7].decision == "reject"


def test_decisions_go_with_the_box(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    decided(qtbot, pane, chip)
    pane.boxes.template.add_rectangles(corners_of(PixelBox(20, 70, 30, 85)))
    qtbot.waitUntil(lambda: pane.box == PixelBox(20, 70, 30, 85), timeout=PATIENCE)
    assert pane.decisions.kept == []


# -- many --------------------------------------------------------------------------------------------------------------


def test_the_movie_in_sight_first_others_when_they_are_needed(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    for number in range(5):
        pane.session.viewer.layers.selection.clear()
        add_stack(pane.session.viewer, chip.stack.with_(name=f"other {number}"))
    pane.session.movie = pane.session.viewer.layers[chip.stack.name]
    found(qtbot, pane, chip)
    assert [one.recording for one in pane.looked.found.maps] == [chip.stack.name]
    assert pane.says.text().splitlines()[-1] == "5 other movies of the study not searched yet."
    assert pane.elsewhere.isVisibleTo(pane) and len(pane.boxes.found.data) == 12
    before = pane.looked.found.maps[0]
    pane.elsewhere.click()
    qtbot.waitUntil(lambda: pane.looked.others == 0 and pane.find.isEnabled(), timeout=PATIENCE)
    assert len(pane.looked.found.maps) == 6 and pane.looked.found.maps[pane.looked.movie] is before
    said = pane.says.text().splitlines()
    assert len(said) == 4 and said[0].startswith(chip.stack.name) and said[-1] == "And 36 traps in 3 more movies."
    assert len(pane.says.toolTip().splitlines()) == 6
    assert not pane.elsewhere.isVisibleTo(pane)
    assert pane.looked.of(recordings_here(given_by(pane.session), UNDIVIDED))


def test_looking_them_through_finds_those_of_other_movies_first(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    add_stack(pane.session.viewer, chip.stack.with_(name="another"))
    pane.session.movie = pane.session.viewer.layers[chip.stack.name]
    looked_through(qtbot, pane, chip)
    assert len(pane.table.rows) == 24 and pane.looked.others == 0
    assert pane.plan(recordings_here(given_by(pane.session), UNDIVIDED), pane.settings()).sequences
    assert pane.says.text().splitlines()[-1] == "And 1 more movie."


def test_of_very_many_boxes_those_in_sight_are_drawn(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    shown = [
        Shown(PixelBox(10 * y, 10 * y + 8, 10 * x, 10 * x + 8), str(y * 40 + x)) for y in range(50) for x in range(40)
    ]
    boxes, movie = pane.boxes, pane.session.movie
    said = boxes.show(movie, shown)
    assert said == f"{MOST} of 2,000 boxes are drawn: those nearest to the middle of the view."
    assert len(boxes.found.data) == MOST
    boxes.choose(1999, shown[1999].box)
    assert 1999 in boxes.drawn and len(boxes.found.data) == MOST
    widths = np.asarray(boxes.found.edge_width)
    assert np.flatnonzero(widths > widths.min()).tolist() == [boxes.drawn.index(1999)]
    pane.session.viewer.scene.camera.center = (0, 0, 0)
    qtbot.waitUntil(lambda: 0 in boxes.drawn, timeout=PATIENCE)
    assert boxes.show(movie, shown[:30]) == "" and len(boxes.found.data) == 30


def test_it_fits_into_the_dock(qtbot: QtBot, pane: TrapsPane, chip: Field) -> None:
    looked_through(qtbot, pane, chip)
    assert pane.table.isVisible() and pane.minimumSizeHint().width() <= 335


@pytest.mark.parametrize("box", [PixelBox(0, 8, 0, 9), PixelBox(10, 62, 7, 63)])
def test_boxes_are_drawn_where_they_are(box: PixelBox) -> None:
    assert box_of(corners_of(box)) == box

"""The study and its table, driven as a user would, in a real viewer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QMimeData, Qt, QUrl
from qtpy.QtWidgets import QApplication, QComboBox

from napari_cellsynth.engine.user_folder import config_folder
from napari_cellsynth.gui.layers import add_stack, complete
from napari_cellsynth.gui.opening import Openings, open_path
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.study_kept import worth_keeping
from napari_cellsynth.gui.table_section import TableSection
from napari_cellsynth.gui.theme import ON_DARK, ON_LIGHT, THEME
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.row import Row
from napari_cellsynth.stack.recordings.table import Table
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.training_sets.openings import note_opening

PATIENCE = 20_000
PASTED = (
    "File\tCondition\tDay\tUsed for\tOperator\n"
    "a.tif\tcontrol\t12 May\t\tAna\n"
    "b gr\u00f6\u00dfer.tif\tcontrol\t13 May\t\tBo\n"
    "c.tif\ttreated\t13 May\ttest\tBo\n"
)


@pytest.fixture
def viewer(plugins: Any, make_napari_viewer_proxy: Callable[..., Any]) -> Any:
    return make_napari_viewer_proxy()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n, name in enumerate(("a", "b gr\u00f6\u00dfer", "c")):
        pixels = np.random.default_rng(n).integers(0, 99, (12, 20, 24)).astype(np.uint16)
        tifffile.imwrite(tmp_path / f"{name}.tif", pixels, metadata={"axes": "TYX"})
        tifffile.imwrite(tmp_path / f"{name}.labels.tif", (pixels > 50).astype(np.uint8), metadata={"axes": "TYX"})
    return tmp_path


@pytest.fixture
def section(qtbot: QtBot, viewer: Any, folder: Path) -> TableSection:
    made = TableSection(Session.of(viewer))
    qtbot.addWidget(made)
    made.study.folder = folder
    made.resize(368, 500)
    made.show()
    return made


def shown(section: TableSection, row: int, column: str) -> str:
    model = section.model
    return str(model.data(model.index(row, model.columns.index(column))))


def column(section: TableSection, name: str) -> list[str]:
    return [shown(section, i, name) for i in range(section.model.rowCount())]


def layers(section: TableSection) -> list[str]:
    return [layer.name for layer in section.session.viewer.layers]


# ---------------------------------------------------------------- taking in


def test_pasted_cells_become_rows_and_are_warned_of(qtbot: QtBot, section: TableSection) -> None:
    assert not section.table.isVisibleTo(section)
    QApplication.clipboard().setText(PASTED)
    qtbot.mouseClick(section.pastes, Qt.MouseButton.LeftButton)
    assert column(section, "file") == ["a.tif", "b gr\u00f6\u00dfer.tif", "c.tif"]
    assert column(section, "session") == ["12 May", "13 May", "13 May"]
    assert column(section, "split") == ["train \u25be", "tuning \u25be", "test (not opened yet) \u25be"]
    assert "'Operator' means nothing here" in section.says.text()
    qtbot.waitUntil(
        lambda: "'treated' was filmed on one day only (13 May)" in section.warnings.text(), timeout=PATIENCE
    )
    QApplication.clipboard().setText(PASTED.replace("control", "wild type"))
    section.table.setFocus()
    qtbot.keyClick(section.table, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert column(section, "condition") == ["wild type", "wild type", "treated"]
    assert len(section.study) == 3


def test_files_that_are_not_there_are_said(qtbot: QtBot, section: TableSection) -> None:
    section.paste_text("file\nnowhere.tif\n")
    qtbot.waitUntil(lambda: "Not found" in section.says.text(), timeout=PATIENCE)
    assert "nowhere.tif" in section.says.text()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_files_that_are_not_there_are_read_on_any_ground(section: TableSection, viewer: Any, theme: str) -> None:
    section.paste_text("file\tday\nnowhere.tif\t1 May\n")
    section.model.set_missing({section.study.rows[0].file})
    THEME.take(theme)
    try:
        colour = section.model.data(section.model.index(0, 0), Qt.ItemDataRole.ForegroundRole)
        assert colour.name() == {"dark": ON_DARK, "light": ON_LIGHT}[theme]["bad"]
    finally:
        THEME.take(str(viewer.theme))


def test_what_cannot_be_meant_is_said_and_changes_nothing(section: TableSection) -> None:
    section.paste_text("file\tused for\na.tif\tmaybe\n")
    assert "row 2, column 'used for': 'maybe' given" in section.says.text().replace("Row", "row")
    assert len(section.study) == 0
    section.paste_text("control\ntreated\n")
    assert "name no files" in section.says.text()
    section.paste_text("")
    assert "empty" in section.says.text()


def test_cells_go_into_the_rows_from_the_current_one_on(section: TableSection) -> None:
    section.paste_text(PASTED)
    section.table.setCurrentIndex(section.model.index(1, section.model.columns.index("condition")))
    section.paste_text("x\t14 May\ny\t15 May\nz\t16 May\n")
    assert column(section, "condition") == ["control", "x", "y"]
    assert column(section, "session") == ["12 May", "14 May", "15 May"]
    section.table.setCurrentIndex(section.model.index(0, section.model.columns.index("session")))
    section.paste_text("1\ttrain\n2\tnonsense\n")
    assert "line 2: 'nonsense' given" in section.says.text().replace("Line", "line")
    assert column(section, "session") == ["12 May", "14 May", "15 May"]


def test_cells_that_name_no_files_never_replace_them(section: TableSection) -> None:
    section.paste_text(PASTED)
    before = section.study.rows
    section.table.selectRow(0)  # the column of files is the current one then
    section.paste_text("control\ntreated\n")
    assert section.study.rows == before
    assert "name no files" in section.says.text()


def test_copied_files_and_paths_without_a_head(section: TableSection, folder: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(folder / "a.tif")), QUrl.fromLocalFile(str(folder / "c.tif"))])
    QApplication.clipboard().setMimeData(mime)
    section.paste()
    section.paste_text(f"{folder / 'c.tif'}\nb gr\u00f6\u00dfer.tif\n")
    assert column(section, "file") == ["a.tif", "c.tif", "b gr\u00f6\u00dfer.tif"]


def test_a_table_is_saved_and_read_again(qtbot: QtBot, section: TableSection, folder: Path, viewer: Any) -> None:
    section.paste_text(PASTED)
    add_stack(viewer, Stack(np.zeros((4, 8, 8), np.uint8), "TYX", name="in memory"))
    section.save(folder / "study.csv")
    assert "1 movie without a file left out" in section.says.text()
    table = Table.read(folder / "study.csv")
    assert [row.others for row in table.rows] == [(("Operator", name),) for name in ("Ana", "Bo", "Bo")]
    section.study.remove(range(4))
    section.load(folder / "study.csv")
    qtbot.waitUntil(lambda: len(section.study) == 3, timeout=PATIENCE)
    section.save(folder / "nowhere" / "x.csv")
    assert "does not exist" in section.says.text()


# ---------------------------------------------------------------- working in it


def test_a_cell_is_typed_into_and_a_bad_one_stays_as_it_was(section: TableSection) -> None:
    section.paste_text(PASTED)
    index = section.model.index(0, section.model.columns.index("condition"))
    assert section.model.setData(index, "mutant")
    assert section.study.rows[0].condition == "mutant"
    section.show_column("frames")
    frames = section.model.index(0, section.model.columns.index("frames"))
    assert not section.model.setData(frames, "9-3")
    assert "'9-3' given; expected frames counted from 0" in section.says.text()
    assert section.study.rows[0].frames is None
    section.model.setData(frames, "0-4")
    assert section.says.text() == ""
    assert not section.model.editable(section.model.index(0, 0))


def test_what_a_movie_is_used_for_is_chosen_from_a_list(qtbot: QtBot, section: TableSection) -> None:
    section.paste_text(PASTED)
    index = section.model.index(0, section.model.columns.index("split"))
    section.table.edit(index)
    box = section.table.findChild(QComboBox)
    assert [box.itemText(i) for i in range(box.count())] == [
        "decided for me", "train", "tuning", "test", "by time", "leave out",
    ]  # fmt: skip
    qtbot.wait(50)
    box.setCurrentIndex(5)
    box.activated.emit(5)
    qtbot.waitUntil(lambda: section.study.rows[0].split == "leave out", timeout=PATIENCE)
    assert section.model.data(index, Qt.ItemDataRole.FontRole).italic() is False
    assert section.model.data(section.model.index(1, 3), Qt.ItemDataRole.FontRole).italic() is True
    section.fix_split()
    assert [row.split for row in section.study.rows] == ["leave out", "time", "test"]


def test_enter_opens_the_movie_with_what_the_row_says(qtbot: QtBot, section: TableSection) -> None:
    section.paste_text(
        "file\toutlines\tmicroscopy\tpixel size\na.tif\ta.labels.tif\tDIC\t0.2um\nc.tif\t\t\t\n",
    )
    section.table.selectRow(0)
    qtbot.keyClick(section.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: section.session.movie is not None, timeout=PATIENCE)
    layer = section.session.movie
    assert layer.scale[-1] == pytest.approx(0.2)
    assert layer.metadata["napari-cellsynth"]["recording"]["modality"] == "dic"
    assert section.session.outlines.name.startswith("a.labels")
    assert len(section.study) == 2
    section.table.selectRow(1)
    section.show_movie()
    qtbot.waitUntil(lambda: section.session.movie is not layer, timeout=PATIENCE)
    section.table.selectRow(0)  # open already: worked on at once, with its outlines
    assert section.session.movie is layer
    assert section.session.outlines.name.startswith("a.labels")
    section.show_movie()
    assert len(layers(section)) == 3


def test_a_file_that_cannot_be_opened_is_said(qtbot: QtBot, section: TableSection) -> None:
    section.paste_text("file\ngone.tif\n")
    qtbot.waitUntil(lambda: "Not found" in section.says.text(), timeout=PATIENCE)
    section.table.selectRow(0)
    section.show_movie()
    qtbot.waitUntil(lambda: "does not exist" in section.says.text(), timeout=PATIENCE)
    assert layers(section) == []


def test_rows_of_one_file_share_its_layer(qtbot: QtBot, section: TableSection, viewer: Any, folder: Path) -> None:
    section.paste_text("file\tframes\na.tif\t0-5\na.tif\t6-11\n")
    layer = open_path(viewer, folder / "a.tif")
    assert len(section.study) == 2
    section.table.selectRow(1)
    assert section.session.movie is layer
    assert section.study.index_of(layer) == 1


def test_removing_and_copying_rows(qtbot: QtBot, section: TableSection, viewer: Any, folder: Path) -> None:
    section.paste_text(PASTED)
    open_path(viewer, folder / "a.tif")
    section.table.selectRow(0)
    qtbot.keyClick(section.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text().splitlines() == [
        "file\tsession\tcondition\tOperator", "a.tif\t12 May\tcontrol\tAna",
    ]  # fmt: skip
    qtbot.keyClick(section.table, Qt.Key.Key_Delete)
    assert column(section, "file") == ["b gr\u00f6\u00dfer.tif", "c.tif"]
    assert layers(section) == ["a"]  # its layer stays, and does not bring the row back
    section.study.add_files([folder / "c.tif"])
    assert len(section.study) == 2


# ---------------------------------------------------------------- layers


def test_movies_that_are_opened_have_rows(section: TableSection, viewer: Any, folder: Path) -> None:
    stored = open_path(viewer, folder / "a.tif")
    memory = add_stack(viewer, Stack(np.zeros((4, 8, 8), np.uint8), "TYX", name="in memory"))
    viewer.add_labels(np.zeros((4, 8, 8), int))
    assert column(section, "file") == ["a.tif", "in memory"]
    viewer.layers.remove(viewer.layers[stored.name])
    viewer.layers.remove(viewer.layers[memory.name])
    assert column(section, "file") == ["a.tif"]


def test_what_the_user_says_of_a_movie_is_kept_in_its_row(section: TableSection, viewer: Any, folder: Path) -> None:
    layer = open_path(viewer, folder / "a.tif")
    complete(layer, pixel_size=(0.2, 0.2), frame_interval=600.0, modality="dic")
    section.session.movie_facts_changed.emit(layer)
    row = section.study.rows[0]
    assert (row.pixel_size, row.interval, row.modality) == (0.2, 600.0, "dic")
    open_path(viewer, folder / "a.labels.tif")
    assert section.study.rows[0].labels == Path("a.labels.tif")
    section.save(folder / "study.csv")
    (recording,) = Table.read(folder / "study.csv").recordings()
    assert recording.stack.frame_interval == 600
    assert recording.labels is not None


def test_the_row_of_the_movie_that_is_worked_on_is_bold(section: TableSection, viewer: Any, folder: Path) -> None:
    first, second = (open_path(viewer, folder / f"{name}.tif") for name in "ac")
    bold = [section.model.data(section.model.index(i, 0), Qt.ItemDataRole.FontRole).bold() for i in range(2)]
    assert bold == [False, True]
    section.session.movie = first
    assert section.table.currentIndex().row() == 0
    section.model.setData(section.model.index(1, 1), "treated")
    section.table.selectRow(1)
    assert section.session.movie is second
    section.model.setData(section.model.index(0, 1), "control")
    assert section.table.currentIndex().row() == 1


# ---------------------------------------------------------------- words


def test_openings_of_the_test_are_shown(qtbot: QtBot, section: TableSection, folder: Path) -> None:
    section.paste_text(PASTED)
    made = section.session.home / "training sets" / "one"
    made.mkdir(parents=True)
    path = str(folder / "c.tif").replace("\\", "\\\\")
    (made / "dataset.json").write_text(f'{{"sources": [{{"path": "{path}", "split": {{"test": "0-11"}}}}]}}')
    note_opening(made, "a look")
    section.count_openings()
    qtbot.waitUntil(lambda: "opened 1\u00d7" in shown(section, 2, "split"), timeout=PATIENCE)
    section.study.set_opened(Counter())
    assert "not opened yet" in shown(section, 2, "split")


def test_what_is_impossible_is_said(qtbot: QtBot, section: TableSection) -> None:
    section.paste_text(
        "file\tframes\tused for\na.tif\t0-3\ttrain\na.tif\t5-6\ttest\na.tif\t8-9\t\n",
    )
    qtbot.waitUntil(lambda: "say what it is used for" in section.warnings.text(), timeout=PATIENCE)
    assert shown(section, 2, "split").startswith("decided for me")


def test_it_fits_and_the_menu_says_what_can_be_done(section: TableSection) -> None:
    section.paste_text(PASTED)
    assert section.minimumSizeHint().width() <= 368
    assert section.table.horizontalScrollBar().maximum() == 0
    section.table.selectRow(1)
    menu = section.menu()
    assert [action.text().split("\t")[0] for action in menu.actions()] == [
        "Show movie", "Copy rows", "Take out of the study", "Fix what each is used for", "Columns",
    ]  # fmt: skip
    columns = menu.actions()[-1].menu()
    next(action for action in columns.actions() if action.text() == "position").setChecked(True)
    assert section.model.columns == ["file", "condition", "session", "split", "position"]
    assert "Operator: Bo" in section.model.tip(1, "file")


# ---------------------------------------------------------------- what is kept and seen


def test_the_row_keeps_what_its_layer_knew(section: TableSection, viewer: Any, folder: Path) -> None:
    grey = np.random.default_rng(3).integers(0, 250, (6, 20, 24)).astype(np.uint8)
    noise = np.random.default_rng(1).integers(0, 4, grey.shape)
    colours = np.stack([noise, grey, grey * 0.6 + noise], axis=-1).astype(np.uint8)  # a green look-up table
    tifffile.imwrite(folder / "green.tif", colours, photometric="rgb", metadata={"axes": "TYXS"})
    layer = open_path(viewer, folder / "green.tif")
    complete(layer, pixel_size=(0.5, 0.5))
    viewer.layers.remove(viewer.layers[layer.name])
    (row,) = section.study.rows
    assert (row.axes, row.pixel_size) == ("TYX", 0.5)
    stack = section.study.table().recordings(HoldOut(validation_fraction=0, test_fraction=0))[0].stack
    assert np.array_equal(np.asarray(stack.data), grey)


def test_the_row_keeps_the_channel_that_was_worked_on(section: TableSection, viewer: Any, folder: Path) -> None:
    pixels = np.zeros((5, 2, 20, 24), np.uint8)
    tifffile.imwrite(folder / "two.ome.tif", pixels, metadata={"axes": "TCYX"})
    open_path(viewer, folder / "two.ome.tif")
    first, second = (layer for layer in list(viewer.layers))
    section.session.movie = first
    section.session.movie = second
    viewer.layers.remove(first)
    viewer.layers.remove(second)
    assert [row.channel for row in section.study.rows] == [1]


def test_names_and_dates_are_read_whole_and_filled_columns_seen(section: TableSection) -> None:
    section.paste_text("file\tday\nConfluent 2.tif\t2024-05-01\n")
    table, columns = section.table, section.model.columns
    needed = table.fontMetrics().horizontalAdvance
    assert table.columnWidth(columns.index("file")) >= needed("Confluent 2.tif") + 8
    assert table.columnWidth(columns.index("session")) >= needed("2024-05-01") + 8
    section.paste_text("file\tposition\texposure\nx.tif\tP1\tlow\n")
    assert {"position", "role"} <= set(section.model.columns)
    section.study.column_wanted.emit("axes")
    assert "axes" in section.model.columns


def test_a_file_that_is_added_means_its_rows(section: TableSection) -> None:
    section.paste_text("file\tframes\na.tif\t0-5\nc.tif\t0-5\nc.tif\t6-11\n")
    section.paste_text("file\tday\na.tif\t1 May\nc.tif\t2 May\n")
    assert [row.frames for row in section.study.rows] == ["0-5", "0-5", "6-11"]
    assert column(section, "session") == ["1 May", "2 May", "2 May"]
    assert section.says.text() == "2 brought up to date."


def test_a_table_that_says_more_of_an_open_movie_is_about_it(section: TableSection, viewer: Any, folder: Path) -> None:
    layer = open_path(viewer, folder / "a.tif")
    section.paste_text("file\tframes\tday\na.tif\t0-5\t1 May\na.tif\t6-11\t1 May\n")
    assert [row.frames for row in section.study.rows] == ["0-5", "6-11"]
    assert section.study.movies[0].layer is layer


def test_rows_of_one_table_stay_apart(section: TableSection) -> None:
    section.paste_text("file\tchannel\na.tif\t\na.tif\t1\n")
    assert [row.channel for row in section.study.rows] == [None, 1]
    section.paste_text("file\tchannel\na.tif\t\na.tif\t1\n")
    assert [row.channel for row in section.study.rows] == [None, 1]


def test_two_files_of_one_name_are_opened_at_once(qtbot: QtBot, section: TableSection, folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other" / "a.tif").write_bytes((folder / "a.tif").read_bytes())
    section.paste_text("file\na.tif\nother/a.tif\n")
    for row in (0, 1, 1):
        section.table.selectRow(row)
        section.show_movie()
    qtbot.waitUntil(lambda: len(layers(section)) == 2, timeout=PATIENCE)
    qtbot.waitUntil(lambda: not Openings.of(section.session.viewer).readings, timeout=PATIENCE)
    assert len(layers(section)) == 2


def test_rows_that_went_meanwhile_are_not_named_for_others(section: TableSection) -> None:
    section.paste_text("file\nnowhere.tif\na.tif\n")
    away = {section.study.rows[0].file}
    section.study.remove([0])
    section.says.say("")
    section._missing(away)
    assert section.says.text() == ""
    section._added(0, 0)
    assert section.says.text() == "Nothing added."


def test_the_study_of_the_last_time_is_offered(qtbot: QtBot, section: TableSection, viewer: Any, folder: Path) -> None:
    section.paste_text(PASTED)
    rows = section.study.rows
    qtbot.waitUntil(lambda: (config_folder() / "last study.csv").is_file(), timeout=PATIENCE)
    section.study.remove(range(3))
    section.kept.save()  # nothing is no study
    section.kept.offer(section._offer)
    qtbot.waitUntil(section.again.isVisible, timeout=PATIENCE)
    assert section.again.text() == "As last time (3 movies)"
    section.again.click()
    assert [row.title for row in section.study.rows] == [row.title for row in rows]
    assert [row.session for row in section.study.rows] == [row.session for row in rows]
    assert section.study.whole_row(0).file == folder / "a.tif"
    assert not section.again.isVisible()


def test_a_movie_of_which_nothing_was_said_replaces_no_study(section: TableSection, folder: Path) -> None:
    assert not worth_keeping(Table((Row(file=Path("a.tif")),), folder))
    assert worth_keeping(Table((Row(file=Path("a.tif"), condition="control"),), folder))
    assert worth_keeping(Table((Row(file=Path("a.tif")), Row(file=Path("b.tif"))), folder))

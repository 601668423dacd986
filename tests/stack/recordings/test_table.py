"""Tables as people make them: every habit of a spreadsheet is read, every cell that means nothing is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.recordings.columns import COLUMNS, HEADS
from napari_cellsynth.stack.recordings.row import Row, interval_s, pixel_size_um, z_step_um
from napari_cellsynth.stack.recordings.table import Table


def parse(text: str, **more: Any) -> tuple[Row, ...]:
    return Table.parse(text, "/data", **more).rows


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["", "\ufeff", "\n\n"])
def test_any_delimiter_line_end_and_mark(mark: str, end: str, before: str) -> None:
    lines = [["File", "Used for", "DAY"], ['"a b.tif"', "tuning", "12 May"], ["", "", ""], ["c.tif", "", "13"]]
    rows = parse(before + end.join(mark.join(line) for line in lines) + end)
    assert [(row.file, row.split, row.session) for row in rows] == [
        (Path("a b.tif"), "validation", "12 May"),
        (Path("c.tif"), None, "13"),
    ]


def test_excels_first_line_is_no_row() -> None:
    assert parse("sep=;\nfile;day\na.tif;1,5\n")[0].session == "1,5"


def test_every_word_for_a_column_is_understood() -> None:
    for field, words in HEADS.items():
        for word in (field, *words):
            head = word.upper().replace(" ", "_")
            other = "" if field == "file" else "file,"
            (row,) = parse(f"{other}{head}\n{'' if field == 'file' else 'x.tif,'}{GOOD[field][0]}\n")
            assert getattr(row, field) == GOOD[field][1], head


GOOD: dict[str, tuple[str, Any]] = {
    "file": ("x.tif", Path("x.tif")),
    "labels": ("m \u00e4.tif", Path("m \u00e4.tif")),
    "name": ("well A1", "well A1"),
    "position": ("3", "3"),
    "session": ("12 May", "12 May"),
    "condition": ("treated", "treated"),
    "scene": ("2.0", 2),
    "channel": ("GFP", "GFP"),
    "z": ("max projection", "max"),
    "frames": ("0-19 25-39", "0-19,25-39"),
    "region": ('"0:512, 128:640"', "0:512,128:640"),
    "modality": ("Phase Contrast", "phase-contrast"),
    "fraction": ("25 %", 0.25),
    "role": ("low exposure", "low"),
    "split": ("Leave out", "leave out"),
    "axes": ("tyx", "TYX"),
    "pixel_size": ("0.19 \u00b5m", "0.19 \u00b5m"),
    "z_step": ("2 \u00b5m", "2 \u00b5m"),
    "interval": ("10 min", "10 min"),
}
assert set(GOOD) == set(COLUMNS)


def test_decimal_commas_and_units_of_the_head() -> None:
    (row,) = parse("file;fraction;pixel size (\u00b5m);interval in min\na.tif;0,25;0,19;2,5\n")
    assert row.fraction == 0.25
    assert pixel_size_um(row.pixel_size) == pytest.approx(0.19)
    assert interval_s(row.interval) == pytest.approx(150)


def test_units_after_a_stroke_as_axes_of_plots_have_them() -> None:
    (row,) = parse("file;Interval / min;Pixel size / \u00b5m\na.tif;2,5;0.19\n")
    assert interval_s(row.interval) == pytest.approx(150)
    assert pixel_size_um(row.pixel_size) == pytest.approx(0.19)
    (row,) = parse("file,interval/s,A/B\na.tif,90,x\n")
    assert interval_s(row.interval) == 90
    assert row.others == (("A/B", "x"),)


@pytest.mark.parametrize(
    ("text", "size"),
    [("0.2um", 0.2), ("190 nm", 0.19), ("0,2 um", 0.2), ("0.2um,0.1um", (0.2, 0.1)), ("0,2um; 0,1um", (0.2, 0.1))],
)
def test_pixel_sizes(text: str, size: Any) -> None:
    assert pixel_size_um(text) == pytest.approx(size)
    assert pixel_size_um(0.3) == 0.3


def test_paths_as_people_paste_them(tmp_path: Path) -> None:
    rows = parse('file\n"""C:\\data\\gr\u00f6\u00dfer 1.tif"""\nsub\\a.tif\n~/b.tif\n')
    assert rows[0].file.name == "gr\u00f6\u00dfer 1.tif"
    assert rows[1].file == Path("sub/a.tif")
    assert rows[2].file == Path.home() / "b.tif"
    folder = tmp_path / "u\u0308"  # decomposed, as macOS writes it
    folder.mkdir()
    (folder / "a.tif").touch()
    table = Table.parse("file\n\u00fc/a.tif\n", tmp_path)
    assert table.path(table.rows[0]).exists()


def test_unknown_columns_are_kept_and_named() -> None:
    table = Table.parse("file,Operator,day,lens\na.tif,Ana,1,63x\nb.tif,,2,\n", "/data")
    assert "'Operator', 'lens'" in table.notes[0]
    cells = table.cells()
    assert cells[0] == ["file", "session", "Operator", "lens"]
    assert cells[1] == ["a.tif", "1", "Ana", "63x"]


def test_cells_without_a_head_where_the_columns_are_known() -> None:
    rows = parse("a.tif\tcontrol\nb.tif\ttreated\n", columns=["file", "condition", "session"])
    assert [row.condition for row in rows] == ["control", "treated"]
    with_head = parse("condition\tfile\ncontrol\ta.tif\n", columns=["file", "condition"])
    assert with_head[0].condition == "control"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_files_of_any_habit(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "study \u00fc.csv"
    path.write_bytes("file;day\ngr\u00f6\u00dfer.tif;1\n".encode(encoding))
    table = Table.read(path)
    assert table.rows[0].file == Path("gr\u00f6\u00dfer.tif")
    assert table.folder == tmp_path


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("head", "cell", "words"),
    [
        ("used for", "maybe", "row 2, column 'used for': 'maybe' given; expected train"),
        ("z", "deepest", "column 'z': 'deepest' given; expected a plane"),
        ("scene", "one", "expected the number of an image"),
        ("frames", "9-3", "expected frames"),
        ("frames", "0-9,5-20", "expected frames"),
        ("region", "5:5,0:9", "expected pixels"),
        ("fraction", "1.5", "'1.5' given; expected a number from 0 to 1"),
        ("fraction", "half", "expected a number from 0 to 1"),
        ("role", "medium", "expected low or high"),
        ("microscopy", "x-ray", "expected DIC"),
        ("pixel size", "0.19", "has no unit"),
        ("interval", "10 parsec", "is not a unit of time"),
    ],
)
def test_a_bad_cell_is_named_with_what_is_expected(head: str, cell: str, words: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(f"file;{head}\na.tif;{cell}\n")
    assert words in str(refused.value)
    assert "row 2" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("file\n", "no recordings"),
        ("day,condition\n1,a\n", "no column says which file"),
        ("file,day,date\na.tif,1,2\n", "'day' and 'date' both mean session"),
        ("file,x,x\na.tif,1,2\n", "two columns are called 'x'"),
        ("file,day\n,1\n", "column 'file' is empty"),
        ("file,day\na.tif,1,2\n", "row 2 has 3 cells"),
        ('file,day\n"a.tif,1\n', "quotation mark"),
    ],
)
def test_tables_that_cannot_be_meant(text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        parse(text)
    assert "\n" not in str(refused.value)


def test_files_that_are_no_table(tmp_path: Path) -> None:
    for name, content in (("a.xlsx", b"PK"), ("b.csv", b"\x00\x01\x02"), ("folder", None)):
        path = tmp_path / name
        path.mkdir() if content is None else path.write_bytes(content)
        with pytest.raises(BadInput, match=name.replace(".", r"\.")):
            Table.read(path)
    with pytest.raises(BadInput, match="does not exist"):
        Table.read(tmp_path / "none.csv")


# ---------------------------------------------------------------- round trips

words = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="\"'"), min_size=1, max_size=8)
rows_strategy = st.builds(
    Row,
    file=words.map(lambda name: Path(f"{name.replace('/', '-').replace(chr(92), '-')}.tif")),
    name=st.none() | words,
    session=st.none() | words,
    condition=st.none() | words,
    scene=st.none() | st.integers(0, 9),
    channel=st.none() | st.integers(0, 9),
    z=st.none() | st.integers(0, 9) | st.sampled_from(["all", "max", "mean", "sharpest"]),
    frames=st.none() | st.sampled_from(["0-9", "3", "0-4,7-9", "5-"]),
    region=st.none() | st.just("0:5,2:9"),
    fraction=st.none() | st.floats(0, 1),
    split=st.none() | st.sampled_from(["train", "validation", "test", "time", "leave out"]),
    modality=st.none() | st.sampled_from(["dic", "phase-contrast"]),
    pixel_size=st.none() | st.floats(0.01, 10),
    z_step=st.none() | st.floats(0.01, 10),
    interval=st.none() | st.floats(0.1, 1e4),
)


@given(st.lists(rows_strategy, min_size=1, max_size=4))
def test_what_is_written_is_read_again(rows: list[Row]) -> None:
    from napari_cellsynth.stack.recordings.text import written

    table = Table(tuple(rows), Path("/data"))
    again = Table.parse(written(table.cells()), "/data")
    for before, after in zip(rows, again.rows, strict=True):
        assert pixel_size_um(after.pixel_size) == pytest.approx(pixel_size_um(before.pixel_size))
        assert interval_s(after.interval) == pytest.approx(interval_s(before.interval))
        assert z_step_um(after.z_step) == pytest.approx(z_step_um(before.z_step))
        scale = {"pixel_size": None, "z_step": None, "interval": None}
        assert before.model_copy(update=scale) == after.model_copy(update=scale)


@given(st.text(max_size=200))
def test_no_text_is_a_surprise(text: str) -> None:
    try:
        Table.parse(text, "/data")
    except BadInput as error:
        assert "\n" not in str(error)  # noqa: PT017


def test_paths_stay_right_when_the_table_moves(tmp_path: Path) -> None:
    (tmp_path / "old" / "sub").mkdir(parents=True)
    (tmp_path / "new").mkdir()
    for name in ("old/sub/a.tif", "old/b.tif"):
        (tmp_path / name).touch()
    table = Table.parse(f"file\nsub/a.tif\nb.tif\n{tmp_path / 'old' / 'b.tif'}\n", tmp_path / "old")
    again = Table.read(table.write(tmp_path / "new" / "study.csv"))
    assert [again.path(row).resolve() for row in again.rows] == [table.path(row).resolve() for row in table.rows]
    assert again.rows[0].file == Path("../old/sub/a.tif")
    same = Table.read(table.write(tmp_path / "old" / "study.csv"))
    assert [row.file for row in same.rows[:2]] == [Path("sub/a.tif"), Path("b.tif")]
    assert (tmp_path / "old" / "study.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with pytest.raises(BadInput, match="does not exist"):
        table.write(tmp_path / "nowhere" / "study.csv")

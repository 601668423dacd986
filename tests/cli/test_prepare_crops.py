"""A training set from the shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tifffile

from napari_cellsynth.stack.crops.crop_set import TrainingSet


def test_a_training_set_and_its_report(shell, phantom, labels, tmp_path) -> None:
    out = tmp_path / "crops"
    words = ["prepare", "crops", phantom, "--labels", labels, "--out", out, "--box", "16um", "--modality", "dic"]
    said = shell(*words)
    assert said.status == 0
    assert said.out.splitlines()[-1] == str(out)
    made = TrainingSet.open(out)
    total = sum(made.count(part) for part in ("train", "validation", "test"))
    assert said.out.startswith(f"{total} crops of ")
    assert made.pixel_size == pytest.approx((0.25, 0.25))
    assert made.modality == "dic"


@pytest.fixture(scope="module")
def days(phantom, labels, tmp_path_factory) -> Path:
    """Three recordings with their outlines, each mirrored in another way, and no table yet."""
    folder = tmp_path_factory.mktemp("days")
    for name, flip in (("one", slice(None)), ("two", slice(None, None, -1)), ("drei \u00e4", slice(1, None))):
        for kind, path in (("", phantom), (".labels", labels)):
            tifffile.imwrite(folder / f"{name}{kind}.tif", tifffile.imread(path)[:, flip], metadata={"axes": "TYX"})
    return folder


NAMES = ("one", "two", "drei \u00e4")


def test_recordings_held_out_as_a_whole(shell, days, tmp_path) -> None:
    out = tmp_path / "crops"
    movies, outlines = [days / f"{n}.tif" for n in NAMES], [days / f"{n}.labels.tif" for n in NAMES]
    said = shell(
        *("prepare", "crops", *movies, "--labels", *outlines[:2], "--labels", outlines[2], "--out", out),
        *("--box", "64px", "--size", 32, "--holdout", "recording"),
    )
    assert said.status == 0
    record = json.loads((out / "dataset.json").read_text())
    assert record["size"] == 32
    assert [source["split"]["by"] for source in record["sources"]] == ["recording"] * 3


@pytest.fixture
def table(days) -> Path:
    path = days / "study.csv"
    lines = [f"{n}.tif;{n}.labels.tif;{day};DIC" for n, day in zip(NAMES, ("12 May", "13 May", "14 May"), strict=True)]
    path.write_text("\n".join(["File;Outlines;Day;Microscopy", *lines]), encoding="utf-8")
    return path


def test_a_table_says_what_is_cut_and_what_is_held_out(shell, table, tmp_path) -> None:
    out = tmp_path / "crops"
    said = shell("prepare", "crops", "--table", table, "--out", out, "--box", "64px", "--size", 32)
    assert said.status == 0
    made = TrainingSet.open(out)
    assert made.modality == "dic"
    assert [source["session"] for source in made.record["sources"]] == ["12 May", "13 May", "14 May"]
    parts = {row["session"]: row["split"] for row in made.table}
    assert parts == {"12 May": "train", "13 May": "validation", "14 May": "test"}
    other = shell(
        "prepare", "crops", "--table", table, "--out", tmp_path / "o", "--size", 32, "--modality", "fluorescence"
    )
    assert other.status == 0
    assert TrainingSet.open(tmp_path / "o").modality == "fluorescence"


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["--table", "TABLE", "--labels", "x.tif"], "beside --table"),
        (["TABLE", "--table", "TABLE"], "beside --table"),
        (["--table", "nowhere.csv"], "nowhere.csv does not exist"),
        (["--table", "TABLE", "--channel", "GFP"], "row 2: channel 'GFP' asked for"),
        (["--table", "TABLE", "--z", "wide"], "--z wide given"),
        (["--table", "TABLE", "--holdout", "position"], "has no position"),
        ([], "name at least one recording"),
    ],
)
def test_bad_tables_and_words_leave_nothing(shell, table, tmp_path, words, answer) -> None:
    said = shell("prepare", "crops", "--out", tmp_path / "crops", *[table if w == "TABLE" else w for w in words])
    assert said.status == 2
    assert answer in said.complaint
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ([], "0 label files for 1 recording given"),
        (["--labels", "LABELS", "LABELS"], "2 label files for 1 recording given"),
        (["--labels", "LABELS", "--box", "26"], "'26'"),
        (["--labels", "LABELS", "--box", "wide px"], "wide px"),
        (["--labels", "LABELS", "--box", "2px"], "--box 2px given; it must be greater"),
        (["--labels", "LABELS", "--size", "4"], "--size 4"),
        (["--labels", "LABELS", "--validation-fraction", "0.6", "--test-fraction", "0.6"], "leave a share"),
        (
            ["--labels", "LABELS", "--modality", "xray"],
            "--modality xray given; it is one of brightfield, dic, fluorescence, phase-contrast;",
        ),
        (["--labels", "nowhere.tif"], "nowhere.tif"),
        (["--labels", "CLEAN"], "float32"),
    ],
)
def test_bad_input_leaves_nothing(shell, phantom, labels, tmp_path, words, answer) -> None:
    places = {"LABELS": labels, "CLEAN": phantom.with_name("cells.clean.tif")}
    given = [places.get(word, word) for word in words]
    said = shell("prepare", "crops", phantom, "--out", tmp_path / "crops", *given)
    assert said.status == 2
    assert answer in said.complaint
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_is_refused(shell, phantom, labels, crops) -> None:
    said = shell("prepare", "crops", phantom, "--labels", labels, "--out", crops)
    assert said.status == 2
    assert "exists" in said.complaint


def test_a_box_with_a_decimal_comma(shell, phantom, labels, tmp_path) -> None:
    for box in ("16,0um", "64,0px"):
        words = ["prepare", "crops", phantom, "--labels", labels, "--out", tmp_path / box, "--box", box, "--size", 16]
        assert shell(*words).status == 0
    sizes = [json.loads((tmp_path / box / "dataset.json").read_text())["pixel_size"] for box in ("16,0um", "64,0px")]
    assert sizes[0] == sizes[1]


def test_what_to_set_is_said_as_options(shell, phantom, labels, tmp_path) -> None:
    words = ["prepare", "crops", phantom, "--labels", labels, "--out", tmp_path / "crops"]
    assert "(--validation-fraction 0 --test-fraction 0)" in shell(*words, "--gap", 9).complaint
    assert "--validation-fraction 0 or" in shell(*words, "--holdout", "recording").complaint


def test_real_cells(shell, real_data, tmp_path) -> None:
    folder = real_data("yeast_pos13_phase")
    out = tmp_path / "yeast"
    words = ["prepare", "crops", folder / "yeast_phase.tif", "--labels", folder / "yeast_masks.tif", "--out", out]
    said = shell(*words, "--box", "64px", "--modality", "phase-contrast")
    assert said.status == 0
    assert "of about" in said.out  # the masks do not track: the number of cells is an estimate
    assert "from 937 outlines" in said.out
    assert TrainingSet.open(out).pixel_size is None


def test_one_recording_by_two_ways_is_named_twice(shell, phantom, labels, tmp_path) -> None:
    again = tmp_path / "again.ome.tif"
    again.symlink_to(phantom)
    for other in (again, phantom.parent / "x" / ".." / phantom.name):
        said = shell("prepare", "crops", phantom, other, "--labels", labels, labels, "--out", tmp_path / "crops")
        assert said.status == 2
        assert "is named twice" in said.complaint

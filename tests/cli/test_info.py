"""What a recording says of itself, and what the user says instead."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile


@pytest.fixture
def silent_file(tmp_path):
    """A TIFF whose three axes are all that it says."""
    path = tmp_path / "spaces and ümlauts" / "plain.tif"
    path.parent.mkdir()
    tifffile.imwrite(path, np.zeros((7, 30, 40), np.uint16), metadata=None)
    return path


def test_json_of_a_phantom(shell, phantom) -> None:
    assert json.loads(shell("info", phantom, "--json").out) == {
        "axes": "TYX",
        "shape": [10, 160, 160],
        "dtype": "uint16",
        "scale": [1.0, 0.25, 0.25],
        "units": ["second", "micrometer", "micrometer"],
        "frame_interval": 1.0,
        "synthetic": True,
        "scenes": [],
        "notes": [],
    }


def test_what_the_file_does_not_say_is_asked_for(shell, silent_file) -> None:
    assert "--axes TYX" in shell("info", silent_file).complaint


def test_what_the_user_says_is_taken(shell, silent_file) -> None:
    said = shell("info", silent_file, "--json", "--axes", "TYX", "--pixel-size", "190 nm", "--interval", "10min")
    about = json.loads(said.out)
    assert about["axes"] == "TYX"
    assert about["scale"] == [600.0, 0.19, 0.19]
    assert about["frame_interval"] == 600.0


def test_the_distance_of_planes_is_taken(shell, tmp_path) -> None:
    path = tmp_path / "planes.tif"
    tifffile.imwrite(path, np.zeros((2, 3, 8, 12), np.uint8), metadata={"axes": "TZYX"})
    said = shell("info", path, "--json", "--z-step", "1.5um")
    assert json.loads(said.out)["scale"] == [None, 1.5, None, None]


def test_pixels_need_not_be_square(shell, silent_file) -> None:
    said = shell("info", silent_file, "--json", "--axes", "TYX", "--pixel-size", "0.2um,0.1um")
    assert json.loads(said.out)["scale"] == [None, 0.2, 0.1]


def test_commas_of_other_countries(shell, silent_file) -> None:
    words = ("--json", "--axes", "TYX", "--interval", "2,5 min")
    one = json.loads(shell("info", silent_file, *words, "--pixel-size", "0,19um").out)
    assert one["scale"] == [150.0, 0.19, 0.19]
    two = json.loads(shell("info", silent_file, *words, "--pixel-size", "0,2um,0,1um").out)
    assert two["scale"] == [150.0, 0.2, 0.1]


def test_the_file_is_overruled_with_a_note(shell, phantom) -> None:
    about = json.loads(shell("info", phantom, "--json", "--pixel-size", "1um").out)
    assert about["scale"] == [1.0, 1.0, 1.0]
    assert len(about["notes"]) == 1


def test_words_say_what_is_missing(shell, silent_file) -> None:
    assert "--pixel-size" in shell("info", silent_file, "--axes", "TYX").out


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--pixel-size", "0.19"),
        ("--pixel-size", "-1um"),
        ("--pixel-size", "1um,1um,1um"),
        ("--interval", "soon"),
        ("--interval", "0s"),
        ("--axes", "TYZ"),
        ("--axes", "CTZYX"),
    ],
)
def test_nonsense_is_refused(shell, silent_file, option, value) -> None:
    said = shell("info", silent_file, f"{option}={value}")
    assert said.status == 2
    assert value in said.complaint


def test_a_folder_of_frames(shell, tmp_path) -> None:
    for t in (1, 2, 10):
        tifffile.imwrite(tmp_path / f"t{t}.tif", np.full((8, 9), t, np.uint8))
    about = json.loads(shell("info", tmp_path, "--json").out)
    assert (about["axes"], about["shape"]) == ("TYX", [3, 8, 9])


def test_real_recordings(shell, real_data) -> None:
    about = json.loads(shell("info", real_data("yeast_pos13_phase/yeast_phase.tif"), "--json").out)
    assert (about["axes"], about["shape"], about["dtype"]) == ("TYX", [20, 567, 732], "uint16")
    assert about["scale"] == [None, None, None]


def test_damaged_files_are_refused_in_one_line(shell, real_data) -> None:
    for path in sorted(real_data("odd_files").rglob("*")):
        if path.is_file():
            said = shell("info", path, "--json")
            assert said.status in (0, 2), path.name
            assert said.status == 0 or said.complaint


def test_a_table_is_looked_at_and_its_decision_kept(shell, tmp_path) -> None:
    for n, day in enumerate(("mon", "tue", "wed")):
        movie = np.random.default_rng(n).integers(0, 99, (7, 30, 40)).astype(np.uint16)
        tifffile.imwrite(tmp_path / f"{day} ä.tif", movie, metadata={"axes": "TYX"})
    table = tmp_path / "study.csv"
    table.write_text("movie,day,condition\nmon ä.tif,mon,a\ntue ä.tif,tue,b\nwed ä.tif,wed,a\n", encoding="utf-8")
    decided = tmp_path / "decided.csv"
    said = shell("info", "--table", table, "--decided", decided, "--json")
    assert said.status == 0
    found = json.loads(said.out)
    assert [row["used_for"] for row in found["rows"]] == ["train", "validation", "test"]
    assert found["rows"][0]["recording"]["shape"] == [7, 30, 40]
    assert any("'b' was filmed on one day only" in one for one in found["concerns"])
    again = json.loads(shell("info", "--table", decided, "--json").out)
    assert [row["used_for"] for row in again["rows"]] == ["train", "validation", "test"]
    assert {row["decided_by"] for row in again["rows"]} == {"given"}
    assert "row 4  wed ä.tif: TYX 7 x 30 x 40 uint16, no outlines; test" in shell("info", "--table", table).out


def test_rows_that_cannot_be_used_are_all_said(shell, tmp_path) -> None:
    table = tmp_path / "study.csv"
    table.write_text("file,frames\ngone.tif,\nalso gone.tif,0-3\n", encoding="utf-8")
    said = shell("info", "--table", table, "--holdout", "time")
    assert said.status == 2
    assert said.out.count("cannot be used") == 2
    assert "2 of 2 rows cannot be used" in said.err
    assert shell("info").status == 2


@pytest.fixture
def movies(tmp_path):
    """Two recordings of other types, in a folder for tables."""
    for name, kind in (("a", np.uint16), ("b", np.uint8)):
        movie = np.random.default_rng(ord(name)).integers(0, 99, (20, 30, 40)).astype(kind)
        tifffile.imwrite(tmp_path / f"{name}.tif", movie, metadata={"axes": "TYX"})
    return tmp_path


def test_no_table_is_written_over(shell, movies) -> None:
    table = movies / "t.csv"
    table.write_text("file,my column\na.tif,x\n")
    assert "choose another name" in shell("info", "--table", table, "--decided", table).complaint
    assert table.read_text() == "file,my column\na.tif,x\n"
    assert shell("info", "--table", table, "--decided", movies / "new.csv").status == 0


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("a.tif,0-9,train\na.tif,5-19,test\n", "rows 2, 3 take frame 5 of the same cells of a.tif for test and train"),
        ("a.tif,0-9,\na.tif,,\n", "rows 2 and 3 take the same frames (0-9) of the same pixels of a.tif"),
        ("a.tif,0-1,time\n", "(--validation-fraction 0 --test-fraction 0)"),
    ],
)
def test_a_table_of_which_nothing_can_be_made(shell, movies, rows, words) -> None:
    table = movies / "t.csv"
    table.write_text("file,frames,split\n" + rows)
    said = shell("info", "--table", table, "--json")
    assert said.status == 2
    assert said.err.count("\n") == 1
    assert words in said.err
    assert len(json.loads(said.out)["rows"]) == rows.count("\n")
    assert "left out" not in shell("info", "--table", table).out
    prepared = shell("prepare", "clips", "--table", table, "--out", movies / "out", "--gap", 1, "--frames", 2)
    if "time" not in rows:
        assert prepared.complaint == said.err.strip().removeprefix("cellsynth: ")
    assert not (movies / "out").exists()


def test_types_of_pixels_that_differ_are_said(shell, movies) -> None:
    table = movies / "t.csv"
    table.write_text("file\na.tif\nb.tif\n")
    said = shell("info", "--table", table)
    assert said.status == 0
    assert "note: a is uint16, b is uint8, but one training set holds one type of pixel; convert" in said.out
    table.write_text("file,role,name\na.tif,low,n\nb.tif,high,n\n")
    assert "uint8, but" not in shell("info", "--table", table).out


def test_which_of_several_images(shell, tmp_path) -> None:
    with tifffile.TiffWriter(tmp_path / "two.ome.tif", ome=True) as tif:
        for name, size in (("left", 20), ("right", 24)):
            tif.write(np.zeros((3, size, size), np.uint8), metadata={"axes": "TYX", "Name": name})
    about = json.loads(shell("info", tmp_path / "two.ome.tif", "--json").out)
    assert (about["scenes"], about["shape"]) == (["left", "right"], [3, 20, 20])
    for scene in ("1", "right"):
        about = json.loads(shell("info", tmp_path / "two.ome.tif", "--json", "--scene", scene).out)
        assert about["shape"] == [3, 24, 24]
    assert "counted from 0" in shell("info", tmp_path / "two.ome.tif", "--scene", "2").complaint


def test_a_phantom_as_ome_zarr(shell, tmp_path) -> None:
    path = tmp_path / "cells.ome.zarr"
    words = ("phantom", "neutrophils", path, "--frames", 3, "--size", 160, "--seed", 3, "--quiet")
    for _ in range(2):  # what is ours may be written again
        assert shell(*words).status == 0
    assert sorted(p.name for p in tmp_path.iterdir())[:2] == ["cells.clean.tif", "cells.flow.tif"]
    about = json.loads(shell("info", path, "--json").out)
    assert (about["axes"], about["shape"], about["synthetic"]) == ("TYX", [3, 160, 160], True)
    assert about["scale"] == [1.0, 0.25, 0.25]
    path.joinpath("zarr.json").write_text("{}")
    assert "not made by CellSynth" in shell(*words).complaint


@pytest.fixture(scope="module")
def shaken_file(tmp_path_factory):
    """Twelve frames of a field that a stage shakes, with a jump, a dark frame and a doubled one."""
    from scipy import ndimage

    draws = np.random.default_rng(0)
    field = 500 + 2000 * ndimage.gaussian_filter(draws.normal(size=(160, 160)), 2.0)
    moves = draws.integers(-1, 2, (12, 2)) + np.array([20, 20])
    moves[8:] += 15
    frames = np.stack([field[y : y + 100, x : x + 100] for y, x in moves]) + draws.normal(0, 10, (12, 100, 100))
    frames[3] = 100
    frames[6] = frames[5]
    path = tmp_path_factory.mktemp("shaken") / "shaken.tif"
    tifffile.imwrite(path, np.clip(frames, 0, 4095).astype(np.uint16), metadata={"axes": "TYX"}, imagej=True)
    return path


FIT_KEYS = (
    "frames channel z jumps scenes dark bright saturated blurred doubled unreadable steps offsets jitter error told"
    " drifts ceiling share constant noise findings"
)


def test_fit_for_use_in_json(shell, shaken_file) -> None:
    about = json.loads(shell("info", shaken_file, "--fit", "--json").out)
    fit = about.pop("fit")
    assert "fit" not in json.loads(shell("info", shaken_file, "--json").out)
    assert set(fit) == set(FIT_KEYS.split())
    assert (fit["jumps"], fit["dark"], fit["doubled"]) == ([8], [3], [6])
    assert fit["steps"][3] is None
    assert fit["jitter"] > 0.7
    assert set(fit["findings"][0]) == {"kind", "frames", "severity", "words"}
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8").split("## info\n")[1].split("\n## ")[0]
    assert all(f"`{key}`" in text for key in FIT_KEYS.split())


def test_fit_for_use_in_words(shell, shaken_file) -> None:
    said = shell("info", shaken_file, "--fit").out
    assert "fit for use? (frames counted from 0)" in said
    assert "  !   frame 3 is dark; clips leave it out" in said
    assert "at frame 8; clips will not cross it" in said


def test_fit_looks_at_a_channel_that_is_there(shell, shaken_file) -> None:
    assert "channel 2 of shaken asked for; it has 1" in shell("info", shaken_file, "--fit", "--channel", "2").complaint
    assert "give --fit too" in shell("info", shaken_file, "--channel", "1").complaint
    assert "--fit looks at one recording" in shell("info", "--table", shaken_file, "--fit").complaint

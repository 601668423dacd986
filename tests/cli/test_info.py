"""What a recording says of itself, and what the user says instead."""

from __future__ import annotations

import json

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


def test_pixels_need_not_be_square(shell, silent_file) -> None:
    said = shell("info", silent_file, "--json", "--axes", "TYX", "--pixel-size", "0.2um,0.1um")
    assert json.loads(said.out)["scale"] == [None, 0.2, 0.1]


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

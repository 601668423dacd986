"""Simulated recordings from the shell: the layouts that scripts rely on."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import tifffile


def test_layout_of_every_file(phantom) -> None:
    stem = str(phantom).removesuffix(".ome.tif")
    assert tifffile.imread(phantom).shape == (10, 160, 160)
    labels, clean, flow = (tifffile.imread(f"{stem}.{kind}.tif") for kind in ("labels", "clean", "flow"))
    assert labels.shape == clean.shape == (10, 160, 160)
    assert flow.shape == (9, 2, 160, 160)
    assert (clean.dtype, flow.dtype) == (np.float32, np.float32)
    with open(f"{stem}.tracks.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "t", "y", "x", "parent"]
    assert {int(row["id"]) for row in rows} == set(np.unique(labels)) - {0}
    with open(f"{stem}.json", encoding="utf-8") as file:
        assert json.load(file)["seed"] == 3


def test_the_same_seed_gives_the_same_file(shell, tmp_path) -> None:
    for name in ("a", "b"):
        said = shell("phantom", "neutrophils", tmp_path / name, "--frames", 2, "--size", 96, "--seed", 5, "--quiet")
        assert said.status == 0
        assert said.out.splitlines()[0] == str(tmp_path / f"{name}.ome.tif")
    first, second = (tifffile.imread(tmp_path / f"{name}.ome.tif") for name in "ab")
    assert np.array_equal(first, second)


def test_options_may_stand_before_the_name(shell, tmp_path) -> None:
    said = shell("phantom", "--frames", 2, "--size", 96, "neutrophils", tmp_path / "x.ome.tif")
    assert said.status == 0
    assert tifffile.imread(tmp_path / "x.ome.tif").shape == (2, 96, 96)


def test_bounds_are_named(shell, tmp_path) -> None:
    assert "--frames 0" in shell("phantom", "neutrophils", tmp_path / "x", "--frames", 0).complaint
    assert not list(tmp_path.iterdir())


def test_what_others_made_is_not_written_over(shell, tmp_path) -> None:
    mine = tmp_path / "recording.tif"
    tifffile.imwrite(mine, np.arange(12, dtype=np.uint8).reshape(3, 4))
    before = mine.read_bytes()
    assert "not made by CellSynth" in shell("phantom", "neutrophils", mine, "--frames", 2, "--size", 96).complaint
    assert mine.read_bytes() == before


@pytest.mark.parametrize("side", ["mine.labels.tif", "mine.clean.tif", "mine.tracks.csv", "mine.json"])
def test_what_others_made_is_not_written_over_beside_it_either(shell, tmp_path, side) -> None:
    (tmp_path / side).write_text("a day of work")
    assert "not made by CellSynth" in shell("phantom", "neutrophils", tmp_path / "mine", "--size", 96).complaint
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(side, "a day of work")]


def test_what_we_made_is_replaced(shell, tmp_path) -> None:
    for seed in (1, 2):
        words = ["phantom", "neutrophils", tmp_path / "x", "--frames", 2, "--size", 96, "--seed", seed, "--quiet"]
        assert shell(*words).status == 0


def test_endings_and_folders(shell, tmp_path) -> None:
    assert "is a folder" in shell("phantom", "neutrophils", tmp_path).complaint
    assert "end the name with .ome.tif" in shell("phantom", "neutrophils", tmp_path / "x.png").complaint
    assert shell("phantom", "neutrophils", tmp_path / "none" / "x.ome.tif").status == 2


def test_an_ome_zarr_with_its_truth_beside_it(shell, tmp_path) -> None:
    said = shell("phantom", "neutrophils", tmp_path / "x.ome.zarr", "--frames", 2, "--size", 96, "--quiet")
    assert said.status == 0
    assert (tmp_path / "x.ome.zarr").is_dir()
    assert tifffile.imread(tmp_path / "x.labels.tif").shape == (2, 96, 96)


def test_trapped_yeast_with_its_options(shell, tmp_path) -> None:
    words = ["--frames", 2, "--size", 96, "--condition", "washed", "--planes", 3, "--traps", 1, 2, "--quiet"]
    said = shell("phantom", "trapped-yeast", tmp_path / "y.ome.tif", *words)
    assert said.status == 0
    recording, classes = (tifffile.imread(tmp_path / f"y.{ending}") for ending in ("ome.tif", "classes.tif"))
    assert recording.shape[:2] == (2, 3)
    assert recording.shape[2:] == classes.shape[1:]
    assert {0, 1, 2} <= set(np.unique(classes)) <= {0, 1, 2, 3}
    with open(tmp_path / "y.json", encoding="utf-8") as file:
        assert json.load(file)["condition"] == "washed"
    assert "--condition windy" in shell("phantom", "trapped-yeast", tmp_path / "z", "--condition", "windy").complaint

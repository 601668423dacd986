"""Images made again from the shell: three files or none, counted openings, refusals in one line."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.training_sets.openings import openings

QUICK = ("--starts", 2, "--iterations", 6)


def table(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_samples_are_made_again(shell, run, tmp_path) -> None:
    assert shell("sample", run, tmp_path / "s", "--count", 3).status == 0
    said = shell("embed", run, tmp_path / "s.ome.tif", tmp_path / "out.ome.tif", *QUICK)
    assert said.status == 0, said.err
    first, *paths = said.out.splitlines()
    assert first.startswith("3 images made again: error ")
    assert paths == [str(tmp_path / name) for name in ("out.ome.tif", "out.csv", "out.latents.npy")]
    again = read_stack(tmp_path / "out.ome.tif")
    given = read_stack(tmp_path / "s.ome.tif")
    assert (again.axes, again.shape, again.dtype) == (given.axes, given.shape, given.dtype)
    assert again.provenance is not None and again.provenance["synthetic"] is True
    assert (again.provenance["made_by"], again.provenance["settings"]["iterations"]) == ("embed", 6)
    rows = table(tmp_path / "out.csv")
    assert [row["index"] for row in rows] == ["0", "1", "2"]
    head = ["index", "error", "error_units", "nll", "length2", "start", "iterations", "error_start_0", "error_start_1"]
    assert list(rows[0]) == head
    latents = np.load(tmp_path / "out.latents.npy", allow_pickle=False)
    assert latents.dtype == np.float32 and len(latents) == 3
    np.testing.assert_allclose([float(row["length2"]) for row in rows], (latents.astype(float) ** 2).sum(1))
    difference = np.asarray(again.data, dtype=float) - np.asarray(given.data)
    np.testing.assert_allclose(
        [float(row["error_units"]) for row in rows], np.sqrt((difference**2).mean((1, 2, 3))), rtol=1e-6
    )


def test_parts_of_a_set_are_numbered_as_in_it_and_the_test_part_is_counted(shell, run, crops, tmp_path) -> None:
    before = len(openings(crops))
    assert shell("embed", run, crops, tmp_path / "held", *QUICK, "--quiet").out == ""
    assert len(openings(crops)) == before
    numbers = [int(row["index"]) for row in table(tmp_path / "held.csv")]
    assert numbers == sorted(numbers) and numbers[0] > 0
    assert shell("embed", run, crops, tmp_path / "test.ome.zarr", "--part", "test", *QUICK).status == 0
    assert len(openings(crops)) == before + 1 and openings(crops)[-1]["why"] == "cellsynth embed"
    assert read_stack(tmp_path / "test.ome.zarr").size("Q") == len(table(tmp_path / "test.csv"))


def test_the_same_again_and_a_note_that_it_replaces(shell, run, crops, tmp_path) -> None:
    first = shell("embed", run, crops, tmp_path / "a", *QUICK)
    files = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    second = shell("embed", run, crops, tmp_path / "a", *QUICK)
    assert first.out == second.out and "replaces" in second.err and "replaces" not in first.err
    assert files == [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    assert shell("embed", run, crops, tmp_path / "a", *QUICK, "--seed", 1).out != first.out


def test_what_cannot_be_written_leaves_nothing(shell, run, crops, tmp_path, monkeypatch) -> None:
    from napari_cellsynth.errors import RunFailed
    from napari_cellsynth.stack.files import write

    def full(*_: object, **__: object) -> None:
        raise RunFailed("the disk is full")

    monkeypatch.setattr(write, "write_stack", full)
    assert shell("embed", run, crops, tmp_path / "a", *QUICK, "--quiet").status == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["RUN", "CROPS", "OUT", "--starts", "0"], "--starts 0"),
        (["RUN", "CROPS", "OUT", "--iterations", "0"], "--iterations 0"),
        (["RUN", "CROPS", "OUT", "--part", "all"], "all"),
        (["RUN", "LARGE", "OUT"], "prepare crops --size 16"),
        (["RUN", "LARGE", "OUT", "--part", "test"], "only training sets have parts"),
        (["RUN", "NOWHERE", "OUT"], "nowhere"),
        (["NOWHERE", "CROPS", "OUT"], "does not exist"),
        (["RUN", "CROPS", "OUT.npy"], "OME-Zarr"),
        (["RUN", "CROPS", "OUT", "--seed", "-1"], "seed"),
    ],
)
def test_bad_input_leaves_nothing(shell, run, crops, tmp_path, words, answer) -> None:
    large = tmp_path / "large.tif"
    tifffile.imwrite(large, np.zeros((2, 20, 20), np.uint16), imagej=True, metadata={"axes": "TYX"})
    places = {"RUN": run, "CROPS": crops, "NOWHERE": tmp_path / "nowhere.tif", "LARGE": large}
    places |= {"OUT": tmp_path / "made", "OUT.npy": tmp_path / "made.npy"}
    said = shell("embed", *(places.get(word, word) for word in words))
    assert said.status == 2
    assert answer in said.complaint
    assert list(tmp_path.iterdir()) == [large]


def test_what_is_to_be_made_again_is_never_written_over(shell, run, crops, tmp_path) -> None:
    assert shell("sample", run, tmp_path / "s", "--count", 3, "--quiet").status == 0
    before = (tmp_path / "s.ome.tif").read_bytes()
    assert "another name" in shell("embed", run, tmp_path / "s.ome.tif", tmp_path / "s", *QUICK).complaint
    assert (tmp_path / "s.ome.tif").read_bytes() == before and not (tmp_path / "s.csv").exists()
    assert "give the run first" in shell("embed", crops, run, tmp_path / "t").complaint
    assert "is a run; give the images" in shell("embed", run, run, tmp_path / "t").complaint


def test_files_of_a_training_set_and_of_a_run_are_never_written_over(shell, run, crops) -> None:
    before = (crops / "crops.ome.tif").read_bytes()
    assert "training set" in shell("sample", run, crops / "crops.ome.tif", "--count", 3).complaint
    assert "would lie in a run" in shell("sample", run, run / "made", "--count", 3).complaint
    assert (crops / "crops.ome.tif").read_bytes() == before

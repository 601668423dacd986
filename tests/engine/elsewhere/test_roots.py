"""Folders that have another name on the other machine, and where training sets are found again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from napari_cellsynth.engine.elsewhere.roots import moved, read_roots
from napari_cellsynth.engine.elsewhere.training_data import check_files, files_of, fingerprint, locate
from napari_cellsynth.errors import BadInput


def a_set(path: Path, content: str = "one") -> Path:
    path.mkdir(parents=True)
    (path / "dataset.json").write_text(json.dumps({"kind": "crops", "hash": content}))
    (path / "crops.csv").write_text(content)
    return path


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ("/scratch/lab", "/scratch/lab/my sets/HeLa=1"),
        ("Z:\\lab", "Z:\\lab\\my sets\\HeLa=1"),
        ("Z:/", "Z:\\my sets\\HeLa=1"),
        ("\\\\server\\share", "\\\\server\\share\\my sets\\HeLa=1"),
    ],
)
def test_a_path_in_the_other_machines_way_of_writing(tmp_path, there, expected) -> None:
    roots = read_roots([f"{tmp_path}={there}"])
    assert moved(tmp_path / "my sets" / "HeLa=1", roots) == expected


def test_the_root_that_fits_best_is_taken(tmp_path) -> None:
    roots = read_roots([f"{tmp_path}=/all", f"{tmp_path / 'sets'}=/sets"])
    assert moved(tmp_path / "sets" / "one", roots) == "/sets/one"
    assert moved(tmp_path / "others" / "one", roots) == "/all/others/one"


def test_roots_from_a_file_and_through_links(tmp_path) -> None:
    real = tmp_path / "volume"
    real.mkdir()
    os.symlink(real, tmp_path / "share")
    (tmp_path / "roots.txt").write_text(f"# of the lab\n\n{tmp_path / 'share'} = /mnt/share\n")
    roots = read_roots([str(tmp_path / "roots.txt")])
    assert moved(real / "one", roots) == moved(tmp_path / "share" / "one", roots) == "/mnt/share/one"


@pytest.mark.parametrize("word", ["/here", "/here=", "=/there", "/here=there", "no/such/file"])
def test_what_is_no_root_is_refused(word) -> None:
    with pytest.raises(BadInput, match=r"--map .* given; expected"):
        read_roots([word])


def test_a_path_outside_all_roots_is_refused(tmp_path) -> None:
    with pytest.raises(BadInput, match="in none of the mapped folders"):
        moved(tmp_path / "sets", read_roots([f"{tmp_path / 'other'}=/there"]))


def test_a_set_is_found_by_its_content(tmp_path) -> None:
    home, run = tmp_path / "home", tmp_path / "runs" / "run"
    run.mkdir(parents=True)
    described = {"path": "../data", "hash": "one", "was": [str(tmp_path / "old place")]}
    assert locate(run, described) == tmp_path / "runs" / "data"
    at_home = a_set(home / "renamed since")
    a_set(home / "another", "two")
    assert locate(run, described, [home]) == at_home
    old = a_set(tmp_path / "old place")
    assert locate(run, described, [home]) == old
    beside = a_set(tmp_path / "runs" / "data", "two")
    assert locate(run, described, [home]) == old
    (beside / "dataset.json").write_text(json.dumps({"hash": "one"}))
    assert locate(run, described, [home]) == beside


@pytest.mark.parametrize("path", [None, 7, "", "a\0b"])
def test_a_record_that_names_no_path_leads_nowhere_else(tmp_path, path) -> None:
    assert locate(tmp_path / "run", {"path": path, "hash": "one", "was": "x"}) == tmp_path / "run" / "data"


def test_files_that_are_not_those_that_were_packed(tmp_path) -> None:
    data = a_set(tmp_path / "data")
    (data / "test_openings.jsonl").write_text("grows\n")
    described = {"files": {path.name: fingerprint(path) for path in files_of(data)}}
    assert set(described["files"]) == {"dataset.json", "crops.csv"}
    check_files(data, described, thoroughly=True)
    (data / "crops.csv").write_text("two")
    check_files(data, described, thoroughly=False)
    with pytest.raises(BadInput, match=r"crops\.csv is not what the run was packed with"):
        check_files(data, described, thoroughly=True)
    (data / "crops.csv").write_text("longer")
    with pytest.raises(BadInput, match="is not what the run was packed with"):
        check_files(data, described, thoroughly=False)
    (data / "crops.csv").unlink()
    with pytest.raises(BadInput, match="cannot be read"):
        check_files(data, described, thoroughly=False)
    with pytest.raises(BadInput, match="record of its training set is damaged"):
        check_files(data, {"files": {"../secret": {}}}, thoroughly=False)
    check_files(data, {}, thoroughly=True)

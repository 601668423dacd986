"""What a user chose once: seen by the shell, whole or not at all, and a damaged file is as good as none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from napari_cellsynth import api
from napari_cellsynth.engine.user_folder import HOME, config_folder, read_kept, write_kept
from napari_cellsynth.errors import CellsynthError


@pytest.fixture
def nobody_said(monkeypatch, tmp_path):
    """A user who has chosen nothing."""
    monkeypatch.delenv("CELLSYNTH_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "user")
    return tmp_path


def test_the_home_is_the_variables_else_as_chosen_else_the_usual_one(nobody_said, monkeypatch):
    assert api.home() == nobody_said / "user" / "CellSynth" and not api.home_is_chosen()
    api.keep_home(nobody_said / "disk with room ü")
    assert api.home() == nobody_said / "disk with room ü" and api.home_is_chosen()
    monkeypatch.setenv("CELLSYNTH_HOME", str(nobody_said / "told"))
    assert api.home() == nobody_said / "told" and api.home_is_chosen()


def test_the_shell_sees_what_was_chosen(nobody_said):
    api.keep_home(nobody_said / "chosen")
    code = "from napari_cellsynth import api; print(api.home())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert Path(said.strip()) == nobody_said / "chosen"


@pytest.mark.parametrize("content", ["", "{", '"text"', '{"home": 3}', '{"home": ""}', "\x00\xff"])
def test_a_damaged_choice_is_as_good_as_none(nobody_said, content):
    config_folder().mkdir(parents=True)
    (config_folder() / HOME).write_text(content, encoding="latin-1")
    assert api.home() == nobody_said / "user" / "CellSynth"


@pytest.mark.parametrize("content", ["{", '{"home": 3}'])
def test_a_damaged_choice_is_said_by_the_shell_as_long_as_it_is(nobody_said, content):
    config_folder().mkdir(parents=True)
    (config_folder() / HOME).write_text(content, encoding="utf-8")
    code = "from napari_cellsynth import api; api.home(); api.home(); print(api.home_is_chosen())"
    for _ in range(2):
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert said.stdout.strip() == "False"
        assert said.stderr.count(HOME) == 1 and "Choose the folder" in said.stderr
    api.keep_home(nobody_said / "again")
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (said.stdout.strip(), said.stderr) == ("True", "")


def test_a_damaged_file_is_said_and_the_next_one_replaces_it():
    config_folder().mkdir(parents=True)
    (config_folder() / "x.json").write_text("{", encoding="utf-8")
    kept, note = read_kept("x.json")
    assert kept == {} and "x.json is damaged" in note
    write_kept("x.json", {"tab": "use"})
    assert read_kept("x.json") == ({"tab": "use"}, "")
    assert sorted(path.name for path in config_folder().iterdir()) == ["x.json", "x.json.damaged"]
    assert (config_folder() / "x.json.damaged").read_text(encoding="utf-8") == "{"


def test_a_folder_that_cannot_be_written_to_is_said(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CELLSYNTH_CONFIG", str(tmp_path / "file" / "settings"))
    with pytest.raises(CellsynthError, match="cannot be made"):
        api.keep_home(tmp_path)


def test_nothing_lies_in_the_working_directory(nobody_said, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    api.keep_home(Path("here"))
    assert json.loads((config_folder() / HOME).read_text())["home"] == str(tmp_path / "here")

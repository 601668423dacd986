"""The list of runs, the look at this computer, the demo's door, and progress."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import pytest

from napari_cellsynth import api
from napari_cellsynth.cli.progress import ProgressLine, in_bytes, lasting


def test_runs_as_json(shell, run) -> None:
    (row,) = json.loads(shell("runs", run.parent, "--json").out)
    assert list(row) == [
        *("path", "name", "family", "preset", "created"),
        *("state", "step", "steps", "since", "because", "bytes", "health", "estimate", "took"),
    ]
    assert (row["name"], row["family"], row["preset"]) == ("run", "dcgan", "tiny")
    assert (row["state"], row["step"], row["steps"]) == ("finished", 8, 8)
    assert row["bytes"] == sum(path.stat().st_size for path in run.rglob("*") if path.is_file())


def test_runs_in_words(shell, run) -> None:
    (line,) = shell("runs", run.parent).out.splitlines()
    assert line.startswith("finished")
    assert "step 8 of 8" in line


def test_runs_where_napari_puts_them(shell, crops, cellsynth_home) -> None:
    assert shell("runs").out == f"no runs in {cellsynth_home / 'trainings'}\n"
    api.create_run("dcgan", crops, cellsynth_home / "trainings" / "mine", preset="tiny")
    assert shell("runs").out.startswith("new         mine")
    assert json.loads(shell("runs", cellsynth_home, "--json").out) == []


def test_runs_of_no_folder(shell, tmp_path) -> None:
    assert shell("runs", tmp_path / "nowhere").status == 2


def test_check_as_json_and_in_words(shell) -> None:
    found = json.loads(shell("check", "--json").out)
    about = ["cellsynth", "python", "platform", "packages", "qt", "devices", "gpus", "cpu_cores"]
    assert list(found) == [*about, "gpu_advice", "advice"]
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert all(set(device) == {"device", "name", "memory", "free", "users"} for device in found["devices"])
    words = shell("check").out
    assert found["packages"]["torch"] in words
    assert all(advice in words for advice in found["advice"])


def test_a_report_for_support(shell, crops, tmp_path, cellsynth_home) -> None:
    made = api.create_run("dcgan", crops, cellsynth_home / "trainings" / "mine", preset="tiny")
    said = shell("check", "--bundle", tmp_path / "report.zip")
    assert (said.status, said.out) == (0, f"{tmp_path / 'report.zip'}\n")
    with zipfile.ZipFile(tmp_path / "report.zip") as bundle:
        names = bundle.namelist()
        about = json.loads(bundle.read("computer.json"))
    assert f"runs/{made.name}/run.json" in names
    assert about["packages"]["torch"]
    assert not any(name.endswith((".tif", ".safetensors")) for name in names)
    assert "is there already" in shell("check", "--bundle", tmp_path / "report.zip").complaint
    assert "leave --json out" in shell("check", "--bundle", tmp_path / "b.zip", "--json").complaint


@pytest.mark.gui
def test_the_demo_is_played_where_it_is_told(shell, tmp_path, monkeypatch) -> None:
    from napari_cellsynth.gui import demo

    played: list[tuple[Path | None, bool]] = []
    monkeypatch.setattr(demo, "main", lambda out, headless: played.append((out, headless)) or 0)
    assert shell("demo", "--headless", "--out", tmp_path).status == 0
    assert shell("demo").status == 0
    assert played == [(tmp_path, True), (None, False)]


def test_a_demo_without_napari_says_what_to_do(shell, monkeypatch) -> None:
    from napari_cellsynth.cli import demo

    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    said = shell("demo")
    assert said.status == 2
    assert "pip install" in said.complaint


class Terminal:
    """A stderr that says it is a terminal."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return True


def test_a_bar_on_a_terminal(monkeypatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with ProgressLine("cutting") as line:
        line.at(1, 4)
        line.at(4, 4, "done soon")
        line.say("a note")
    assert "\r" in terminal.text
    assert "4/4" in terminal.text
    assert "a note\n" in terminal.text


def test_plain_lines_otherwise(capsys, monkeypatch) -> None:
    monkeypatch.setattr("napari_cellsynth.cli.progress.EVERY", 0.0)
    with ProgressLine("cutting") as line:
        line.at(1, 4, "finding cells")
    assert capsys.readouterr().err == "cutting: 1 of 4, finding cells\n"
    monkeypatch.setattr("napari_cellsynth.cli.progress.EVERY", 60.0)
    with ProgressLine("cutting") as line:
        line.at(2, 4)
    with ProgressLine("cutting", quiet=True) as line:
        line.say("nothing")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("count", "words"), [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (24e9, "24 GB")])
def test_bytes_in_words(count, words) -> None:
    assert in_bytes(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (59, "59 s"),
        (150, "2 min"),
        (8000, "2 h 10 min"),
        (3600 * 20.4, "20 h 20 min"),
        (4e5, "5 days"),
        (1e9, "more than a year"),
    ],
)
def test_a_time_to_go_in_words(seconds, words) -> None:
    assert lasting(seconds) == words


def test_every_job_of_all_places(shell, run, tmp_path) -> None:
    said = shell("runs", "--all")
    assert said.out == "no jobs in any place\n"
    assert said.err.startswith("jobs are looked for in ") and "cellsynth runs --add DIR" in said.err
    assert shell("runs", "--add", run.parent).status == 0
    (row,) = json.loads(shell("runs", "--all", "--json").out)
    keys = ["kind", "name", "place", "path", "state", "because", "since", "created", "step", "steps", "seconds_left"]
    assert list(row)[: len(keys)] == keys
    assert {"bytes", "host", "last_lines", "family", "preset", "health"} == set(row) - set(keys)
    assert (row["kind"], row["state"], row["place"]) == ("training", "finished", str(run.parent))
    (line,) = shell("runs", "--all").out.splitlines()
    assert line.startswith("finished    run  training, step 8 of 8")
    gone = tmp_path / "share"
    gone.mkdir()
    assert shell("runs", "--add", gone).status == 0
    gone.rmdir()
    assert "away        share  place, in" in shell("runs", "--all").out
    assert shell("runs", "--remove", gone).status == 0
    assert shell("runs", "--remove", gone).complaint.startswith(f"{gone} is not among the folders")
    assert shell("runs", run.parent, "--all").status == 2

"""cellsynth motion fit, simulate, compare."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_cellsynth.cli import main
from napari_cellsynth.motion.tracks.files import read_tracks, write_csv
from napari_cellsynth.motion.tracks.tracks import Tracks

QUICK = ["--max-q", "4", "--max-d", "3", "--window", "4"]


def table(path: Path, seed: int, size: float = 1.0, **about: object) -> Path:
    draws = np.random.default_rng(seed)
    paths = 100 + size * np.cumsum(draws.normal(size=(16, 24, 2)), axis=1)
    ids, t = np.repeat(np.arange(1, 17), 24), np.tile(np.arange(24), 16)
    known = {"pixel_size": (0.5, 0.5), "frame_interval": 2.0, "shape": (200, 220), **about}
    write_csv(path, Tracks(ids, t, paths[..., 0].ravel(), paths[..., 1].ravel(), **known))  # type: ignore[arg-type]
    return path


def test_fit_then_simulate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = table(tmp_path / "a.csv", 0), table(tmp_path / "b.csv", 1)
    fit = tmp_path / "fit.json"
    assert main(["motion", "fit", str(a), str(b), str(fit), *QUICK]) == 0
    said = capsys.readouterr()
    assert "9 fits" in said.out and "32 cells of 2 recordings" in said.out and said.err == ""
    block = json.loads(fit.read_text())
    assert block["reading"] == "cell" and len(block["grid"]) == 9 and block["units"] == "micrometer"
    out = tmp_path / "made.csv"
    words = ["motion", "simulate", str(fit), str(out), "--cells", "5", "--frames", "12"]
    assert main([*words, "--seed", "3"]) == 0
    made = read_tracks(out)
    assert (len(made), made.pixel_size, made.frame_interval, made.shape) == (60, (0.5, 0.5), 2.0, (200, 220))
    assert made.provenance is not None and made.provenance["synthetic"] is True
    before = out.read_bytes()
    assert main([*words, "--seed", "3", "--quiet"]) == 0 and out.read_bytes() == before
    assert main([*words, "--size", "50x60", "--edges", "leave"]) == 0
    assert read_tracks(out).shape == (50, 60)


def test_compare_writes_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = table(tmp_path / "a.csv", 0), table(tmp_path / "b.csv", 1, size=0.5)
    assert main(["motion", "compare", str(a), str(b), "--out", str(tmp_path / "report"), *QUICK]) == 0
    out = capsys.readouterr().out
    assert "too few for a test" in out and "speed (\u00b5m/s)" in out and "not tested" in out
    said = json.loads((tmp_path / "report" / "compare.json").read_text())
    assert [one["name"] for one in said["conditions"]] == ["a", "b"]
    assert main(["motion", "compare", str(a), "--json", *QUICK]) == 0
    assert len(json.loads(capsys.readouterr().out)["conditions"]) == 1
    words = ["--conditions", "x,x,y", "--json", *QUICK]
    assert main(["motion", "compare", str(a), str(table(tmp_path / "c.csv", 2)), str(b), *words]) == 0
    assert [len(one["recordings"]) for one in json.loads(capsys.readouterr().out)["conditions"]] == [2, 1]


def test_what_tables_say_of_their_condition_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    three = [table(tmp_path / f"{n}.csv", n, condition="drug" if n else "control") for n in range(3)]
    assert main(["motion", "compare", *map(str, three), "--json", *QUICK]) == 0
    said = json.loads(capsys.readouterr().out)["conditions"]
    assert [(one["name"], len(one["recordings"])) for one in said] == [("control", 1), ("drug", 2)]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["fit", "a.csv"], "ends with .json"),
        (["fit", "gone.csv", "fit.json"], "does not exist"),
        (["fit", "a.csv", "c.csv", "fit.json"], "conditions unknown and 'drug'"),
        (["fit", "a.csv", "fit.json", "--max-d", "40"], "--max-d 40 given"),
        (["fit", "a.csv", "fit.json", "--max-d", "20"], "lower max d"),
        (["fit", "one.csv", "fit.json"], "one frame only"),
        (["simulate", "a.csv", "out.csv", "--cells", "3", "--frames", "3"], "JSON"),
        (["simulate", "gone.json", "out.csv", "--cells", "3", "--frames", "3"], "does not exist"),
        (["compare", "a.csv", "b.csv", "c.csv"], "--conditions"),
        (["compare", "a.csv", "a.csv"], "given twice"),
        (["compare", "a.csv", "--conditions", "x,y"], "name one for each"),
    ],
)
def test_bad_input_is_one_line_and_two(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "a.csv", 0)
    table(tmp_path / "b.csv", 1)
    table(tmp_path / "c.csv", 2, condition="drug")
    write_csv(tmp_path / "one.csv", read_tracks(tmp_path / "a.csv").between(0, 1))
    assert main(["motion", *words]) == 2
    err = capsys.readouterr().err.strip().splitlines()
    assert says in err[-1] and len([line for line in err if not line.startswith("note")]) == 1
    assert not (tmp_path / "fit.json").exists()


def test_nothing_that_others_wrote_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = table(tmp_path / "a.csv", 0)
    fit = tmp_path / "fit.json"
    assert main(["motion", "fit", str(a), str(fit), *QUICK]) == 0
    assert main(["motion", "fit", str(a), str(fit), *QUICK]) == 0, "a fit is replaced"
    recording = tmp_path / "ph.json"
    recording.write_text('{"made_by": "phantom", "pixel_size": 0.5}')
    mine = tmp_path / "mine.csv"
    mine.write_text("id,t,y,x\n1,0,1,1\n")
    truth = tmp_path / "ph.tracks.csv"
    truth.write_text("id,t,y,x,parent\n1,0,1,1,0\n")
    beside = tmp_path / "new.tracked.tif"
    beside.write_bytes(b"outlines of the cells that were there")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for out in (recording, tmp_path / "a.tracks.json"):
        assert main(["motion", "fit", str(a), str(out), *QUICK]) == 2
    for out in (mine, truth, a, tmp_path / "new.csv"):
        assert main(["motion", "simulate", str(fit), str(out), "--cells", "2", "--frames", "3"]) == 2
    said = capsys.readouterr().err
    assert said.count("exists and was not written by 'motion") == 6 and "Traceback" not in said
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before

"""The examples do what they say."""

from __future__ import annotations

import csv
import re
import runpy
from pathlib import Path

import tifffile

from napari_cellsynth.api import read_tracks
from napari_cellsynth.stack.files.read import read_stack

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name: str, **arguments: object) -> None:
    runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"](**arguments)


def test_every_example_is_run_here_and_listed() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    tracked = {"tracks_and_motion", "simulated_movie"}
    assert names == {"first_cells", "keep_the_units", "how_alike", "made_again", "mode_collapse"} | tracked
    listed = (EXAMPLES / "README.md").read_text("utf-8")
    assert all(f"{name}.py" in listed for name in names)


def test_first_cells(tmp_path, capsys) -> None:
    run("first_cells", out=tmp_path, steps=4)
    said = capsys.readouterr().out
    assert "different cells" in said
    assert "Finished" in said
    for name in ("made.ome.tif", "made.labels.tif"):
        assert tifffile.imread(tmp_path / name).shape == (16, 32, 32)


def test_keep_the_units(tmp_path, capsys) -> None:
    run("keep_the_units", out=tmp_path)
    said = capsys.readouterr().out
    assert said.count("not in the file") == 2
    assert said.count("0.19 µm") == 2
    before, after = read_stack(tmp_path / "silent.tif"), read_stack(tmp_path / "brighter.ome.tif")
    assert (after.pixel_size, after.frame_interval, after.dtype) == ((0.19, 0.19), 600, before.dtype)
    assert (after.frame(3) == before.frame(3) + 50).all()


def test_how_alike(tmp_path, capsys) -> None:
    run("how_alike", out=tmp_path)
    real, blurred, free = (float(line.split(": ")[1].split()[0]) for line in capsys.readouterr().out.splitlines())
    assert 3 * real < blurred and 3 * real < free


def test_made_again(tmp_path, capsys) -> None:
    run("made_again", out=tmp_path)
    said = capsys.readouterr().out
    assert "api.prepare_crops(" in said
    assert "the same training set as before" in said


def test_mode_collapse(tmp_path, capsys) -> None:
    run("mode_collapse", out=tmp_path, updates=30)
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said] == ["standard loss", "relativistic + R1 + R2"]
    assert (tmp_path / "mode_collapse.png").stat().st_size > 10_000


def test_tracks_and_motion(tmp_path, capsys) -> None:
    run("tracks_and_motion", out=tmp_path, frames=12)
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said] == ["tracks", "one frame ahead, held-out cells", "usual speed"]
    fit, walk = (float(number) for number in re.findall(r"([\d.]+) µm", said[1]))
    filmed, simulated = (float(number) for number in re.findall(r"([\d.]+) µm/s", said[2]))
    assert 0 < fit < 3 * walk and 0.3 < simulated / filmed < 3
    tracks, made = read_tracks(tmp_path / "cells.csv"), read_tracks(tmp_path / "simulated.csv")
    assert (tracks.frames, made.frames, len(made.numbers())) == (12, 60, 50)
    with (tmp_path / "cells.per_track.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(tracks.numbers()) > 3


def test_simulated_movie(tmp_path, capsys) -> None:
    run("simulated_movie", out=tmp_path, frames=2)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("cut out: ")
    made = tmp_path / "cells_synthetic"
    assert said[1:] == [f"{made.name}/{path.name}" for path in sorted(made.iterdir())]
    image, masks = (tifffile.imread(made / f"001{ending}.tif") for ending in ("", "_masks"))
    assert image.shape == masks.shape == (192, 192) and len(set(masks.ravel().tolist())) > 6
    assert "SYNTHETIC.txt" in {path.name for path in made.iterdir()}

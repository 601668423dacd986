"""``cellsynth simulate``: the layouts that scripts rely on, what is said and what is refused."""

from __future__ import annotations

import ast
import csv
import json

import numpy as np
import pytest
import tifffile

from napari_cellsynth.cli import main
from napari_cellsynth.errors import BadInput
from napari_cellsynth.simulation import folders, movie

SMALL = ("--cells", 4, "--frames", 3, "--height", 140, "--width", 150)


@pytest.fixture(scope="module")
def cells(phantom, labels, tmp_path_factory):
    """Crops of the recording's own pixels."""
    out = tmp_path_factory.mktemp("sets") / "cells"
    words = ("prepare", "crops", phantom, "--labels", labels, "--out", out, "--modality", "dic", "--box", "64px")
    assert main([str(word) for word in (*words, "--quiet")]) == 0
    return out


def test_layout_of_every_file(shell, phantom, cells, tmp_path):
    out = tmp_path / "x.ome.tif"
    said = shell("simulate", out, *SMALL, "--appearance", cells, "--seed", 7, "--quiet")
    assert said.status == 0, said.complaint
    image, labels, flow, clean = (
        tifffile.imread(tmp_path / f"x.{kind}.tif") for kind in ("ome", "labels", "flow", "clean")
    )
    assert image.shape == labels.shape == clean.shape == (3, 140, 150)
    assert flow.shape == (2, 2, 140, 150) and flow.dtype == np.float32
    assert image.dtype == tifffile.imread(phantom).dtype
    with open(tmp_path / "x.tracks.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "t", "y", "x", "parent"]
    assert len({row["id"] for row in rows if row["t"] == "0"}) == 4
    about = json.loads((tmp_path / "x.json").read_text())
    assert (about["synthetic"], about["seed"], about["made_by"]) == (True, 7, "napari-cellsynth simulate")
    facts = json.loads(shell("info", out, "--json").out)
    assert facts["scale"] == [1.0, 0.25, 0.25] and facts["synthetic"] is True


def test_motion_and_background_of_a_recording(shell, phantom, cells, tmp_path):
    tracks = str(phantom).replace(".ome.tif", ".tracks.csv")
    fit = shell("motion", "fit", tracks, tmp_path / "fit.json", "--max-d", 2, "--window", 3)
    assert fit.status == 0, fit.complaint
    out = tmp_path / "x.ome.tif"
    said = shell(
        *("simulate", out, "--motion", tmp_path / "fit.json", "--cells", 3, "--frames", 3),
        *("--appearance", cells, "--background", phantom),
        *("--background-labels", str(phantom).replace(".ome.tif", ".labels.tif"), "--quiet"),
    )
    assert said.status == 0, said.complaint
    assert "walk at random" not in said.err
    made, real = tifffile.imread(out), tifffile.imread(phantom)
    assert made.shape[1:] == real.shape[1:]
    assert abs(float(np.median(made)) / float(np.median(real)) - 1) < 0.03
    again = shell("replay", out)
    assert again.status == 0 and "cellsynth simulate" in again.out and "--motion" in again.out
    assert shell("replay", out, "--python", tmp_path / "again.py").status == 0
    script = (tmp_path / "again.py").read_text()
    ast.parse(script)
    assert "api.simulate(" in script and "background_labels=" in script and "prepare_crops(" in script


def test_doubts_are_said_before_the_movie_is_made(shell, tmp_path, monkeypatch):
    """Whoever stops it then has lost seconds."""
    drawn = []
    one = movie.compose

    def stopped(*given):
        drawn.append(given)
        if len(drawn) > 1:
            raise BadInput("stopped")
        return one(*given)

    monkeypatch.setattr(movie, "compose", stopped)
    said = shell("simulate", tmp_path / "x.ome.tif", *SMALL, "--quiet")
    assert said.status == 2 and "walk at random" in said.err and "example movie" in said.err
    assert said.err.index("walk at random") < said.err.index("stopped")


@pytest.mark.parametrize(("share", "noted"), [(1.3, True), (1.0, False)])
def test_motion_that_predicts_worse_than_what_needs_no_fit_is_noted(shell, phantom, tmp_path, share, noted):
    tracks = str(phantom).replace(".ome.tif", ".tracks.csv")
    fit = tmp_path / "fit.json"
    assert shell("motion", "fit", tracks, fit, "--max-d", 2, "--window", 3).status == 0
    known = json.loads(fit.read_text())
    fit.write_text(json.dumps(known | {"error": share * min(known["baselines"].values())}))
    said = shell("simulate", tmp_path / "x.ome.tif", "--motion", fit, *SMALL)
    assert said.status == 0, said.complaint
    assert ("30.0% worse than" in said.err) is noted
    assert not noted or "motion compare" in said.err


def test_without_motion_and_appearance_it_says_what_is_shown(shell, tmp_path):
    said = shell("simulate", tmp_path / "x", *SMALL, "--format", "ctc")
    assert said.status == 0, said.complaint
    assert said.out.strip() == str(tmp_path / "x_synthetic")
    assert "motion fit" in said.err and "example movie" in said.err
    assert (tmp_path / "x_synthetic" / "01_GT" / "TRA" / "man_track.txt").exists()


def test_more_cells_than_a_format_has_numbers_for_are_refused_before_the_movie_is_made(shell, tmp_path, monkeypatch):
    monkeypatch.setitem(folders.MOST, "ctc", 3)
    said = shell("simulate", tmp_path / "x", *SMALL, "--format", "ctc")
    assert said.status == 2 and "about 4 cells would come in" in said.complaint and not list(tmp_path.iterdir())
    assert shell("simulate", tmp_path / "x", *SMALL, "--format", "stardist").status == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--cells", 0), "--cells 0 given"),
        (("--appearance", "nowhere"), "nowhere does not exist"),
        (("--motion", "nowhere.json"), "nowhere.json does not exist"),
        (("--background-labels", "l.tif"), "without --background"),
        (("--format", "imaris"), "--format imaris given"),
        (("--cells", 500, "--height", 100, "--width", 100), "find room in 100 x 100"),
        (("--seed", -1), "--seed -1 given"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(shell, tmp_path, words, complaint):
    said = shell("simulate", tmp_path / "x.ome.tif", "--frames", 2, *words, "--quiet")
    assert said.status == 2 and complaint in said.complaint
    assert not list(tmp_path.iterdir())


def test_a_folder_of_something_else_and_a_recording_of_another_type_are_refused(shell, cells, tmp_path):
    said = shell("simulate", tmp_path / "x", "--appearance", tmp_path, "--quiet")
    assert said.status == 2 and "neither a training set" in said.complaint
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((4, 160, 160), np.uint8), metadata={"axes": "TYX"})
    said = shell("simulate", tmp_path / "x", "--appearance", cells, "--background", tmp_path / "b.tif", "--quiet")
    assert said.status == 2 and "uint8" in said.complaint

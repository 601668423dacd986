"""Tracks and outlines by a run, made again from what their files say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from played import PLAYERS, shell

from napari_cellsynth import api
from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.files import read_tracks
from napari_cellsynth.phantoms import make, write_phantom


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make("neutrophils", frames=4, size=96, seed=2)
    return write_phantom(made, tmp_path_factory.mktemp("movies") / "film 1.ome.tif")[0]


def labels_of(movie: Path) -> Path:
    return movie.with_name("film 1.labels.tif")


@pytest.mark.parametrize("language", ["python", "shell"])
@pytest.mark.parametrize("given", [True, False])
def test_tracks_are_the_same(language: str, given: bool, movie: Path, tmp_path: Path) -> None:
    outlines = ["--labels", labels_of(movie), "--max-distance", "9px"] if given else ["--modality", "dic"]
    shell("track", movie, tmp_path / "x.csv", *outlines, "--gap", 1, "--condition", "control", "--quiet")
    for name in ("x.csv", "x.tracked.tif", "x.tracks.json"):
        replay = api.how_made(tmp_path / name)
        assert [one.step for one in replay.steps] == (["tracked"] if given else ["outlined", "tracked"])
    PLAYERS[language](api.as_script(replay, language), tmp_path / "out")  # type: ignore[arg-type]
    made, again = (read_tracks(folder / "x.csv") for folder in (tmp_path, tmp_path / "out"))
    assert list(again) == list(made) and again.condition == made.condition == "control"
    assert again.frame_interval == made.frame_interval and again.pixel_size == made.pixel_size
    before, after = (tifffile.imread(folder / "x.tracked.tif") for folder in (tmp_path, tmp_path / "out"))
    np.testing.assert_array_equal(before, after)


def test_outlines_that_were_painted_on_since_are_said(movie: Path, tmp_path: Path) -> None:
    pixels = tifffile.imread(labels_of(movie))
    tifffile.imwrite(tmp_path / "mine.tif", pixels)
    shell("track", movie, tmp_path / "x.csv", "--labels", tmp_path / "mine.tif", "--quiet")
    assert api.how_made(tmp_path / "x.csv").steps[-1].notes == ()
    pixels[0, :9, :9] = 77
    tifffile.imwrite(tmp_path / "mine.tif", pixels)
    assert "other outlines by now" in api.how_made(tmp_path / "x.csv").steps[-1].notes[0]
    (tmp_path / "mine.tif").unlink()
    assert "not found here" in api.how_made(tmp_path / "x.csv").steps[-1].notes[0]


def test_what_is_missing_is_said_in_one_line(movie: Path, tmp_path: Path) -> None:
    from napari_cellsynth.stack.files.read import read_stack

    stack = read_stack(movie)
    *_, linked = api.track(stack, read_stack(labels_of(movie)))
    api.tracking.write_tracks(api.tracking.track_files(tmp_path / "x.csv"), linked)  # type: ignore[arg-type]
    fit = {"kind": "motion", "recordings": ["film 1"]}
    (tmp_path / "fit.json").write_text(json.dumps(fit))
    (tmp_path / "old.csv").write_text("id,t,y,x,parent\n1,0,1,1,0\n")
    for name, words in {
        "x.csv": "outlines of x.csv lay in no file",
        "fit.json": "is a fitted motion, which does not say where its tracks lie",
        "old.csv": "does not say how it was made",
    }.items():
        with pytest.raises(BadInput, match=words) as said:
            api.how_made(tmp_path / name)
        assert "\n" not in str(said.value)


@pytest.fixture(scope="module")
def found(movie: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Outlines by a run of two steps: whatever it finds."""
    folder = tmp_path_factory.mktemp("found")
    clips = ["--frames", 1, "--size", 32, "--holdout", "time", "--gap", 0, "--modality", "dic", "--quiet"]
    shell("prepare", "clips", movie, "--labels", labels_of(movie), "--out", folder / "clips", *clips)
    quick = ["--preset", "tiny", "--steps", 2, "--device", "cpu", "--quiet", "--set", "batch_size=2"]
    shell("train", "segmentation", folder / "clips", "--run", folder / "run", *quick)
    shell("segment", folder / "run", movie, folder / "found.ome.tif", "--quiet")
    return folder / "found.ome.tif"


@pytest.mark.parametrize("language", ["python", "shell"])
def test_outlines_found_by_a_run_are_the_same(language: str, found: Path, tmp_path: Path) -> None:
    replay = api.how_made(found)
    assert [one.step for one in replay.steps] == ["training set", "training", "outlined by a run"]
    PLAYERS[language](api.as_script(replay, language), tmp_path / "out")  # type: ignore[arg-type]
    (made,) = (tmp_path / "out").glob("*outlines.ome.tif")
    np.testing.assert_array_equal(tifffile.imread(made), tifffile.imread(found))


def test_without_the_run_it_is_named(found: Path, tmp_path: Path) -> None:
    (tmp_path / "found.ome.tif").write_bytes(found.read_bytes())
    before = found.with_name("run")
    away = before.rename(before.with_name("away"))
    try:
        words = [getattr(one, "words", "") for one in api.how_made(tmp_path / "found.ome.tif").steps]
    finally:
        away.rename(before)
    assert "The training run is not found here" in words[0]

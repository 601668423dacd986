"""Training sets of every kind are made again from what they say of themselves, in both languages, to the same hash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fields import box_around, draw_field
from played import PLAYERS, pixels, set_hash, shell

from napari_cellsynth import api
from napari_cellsynth.errors import BadInput
from napari_cellsynth.phantoms.catalogue import make
from napari_cellsynth.replay.steps import Outlined, Replay, SetMade
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.files.write import write_stack
from napari_cellsynth.stack.outlines.settings import OutlineSettings
from napari_cellsynth.stack.stack import Stack

Made = tuple[Path, Path]
BOTH = pytest.mark.parametrize("language", ["python", "shell"])


@pytest.fixture(scope="module")
def movies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a space, an umlaut and a sign that shells know, and two movies of neutrophils with outlines."""
    folder = tmp_path_factory.mktemp("Zellen $ä b")
    for seed in (1, 2):
        phantom = make("neutrophils", frames=14, size=128, seed=seed)
        write_stack(folder / f"film {seed}.ome.tif", phantom.stack)
        outlines = phantom.stack.with_(data=phantom.labels, provenance=None)
        write_stack(folder / f"film {seed}.labels.ome.tif", outlines, kind="labels")
    return folder


def again(language: str, made: Path, out: Path, **options: Any) -> Path:
    """What a script of it makes."""
    PLAYERS[language](api.as_script(api.how_made(made), language, **options), out)  # type: ignore[arg-type]
    return out / made.name


@BOTH
def test_crops_of_a_table(language: str, movies: Path, tmp_path: Path) -> None:
    table = movies / "recordings.csv"
    lines = [f"film {n}.ome.tif,film {n}.labels.ome.tif,day {n},{n + 0.5},0-12" for n in (1, 2)]
    table.write_text("\n".join(["file,labels,session,pixel size (um),frames", *lines]), "utf-8")
    made = tmp_path / "ein Satz"
    options = ("--size", 16, "--max-neighbours", 0.4, "--every", 2, "--holdout", "time", "--gap", 2)
    shell("prepare", "crops", "--table", table, "--out", made, *options)
    assert set_hash(again(language, made, tmp_path / "ä 'new'")) == set_hash(made)


@BOTH
def test_clips_of_files(language: str, movies: Path, tmp_path: Path) -> None:
    made, files = tmp_path / "clips", [movies / f"film {n}.ome.tif" for n in (1, 2)]
    options = ("--frames", 2, "--size", 32, "--step", 2, "--interval", "3min", "--modality", "dic")
    shell("prepare", "clips", *files, "--out", made, *options)
    assert set_hash(again(language, made, tmp_path / "new")) == set_hash(made)
    record = json.loads((tmp_path / "new" / "clips" / "dataset.json").read_text("utf-8"))
    assert record["frame_interval"] == 180 and record["modality"] == "dic"


@BOTH
def test_clips_without_a_look(language: str, movies: Path, tmp_path: Path) -> None:
    made = tmp_path / "clips"
    shell("prepare", "clips", movies / "film 1.ome.tif", "--out", made, "--frames", 2, "--size", 64, "--no-fit")
    (step,) = api.how_made(made).steps
    assert isinstance(step, SetMade) and not step.looked
    assert set_hash(again(language, made, tmp_path / "new")) == set_hash(made)


@BOTH
def test_pairs_of_files(language: str, movies: Path, tmp_path: Path) -> None:
    rng, low, high = np.random.default_rng(0), [], []
    for n in (1, 2, 3):
        image = rng.normal(100, 5, (4, 64, 64)) + 80 * (np.hypot(*np.mgrid[-32:32, -32:32]) < 10 + n)
        for name, gain, files in (("low", 0.2, low), ("high", 1.0, high)):
            path = tmp_path / f"field {n} {name}.ome.tif"
            files.append(write_stack(path, Stack((image * gain).astype(np.uint16), "TYX", name=path.name)))
    made = tmp_path / "pairs"
    shell("prepare", "pairs", *low, "--high", *high, "--out", made, "--size", 32, "--axes", "TYX")
    assert set_hash(again(language, made, tmp_path / "new")) == set_hash(made)


@BOTH
def test_traps_by_their_decisions(language: str, tmp_path: Path) -> None:
    field = draw_field(3, frames=4, planes=2, noise=0.1)
    movie, review = write_stack(tmp_path / "chip.ome.tif", field.stack), tmp_path / "review.csv"
    options = ("--template", box_around(field.traps[4]), "--size", 64, "--interval", "5min")
    shell("prepare", "traps", movie, *options, "--review", review)
    lines = review.read_text("utf-8-sig").splitlines()
    heads = lines[0].split(",")
    cells = lines[3].split(",")
    cells[heads.index("decision")] = "reject"
    lines[3] = ",".join(cells)
    review.write_text("\n".join(lines), "utf-8-sig")
    made = tmp_path / "traps"
    shell("prepare", "traps", movie, *options, "--review", review, "--out", made, "--test-fraction", 0.2)
    review.unlink()
    assert set_hash(again(language, made, tmp_path / "new")) == set_hash(made)
    (step,) = api.how_made(made).steps
    assert isinstance(step, SetMade) and step.review is not None
    found_anew = step.model_copy(update={"review": None})
    PLAYERS[language](api.as_script(Replay(steps=(found_anew,)), language), tmp_path / "anew")  # type: ignore[arg-type]
    assert set_hash(tmp_path / "anew" / "traps") != set_hash(made)


@BOTH
def test_outlines_that_were_found(language: str, movies: Path, tmp_path: Path) -> None:
    outlines, made = tmp_path / "found.ome.tif", tmp_path / "cells"
    shell("segment", "auto", movies / "film 1.ome.tif", outlines, "--sensitivity", 0.7, "--modality", "dic")
    shell("prepare", "crops", movies / "film 1.ome.tif", "--labels", outlines, "--out", made, "--size", 16)
    replay = api.how_made(made)
    assert [one.step for one in replay.steps] == ["outlined", "training set"]
    assert set_hash(again(language, made, tmp_path / "new")) == set_hash(made)
    assert np.array_equal(pixels(tmp_path / "new" / "film 1 outlines.ome.tif"), pixels(outlines))


def test_outlines_that_were_painted_on_are_taken_from_their_file(movies: Path, tmp_path: Path) -> None:
    *_, found = api.segment(read_stack(movies / "film 1.ome.tif"), OutlineSettings(diameter_px=30), modality="dic")
    assert isinstance(found, Stack)
    found.data[3, 60:70, 60:70] = 77
    outlines, made = write_stack(tmp_path / "painted.ome.tif", found, kind="labels"), tmp_path / "cells"
    shell("prepare", "crops", movies / "film 1.ome.tif", "--labels", outlines, "--out", made, "--size", 16)
    replay = api.how_made(made)
    assert [one.step for one in replay.steps] == ["training set"]
    assert "painted on since" in api.as_script(replay)
    assert set_hash(again("python", made, tmp_path / "new")) == set_hash(made)


def test_one_plane_of_several(tmp_path: Path) -> None:
    phantom = make("trapped-yeast", frames=3, size=96, seed=1, planes=3)
    movie, outlines = write_stack(tmp_path / "z.ome.tif", phantom.stack), tmp_path / "found.ome.tif"
    shell("segment", "texture", movie, outlines, "--diameter", "24px", "--z", "sharpest")
    for language in PLAYERS:
        again(language, outlines, tmp_path / language)
        assert np.array_equal(pixels(tmp_path / language / "z outlines.ome.tif"), pixels(outlines))


def test_a_setting_that_is_not_in_the_replay_is_noticed(movies: Path, tmp_path: Path) -> None:
    """What all these comparisons rest on: they can fail."""
    made = tmp_path / "cells"
    files = ("--labels", movies / "film 1.labels.ome.tif", "--out", made)
    shell("prepare", "crops", movies / "film 1.ome.tif", *files, "--size", 16, "--every", 2)
    replay = api.how_made(made)
    (step,) = replay.steps
    assert isinstance(step, SetMade)
    dropped = {name: value for name, value in step.settings.items() if name != "every"}
    lossy = replay.model_copy(update={"steps": (step.model_copy(update={"settings": dropped}),)})
    PLAYERS["python"](api.as_script(lossy), tmp_path / "new")
    assert set_hash(tmp_path / "new" / "cells") != set_hash(made)


def test_without_its_outlines_a_set_is_not_the_same(movies: Path, tmp_path: Path) -> None:
    outlines, made = tmp_path / "found.ome.tif", tmp_path / "cells"
    shell("segment", "auto", movies / "film 1.ome.tif", outlines, "--modality", "dic")
    shell("prepare", "crops", movies / "film 1.ome.tif", "--labels", outlines, "--out", made, "--size", 16)
    replay = api.how_made(made)
    outlines.unlink()
    assert isinstance(replay.steps[0], Outlined)
    with pytest.raises(BadInput, match="do not exist"):
        PLAYERS["python"](api.as_script(replay.without(0)), tmp_path / "new")


def test_what_was_in_no_file_is_said(tmp_path: Path) -> None:
    phantom = make("neutrophils", frames=12, size=128, seed=1)
    outlines = phantom.stack.with_(data=phantom.labels)
    for _ in api.prepare_crops([(phantom.stack, outlines)], tmp_path / "cells"):
        pass
    with pytest.raises(BadInput, match="was in no file when the training set was made"):
        api.how_made(tmp_path / "cells")


def test_files_are_named_from_a_folder(movies: Path, tmp_path: Path) -> None:
    made = tmp_path / "clips"
    shell("prepare", "clips", movies / "film 1.ome.tif", "--out", made, "--frames", 2, "--size", 64)
    for language, ending in (("python", "py"), ("shell", "sh")):
        text = api.as_script(api.how_made(made), language, relative_to=tmp_path)  # type: ignore[arg-type]
        assert str(movies) not in text and "HERE" in text
        (tmp_path / f"new {language}").with_name(f"new {language}.{ending}")
        PLAYERS[language](text, tmp_path / f"new {language}")
        assert set_hash(tmp_path / f"new {language}" / "clips") == set_hash(made)

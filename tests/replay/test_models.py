"""Trainings and what was made with them are made again, to the last bit; what a script cannot do, it says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from played import PLAYERS, pixels, shell

from napari_cellsynth import api
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.weight_files import hash_of
from napari_cellsynth.errors import BadInput
from napari_cellsynth.phantoms.catalogue import make
from napari_cellsynth.replay.steps import Replay, Said, Trained
from napari_cellsynth.stack.files.write import write_stack
from napari_cellsynth.stack.training_sets.openings import openings

SMALL = ("--set", "width=4", "--set", "widest=16", "--set", "latent_size=4", "--set", "batch_size=4")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A movie, crops of it, a training of 30 steps that was stopped after 20, images and a morph of it."""
    folder = tmp_path_factory.mktemp("a b")
    phantom = make("neutrophils", frames=12, size=128, seed=1)
    movie = write_stack(folder / "film.ome.tif", phantom.stack)
    labels = phantom.stack.with_(data=phantom.labels, provenance=None)
    outlines = write_stack(folder / "film.labels.ome.tif", labels, kind="labels")
    shell("prepare", "crops", movie, "--labels", outlines, "--out", folder / "cells", "--size", 16)
    often = ("--set", "checkpoint_every=10", "--set", "preview_every=10")
    train = ("dcgan", folder / "cells", "--run", folder / "run", "--preset", "tiny", "--steps", 30, "--seed", 5)
    shell("train", *train, *SMALL, *often, "--set", "with_masks=true", "--device", "cpu", "--threads", 1, "--quiet")
    shell("sample", folder / "run", folder / "made.ome.tif", "--count", 20, "--seed", 3)
    shell("walk", folder / "run", folder / "morph.ome.tif", "--through", 2, 5, 0, "--between", 4, "--kind", "linear")
    again = ("--starts", 2, "--iterations", 3, "--seed", 4, "--quiet")
    shell("embed", folder / "run", folder / "made.ome.tif", folder / "remade.ome.tif", *again)
    shell("embed", folder / "run", folder / "cells", folder / "held out.ome.tif", "--part", "test", *again)
    return folder


def weights(run: Path) -> str:
    newest = RunFolder(run).latest_weights()
    assert newest is not None
    return hash_of(newest)


@pytest.mark.parametrize("language", ["python", "shell"])
@pytest.mark.parametrize("name", ["made", "morph"])
def test_images_are_the_same(language: str, name: str, home: Path, tmp_path: Path) -> None:
    replay = api.how_made(home / f"{name}.ome.tif")
    assert [one.step for one in replay.steps][:2] == ["training set", "training"]
    PLAYERS[language](api.as_script(replay, language), tmp_path / "new")  # type: ignore[arg-type]
    assert weights(tmp_path / "new" / "run") == weights(home / "run")
    for file in (f"{name}.ome.tif", f"{name}.labels.tif"):
        assert np.array_equal(pixels(tmp_path / "new" / file), pixels(home / file))


@pytest.mark.parametrize("language", ["python", "shell"])
@pytest.mark.parametrize("name", ["remade", "held out"])
def test_images_made_again_are_the_same(language: str, name: str, home: Path, tmp_path: Path) -> None:
    """Of images that the model made, which are made first, and of a part of its training set."""
    replay = api.how_made(home / f"{name}.ome.tif")
    made_first = ["generated"] if name == "remade" else []
    assert [one.step for one in replay.steps] == ["training set", "training", *made_first, "remade"]
    PLAYERS[language](api.as_script(replay, language), tmp_path / "new")  # type: ignore[arg-type]
    assert np.array_equal(pixels(tmp_path / "new" / f"{name}.ome.tif"), pixels(home / f"{name}.ome.tif"))
    for ending in ("csv", "latents.npy"):
        assert (tmp_path / "new" / f"{name}.{ending}").read_bytes() == (home / f"{name}.{ending}").read_bytes()
    assert len(openings(home / "cells")) == 1, "the set that is made anew was looked at"


@pytest.mark.parametrize("changed", [{"seed": 5}, {"starts": 1}, {"iterations": 1}])
def test_with_another_setting_other_images_are_found(changed: dict[str, int], home: Path, tmp_path: Path) -> None:
    remade = api.how_made(home / "remade.ome.tif").steps[-1].model_copy(update=changed)
    PLAYERS["python"](api.as_script(Replay(steps=(remade,))), tmp_path / "new")
    assert not np.array_equal(pixels(tmp_path / "new" / "remade.ome.tif"), pixels(home / "remade.ome.tif"))


def test_given_images_are_taken_as_they_were_read(home: Path, tmp_path: Path) -> None:
    """A file that does not name its axes; and one that holds others by now, or nothing that was a file."""
    import tifffile

    crops = pixels(home / "made.ome.tif")[:2, 0]
    tifffile.imwrite(tmp_path / "plain.tif", crops)
    quick = ("--starts", 1, "--iterations", 2, "--quiet")
    shell("embed", home / "run", tmp_path / "plain.tif", tmp_path / "a.ome.tif", "--axes", "TYX", *quick)
    replay = api.how_made(tmp_path / "a.ome.tif")
    assert "--axes TYX" in api.as_script(replay, "shell")
    PLAYERS["python"](api.as_script(replay), tmp_path / "new")
    assert np.array_equal(pixels(tmp_path / "new" / "a.ome.tif"), pixels(tmp_path / "a.ome.tif"))
    tifffile.imwrite(tmp_path / "plain.tif", crops + 1)
    said = [one.words for one in api.how_made(tmp_path / "a.ome.tif").steps if isinstance(one, Said)]
    assert said == [f"The images {tmp_path / 'plain.tif'} are gone, or others by now: what follows needs them there."]
    *_, found = api.embed(home / "run", crops, starts=1, iterations=2)
    found.save(tmp_path / "b.ome.tif")
    with pytest.raises(BadInput, match="lay in no file"):
        api.how_made(tmp_path / "b.ome.tif")


def test_the_images_of_weights_before_the_last(home: Path, tmp_path: Path) -> None:
    """As of a training that went on, was stopped, or was used while it ran: what counts is the step."""
    early = tmp_path / "early"
    shutil.copytree(home / "run", early)
    last = RunFolder(early).latest_weights()
    assert last is not None
    shutil.rmtree(last)
    shell("sample", early, tmp_path / "early.ome.tif", "--count", 2)
    replay = api.how_made(tmp_path / "early.ome.tif")
    trained = replay.steps[1]
    assert isinstance(trained, Trained) and trained.changes["steps"] == 20
    assert "was to take 30 steps; the weights of step 20 are meant" in " ".join(trained.notes)
    PLAYERS["python"](api.as_script(replay), tmp_path / "new")
    assert np.array_equal(pixels(tmp_path / "new" / "early.ome.tif"), pixels(tmp_path / "early.ome.tif"))


@pytest.mark.parametrize("dropped", ["seed", "batch_size", "latent_size"])
def test_a_setting_that_is_not_recorded_gives_other_weights(dropped: str, home: Path, tmp_path: Path) -> None:
    replay = api.how_made(home / "run")
    trained = replay.steps[1]
    assert isinstance(trained, Trained) and dropped in trained.changes
    lossy = trained.model_copy(update={"changes": {k: v for k, v in trained.changes.items() if k != dropped}})
    steps = (replay.steps[0], lossy)
    PLAYERS["python"](api.as_script(replay.model_copy(update={"steps": steps})), tmp_path / "new")
    assert weights(tmp_path / "new" / "run") != weights(home / "run")


def test_what_an_older_version_did_not_know_had_its_default(home: Path, tmp_path: Path) -> None:
    """The preset says otherwise today; the training was made without."""
    from napari_cellsynth.models.registry import FAMILIES

    family = FAMILIES["dcgan"]
    preset = family.presets["tiny"]
    name = next(name for name in preset.model_fields_set if name not in ("steps", "seed"))
    run = shutil.copytree(home / "run", tmp_path / "run")
    record = json.loads((run / "run.json").read_text())
    record["settings"] = {key: value for key, value in preset.model_dump(mode="json").items() if key != name}
    (run / "run.json").write_text(json.dumps(record))
    trained = next(one for one in api.how_made(run).steps if isinstance(one, Trained))
    assert trained.changes[name] == family.settings.model_fields[name].default != getattr(preset, name)


@pytest.mark.parametrize(
    "record", ['{"family": "dcgan", "data": 7}', '{"family": "dcgan", "data": {}, "settings": {}}', '{"data": {}}']
)
def test_a_damaged_record_is_said_in_one_line(record: str, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text(record)
    with pytest.raises(BadInput) as said:
        api.how_made(tmp_path / "run")
    assert "run" in str(said.value) and "\n" not in str(said.value)


def test_a_training_set_that_is_gone_is_said(home: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(home / "run", run)
    record = json.loads((run / "run.json").read_text("utf-8"))
    record["data"]["path"] = str(tmp_path / "gone")
    (run / "run.json").write_text(json.dumps(record), "utf-8")
    replay = api.how_made(run)
    assert isinstance(replay.steps[0], Said) and "gone" in replay.steps[0].words
    script = "".join(api.as_script(replay).split())
    assert f'TRAINING_SET=Path("{tmp_path / "gone"}"' in script


def test_a_file_from_elsewhere_names_the_run_it_needs(home: Path, tmp_path: Path) -> None:
    from napari_cellsynth.stack.files.read import read_stack

    made = read_stack(home / "made.ome.tif")
    block = {**(made.provenance or {}), "run_path": "/nowhere/run", "inputs": [{"path": "/nowhere/x", "hash": "0"}]}
    lost = write_stack(tmp_path / "lost.ome.tif", made.with_(provenance=block))
    text = api.as_script(api.how_made(lost), "shell")
    assert "The training run is not found here (/nowhere/run)" in text
    assert 'cellsynth sample /nowhere/run "$OUT/lost.ome.tif" --count 20 --seed 3' in text
    # Beside the file it is found again, known by its training set.
    there = write_stack(home / "beside.ome.tif", made.with_(provenance={**(made.provenance or {}), "run_path": "/no"}))
    assert isinstance(api.how_made(there).steps[1], Trained)


def test_a_phantom(tmp_path: Path) -> None:
    shell("phantom", "neutrophils", tmp_path / "film.ome.tif", "--frames", 2, "--size", 96, "--seed", 4)
    replay = api.how_made(tmp_path / "film.ome.tif")
    for language in PLAYERS:
        PLAYERS[language](api.as_script(replay, language), tmp_path / language)  # type: ignore[arg-type]
        made = tmp_path / language / "neutrophils.ome.tif"
        assert np.array_equal(pixels(made), pixels(tmp_path / "film.ome.tif"))


def test_recordings_say_that_nobody_made_them(tmp_path: Path) -> None:
    import tifffile

    tifffile.imwrite(tmp_path / "plain.tif", np.zeros((4, 4), np.uint8))
    for path, words in (("plain.tif", "was not written by CellSynth"), ("none.tif", "does not exist")):
        with pytest.raises(BadInput, match=words):
            api.how_made(tmp_path / path)


def test_replays_are_json(home: Path, tmp_path: Path) -> None:
    replay = api.how_made(home / "made.ome.tif")
    saved = tmp_path / "replay.json"
    saved.write_text(json.dumps(replay.to_json()), "utf-8")
    assert api.how_made(saved).steps == replay.steps
    saved.write_text(json.dumps({**replay.to_json(), "version": 99}), "utf-8")
    with pytest.raises(BadInput, match="version 99"):
        api.how_made(saved)


def test_scripts_are_formatted_and_clean(home: Path, tmp_path: Path) -> None:
    long = "x" * 30
    replay = api.how_made(home / "morph.ome.tif")
    steps = [one.model_copy(update={"notes": (f"{long} " * 9,)}) for one in replay.steps]
    for number, one in enumerate((replay, Replay(title=long, steps=tuple(steps)))):
        path = tmp_path / f"script{number}.py"
        path.write_text(api.as_script(one), "utf-8")
        for words in (["check", "--select", "E,F,W,I,UP,B,SIM,RUF"], ["format", "--check"]):
            ruff = [sys.executable, "-m", "ruff", *words, "--isolated", "--line-length"]
            for width in ("88", "120"):
                done = subprocess.run([*ruff, width, str(path)], capture_output=True, text=True)
                assert done.returncode == 0, done.stdout


def test_from_the_shell(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell("replay", home / "made.ome.tif")
    assert "cellsynth prepare crops --table" in capsys.readouterr().out
    both = ("--python", tmp_path / "a.py", "--shell", tmp_path / "a.sh")
    shell("replay", home / "run", *both)
    assert "python a.py [FOLDER]" in (tmp_path / "a.py").read_text("utf-8")
    assert "sh a.sh [FOLDER]" in (tmp_path / "a.sh").read_text("utf-8")
    with pytest.raises(BadInput, match="exists"):
        shell("replay", home / "run", *both)

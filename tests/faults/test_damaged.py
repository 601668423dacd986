"""A saved state that is damaged: the one before is used, for training and for use, and it is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from napari_cellsynth import api
from napari_cellsynth.cli import main
from napari_cellsynth.engine.keeping import damaged_states, keep_newest
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.crops.settings import CropSettings

SMALL = {"batch_size": 4, "width": 4, "widest": 16, "latent_size": 4, "preview_every": 10, "checkpoint_every": 4}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run with states at steps 4, 8 and 12."""
    from trainings import blobs

    folder = tmp_path_factory.mktemp("damaged")
    for _ in api.prepare_crops([blobs()], folder / "crops", CropSettings(size=16)):
        pass
    run = api.create_run("dcgan", folder / "crops", folder / "run", preset="tiny", changes={**SMALL, "steps": 12})
    for _ in api.train(run.path):
        pass
    return run.path


@pytest.fixture
def run(trained, tmp_path) -> RunFolder:
    return RunFolder(shutil.copytree(trained, tmp_path / "run"))


def damage(state: Path, name: str) -> None:
    content = bytearray((state / name).read_bytes())
    content[len(content) // 2] ^= 1
    (state / name).write_bytes(content)


def go_on(run: RunFolder) -> None:
    """As after a kill, with steps to do."""
    run.update_record(settings={**run.record["settings"], "steps": 16})


@pytest.mark.parametrize("name", ["networks.safetensors", "state.pt"])
def test_training_goes_on_from_the_one_before_and_says_so(run, capsys, name):
    go_on(run)
    damage(run.checkpoints()[-1], name)
    assert main(["train", "--resume", str(run.path)]) == 0
    said = f"note: step-00000012 is damaged: {name} is not what was written"
    assert said in capsys.readouterr().err
    started = [event for event in run.events() if event.kind == "started"][-1]
    assert started.step == 8
    assert "went back to the one before" in started.notes[0]
    assert "step-00000012 is damaged" in (run.path / "log.txt").read_text()


def names(run: RunFolder) -> list[str]:
    return sorted(path.name for path in (run.path / "checkpoints").iterdir())


def test_damaged_states_do_not_count_and_go_when_a_whole_one_has_come_as_far(run, capsys):
    """One is kept: with the damaged one counted, the only whole one would be removed."""
    run.update_settings(steps=16, keep_checkpoints=1, checkpoint_every=5)
    damage(run.checkpoints()[-1], "networks.safetensors")
    (run.path / "checkpoints" / "step-00000004" / "state.pt").unlink()
    training = api.train(run.path, resume=True)
    next(event for event in training if event.kind == "checkpoint")
    assert names(run) == ["step-00000010", "step-00000012"], "it has not come as far as the damaged one"
    rest = list(training)
    assert names(run) == ["step-00000016"]
    removed = [event for event in run.events() if event.kind == "removed"]
    assert [(event.step, event.names) for event in removed] == [(10, ("step-00000004",)), (15, ("step-00000012",))]
    assert removed[-1].words == "step-00000012, which was damaged, made way for step-00000015"
    assert removed[-1].words in (run.path / "log.txt").read_text()
    assert rest[-1].kind == "finished"


def test_a_damaged_state_that_is_written_anew_is_said_to_be_gone(run, capsys):
    go_on(run)
    damage(run.checkpoints()[-1], "state.pt")
    assert main(["train", "--resume", str(run.path)]) == 0
    assert "note: step-00000012, which was damaged, made way for step-00000012" in capsys.readouterr().err
    assert damaged_states(run) == []
    assert names(run) == ["step-00000008", "step-00000012", "step-00000016"]


def test_the_panel_that_removes_old_states_keeps_the_newest_whole_one(run):
    from napari_cellsynth.gui.strip_dialogs import keep_only

    for state in run.checkpoints()[1:]:
        damage(state, "networks.safetensors")
    assert damaged_states(run) == ["step-00000012", "step-00000008"]
    keep_only(run.path, 1)
    assert api.open_model(run.path).step == 4
    assert run.record["settings"]["keep_checkpoints"] == 1


def test_use_takes_the_one_before_and_says_so(run, tmp_path, capsys):
    before = api.open_model(run.path)
    assert (before.step, before.notes) == (12, ())
    damage(run.checkpoints()[-1], "networks.safetensors")
    model = api.open_model(run.path)
    assert model.step == 8
    assert model.weights_hash != before.weights_hash
    assert main(["sample", str(run.path), str(tmp_path / "made.ome.tif"), "--count", "1", "--quiet"]) == 0
    assert "note: run: the weights of step 8 are used" in capsys.readouterr().err
    for state in run.checkpoints()[:-1]:
        damage(state, "networks.safetensors")
    with pytest.raises(BadInput, match=r"no saved weights of run are whole \(3 tried\)"):
        api.open_model(run.path)


@pytest.mark.parametrize("harm", ["cut short", "missing"])
def test_a_state_that_is_cut_short_is_said_as_well(run, capsys, harm):
    newest = run.checkpoints()[-1] / "networks.safetensors"
    newest.unlink() if harm == "missing" else newest.write_bytes(newest.read_bytes()[:-7])
    model = api.open_model(run.path)
    assert model.step == 8
    assert "step-00000012 is damaged" in model.notes[0]
    assert "the weights of step 8 are used" in model.notes[-1]
    go_on(run)
    assert main(["train", "--resume", str(run.path)]) == 0
    assert "note: step-00000012 is damaged" in capsys.readouterr().err
    assert [path.name for path in run.checkpoints()][-1] == "step-00000016"
    assert api.open_model(run.path).notes == ()


def test_weights_of_an_interrupted_run_are_used_as_they_are(run, tmp_path):
    lines = run.log_of_events.path.read_text().splitlines(keepends=True)
    run.log_of_events.path.write_text("".join(lines[:-1]))
    sign = run.alive.to_json() | {"pid": 2**22 - 3, "ended": False}
    (run.path / "alive.json").write_text(json.dumps(sign))
    assert run.state().state == "interrupted"
    assert main(["sample", str(run.path), str(tmp_path / "made.ome.tif"), "--count", "2", "--quiet"]) == 0
    assert api.open_model(run.path).step == 12


def test_only_so_many_bytes_of_states_are_kept(run):
    one = sum(file.stat().st_size for file in run.checkpoints()[-1].iterdir())
    keep_newest(run, 3, 2.5 * one / 1e9)
    assert [path.name for path in run.checkpoints()] == ["step-00000008", "step-00000012"]
    keep_newest(run, 3, 0.1 * one / 1e9)
    assert [path.name for path in run.checkpoints()] == ["step-00000012"]


def test_old_previews_are_thinned_out(tmp_path):
    from napari_cellsynth.engine.previews import thin_out

    (tmp_path / "previews").mkdir()
    for step in range(1, 101):
        (tmp_path / "previews" / f"step-{step:08d}.ome.tif").write_bytes(b"")
        thin_out(tmp_path, 8)
        left = sorted(path.name for path in (tmp_path / "previews").iterdir())
        assert 1 <= len(left) <= 8
        assert left[-1] == f"step-{step:08d}.ome.tif"
        assert left[0] == "step-00000001.ome.tif"
    assert len(left) > 3
    thin_out(tmp_path, 1)
    assert [path.name for path in (tmp_path / "previews").iterdir()] == ["step-00000100.ome.tif"]

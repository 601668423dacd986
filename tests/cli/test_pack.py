"""A run is packed, carried to another machine, trained there and brought home."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest
from safetensors.torch import load_file

from napari_cellsynth import api
from napari_cellsynth.engine.heartbeat import Heartbeat
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.why import note_exit
from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.training_sets.openings import note_opening, openings

from .conftest import TINY

STEPS = ["--steps", 8, "--set", "checkpoint_every=2"]


@pytest.fixture
def data(crops, tmp_path) -> Path:
    """A training set that a test may hide and spoil."""
    return shutil.copytree(crops, tmp_path / "here" / "sets" / "my crops")


@pytest.fixture
def created(shell, data, tmp_path) -> Path:
    """A run without steps."""
    run = tmp_path / "here" / "HeLa ä"
    changes = {"steps": 8, "width": 4, "widest": 16, "batch_size": 4, "checkpoint_every": 2}
    api.create_run("dcgan", data, run, preset="tiny", changes=changes, device="cpu", threads=1)
    return run


def stopped(run: Path, at: int) -> None:
    """Train it until some step and stop, as a user would."""
    for event in api.train(run):
        if event.kind == "checkpoint" and event.step == at:
            break


def weights(run: Path) -> dict:
    return load_file(RunFolder(run).latest_weights() / "networks.safetensors")


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_count_of_openings_goes_along_and_may_grow_there(shell, created, data, tmp_path) -> None:
    note_opening(data, "a last look", by="a run")
    assert shell("pack", created, tmp_path / "package").status == 0
    there = tmp_path / "package" / "data"
    assert [noted["why"] for noted in openings(there)] == ["a last look"]
    shutil.rmtree(data)
    note_opening(there, "once more")
    assert shell("train", "--resume", tmp_path / "package" / created.name, "--quiet").status == 0


def test_a_package_is_trained_where_nothing_else_is_and_used_at_home(shell, created, data, tmp_path) -> None:
    said = shell("pack", created, tmp_path / "package", "--gpus", 2, "--partition", "gpu", "--time", "3:00:00")
    assert said.status == 0
    assert said.out == f"{tmp_path / 'package'}: README.txt says how to start it; training set: ../data\n"
    assert "with its training set" in said.err and "are free in" in said.err
    inside = names(tmp_path / "package")
    assert {"start.sh", "start.bat", "job.slurm", "README.txt", "versions.json", "HeLa ä/run.json"} <= inside
    assert {name for name in inside if name.startswith("data/")} == {f"data/{name}" for name in names(data)}
    assert os.access(tmp_path / "package" / "start.sh", os.X_OK)
    job = (tmp_path / "package" / "job.slurm").read_text()
    assert "#SBATCH --time=3:00:00" in job and "#SBATCH --ntasks-per-node=2" in job
    text = (tmp_path / "package" / "README.txt").read_text()
    assert "napari-cellsynth==" not in text and "from where you obtained it" in text
    assert "HeLa ä: dcgan, preset tiny; it begins with step 1 of 8." in text
    record = json.loads((tmp_path / "package" / "HeLa ä" / "run.json").read_text())
    assert (record["data"]["path"], record["device"], record["threads"]) == ("../data", "auto", None)
    # There
    there = tmp_path / "another machine" / "with spaces"
    there.parent.mkdir()
    shutil.move(tmp_path / "package", there)
    shutil.move(data, tmp_path / "hidden")
    assert shell("train", "--resume", there / "HeLa ä", "--quiet").status == 0
    # Home again, the run alone
    home = tmp_path / "somewhere else" / "HeLa ä"
    home.parent.mkdir()
    shutil.move(there / "HeLa ä", home)
    shutil.rmtree(there)
    listed = json.loads(shell("runs", home.parent, "--json").out)
    assert [(row["state"], row["step"]) for row in listed] == [("finished", 8)]
    assert shell("sample", home, tmp_path / "made.ome.tif", "--count", 2, "--quiet").status == 0


def test_it_comes_home_and_goes_on_by_the_content_of_its_data(shell, created, data, tmp_path, cellsynth_home) -> None:
    assert shell("pack", created, tmp_path / "package.zip", "--quiet").status == 0
    with zipfile.ZipFile(tmp_path / "package.zip") as packed:
        assert all(name.startswith("package/") for name in packed.namelist())
        packed.extractall(tmp_path / "there")
    shutil.move(data, cellsynth_home / api.TRAINING_SETS / "another name")
    package = tmp_path / "there" / "package"
    run = package / "HeLa ä"
    record = RunFolder(run).record
    RunFolder(run).update_record(settings={**record["settings"], "steps": 2})
    assert shell("train", "--resume", run, "--quiet").status == 0
    RunFolder(run).update_record(settings={**record["settings"], "steps": 4})
    shutil.rmtree(package / "data")
    assert shell("train", "--resume", run, "--quiet").status == 0
    assert RunFolder(run).state().step == 4
    assert api.training_data(run) == cellsynth_home / api.TRAINING_SETS / "another name"


def test_a_stopped_run_goes_along_with_its_newest_state_and_goes_on_as_if_never_carried(
    shell, created, tmp_path
) -> None:
    shutil.copytree(created, tmp_path / "never stopped")
    stopped(created, at=4)
    note_exit(created, 4711, -9)
    assert shell("pack", created, tmp_path / "package", "--quiet").status == 0
    run = tmp_path / "package" / "HeLa ä"
    assert [path.name for path in (run / "checkpoints").iterdir()] == [RunFolder(created).latest_weights().name]
    # About the process that worked on it here.
    assert not (run / "alive.json").exists() and not (run / "exit.json").exists()
    state = RunFolder(run).state()
    assert (state.state, state.step) == ("stopped", RunFolder(created).state().step)
    text = (tmp_path / "package" / "README.txt").read_text()
    assert f"it begins at step {state.step} of 8" in text
    for path, how in ((run, {"resume": True}), (tmp_path / "never stopped", {})):
        for _ in api.train(path, **how):
            pass
    one, other = weights(run), weights(tmp_path / "never stopped")
    assert all((one[name] == other[name]).all() for name in one)


def test_a_damaged_state_is_left_here(shell, created, tmp_path) -> None:
    stopped(created, at=4)
    newest = RunFolder(created).latest_weights()
    content = bytearray((newest / "networks.safetensors").read_bytes())
    content[-1] ^= 1
    (newest / "networks.safetensors").write_bytes(content)
    before = RunFolder(created).checkpoints()[-2]
    assert shell("pack", created, tmp_path / "package", "--quiet").status == 0
    run = RunFolder(tmp_path / "package" / "HeLa ä")
    assert [path.name for path in run.checkpoints()] == [before.name]
    assert run.state().step == int(before.name.rpartition("-")[2])


def test_mapped_data_stay_here_and_are_checked_there(shell, created, data, tmp_path) -> None:
    there = tmp_path / "there"
    roots = tmp_path / "roots.txt"
    roots.write_text(f"{tmp_path / 'here'}={there}\n")
    assert shell("pack", created, tmp_path / "package", "--map", roots, "--quiet").status == 0
    assert not (tmp_path / "package" / "data").exists()
    run = tmp_path / "package" / "HeLa ä"
    assert RunFolder(run).record["data"]["path"] == str(there / "sets" / "my crops")
    assert f"expected at {there}/sets/my crops" in (tmp_path / "package" / "README.txt").read_text()
    shutil.move(data, tmp_path / "hidden")
    assert "my crops is no training set" in shell("train", "--resume", run).complaint
    shutil.copytree(tmp_path / "hidden", there / "sets" / "my crops")
    table = there / "sets" / "my crops" / "crops.csv"
    content = table.read_bytes()
    table.write_bytes(content.replace(b"train", b"test_", 1))
    assert "is not what the run was packed with" in shell("train", "--resume", run).complaint
    assert not (run / "events.jsonl").exists()
    table.write_bytes(content)
    assert shell("train", "--resume", run, "--quiet").status == 0
    wrong = shell("pack", created, tmp_path / "other", "--map", f"{tmp_path / 'elsewhere'}=/there")
    assert "my crops is no training set" in wrong.complaint


def test_a_root_that_does_not_hold_the_data_is_refused(shell, created, tmp_path) -> None:
    said = shell("pack", created, tmp_path / "package", "--map", f"{tmp_path / 'elsewhere'}=/there")
    assert "lies in none of the mapped folders" in said.complaint
    assert not (tmp_path / "package").exists()


def test_another_set_of_the_same_name_is_refused_there(shell, created, data, tmp_path, crops) -> None:
    assert shell("pack", created, tmp_path / "package", "--quiet").status == 0
    shutil.move(data, tmp_path / "hidden")
    record = tmp_path / "package" / "data" / "dataset.json"
    said = json.loads(record.read_text())
    record.write_text(json.dumps({**said, "hash": "f" * 64}))
    assert (
        "is not what this run was created with" in shell("train", "--resume", tmp_path / "package" / "HeLa ä").complaint
    )


def test_a_new_run_is_made_in_the_package(shell, data, tmp_path) -> None:
    said = shell("pack", "dcgan", data, tmp_path / "new", *TINY[:-2], "--steps", 3, "--seed", 5, "--device", "cuda:1")
    assert said.status == 0
    record = RunFolder(tmp_path / "new" / "new").record
    assert (record["settings"]["steps"], record["seed"], record["device"]) == (3, 5, "cuda:1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "new"]
    complaint = shell("pack", "dcgan", data, tmp_path / "more", "--set", "widht=4").complaint
    assert "no setting 'widht'" in complaint


def test_settings_are_changed_on_packing_while_there_are_no_steps(shell, created, tmp_path) -> None:
    assert shell("pack", created, tmp_path / "one", "--set", "width=8", "--threads", 4, "--quiet").status == 0
    record = RunFolder(tmp_path / "one" / "HeLa ä").record
    assert (record["settings"]["width"], record["settings"]["steps"], record["threads"]) == (8, 8, 4)
    assert RunFolder(created).record["settings"]["width"] == 4
    stopped(created, at=2)
    assert "its settings stay as they are" in shell("pack", created, tmp_path / "two", "--steps", 9).complaint


def test_data_that_lie_in_the_run_go_along_in_it(shell, created, data, tmp_path) -> None:
    shutil.move(data, created / "data")
    record = RunFolder(created).record
    RunFolder(created).update_record(data={**record["data"], "path": str(created / "data")})
    assert shell("pack", created, tmp_path / "package", "--quiet").status == 0
    shutil.rmtree(created)
    run = tmp_path / "package" / "HeLa ä"
    assert RunFolder(run).record["data"]["path"] == "data"
    assert shell("train", "--resume", run, "--quiet").status == 0


def test_what_cannot_be_packed(shell, created, run, tmp_path, monkeypatch) -> None:
    assert "is finished" in shell("pack", run, tmp_path / "package").complaint
    (tmp_path / "taken").mkdir()
    assert "exists; choose another name" in shell("pack", created, tmp_path / "taken").complaint
    assert "choose a place outside" in shell("pack", created, created / "package").complaint
    assert "does not exist" in shell("pack", tmp_path / "none", tmp_path / "package").complaint
    assert "pack needs RUN OUT" in shell("pack", created).complaint
    assert "device 'gpu' is unknown" in shell("pack", created, tmp_path / "package", "--device", "gpu").complaint
    assert "--time 'soon' given" in shell("pack", created, tmp_path / "package", "--time", "soon").complaint
    with Heartbeat(created / "alive.json"):
        assert "stop it first" in shell("pack", created, tmp_path / "package").complaint
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 1000, 1000))
    assert "has 1 kB free; make room" in shell("pack", created, tmp_path / "package").complaint
    assert not (tmp_path / "package").exists()


@pytest.mark.parametrize("out", ["package", "package.zip"])
def test_nothing_half_written_is_left(created, tmp_path, out) -> None:
    packing = api.pack(created, tmp_path / "new folder" / out)
    for _ in range(3):
        next(packing)
    packing.close()
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    packing = api.pack(created, tmp_path / "new folder" / out)
    next(packing)
    with Heartbeat(created / "alive.json"), pytest.raises(BadInput, match="stop it first"):
        list(packing)
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_data_that_cannot_be_read_are_said_to_be_so(shell, created, data, tmp_path, monkeypatch) -> None:
    from napari_cellsynth.engine.elsewhere import training_data

    def broken(path, *how):
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(training_data, "open", broken, raising=False)
    said = shell("pack", created, tmp_path / "package", "--quiet")
    assert said.status == 2 and f"{data}/crops.csv cannot be read (Input/output error)" in said.complaint
    assert not (tmp_path / "package").exists()


def test_its_size_is_said_first_and_progress_adds_up(created, tmp_path) -> None:
    news = list(api.pack(created, tmp_path / "package"))
    first, last = news[0], news[-1]
    assert first.done == 0 and first.details["bytes"] == first.total == last.done
    assert [one.done for one in news] == sorted(one.done for one in news)
    assert last.details == {
        "out": str(tmp_path / "package"),
        "run": "HeLa ä",
        "data": "../data",
        "bytes": first.total,
        "step": 0,
    }


@pytest.mark.slow
def test_its_script_starts_it_from_anywhere(created, tmp_path) -> None:
    list(api.pack(created, tmp_path / "my package"))
    environ = {**os.environ, "PYTHON": sys.executable, "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run(["sh", tmp_path / "my package" / "start.sh", "--quiet"], env=environ, check=True, cwd="/")
    assert RunFolder(tmp_path / "my package" / "HeLa ä").state().state == "finished"


@pytest.mark.slow
@pytest.mark.parametrize("new", [False, True])
def test_torchrun_trains_with_two_processes(created, data, tmp_path, new) -> None:
    list(api.pack(created, tmp_path / "package"))
    words = ["--nproc-per-node", "2", "-m", "--", "napari_cellsynth", "train", "--resume", "HeLa ä"]
    if new:
        (tmp_path / "package" / "HeLa ä").rename(tmp_path / "away")
        words = [*words[:-2], "dcgan", str(data), "--run", "HeLa ä", *map(str, [*TINY, *STEPS])]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", *words]
    environ = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    said = subprocess.run(command, cwd=tmp_path / "package", env=environ, capture_output=True, text=True, check=True)
    assert said.stdout.count("finished at step 8") == 1
    assert "2 processes on" in said.stderr
    assert RunFolder(tmp_path / "package" / "HeLa ä").state().state == "finished"

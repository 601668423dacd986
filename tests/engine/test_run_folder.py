"""Run folders: what they refuse, how they tell their state, what they take from strangers."""

import json
import socket
import subprocess
import sys
import time
from dataclasses import asdict

import pytest

from napari_cellsynth.engine import run_folder
from napari_cellsynth.engine.bin import delete
from napari_cellsynth.engine.events import (
    CancelledByUser,
    Failed,
    Finished,
    Paused,
    Resumed,
    Started,
    Step,
    Stopped,
)
from napari_cellsynth.engine.heartbeat import Alive, Heartbeat
from napari_cellsynth.engine.run_folder import RunFolder, runs_in
from napari_cellsynth.errors import BadInput


def new(path, **settings):
    return RunFolder.create(path, family="toy", preset="tiny", settings={"steps": 50, "seed": 1, **settings}, data={})


@pytest.fixture
def run(tmp_path):
    return new(tmp_path / "run")


@pytest.fixture
def dead():
    return Alive(host=socket.gethostname(), pid=2**22 - 3, created=1.0, since=time.time(), step=7, time=time.time())


def sign(run, alive):
    (run.path / "alive.json").write_text(json.dumps(alive.to_json()))


def started(run):
    run.append(Started(step=0, steps=50, device="cpu"))


def test_run_folders_load_no_torch():
    code = (
        "import sys; import napari_cellsynth.engine.run_folder; "
        "sys.exit(any(m in sys.modules for m in ('torch', 'scipy', 'dask', 'tifffile', 'qtpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_record_says_what_the_run_is(run):
    record = run.record
    assert (record["family"], record["preset"], record["seed"], record["threads"]) == ("toy", "tiny", 1, None)
    assert {"napari-cellsynth", "python", "torch", "numpy"} <= set(record["versions"])
    run.update_record(threads=2)
    assert RunFolder(run.path).record["threads"] == 2


def test_of_two_that_make_a_run_at_once_one_does(tmp_path, monkeypatch):
    """Both have seen an empty folder; the second is refused and changes nothing of the first."""
    real, made = run_folder.one_at_a_time, []

    def late(path):
        if not made:
            made.append(None)
            made.append(new(path.parent, steps=7))
        return real(path)

    monkeypatch.setattr(run_folder, "one_at_a_time", late)
    with pytest.raises(BadInput, match="was made by another process at this moment"):
        new(tmp_path / "run", steps=9)
    assert RunFolder(tmp_path / "run").record["settings"]["steps"] == 7
    assert not (tmp_path / "run" / ".record-lock").exists()


def test_settings_are_changed_one_by_one(run):
    run.update_settings(steps=60)
    assert run.record["settings"] == {"steps": 60, "seed": 1}


def test_one_that_is_removed_as_we_look_hides_no_other(run, tmp_path, monkeypatch):
    from napari_cellsynth import api

    gone = new(tmp_path / "gone")
    real = RunFolder.state

    def state(self, **options):
        if self.path == gone.path:
            (gone.path / "run.json").write_text("{")
        return real(self, **options)

    monkeypatch.setattr(RunFolder, "state", state)
    assert [row["name"] for row in api.list_runs(tmp_path)] == ["run"]
    run.update_record(created="yesterday")
    assert api.list_runs(tmp_path)[0]["created"] is None, "it may come from anywhere"


def test_a_folder_in_use_is_refused_and_left_alone(run, tmp_path):
    before = (run.path / "run.json").read_bytes()
    with pytest.raises(BadInput, match="already holds a run"):
        new(run.path)
    assert (run.path / "run.json").read_bytes() == before
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("!")
    with pytest.raises(BadInput, match="not an empty folder"):
        new(tmp_path / "thesis")
    (tmp_path / "file").write_text("!")
    with pytest.raises(BadInput, match="not an empty folder"):
        new(tmp_path / "file")


def test_data_may_have_been_written_for_the_run_before(tmp_path):
    (tmp_path / "run" / "data").mkdir(parents=True)
    assert new(tmp_path / "run").state().state == "new"


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(BadInput, match="is not a run"):
        RunFolder(tmp_path)
    (tmp_path / "run.json").write_text("[]")
    assert not RunFolder.is_run(tmp_path)
    with pytest.raises(BadInput, match="does not exist"):
        RunFolder(tmp_path / "misspelt")


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (Finished(step=50), "finished"),
        (Stopped(step=9, n=1), "stopped"),
        (CancelledByUser(step=9, n=1), "cancelled"),
        (Failed(step=9, reason="disk full"), "failed"),
    ],
)
def test_the_event_that_ends_a_run_is_its_state(run, dead, event, state):
    started(run)
    sign(run, dead)
    event = run.append(event)
    found = run.state()
    assert (found.state, found.step, found.steps) == (state, event.step, 50)
    assert found.since == event.time
    assert found.because == getattr(event, "reason", "")


def test_states_of_a_run_that_is_worked_on(run):
    assert run.state().state == "new"
    with Heartbeat(run.path / "alive.json") as heart:
        assert run.state().state == "running"
        started(run)
        heart.step = 5
        run.append(Paused(step=5, n=1))
        assert run.state().state == "paused"
        run.append(Resumed(step=5, n=2))
        state = run.state()
        assert (state.state, state.host) == ("running", socket.gethostname())
        with pytest.raises(BadInput, match="is running"):
            delete(run)


def test_a_resumed_run_is_running_before_it_says_so(run, dead):
    started(run)
    run.append(Stopped(step=9))
    with Heartbeat(run.path / "alive.json"):
        assert run.state().state == "running"


def test_a_run_whose_process_died_is_interrupted(run, dead):
    started(run)
    run.append(Step(step=7, losses={}, learning_rate={}, seconds=1.0))
    run.append(Paused(step=7, n=1))
    sign(run, dead)
    state = run.state()
    assert (state.state, state.step, state.since) == ("interrupted", 7, dead.time)
    assert "left no reason" in state.because


def test_a_run_that_was_killed_after_cancel_is_cancelled(run, dead):
    started(run)
    sign(run, dead)
    run.ask("stop")
    assert run.state().state == "interrupted"
    run.ask("cancel")
    assert run.state().state == "cancelled"


def test_an_old_cancel_does_not_count(run, dead):
    run.ask("cancel")
    time.sleep(0.01)
    started(run)
    sign(run, Alive(**{**asdict(dead), "since": time.time()}))
    assert run.state().state == "interrupted"


def test_wishes_are_numbered(run):
    assert [run.ask("pause"), run.ask("resume"), run.ask("stop")] == [1, 2, 3]
    run.append(Stopped(step=1, n=8))
    assert run.ask("cancel") == 9
    assert json.loads((run.path / "control.json").read_text())["ask"] == "cancel"
    with pytest.raises(BadInput, match="expected one of"):
        run.ask("explode")


def test_runs_of_a_folder(tmp_path):
    for name in ("b", "a"):
        new(tmp_path / name)
    (tmp_path / "other").mkdir()
    assert [run.name for run in runs_in(tmp_path)] == ["a", "b"]
    assert [run.name for run in runs_in(tmp_path / "a")] == ["a"]
    assert runs_in(tmp_path / "nothing") == []


def test_a_run_that_is_removed_as_we_look_hides_none_of_the_others(tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        new(tmp_path / name)
    real = RunFolder.__init__

    def init(self, path):
        if path.name == "b":
            (path / "run.json").unlink(missing_ok=True)
        real(self, path)

    monkeypatch.setattr(RunFolder, "__init__", init)
    assert [run.name for run in runs_in(tmp_path)] == ["a", "c"]


def test_size_counts_all_files(run):
    before = run.size()
    (run.path / "previews").mkdir()
    (run.path / "previews" / "x").write_bytes(b"\0" * 1234)
    assert run.size() == before + 1234


def test_delete_moves_to_the_bin(run, monkeypatch):
    binned = []
    monkeypatch.setattr("send2trash.send2trash", binned.append)
    delete(run)
    assert binned == [run.path]


@pytest.mark.parametrize("name", ["../other/x.tif", "/etc/passwd", "previews/../../x"])
def test_a_name_that_leads_out_of_the_folder_is_refused(run, name):
    with pytest.raises(BadInput, match="not to be trusted"):
        run.file(name)


def test_a_name_inside_is_found(run):
    assert run.file("previews/a.tif") == run.path.resolve() / "previews" / "a.tif"


@pytest.mark.parametrize(
    "record", [{}, {"files": []}, {"files": {"networks.safetensors": 7}}, {"files": {"../../run.json": {"bytes": 3}}}]
)
def test_half_a_checkpoint_is_none(run, record):
    folder = run.path / "checkpoints" / "step-00000010"
    folder.mkdir(parents=True)
    assert run.checkpoints() == []
    (folder / "checkpoint.json").write_text(json.dumps(record))
    assert run.checkpoints() == []
    assert run.latest_weights() is None

"""A run's folder that is away for a while, too long, for ever; somebody else may take the run meanwhile."""

from __future__ import annotations

import errno
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from toys import Toy, new_toy_run
from waiting_for import until

from napari_cellsynth.engine import heartbeat, patience, saving
from napari_cellsynth.engine.event_log import EventTail
from napari_cellsynth.engine.heartbeat import Alive
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.train import train
from napari_cellsynth.errors import RunFailed
from napari_cellsynth.gui.jobs import TrainingProcess, follow


@pytest.fixture(autouse=True)
def short_patience(monkeypatch):
    monkeypatch.setattr(patience, "RETRY", 0.02)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run whose folder never went away."""
    run, settings = new_toy_run(tmp_path_factory.mktemp("whole") / "run", steps=60)
    list(train(run, Toy(settings), settings, device="cpu"))
    return run


def weights(run):
    return (run.latest_weights() / "networks.safetensors").read_bytes()


def drive(training, do):
    """Train, and do something at every step that is told."""
    for event in training:
        if event.kind == "step":
            do(event.step)


class Share:
    """A folder with runs in it, which comes and goes."""

    def __init__(self, path: Path) -> None:
        self.path, self._hidden = path, path.with_name("not mounted")
        path.mkdir()

    def vanish(self) -> None:
        self.path.rename(self._hidden)

    def come_back(self) -> None:
        self._hidden.rename(self.path)


@pytest.fixture
def share(tmp_path):
    return Share(tmp_path / "share")


def test_what_happens_meanwhile_is_written_in_order_when_it_is_back(share, whole):
    run, settings = new_toy_run(share.path / "run", steps=60)
    tail, seen, states, events = EventTail(run.path / "events.jsonl"), [], [], []
    for event in train(run, Toy(settings), settings, device="cpu"):
        events.append(event)
        if event.kind == "step" and event.step > 10 and not states:
            run.state()
            share.vanish()
            seen += tail.read()
            states.append(run.state())
        if event.kind == "step" and event.step >= 50 and len(states) == 1:
            # It has trained on, and looked on, all the while; not even an empty folder was made in its place.
            assert not share.path.exists()
            states.append(run.state())
            share.come_back()
    assert [(state.state, state.steps) for state in states] == [("away", 60), ("away", 60)]
    assert "not connected" in states[0].because
    seen += tail.read()
    assert [(event.kind, event.time) for event in seen] == [(event.kind, event.time) for event in events]
    assert [event.time for event in seen] == sorted(event.time for event in seen)
    # The state that was due at step 20 waited for the folder; those at 30 and 40 were passed over meanwhile.
    saved = [event.step for event in seen if event.kind == "checkpoint"]
    assert saved[-1] == 60
    assert run.state().state == "finished"
    assert weights(run) == weights(whole)


def test_the_preview_of_a_time_away_is_left_out(share):
    run, settings = new_toy_run(share.path / "run", steps=40, preview_every=10, checkpoint_every=40)
    made = []
    for event in train(run, Toy(settings), settings, device="cpu"):
        if event.kind == "preview":
            made.append(event.step)
            if event.step == 10:
                share.vanish()
        if event.kind == "validation" and event.step == 20:
            share.come_back()
    assert made == [10, 30, 40]
    assert len(list((run.path / "previews").iterdir())) == 3


def test_a_folder_that_stays_away_fails_the_run_plainly(share, monkeypatch):
    monkeypatch.setattr(patience, "PATIENCE", 0.3)
    monkeypatch.setattr(patience, "_device", lambda folder: 7 if folder.exists() else None)
    run, settings = new_toy_run(share.path / "run", steps=1_000_000)
    began = time.monotonic()

    def vanish(step):
        if step > 10 and share.path.exists():
            share.vanish()

    with pytest.raises(RunFailed, match=r"has been away for 0 minutes .*resume the run when it is back") as caught:
        drive(train(run, Toy(settings), settings, device="cpu"), vanish)
    assert time.monotonic() - began < 30
    assert "\n" not in str(caught.value)
    assert "the weights of step" in str(caught.value)
    assert not share.path.exists()
    share.come_back()
    # Its process ends then; here it is the tests' own.
    (run.path / "alive.json").write_text(json.dumps(replace(run.alive, pid=2**22 - 3).to_json()))
    state = run.state()
    # It could not say so there; what is left can be resumed.
    assert state.state == "interrupted"
    run.update_record(settings={**run.record["settings"], "steps": state.step + 20})
    settings = settings.model_copy(update={"steps": state.step + 20})
    assert list(train(run, Toy(settings), settings, device="cpu", resume=True))[-1].kind == "finished"


def test_a_folder_that_was_removed_is_told_from_one_that_is_away(tmp_path, monkeypatch):
    monkeypatch.setattr(patience, "REMOVED", 0.3)
    run, settings = new_toy_run(tmp_path / "run", steps=1_000_000)

    def remove(step):
        if step > 10 and run.path.exists():
            run.path.rename(tmp_path / "removed")

    with pytest.raises(RunFailed, match="was removed or renamed while it was trained"):
        drive(train(run, Toy(settings), settings, device="cpu"), remove)
    assert not run.path.exists(), "it was begun anew"


def test_an_empty_place_where_the_share_is_mounted_is_not_written_to(tmp_path):
    run, settings = new_toy_run(tmp_path / "run", steps=60)
    away = False
    for event in train(run, Toy(settings), settings, device="cpu"):
        if event.kind == "step" and event.step > 10 and not away:
            away = True
            run.path.rename(tmp_path / "elsewhere")
            run.path.mkdir()
        if event.kind == "step" and event.step >= 40 and (tmp_path / "elsewhere").exists():
            assert {path.name for path in run.path.iterdir()} <= {"alive.json"}
            for path in run.path.iterdir():
                path.unlink()
            run.path.rmdir()
            (tmp_path / "elsewhere").rename(run.path)
    assert run.state().state == "finished"


def test_who_comes_back_to_find_another_at_work_lets_go(share, monkeypatch):
    monkeypatch.setattr(heartbeat, "BEAT", 0.1)
    run, settings = new_toy_run(share.path / "run", steps=1_000_000)
    training = train(run, Toy(settings), settings, device="cpu")
    next(event for event in training if event.kind == "step")
    share.vanish()
    # Elsewhere the share was there all the time, and the run was taken for interrupted.
    hidden = RunFolder(share._hidden / "run")
    other = replace(hidden.alive, host="elsewhere", pid=7, since=5.0)
    (hidden.path / "alive.json").write_text(json.dumps(other.to_json()))
    written = hidden.log_of_events.path.read_bytes()
    share.come_back()
    with pytest.raises(RunFailed, match="is being trained by process 7 on elsewhere by now"):
        list(training)
    assert Alive.read(run.path / "alive.json").pid == 7
    last = run.events()[-1]
    assert last.kind != "failed"
    assert run.log_of_events.path.read_bytes().startswith(written)


def test_what_waited_for_the_folder_is_not_written_into_anothers(share):
    """However fast it is: before its own sign of life has been looked for."""
    run, settings = new_toy_run(share.path / "run", steps=1_000_000, checkpoint_every=10)
    training = train(run, Toy(settings), settings, device="cpu")
    next(event for event in training if event.kind == "checkpoint")
    share.vanish()
    gone = next(event.step for event in training if event.kind == "step")
    # Events are kept, and a state waits in the thread that writes it.
    next(event for event in training if event.kind == "step" and event.step > gone + 20)
    assert run.log_of_events.waits
    hidden = RunFolder(share._hidden / "run")
    other = replace(hidden.alive, host="elsewhere", pid=7, since=5.0)
    (hidden.path / "alive.json").write_text(json.dumps(other.to_json()))
    written, states = hidden.log_of_events.path.read_bytes(), hidden.checkpoints()
    share.come_back()
    with pytest.raises(RunFailed, match="is being trained by process 7 on elsewhere by now"):
        list(training)
    assert run.log_of_events.path.read_bytes() == written
    assert [path.name for path in run.checkpoints()] == [path.name for path in states]


def test_who_has_waited_meanwhile_begins_nothing_in_anothers_folder(share, monkeypatch):
    """For a GPU, for hours, cut off from the folder."""
    run, settings = new_toy_run(share.path / "run", steps=5)
    record, real = run.record, heartbeat.Heartbeat.__enter__

    def enter(self):
        found = real(self)
        found.rival = replace(run.alive, host="elsewhere", pid=7)
        return found

    monkeypatch.setattr(heartbeat.Heartbeat, "__enter__", enter)
    with pytest.raises(RunFailed, match="is being trained by process 7 on elsewhere by now"):
        list(train(run, Toy(settings), settings, device="cpu"))
    assert run.events() == [] and run.record == record
    assert not (run.path / ".reserve").exists()


def test_a_state_that_cannot_be_written_is_tried_again(tmp_path, whole, monkeypatch):
    run, settings = new_toy_run(tmp_path / "run", steps=60)
    real, stumbles = saving.checkpoint.save, []

    def stumbling(folder, snapshot):
        if len(stumbles) < 2:
            stumbles.append(snapshot.step)
            raise OSError(errno.EIO, "Input/output error")
        return real(folder, snapshot)

    monkeypatch.setattr(saving.checkpoint, "save", stumbling)
    assert list(train(run, Toy(settings), settings, device="cpu"))[-1].kind == "finished"
    assert stumbles == [10, 10]
    assert weights(run) == weights(whole)


def test_a_disk_that_fails_in_a_folder_that_is_there_fails_the_run(tmp_path, monkeypatch):
    run, settings = new_toy_run(tmp_path / "run", steps=60)

    def broken(folder, snapshot):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(saving.checkpoint, "save", broken)
    with pytest.raises(RunFailed, match="Input/output error"):
        list(train(run, Toy(settings), settings, device="cpu"))
    assert run.state().state == "failed"


def test_whoever_follows_a_run_waits_for_its_folder(share, begin):
    from faulty import train_toy

    run, _ = new_toy_run(share.path / "run", steps=4000, preview_every=4000)
    begin(train_toy, str(run.path), False)
    until(lambda: run.log_of_events.recent().step > 0)
    states, events = [], []
    for news in follow(TrainingProcess(run.path)):
        events += news.events
        if not states or states[-1] != news.state.state:
            states.append(news.state.state)
        if states == ["running"]:
            share.vanish()
        elif states == ["running", "away"]:
            share.come_back()
            run.ask("stop")
    assert states == ["running", "away", "running", "stopped"] or states == ["running", "away", "stopped"]
    assert events == run.events()

"""A training is a process of its own: followed, paused, cancelled within two seconds, found again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest
from busy import stretched
from trainings import SIZE, SMALL, new_run, state, training_set, until

from napari_cellsynth.api import TRAINING_SETS
from napari_cellsynth.engine.events import Finished, Started, Step
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.errors import BadInput, RunFailed
from napari_cellsynth.gui.jobs import TrainingProcess, device_words, estimate, follow, last_line

FOREVER = 1_000_000
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
pytestmark = pytest.mark.gui


@pytest.fixture
def process(cellsynth_home):
    """A long training that has begun; ended afterwards whatever happens."""
    process = TrainingProcess(new_run(cellsynth_home, steps=FOREVER))
    process.start()
    until(lambda: process.folder.state().step > 5)
    yield process
    process.cancel()


def test_a_run_is_followed_from_its_first_event_to_its_end(cellsynth_home):
    process = TrainingProcess(new_run(cellsynth_home, steps=40))
    process.start()
    news = list(follow(process))
    events = [event for one in news for event in one.events]
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    assert [e.step for e in events if isinstance(e, Step)] == sorted(e.step for e in events if isinstance(e, Step))
    assert news[-1].state.state == "finished"
    assert news[-1].usable
    previews = [one.preview for one in news if one.preview is not None]
    assert previews[-1].shape[1:] == (1, SIZE, SIZE)
    # Whoever looks later sees the same story.
    again = [event for one in follow(TrainingProcess.attach(process.folder.path)) for event in one.events]
    assert again == events


def test_cancel_ends_a_run_that_listens_within_two_seconds(process):
    child = psutil.Process(process.folder.state().pid)
    began = time.monotonic()
    process.cancel()
    assert time.monotonic() - began < stretched(2.3)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert process.folder.state().state == "cancelled"


@posix
def test_cancel_kills_a_run_that_does_not_listen(process):
    child = psutil.Process(process.folder.state().pid)
    os.kill(child.pid, signal.SIGSTOP)
    began = time.monotonic()
    TrainingProcess.attach(process.folder.path).cancel()
    assert time.monotonic() - began < stretched(2.3)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert state(process.folder.path) == "cancelled"


def test_cancel_before_the_first_sign_of_life(cellsynth_home):
    process = TrainingProcess(new_run(cellsynth_home, steps=FOREVER))
    process.start()
    began = time.monotonic()
    process.cancel()
    assert time.monotonic() - began < stretched(2.3)
    # Killed by then; on a busy machine a process of low priority takes a moment to be taken down.
    until(lambda: not process.alive())
    assert process.folder.state().state == "cancelled"


def test_cancelling_what_is_over_changes_nothing(cellsynth_home):
    process = TrainingProcess(new_run(cellsynth_home))
    process.cancel()
    assert process.folder.state().state == "new"


def test_a_child_that_cannot_begin_says_why(cellsynth_home):
    run = new_run(cellsynth_home)
    folder = RunFolder(run)
    folder.update_record(data={**folder.record["data"], "path": str(run / "moved away")})
    # In the home it would be found by its content.
    (cellsynth_home / TRAINING_SETS).rename(cellsynth_home / "elsewhere")
    process = TrainingProcess(run)
    process.start()
    with pytest.raises(RunFailed, match="moved away is no training set"):
        list(follow(process))


@posix
def test_a_run_outlives_the_program_that_started_it(cellsynth_home):
    """Start from A, kill A, attach from B, pause, go on, stop."""
    run = new_run(cellsynth_home, steps=FOREVER)
    script = f"""
        import time
        from pathlib import Path
        from napari_cellsynth.gui.jobs import TrainingProcess
        TrainingProcess(Path({str(run)!r})).start()
        print("started", flush=True)
        time.sleep(600)
    """
    a = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE)
    assert a.stdout.readline() == b"started\n"
    until(lambda: RunFolder(run).state().state == "running")
    a.send_signal(signal.SIGKILL)
    a.wait()
    b = TrainingProcess.attach(run)
    at = b.folder.state().step
    try:
        until(lambda: b.folder.state().step > at, 20)
        with pytest.raises(BadInput, match="being trained already"):
            TrainingProcess(run).start(resume=True)
        b.ask("pause")
        until(lambda: b.folder.state().state == "paused", 10)
        at = b.folder.state().step
        time.sleep(0.3)
        assert b.folder.state().step == at
        b.ask("resume")
        until(lambda: b.folder.state().step > at, 10)
        b.ask("stop")
        until(lambda: b.folder.state().state == "stopped", 10)
        until(lambda: not b.alive(), 10)
    finally:
        b.cancel()
    assert b.folder.latest_weights() is not None


def test_estimate_takes_real_steps_and_leaves_nothing(cellsynth_home):
    data = training_set(cellsynth_home)
    before = {path.name for path in cellsynth_home.rglob("*")}
    steps = estimate("dcgan", data, preset="tiny", changes={**SMALL, "steps": 100}, device="cpu")
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found = end.value
            break
    assert 0 < found.seconds_per_step < 5
    assert found.memory > 10**7
    assert {path.name for path in cellsynth_home.rglob("*")} - before <= {"estimates.json", ".estimates.json.lock"}


def test_an_estimate_that_is_not_wanted_any_more_ends_its_process(cellsynth_home):
    data = training_set(cellsynth_home)
    before = {child.pid for child in psutil.Process().children()}
    steps = estimate("dcgan", data, preset="tiny", changes={}, device="cpu")
    next(steps)
    (child,) = [child for child in psutil.Process().children() if child.pid not in before]
    steps.close()
    assert not child.is_running()


def test_an_impossible_estimate_says_why(cellsynth_home):
    steps = estimate("dcgan", cellsynth_home / "nothing", preset="tiny", changes={}, device="cpu")
    with pytest.raises(RunFailed, match="is no training set"):
        list(steps)


def test_last_line(tmp_path):
    (tmp_path / "log.txt").write_text("one\ncellsynth: two\n\n")
    assert last_line(tmp_path / "log.txt") == "two"
    assert last_line(tmp_path / "none.txt") == ""


def test_device_words(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert device_words({"device": "cpu"}) == "processor, 7 of 8 cores"
    gpu = {"device": "cuda:0", "name": "RTX A5000", "memory": 24e9, "free": 19e9}
    assert device_words(gpu) == "RTX A5000, 19 of 24 GB free"

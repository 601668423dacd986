"""A process that never starts, or dies before its first word: the reason reaches whoever waits for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from toys import new_toy_run
from waiting_for import until

from napari_cellsynth.errors import RunFailed
from napari_cellsynth.gui import jobs
from napari_cellsynth.gui.jobs import TrainingProcess, follow


@pytest.fixture
def process(tmp_path: Path):
    run, _ = new_toy_run(tmp_path / "run")
    return TrainingProcess(run.path)


def test_an_interpreter_that_is_gone(process, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(RunFailed, match=r"could not be started \(No such file .*: /nowhere/python\)") as caught:
        process.start()
    assert "\n" not in str(caught.value)
    assert process.folder.state().state == "new"
    assert not process.alive()


def test_an_interpreter_that_is_none(process, monkeypatch, tmp_path):
    (tmp_path / "python").write_text("#!/bin/sh\necho this is no python >&2\nexit 3\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    process.start()
    with pytest.raises(RunFailed, match="this is no python"):
        list(follow(process))
    assert process.folder.state().state == "new"


def test_a_package_that_cannot_be_imported(process, monkeypatch, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "torch.py").write_text("raise ImportError('DLL load failed while importing _C')\n")
    (tmp_path / "broken" / "psutil.py").write_text("raise ImportError('DLL load failed while importing _psutil')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    process.start()
    with pytest.raises(RunFailed, match="ImportError: DLL load failed") as caught:
        list(follow(process))
    assert "\n" not in str(caught.value)


def test_a_child_that_is_killed_later_leaves_how(process, monkeypatch, tmp_path):
    """The status is known to the parent alone; it writes it down for whoever looks on Monday."""
    # What matters of a training, and no torch, which takes its time to load.
    script = f"""
import time
from napari_cellsynth.engine.events import Started
from napari_cellsynth.engine.heartbeat import Heartbeat
from napari_cellsynth.engine.run_folder import RunFolder

run = RunFolder({str(process.folder.path)!r})
with Heartbeat(run.path / "alive.json"):
    run.append(Started(step=0, steps=9, device="cpu"))
    time.sleep(600)
"""
    real = jobs.subprocess.Popen
    words = [sys.executable, "-c", script]
    monkeypatch.setattr(jobs.subprocess, "Popen", lambda _, **options: real(words, **options))
    process.start()
    until(lambda: process.folder.log_of_events.recent().last is not None, 100)
    os.kill(process._child.process.pid, 11)
    *_, last = follow(process)
    assert last.state.state == "interrupted"
    assert process.folder.state().because == "its process crashed (SIGSEGV)"

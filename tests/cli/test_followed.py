"""A run that works on another computer, in a folder that both see, is followed and told from here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from napari_cellsynth import api
from napari_cellsynth.engine.events import Started, Step, Stopped
from napari_cellsynth.engine.run_folder import RunFolder

ELSEWHERE = """
import socket, sys
socket.gethostname = lambda: "gpu-node7"
from napari_cellsynth.engine import heartbeat
heartbeat.machine = lambda: "another"
heartbeat.Heartbeat.__init__.__kwdefaults__["beat"] = 0.2
from napari_cellsynth.cli import main
sys.exit(main(["train", "--resume", sys.argv[1], "--quiet"]))
"""


def test_a_run_on_another_computer_is_listed_followed_and_stopped(shell, crops, tmp_path, cellsynth_home) -> None:
    share = tmp_path / "share"
    words = ["--preset", "tiny", "--set", "width=4", "--set", "batch_size=4", "--steps", 100000, "--quiet"]
    assert shell("pack", "dcgan", crops, share / "package", *words).status == 0
    api.add_place(share / "package")
    run = RunFolder(share / "package" / "package")
    (job,) = (job for job in api.list_jobs() if job.path == str(run.path))
    assert job.state == "new"
    tail = run.tail()
    environ = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    child = subprocess.Popen([sys.executable, "-c", ELSEWHERE, run.path], env=environ)
    try:
        seen, until = [], time.monotonic() + 90
        while not any(isinstance(event, Step) for event in seen):
            assert child.poll() is None and time.monotonic() < until
            seen += tail.read()
            time.sleep(0.1)
        assert isinstance(seen[0], Started)
        state = run.state()
        assert (state.state, state.host, state.pid) == ("running", "gpu-node7", child.pid)
        (job,) = (job for job in api.list_jobs() if job.path == str(run.path))
        assert (job.state, job.host) == ("running", "gpu-node7")
        (row,) = json.loads(shell("runs", share / "package", "--json").out)
        assert row["state"] == "running"
        assert "is being trained by process" in shell("train", "--resume", run.path).complaint
        assert "stop it first" in shell("pack", run.path, tmp_path / "again").complaint
        asked = run.ask("stop")
        assert child.wait(60) == 0
    finally:
        child.kill()
        child.wait()
    (stopped,) = (event for event in tail.read() if isinstance(event, Stopped))
    assert stopped.n == asked
    assert run.state().state == "stopped"
    made = tmp_path / "made.ome.tif"
    assert shell("sample", run.path, made, "--count", 1, "--quiet").status == 0
    assert Path(made).exists()

"""A disk that fills up while a run is trained: said in words, nothing half-written, gone on with when there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from toys import Toy, new_toy_run

from napari_cellsynth.engine import checkpoint
from napari_cellsynth.engine.train import train

SCRIPT = """
import os, sys
from pathlib import Path

sys.path[:0] = HERE
from toys import Toy, new_toy_run
from napari_cellsynth.engine import checkpoint
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.train import train
from napari_cellsynth.errors import RunFailed

disk = Path(os.environ["DISK"])
run, settings = new_toy_run(disk / "run", steps=60)

def fill(leave):
    usage = os.statvfs(disk)
    (disk / "film.tif").write_bytes(bytes(max(0, usage.f_bavail * usage.f_frsize - leave)))

try:
    for event in train(run, Toy(settings), settings, device="cpu"):
        if event.kind == "step" and event.step >= WHEN and not (disk / "film.tif").exists():
            fill(LEAVE)
except RunFailed as error:
    print("failed:", error)
state = RunFolder(run.path).state()
print("state:", state.state, state.because)
print("left:", sorted(p.name for p in run.path.rglob("*") if p.name.endswith((".tmp", ".part", ".reserve"))))
print("whole:", [path.name for path in run.checkpoints() if checkpoint.check(path)])
(disk / "film.tif").unlink()
for event in train(run, Toy(settings), settings, device="cpu", resume=True):
    pass
print("then:", event.kind, checkpoint.weights_hash(run.path))
"""

needs_unshare = pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")


def on_a_small_disk(script: str, folder: Path, kilobytes: int) -> dict[str, str]:
    """What python lines say with ``$DISK``, a file system of so many kilobytes that only they see."""
    folder.mkdir()
    mount = f'mount -t tmpfs -o size={kilobytes}k none "$DISK" || exit 77'
    words = ["-m"] if os.geteuid() == 0 else ["-r", "-m"]
    command = [str(shutil.which("unshare")), *words, "bash", "-c", f'{mount}\nexec "$PY" -c "$SCRIPT"']
    environment = {**os.environ, "DISK": str(folder), "PY": sys.executable, "SCRIPT": script}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode == 77 or "Operation not permitted" in done.stderr:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()[:200]}")
    assert done.returncode == 0, done.stderr
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


@needs_unshare
@pytest.mark.parametrize("leave", [0, 40_000])
def test_a_disk_that_fills_up_while_a_run_is_trained(tmp_path: Path, leave: int):
    here = [str(Path(__file__).parents[1] / "engine")]
    script = SCRIPT.replace("HERE", repr(here)).replace("WHEN", "12").replace("LEAVE", str(leave))
    said = on_a_small_disk(script, tmp_path / "disk", 6000)
    assert "disk full" in said["failed"] and "make room and resume" in said["failed"]
    assert "the weights of step 10 are kept" in said["failed"]
    assert said["state"] == f"failed {said['failed']}"
    assert said["left"] == "[]"
    assert said["whole"] == "['step-00000010']"
    whole, settings = new_toy_run(tmp_path / "whole", steps=60)
    list(train(whole, Toy(settings), settings, device="cpu"))
    assert said["then"] == f"finished {checkpoint.weights_hash(whole.path)}"

"""How a package is started: by a shell, on Windows, by SLURM."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from napari_cellsynth.engine.elsewhere.package import _portable
from napari_cellsynth.engine.elsewhere.scripts import Slurm, job_slurm, start_bat, start_sh
from napari_cellsynth.engine.event_log import EventLog
from napari_cellsynth.engine.events import Finished, Stopped
from napari_cellsynth.errors import BadInput

BASH = shutil.which("bash")
NAME = "HeLa's cells & 50 %"
needs_bash = pytest.mark.skipif(BASH is None, reason="no bash on this system")


def programs(folder: Path, **scripts: str) -> dict[str, str]:
    """Stand-ins for a cluster's programs, first in PATH."""
    folder.mkdir()
    for name, script in scripts.items():
        (folder / name).write_text(f"#!{BASH}\n{script}\n")
        (folder / name).chmod(0o755)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def a_package(folder: Path) -> Path:
    (folder / NAME).mkdir(parents=True)
    (folder / NAME / "run.json").write_text("{}")
    (folder / NAME / "events.jsonl").write_text('{"event": "step"}\n')
    (folder / "start.sh").write_text(start_sh(NAME))
    (folder / "job.slurm").write_text(job_slurm(NAME, Slurm()))
    return folder


@needs_bash
def test_the_shell_starts_it_from_anywhere(tmp_path) -> None:
    package = a_package(tmp_path / "my package")
    environ = programs(tmp_path / "bin", python='printf "%s|" "$PWD" "$@"') | {"PYTHON": "python"}
    said = subprocess.run(
        ["sh", package / "start.sh", "--quiet"], cwd="/", env=environ, capture_output=True, text=True, check=True
    )
    assert said.stdout == f"{package.resolve()}|-m|napari_cellsynth|train|--resume|{NAME}|--quiet|"


def test_windows_starts_it() -> None:
    lines = start_bat(NAME).split("\r\n")
    assert 'cd /d "%~dp0"' in lines
    assert any('train --resume "HeLa\'s cells & 50 %%" %*' in line for line in lines)
    assert all("\n" not in line for line in lines)


@needs_bash
@pytest.mark.parametrize("finished", [False, True])
def test_slurm_tells_the_training_and_queues_the_job_again(tmp_path, finished) -> None:
    """120 s before the end the job's shell hears USR1; the training is told, saves and ends; it is queued again."""
    package = a_package(tmp_path / "my package")
    note = '[ "$1" = --signal=TERM ] && touch told; echo "scancel $*" >> log'
    EventLog(tmp_path / "last.jsonl").append(Finished(step=9) if finished else Stopped(step=9))
    training = (
        'shift; printf "%s|" "$@" "$SRUN_CPUS_PER_TASK" > words; touch started; '
        "until [ -e told ]; do sleep 0.05; done; sleep 0.2; "
        f"cat '{tmp_path}/last.jsonl' >> {NAME.join(chr(34) * 2)}/events.jsonl; exit 0"
    )
    environ = programs(tmp_path / "bin", srun=training, scancel=note, scontrol='echo "scontrol $*" >> log')
    environ |= {"SLURM_SUBMIT_DIR": str(package), "SLURM_JOB_ID": "4711", "PYTHON": "python"}
    environ["SLURM_CPUS_PER_TASK"] = "4"
    job = subprocess.Popen([BASH, package / "job.slurm"], env=environ, cwd="/")
    until = time.monotonic() + 30
    while not (package / "started").exists() and time.monotonic() < until:
        time.sleep(0.05)
    job.send_signal(signal.SIGUSR1)
    assert job.wait(30) == 0
    assert (package / "words").read_text() == f"python|-m|napari_cellsynth|train|--resume|{NAME}|4|"
    again = [] if finished else ["scontrol requeue 4711"]
    assert (package / "log").read_text().splitlines() == ["scancel --signal=TERM 4711", *again]


@needs_bash
def test_a_job_that_fails_is_not_queued_again(tmp_path) -> None:
    package = a_package(tmp_path / "package")
    environ = programs(tmp_path / "bin", srun="exit 3", scontrol="touch again")
    job = [BASH, package / "job.slurm"]
    assert subprocess.run(job, env=environ | {"SLURM_SUBMIT_DIR": str(package)}, check=False).returncode == 3
    assert not (package / "again").exists()
    away = subprocess.run(job, env=environ | {"SLURM_SUBMIT_DIR": "/"}, capture_output=True, text=True, check=False)
    assert away.returncode == 2
    assert "submit this from the folder" in away.stderr


def test_what_slurm_is_asked_for() -> None:
    lines = job_slurm("run", Slurm("2-00:00", gpus=4, nodes=2, partition="gpu")).splitlines()
    asked = {line.removeprefix("#SBATCH ") for line in lines if line.startswith("#SBATCH")}
    assert {"--time=2-00:00", "--nodes=2", "--gpus-per-node=4", "--ntasks-per-node=4", "--partition=gpu"} <= asked
    assert {"--signal=B:USR1@120", "--requeue"} <= asked
    assert Slurm(gpus=4, nodes=2).processes == 8
    plain = job_slurm("run", Slurm(gpus=0))
    assert "gpus" not in plain and "partition=" not in plain and "--ntasks-per-node=1" in plain


@pytest.mark.parametrize(
    "wrong",
    [{"time": "a day"}, {"time": "24h"}, {"gpus": -1}, {"nodes": 0}, {"partition": "a b"}, {"partition": "x\ny"}],
)
def test_what_slurm_would_refuse(wrong) -> None:
    with pytest.raises(BadInput, match="given; expected"):
        Slurm(**wrong)


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("HeLa cells", "HeLa cells"),
        ("a:b/c", "a_b_c"),
        ("data", "run data"),
        ("CON", "run CON"),
        ("nul.1", "run nul.1"),
        ("--help", "help"),
    ],
)
def test_names_that_every_system_takes(name, there) -> None:
    assert _portable(name) == there

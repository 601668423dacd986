"""What a package holds beside the run and its data: how to start it, for a person, a shell and SLURM."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from napari_cellsynth.errors import BadInput

TIME = re.compile(r"\d+(:\d{1,2}){0,2}|\d+-\d{1,2}(:\d{1,2}){0,2}")
WORD = re.compile(r"[\w.,:+-]+")
NOTICE = 120
"""Seconds before its end at which SLURM tells a job, which then saves its state."""


@dataclass(frozen=True)
class Slurm:
    """What a cluster is asked for.

    Raises BadInput for what SLURM would refuse.
    """

    time: str = "24:00:00"
    """As SLURM writes it: minutes, hours:minutes:seconds or days-hours."""
    gpus: int = 1
    """On each computer; one process each.  0: the processor."""
    nodes: int = 1
    """Computers."""
    partition: str | None = None

    def __post_init__(self) -> None:
        if not TIME.fullmatch(self.time):
            raise BadInput(f"--time {self.time!r} given; expected 90 (minutes), 24:00:00 or 2-00 (days-hours)")
        if self.gpus < 0 or self.nodes < 1:
            raise BadInput(f"{self.gpus} GPUs on {self.nodes} computers given; expected 0 or more on 1 or more")
        if self.partition is not None and not WORD.fullmatch(self.partition):
            raise BadInput(f"--partition {self.partition!r} given; expected one word, as 'sinfo' lists them")

    @property
    def processes(self) -> int:
        return self.nodes * max(self.gpus, 1)


def start_sh(run: str) -> str:
    return f"""#!/bin/sh
# Starts the training, or goes on with it. PYTHON=/path/to/python says which python has napari-cellsynth.
cd "$(dirname "$0")" || exit 1
exec "${{PYTHON:-python}}" -m napari_cellsynth train --resume {shlex.quote(run)} "$@"
"""


def start_bat(run: str) -> str:
    """The same for Windows, whose lines end otherwise, and where % begins a variable."""
    text = f"""@echo off
rem Starts the training, or goes on with it. "set PYTHON=..." says which python has napari-cellsynth.
chcp 65001 >nul
cd /d "%~dp0"
if "%PYTHON%"=="" set PYTHON=python
"%PYTHON%" -m napari_cellsynth train --resume "{run.replace("%", "%%")}" %*
if errorlevel 1 pause
"""
    return text.replace("\n", "\r\n")


def job_slurm(run: str, slurm: Slurm) -> str:
    asked = [
        f"--job-name={re.sub(r'[^A-Za-z0-9.-]+', '_', run)}",
        "--output=slurm-%j.txt",
        "--open-mode=append",
        f"--time={slurm.time}",
        f"--nodes={slurm.nodes}",
        f"--ntasks-per-node={max(slurm.gpus, 1)}",
        *([f"--gpus-per-node={slurm.gpus}"] if slurm.gpus else []),
        "--cpus-per-task=4",
        *([f"--partition={slurm.partition}"] if slurm.partition else []),
        f"--signal=B:USR1@{NOTICE}",
        "--requeue",
    ]
    lines = "\n".join(f"#SBATCH {line}" for line in asked)
    return f"""#!/bin/bash
{lines}
# Submit it from the folder in which it lies: sbatch job.slurm
# Here stands what your cluster needs before python is found, such as:
#   module load python
#   source ~/cellsynth/bin/activate

cd "${{SLURM_SUBMIT_DIR:-.}}" || exit 1
run={shlex.quote(run)}
if [ ! -f "$run/run.json" ]; then
  echo "job.slurm: there is no run in $PWD/$run; submit this from the folder in which job.slurm lies" >&2
  exit 2
fi

# Since SLURM 22.05 srun gives each process one core unless this says more.
export SRUN_CPUS_PER_TASK="${{SLURM_CPUS_PER_TASK:-1}}"
# {NOTICE} s before the time is up the training saves its state and ends; the job is queued again and goes on.
again=no
trap 'again=yes; scancel --signal=TERM "$SLURM_JOB_ID"' USR1
srun --kill-on-bad-exit=1 "${{PYTHON:-python}}" -m napari_cellsynth train --resume "$run" &
training=$!
wait "$training"
status=$?
if [ "$again" = yes ]; then
  # The signal has ended the waiting, not the training.
  wait "$training"
  status=$?
fi
if [ "$again" = yes ] && ! grep -q '"event": "finished"' "$run/events.jsonl"; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
"""


@dataclass(frozen=True)
class Contents:
    """What README.txt tells of."""

    run: str
    family: str
    preset: str
    steps: int
    done: int
    data: str
    """Where the training set is: a relative path, or one on the other machine."""
    copied: bool
    """Whether the training set is in the package."""
    hash: str
    versions: Mapping[str, str]
    slurm: Slurm


def readme(about: Contents) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in about.versions.items() if name != "platform")
    begin = f"at step {about.done} of {about.steps}" if about.done else f"with step 1 of {about.steps}"
    data = f"in the folder {about.data}" if about.copied else f"expected at {about.data}"
    return f"""A training of CellSynth, packed for another computer
====================================================

{about.run}: {about.family}, preset {about.preset}; it begins {begin}.
Training set: {data}, content {about.hash[:12]}. It is checked at the start; wrong data are refused.
Packed with {versions}.

1. Install the same version there, once
   python -m venv cellsynth
   source cellsynth/bin/activate        (Windows: cellsynth\\Scripts\\activate)
   python -m pip install "torch=={_plain(about.versions)}"
   python -m pip install CELLSYNTH
   CELLSYNTH is napari-cellsynth {about.versions["napari-cellsynth"]} from where you obtained it: the folder or the
   wheel (.whl) that you installed here, copied to that computer, or the address that you installed it from.
   With an NVIDIA GPU, torch needs the build that https://pytorch.org/get-started/locally/ names for that computer.
   "python -m napari_cellsynth check" says what torch sees there.

2. Start it
   Linux, macOS:  sh start.sh
   Windows:       start.bat
   SLURM:         sbatch job.slurm      (from this folder; look into it first: partition, modules)
   Starting it again goes on from the last saved state, whatever ended it.
   Several GPUs:  {_several(about)}

3. Follow it
   python -m napari_cellsynth runs .
   If your own computer sees this folder, napari lists and shows the run there, too, and can pause and stop it.

4. Bring it home
   Copy the folder "{about.run}" back, anywhere. It is a normal run: sample, walk and train --resume work with it.
   To go on with the training at home, the training set is found by its content where you keep your training sets.
"""


def _several(about: Contents) -> str:
    return f"torchrun --nproc-per-node 2 -m napari_cellsynth train --resume {shlex.quote(about.run)}"


def _plain(versions: Mapping[str, str]) -> str:
    """torch's version without the build's own mark, such as +cpu, which the other computer need not share."""
    return versions.get("torch", "").partition("+")[0]

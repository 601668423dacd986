"""Whether this process is one of several that train one run together, as torchrun and SLURM start them.

Nothing is asked of the user for it: the launcher says in the environment
how many there are and which of them this is.  Loads no torch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from napari_cellsynth.errors import BadInput

PATIENCE = 120.0
"""Seconds for which process 0 may be busy making a run."""
TORCHRUN = ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True)
class Place:
    """One of several processes."""

    rank: int
    """Number among all, from 0; process 0 leads: it writes the folder and answers the user."""
    count: int
    """Of all computers together."""
    local_rank: int
    """Number among those of this computer, which is also the number of its GPU."""
    local_count: int
    launcher: Literal["torchrun", "slurm"]

    @property
    def leads(self) -> bool:
        return self.rank == 0

    @property
    def computers(self) -> int:
        return self.count // self.local_count


def find_place(environ: Mapping[str, str] | None = None) -> Place | None:
    """Which of several processes this one is; None where it is alone.

    Raises BadInput where what the launcher says makes no sense.
    """
    said = os.environ if environ is None else environ
    try:
        place = _of_torchrun(said) or _of_slurm(said)
    except ValueError as error:
        raise BadInput(f"the launcher's variables cannot be understood ({error}); start it anew") from None
    if place is not None and place.count % place.local_count:
        raise BadInput(
            f"{place.count} processes were started, {place.local_count} of them on this computer; "
            "start the same number on each"
        )
    return place


def await_run(run: Path) -> None:
    """Until process 0 has made the run; BadInput where it does not."""
    until = time.monotonic() + PATIENCE
    while not (run / "run.json").is_file():
        if time.monotonic() > until:
            raise BadInput(f"{run} is not there after {PATIENCE:.0f} s; all processes need to see the same folder")
        time.sleep(0.1)


def _of_torchrun(said: Mapping[str, str]) -> Place | None:
    count = int(said.get("WORLD_SIZE", "1"))
    if count < 2 or any(name not in said for name in TORCHRUN):
        return None
    if int(said["MASTER_PORT"]) == 0:
        raise ValueError("MASTER_PORT is 0; torchrun --standalone finds one itself")
    local = int(said.get("LOCAL_WORLD_SIZE", count))
    return Place(int(said["RANK"]), count, int(said["LOCAL_RANK"]), local, "torchrun")


def _of_slurm(said: Mapping[str, str]) -> Place | None:
    """Of ``srun``; the shell that sbatch or salloc opens is one process, whatever was asked for."""
    count = int(said.get("SLURM_STEP_NUM_TASKS", "1"))
    if count < 2 or "SLURM_PROCID" not in said or "SLURM_LOCALID" not in said:
        return None
    local = count // int(said.get("SLURM_STEP_NUM_NODES", "1")) or 1
    return Place(int(said["SLURM_PROCID"]), count, int(said["SLURM_LOCALID"]), local, "slurm")

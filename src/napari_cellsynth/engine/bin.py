"""To the bin, from which the system can bring it back; never past it."""

from __future__ import annotations

from pathlib import Path

from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.run_state import LIVE
from napari_cellsynth.errors import BadInput, RunFailed


def delete(run: RunFolder) -> None:
    """Move a run to the bin; refused while a process works on it, and while its folder is away."""
    state = run.state()
    if state.state in LIVE:
        raise BadInput(f"{run.path} is {state.state} (process {state.pid} on {state.host}); stop or cancel it first")
    if state.state == "away":
        raise BadInput(f"{run.path} cannot be deleted: {state.because}")
    to_bin(run.path)


def to_bin(path: Path) -> None:
    """Move a file or folder to the bin.

    Raises RunFailed, with what to do, where there is none (on many network
    shares) or it cannot be moved.
    """
    from send2trash import send2trash

    try:
        send2trash(path)
    except OSError as error:
        raise RunFailed(
            f"{path} could not be moved to a bin ({error.strerror or error}): network shares and disks of others often "
            "have none; delete that folder in your file manager if you are sure"
        ) from error

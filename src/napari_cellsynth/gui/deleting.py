"""Deleting a job, the same wherever it is asked for: a question, the end of its process, and the bin."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth.engine.bin import delete as move_run
from napari_cellsynth.engine.bin import to_bin
from napari_cellsynth.engine.run_state import LIVE
from napari_cellsynth.errors import BadInput, RunFailed
from napari_cellsynth.gui.jobs import TrainingProcess
from napari_cellsynth.gui.parts import sure
from napari_cellsynth.gui.preparing import PreparingJob, half_made
from napari_cellsynth.gui.workers import call

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_cellsynth.gui.state import Session

ENDS_S = 15.0
"""For which the end of a process is waited for: one on another computer can only be asked."""
STARTING = "just starting"
ENDING, MOVING = "Ending it; then it goes to the bin…", "Moving to the bin…"
_UNDER_WAY: dict[Path, str] = {}
"""Jobs that are being deleted in this napari, by their folders: what is said of them meanwhile, in all panels."""


@dataclass(frozen=True)
class Unwanted:
    """A job that somebody wants to delete, as the panel knows it that was asked."""

    path: Path
    name: str
    kind: str = "training"
    at_work: str = ""
    """``running``, ``paused``, …: the state in which a process works on it; empty where none does."""
    host: str = ""
    """The computer that works on it, where that is another one."""
    room: str = ""
    """What it takes on the disk, in words."""

    def question(self) -> str:
        """What is asked before."""
        room = f" ({self.room})" if self.room else ""
        asked = f"Move the {self.kind} {self.name}{room} to the bin?"
        if not self.at_work:
            return asked
        there = f" on {self.host}" if self.host else ""
        return f"{asked} It is {self.at_work}{there}, and will be ended first."


def under_way(path: Path | str | None) -> str:
    """What is said of a job that is being deleted; empty for others."""
    return _UNDER_WAY.get(Path(path), "") if path is not None else ""


def delete(
    job: Unwanted,
    session: Session,
    owner: QWidget,
    *,
    turned: Callable[[], Any],
    said: Callable[[str], Any],
    failed: Callable[[Exception], Any],
) -> None:
    """Ask, then end the job where it is at work, and move it to the bin, off the GUI thread.

    ``turned``: it begins, or was given up; ``said`` carries what became of
    it and ``failed`` why nothing did.  Where a job was taken up after the
    list was drawn, it is asked once more: nothing is ended unsaid.
    """
    if under_way(job.path):
        return
    do = "End it and move to the bin" if job.at_work else "Move to the bin"
    if not sure(owner, f"Delete a {job.kind}", job.question(), do):
        return
    _UNDER_WAY[job.path] = ENDING if job.at_work else MOVING

    def returned(found: Unwanted | None) -> None:
        turned()
        if found is not None:
            delete(found, session, owner, turned=turned, said=said, failed=failed)
            return
        session.job_deleted.emit(job.path)
        if session.run == job.path:
            session.run = None
        said(f"{job.name} is in the bin.")

    call(lambda: end_and_bin(job), returned=returned, failed=failed, owner=owner)
    turned()


def end_and_bin(job: Unwanted) -> Unwanted | None:
    """End a job and move its folder to the bin; what it is at, where it works though it was not said to.

    Raises RunFailed for a process that does not end within some seconds, or
    where there is no bin, and BadInput for a set that is being made.
    """
    try:
        if job.kind != "training set":
            return _run(job)
        _set(job)
        return None
    finally:
        _UNDER_WAY.pop(job.path, None)


def _run(job: Unwanted) -> Unwanted | None:
    process = TrainingProcess(job.path)
    state = process.folder.state().state
    at_work = state if state in LIVE else STARTING if process.starting() else ""
    if at_work and not job.at_work:
        return replace(job, at_work=at_work)
    process.cancel(patience=ENDS_S)
    try:
        move_run(process.folder)
    except RunFailed as error:
        raise RunFailed(f"{job.name} was ended, but {error}" if at_work else str(error)) from error
    return None


def _set(job: Unwanted) -> None:
    making = PreparingJob(job.path)
    if making.look().state in ("handing over", "making"):
        raise BadInput(f"{job.name} is being made; cancel it first")
    to_bin(job.path)
    for left in half_made(making.out):
        shutil.rmtree(left, ignore_errors=True)

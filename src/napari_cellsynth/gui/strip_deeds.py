"""What the strip's buttons do, off the GUI thread: through control.json, so that whoever works on the job obeys."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QUrl, Signal
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QApplication, QFileDialog, QWidget

from napari_cellsynth.engine.places import add_place, remove_place
from napari_cellsynth.engine.run_folder import LIVE, RunFolder
from napari_cellsynth.errors import BadInput, RunFailed
from napari_cellsynth.gui.deleting import Unwanted, delete, under_way
from napari_cellsynth.gui.jobs import LOOK_S, PATIENCE_S, TrainingProcess
from napari_cellsynth.gui.parts import sure
from napari_cellsynth.gui.preparing import PreparingJob
from napari_cellsynth.gui.strip_dialogs import FewerDialog, PackDialog, WhyDialog
from napari_cellsynth.gui.strip_notices import reach
from napari_cellsynth.gui.strip_words import Row, amount
from napari_cellsynth.gui.workers import call, start

if TYPE_CHECKING:
    from napari_cellsynth.gui.runs_watch import RunsWatch
    from napari_cellsynth.gui.state import Session


@dataclass(frozen=True)
class Asked:
    """What a job was asked and has not answered yet."""

    words: str
    state: str
    """The job's, when it was asked."""
    at: float

    def waits(self, job: Row) -> bool:
        return job["state"] == self.state and time.monotonic() - self.at < PATIENCE_S


class Deeds(QObject):
    """Does what the :data:`~.strip_offers.OFFERS` say to a job of the list; ``said`` carries words and their level."""

    said = Signal(str, str)
    turned = Signal()
    """Something was asked, or could not be."""

    def __init__(self, session: Session, watch: RunsWatch, owner: QWidget) -> None:
        super().__init__(owner)
        self._session, self._watch, self._owner = session, watch, owner
        self._asked: dict[str, Asked] = {}

    def do(self, key: str, job: Row) -> None:
        """Any of the :data:`~.strip_offers.OFFERS`, by its key."""
        self.said.emit("", "quiet")
        getattr(self, key)(job)

    def asked(self, job: Row) -> str:
        """What the job was asked and has not answered yet, in words; empty else."""
        path = str(job["path"])
        if words := under_way(path):
            return words
        if path in self._asked and not self._asked[path].waits(job):
            del self._asked[path]
        return self._asked[path].words if path in self._asked else ""

    # -- asked of the job

    def pause(self, job: Row) -> None:
        self._ask(job, "pause", "Pausing…")

    def resume(self, job: Row) -> None:
        self._ask(job, "resume", "Resuming…")

    def stop(self, job: Row) -> None:
        self._ask(job, "stop", "Stopping; it is saved first…")

    def stop_waiting(self, job: Row) -> None:
        self._ask(job, "stop", "Stopping…")

    def _ask(self, job: Row, what: str, words: str) -> None:
        self._note(job, words)
        self._call(lambda: RunFolder(job["path"]).ask(what), job, self._watch.look_now)

    def start(self, job: Row) -> None:
        self._begin(job, resume=False)

    def take_up(self, job: Row) -> None:
        """Go on with one that was interrupted, stopped or has failed."""
        self._begin(job, resume=True)

    def _begin(self, job: Row, *, resume: bool) -> None:
        run = Path(job["path"])
        self._note(job, "Starting; this takes a few seconds…")

        def begun(first: bool) -> None:
            if first:
                # Through None, so that whoever follows the job already looks again.
                self._session.run = None
                self.show(job)
            self._watch.look_now()

        start(
            lambda: begin(run, resume=resume),
            yielded=begun,
            returned=lambda _: self._watch.look_now(),
            failed=lambda error: self._complain(error, job),
            watches=True,
            owner=self._owner,
        )

    # -- handed to a tab

    def show(self, job: Row) -> None:
        """Follow it in the Train tab."""
        self._session.run = Path(job["path"])
        self._session.tab_requested.emit("train")

    def use(self, job: Row) -> None:
        self._session.run = Path(job["path"])
        self._session.tab_requested.emit("use")

    use_done = use

    def open(self, job: Row) -> None:
        if job.get("out"):
            self._session.training_set = Path(job["out"])
            self._session.tab_requested.emit("train")
        elif job["kind"] == "training":
            self.use(job)
        else:
            self.folder(job)

    # -- to be read

    def why(self, job: Row) -> None:
        WhyDialog(job, self._owner).show()

    lines = why

    def folder(self, job: Row) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(job["path"])))

    def command(self, job: Row) -> None:
        def copy(line: str) -> None:
            QApplication.clipboard().setText(line)
            self.said.emit(f"Copied: {line}", "quiet")

        self._call(lambda: command(job), job, copy)

    def look(self, _: Row) -> None:
        self._watch.look_now()

    # -- moved, written, removed

    def delete(self, job: Row) -> None:
        """One that is at work is ended first, which is said in the question."""

        def turned() -> None:
            self._asked.pop(str(job["path"]), None)
            self.turned.emit()
            self._watch.look_now()

        delete(
            unwanted(job),
            self._session,
            self._owner,
            turned=turned,
            said=lambda words: self.said.emit(words, "quiet"),
            failed=lambda error: self._complain(error, job),
        )

    def cancel(self, job: Row) -> None:
        if not sure(self._owner, "Cancel", f"End the making of {job['name']}? Nothing of it stays.", "End it"):
            return
        self._note(job, "Ending…")
        self._call(lambda: cancel_set(job), job, self._watch.look_now)

    def fewer(self, job: Row) -> None:
        FewerDialog(job, self._owner, done=self._watch.look_now).show()

    def pack(self, job: Row) -> None:
        PackDialog(job, self._owner).show()

    # -- of all that was done

    def write(self) -> None:
        """Show what was done in this viewer as a script."""
        from napari_cellsynth.gui.replay import write_what_was_done

        write_what_was_done(self._session, self._owner)

    # -- places

    def add(self) -> None:
        """List the jobs of a shared folder, too."""
        title = "Folder in which trainings lie, or will lie"
        folder = QFileDialog.getExistingDirectory(self._owner, title, str(self._home))
        if folder:
            self.add_folder(Path(folder))

    def add_folder(self, folder: Path) -> None:
        def added() -> None:
            self._watch.look_now()
            self.said.emit(f"The jobs in {folder} are listed from now on.", "quiet")

        home = self._home
        self._call(lambda: add_place(home, folder), None, added)

    def forget(self, job: Row) -> None:
        self.remove_folder(Path(job["place"]))

    def remove_folder(self, folder: Path) -> None:
        """List the jobs of a folder no more."""
        home = self._home
        self._call(lambda: remove_place(home, folder), None, self._watch.look_now)

    @property
    def _home(self) -> Path:
        return self._session.homes[0]

    # -- how

    def _note(self, job: Row, words: str) -> None:
        self._asked[str(job["path"])] = Asked(words, job["state"], time.monotonic())
        self.turned.emit()

    def _call(self, function: Callable[[], Any], job: Row | None, done: Callable[..., Any]) -> None:
        def returned(result: Any) -> None:
            done(result) if isinstance(result, str) else done()

        call(function, returned=returned, failed=lambda error: self._complain(error, job), owner=self._owner)

    def _complain(self, error: Exception, job: Row | None) -> None:
        if job is not None:
            self._asked.pop(str(job["path"]), None)
        self.said.emit(str(error), "bad")
        reach(error)
        self.turned.emit()


def begin(run: Path, *, resume: bool) -> Iterator[bool]:
    """Start a job's process and see whether it begins; yields True first, when it has been started.

    Raises BadInput where one works on it, and RunFailed with the last words
    of a process that could not begin.
    """
    process = TrainingProcess(run)
    process.start(resume=resume)
    yield True
    while process.starting() and process.folder.state().state not in LIVE:
        time.sleep(LOOK_S)
        yield False
    if not process.starting():
        process.note_end()
        if reason := process.could_not_begin():
            raise RunFailed(reason)


def unwanted(job: Row) -> Unwanted:
    """A job of the list, as it is deleted."""
    at_work = job["state"] if job["state"] in LIVE else ""
    host = "" if job.get("here", True) else str(job["host"])
    return Unwanted(Path(job["path"]), job["name"], job["kind"], at_work, host, amount(job))


def cancel_set(job: Row) -> None:
    """End the making of a training set, of which nothing stays; only on the computer that makes it."""
    if not job.get("here", True):
        raise BadInput(f"{job['name']} is made on {job['host']}; cancel it there")
    PreparingJob(Path(job["path"])).cancel()


def command(job: Row) -> str:
    """The line for a shell that begins a job, goes on with it, or uses what it learned."""
    path = str(job["path"])
    if job["kind"] == "training set":
        said = PreparingJob(Path(path)).record.get("command")
        return line(["cellsynth", *said]) if said else line(["cellsynth", "runs", "--all"])
    if job["state"] == "new":
        return line(["cellsynth", "train", "--run", path])
    if job["state"] == "finished" and "sample" in job.get("verbs", ()):
        return line(["cellsynth", "sample", path, f"{job['name']}-samples.ome.tif"])
    return line(["cellsynth", "train", "--resume", path])


def line(words: list[str]) -> str:
    """Quoted as the shell of this system reads it."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)

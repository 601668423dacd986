"""Training sets are made by processes of their own, which napari may leave and find again.

A job is a folder under the home: the table of recordings and the files
written for it, what the process says (``said.txt``, lines of JSON among it)
and its last words (``log.txt``).  It goes when the set is there, or the job
was cancelled; the table and what was written for it move into the set, as
what it was made from.  Everything here may take a moment and is meant to run
in a worker.
"""

from __future__ import annotations

import glob
import json
import os
import platform
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from napari_cellsynth.engine.birth import birth, born_so
from napari_cellsynth.engine.files import read_json, write_json
from napari_cellsynth.engine.preparing import JOBS, LOG, RECORD, SAID, TAIL
from napari_cellsynth.errors import CellsynthError, RunFailed
from napari_cellsynth.gui.jobs import LOOK_S, gone, kill_tree, last_line, spawn
from napari_cellsynth.gui.made_from import move_into
from napari_cellsynth.gui.words import capital

if TYPE_CHECKING:
    import subprocess

    import psutil

TABLE = "recordings.csv"
POLITE_S = 1.2
"""From the wish to end to the end by force: the process tidies up meanwhile."""
State = Literal["handing over", "making", "made", "failed"]

_CHILDREN: dict[Path, subprocess.Popen[bytes]] = {}
"""Job folder to the process that was started on it from here."""
_UNWANTED: set[Path] = set()
"""Job folders that are being handed over from here, and shall not be."""
_SETTLING = threading.Lock()
"""Two panels may follow one job; one of them settles it."""


@dataclass(frozen=True)
class Making:
    """What one look at a job brought."""

    state: State
    done: int = 0
    total: int = 0
    message: str = ""
    """What it is doing; when made, the report; when failed, why."""
    notes: tuple[str, ...] = ()
    """When made, what to know before trusting it, a sentence each."""


class PreparingJob:
    """The folder of a job, and the process that works on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.record: dict[str, Any] = read_json(self.folder / RECORD) or {}

    @classmethod
    def create(cls, home: Path, out: Path, kind: str, notes: Sequence[str] = ()) -> PreparingJob:
        """A folder for the making of the training set ``out``; the table goes into it next."""
        stem = time.strftime("%Y%m%d-%H%M%S")
        for number in range(1000):
            folder = home / JOBS / (stem if not number else f"{stem}-{number}")
            with suppress(FileExistsError):
                folder.mkdir(parents=True)
                break
        napari = {"napari": os.getpid(), "napari_born": birth(os.getpid())}
        record = {"kind": kind, "out": str(out), **napari, "host": platform.node(), "notes": list(notes)}
        write_json(folder / RECORD, record)
        return cls(folder)

    @property
    def out(self) -> Path:
        """Folder of the training set."""
        return Path(self.record.get("out", ""))

    @property
    def kind(self) -> str:
        return str(self.record.get("kind", ""))

    @property
    def data(self) -> Path:
        """Where pixels are written that are in no file."""
        return self.folder / "data"

    @property
    def unwanted(self) -> bool:
        """Whether somebody cancelled it while it is handed over."""
        return self.folder.resolve() in _UNWANTED

    def start(self, options: Sequence[str]) -> None:
        """Start ``cellsynth prepare KIND`` on the table of the folder; it goes on when napari ends.

        What is asked for is written down before: the process is known by its
        table, should napari end before it could write the number down.
        """
        words = ["prepare", self.kind, "--table", str(self.folder / TABLE), "--out", str(self.out), *options]
        self.record |= {"command": words}
        write_json(self.folder / RECORD, self.record)
        with (self.folder / SAID).open("wb") as said, (self.folder / LOG).open("wb") as log:
            child = spawn([*words, "--progress", "json"], stdout=said, stderr=log)
        _CHILDREN[self.folder.resolve()] = child
        self.record |= {"pid": child.pid, **birth(child.pid)}
        write_json(self.folder / RECORD, self.record)

    def look(self) -> Making:
        """How it does now."""
        if "pid" not in self.record:
            self._reread()
        if self.being_begun:
            return Making("handing over")
        # Asked first: what was made meanwhile is then seen.
        working = self.process() is not None
        if working:
            return Making("making", *_newest(self.folder / SAID))
        if (self.out / "dataset.json").exists():
            return Making("made", 1, 1, _report(self.folder / SAID))
        return Making("failed", message=last_line(self.folder / LOG) or "the process ended before the set was ready")

    def process(self) -> psutil.Process | None:
        """The process, as long as it works; None for one that ended, and for another with its number."""
        import psutil

        child = _CHILDREN.get(self.folder.resolve())
        if child is not None and child.poll() is not None:
            return None
        if self.record.get("host") != platform.node():
            return None
        if "pid" not in self.record:
            return None if self.being_begun else self._found_by_its_table()
        try:
            process = psutil.Process(int(self.record["pid"]))
            same = born_so(process, self.record) and process.status() != psutil.STATUS_ZOMBIE
            return process if same else None
        except (psutil.Error, KeyError, TypeError, ValueError):
            return None

    @property
    def being_begun(self) -> bool:
        """Whether a napari that works hands it over still, or is just about to start the process."""
        return "pid" not in self.record and _lives(self.record.get("napari"), self.record.get("napari_born"))

    def _reread(self) -> None:
        self.record = read_json(self.folder / RECORD) or self.record

    def _found_by_its_table(self) -> psutil.Process | None:
        """The process of a napari that ended before it could write the number down."""
        import psutil

        table = str(self.folder / TABLE)
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if "command" in self.record and table in process.cmdline():
                    return process
        return None

    def cancel(self) -> bool:
        """End the process within two seconds, by force where it does not listen; nothing of the set stays.

        False where the set was ready before: then it stays.  What is being
        handed over from here is given up at its next step.
        """
        if self.look().state == "handing over" and self.record.get("napari") == os.getpid():
            _UNWANTED.add(self.folder.resolve())
            deadline = time.monotonic() + POLITE_S
            while self.folder.exists() and "pid" not in self.record and time.monotonic() < deadline:
                time.sleep(0.02)
                self._reread()
            if "pid" not in self.record:
                return True
        process = self.process()
        if process is not None:
            with suppress(Exception):
                process.terminate()
            if not gone(process, POLITE_S):
                kill_tree(process)
                gone(process, 0.5)
            child = _CHILDREN.get(self.folder.resolve())
            if child is not None:
                child.poll()  # so that it does not stay behind as a zombie
        if self.look().state == "made":
            self.settle()
            return False
        self.tidy()
        return True

    def tidy(self) -> None:
        """Remove what a process that is gone left behind, and the job."""
        for left in half_made(self.out):
            shutil.rmtree(left, ignore_errors=True)
        self.forget()

    def settle(self) -> str:
        """Move the table, and what was written for it, into the finished set, and remove the job.

        They keep their places to each other, so that the table still leads to
        them.  Where something cannot be moved, the job stays with all that is
        still in it, and what was moved is not moved back; returns a sentence
        that says so, empty where all went well.
        """
        with _SETTLING:
            if not self.folder.exists():
                return ""
            try:
                table = self.folder / TABLE
                beside = sorted(set(self.folder.glob("*.csv")) - {table})
                move_into(self.out, [table, *beside], self.data, self.record.get("notes", ()))
            except OSError as error:
                why = error.strerror or str(error)
                return f"What it was made from could not be moved into it ({why}) and stays in {self.folder}."
            self.forget()
        return ""

    def forget(self) -> None:
        """Remove the job's folder."""
        _CHILDREN.pop(self.folder.resolve(), None)
        _UNWANTED.discard(self.folder.resolve())
        shutil.rmtree(self.folder, ignore_errors=True)


def jobs_in(home: Path) -> list[PreparingJob]:
    """The jobs of a home that are worth looking at, oldest first.

    What is being handed over from here is among them.  What a napari that is
    gone did not get to start is removed.  Jobs of
    another computer that has the same home are that one's: whether their
    processes work cannot be seen from here.
    """
    found = []
    for record in sorted((home / JOBS).glob(f"*/{RECORD}")):
        job = PreparingJob(record.parent)
        if job.record.get("host") != platform.node():
            continue
        if "command" in job.record or (job.being_begun and job.record.get("napari") == os.getpid()):
            found.append(job)
        elif not job.being_begun:
            job.forget()
    return found


def promised(home: Path) -> set[Path]:
    """The folders in which sets will appear that are being made, here or by another napari."""
    return {PreparingJob(record.parent).out for record in (home / JOBS).glob(f"*/{RECORD}")}


def follow(job: PreparingJob) -> Iterator[Making]:
    """Look at a job again and again until its process has ended; a finished one is settled.

    Ends without a word where it was given up before its process began.
    Raises RunFailed with the process's last words where no set came of it.
    """
    while (news := job.look()).state in ("handing over", "making"):
        yield news
        time.sleep(LOOK_S)
        if not job.folder.exists() and "pid" not in job.record:
            return
    if news.state == "made":
        left = job.settle()
        said = (*job.record.get("notes", ()), *_notes(job.out), left)
        yield replace(news, notes=tuple(filter(None, said)))
    elif job.folder.exists():
        job.tidy()
        raise RunFailed(news.message)


def _notes(out: Path) -> tuple[str, ...]:
    from napari_cellsynth.stack.enough import enough
    from napari_cellsynth.stack.training_sets.kinds import open_training_set

    try:
        made = open_training_set(out)
        report: Any = getattr(made, "report", None)
        # What reports say by a rule of thumb is said here by what was measured.
        notes = [] if report is None else [note for note in report.notes() if "enough for a look" not in note]
        return (*notes, f"Enough?  {capital(enough(made).words)}")
    except (CellsynthError, AttributeError, KeyError):
        return ()


def half_made(out: Path) -> list[Path]:
    """Temporary folders of a set that a killed process left behind."""
    # Exactly one part between: another set's name may begin with this one's and a dot.
    of_mine = out.parent.glob(f".{glob.escape(out.name)}.{'[0-9a-f]' * 8}.part")
    return [path for path in of_mine if path.is_dir()]


def _lives(pid: Any, born: Any = None) -> bool:
    """Whether a process works, and is not another one with its number."""
    import psutil

    if not isinstance(pid, int) or not psutil.pid_exists(pid):
        return False
    try:
        return not born or born_so(psutil.Process(pid), born)
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:  # of another user, about whom nothing can be asked
        return True


def _newest(said: Path) -> tuple[int, int, str]:
    """Done, total and message of the last whole line of JSON."""
    try:
        with said.open("rb") as file:
            file.seek(max(0, said.stat().st_size - TAIL))
            lines = file.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return 0, 0, ""
    for line in reversed(lines):
        with suppress(ValueError, KeyError, TypeError):
            news = json.loads(line)
            return int(news["done"]), int(news["total"]), str(news["message"])
    return 0, 0, ""


def _report(said: Path) -> str:
    """What the process said to people."""
    try:
        lines = said.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(line for line in lines if not line.startswith("{"))

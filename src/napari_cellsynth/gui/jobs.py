"""Trainings live in processes of their own: started from here, followed through their folder, killed if need be.

Beside a training in a thread the event loop of napari has gaps of half a
second on two cores; beside a process on one core less than all it has none.
And a process outlives napari: whoever opens the folder next follows it on.
Everything here may take a moment (a process to start, a disk to answer) and
is meant to run in a worker.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth import api
from napari_cellsynth.engine.events import CancelledByUser, Estimate, Event, PreviewMade
from napari_cellsynth.engine.run_folder import LIVE, RunFolder, RunState
from napari_cellsynth.engine.why import note_exit
from napari_cellsynth.errors import BadInput, CellsynthError, RunFailed

if TYPE_CHECKING:
    import numpy as np
    import psutil

CANCEL_S = 2.0
"""From the wish to the end of the process, at most."""
POLITE_S = 1.2
"""Of which the process may take this long to end by itself."""
NICE = 10
"""Of a training's process."""
LOOK_S = 0.2
"""From one look at a folder to the next."""
PATIENCE_S = 90.0
"""For which a job's answer is waited for before one may ask again."""


@dataclass(frozen=True)
class Child:
    """A process of ours."""

    process: subprocess.Popen[bytes]
    since: float
    """When it was started, in seconds since 1970."""


_CHILDREN: dict[Path, Child] = {}
"""Run folder to the last process that was started on it from here."""


def threads_for_training() -> int:
    """One core less than all, which the window keeps."""
    return max(1, (os.cpu_count() or 2) - 1)


@dataclass(frozen=True)
class News:
    """What one look at a run folder brought."""

    events: tuple[Event, ...]
    state: RunState
    preview: np.ndarray | None = None
    """(N, C, Y, X): the newest preview, where these events hold one."""
    usable: bool = False
    """Whether there are weights to use."""


class TrainingProcess:
    """The process behind a run folder: a child of ours, or one that somebody started before."""

    def __init__(self, run: Path) -> None:
        self.folder = RunFolder(Path(run))
        # Whoever in this napari looks at the run knows its child, until that has ended.
        self._child: Child | None = _CHILDREN.get(self.folder.path.resolve())

    @classmethod
    def attach(cls, run: Path) -> TrainingProcess:
        """Follow and steer a run without starting anything."""
        return cls(run)

    def start(self, *, resume: bool = False) -> None:
        """Start the process; it goes on when napari ends.  Its words go into the folder's log.txt.

        Raises BadInput where one is at work already.
        """
        if self.alive():
            raise BadInput(f"{self.folder.path.name} is being trained already; stop it first or follow it")
        wish = ["--resume", str(self.folder.path)] if resume else ["--run", str(self.folder.path)]
        with (self.folder.path / "log.txt").open("ab") as log:
            since = time.time()
            try:
                child = spawn(["train", *wish, "--quiet"], stdout=log, stderr=subprocess.STDOUT)
            except OSError as error:
                raise RunFailed(
                    f"the training's process could not be started ({error.strerror or error}: {sys.executable}); "
                    "is Python still where napari was started from?"
                ) from error
            self._child = Child(child, since)
        _CHILDREN[self.folder.path.resolve()] = self._child

    def alive(self) -> bool:
        """Whether a process works on the run."""
        return self.starting() or self.folder.state().state in LIVE

    def starting(self) -> bool:
        """Whether our child runs, whatever the folder says so far."""
        return self._child is not None and self._child.process.poll() is None

    def could_not_begin(self) -> str | None:
        """Why a child of ours ended before any event of its own: the last line of its log; None else."""
        if self._child is None or self._child.process.poll() in (None, 0):
            return None
        alive, (turn, last) = self.folder.alive, self.folder.log_of_events.last()
        # Events may also be those of another process, on whose account ours was refused.
        ours = alive is not None and alive.pid == self._child.process.pid
        if ours and any(event is not None and event.time >= self._child.since for event in (turn, last)):
            return None
        status = self._child.process.returncode
        return last_line(self.folder.path / "log.txt") or f"the process ended with status {status}"

    def note_end(self) -> None:
        """Write down how a child of ours ended that did not say so itself: only its parent ever knows."""
        if self._child is not None and self._child.process.poll() not in (None, 0):
            note_exit(self.folder.path, self._child.process.pid, self._child.process.returncode)

    def ask(self, what: str) -> None:
        """``pause``, ``resume`` or ``stop``; the run answers with an event within a step."""
        self.folder.ask(what)

    def cancel(self, *, patience: float = 0.0) -> None:
        """End the process within two seconds, by force where it does not listen, and mark the run cancelled.

        ``patience``: for so many seconds its end is waited for where that
        takes longer: a run on another computer can only be asked, and a
        process may hang in a disk or GPU.  Raises RunFailed where a run on
        another computer has not ended by then, or a process that was waited
        for.
        """
        deadline = time.monotonic() + CANCEL_S
        state = self.folder.state()
        if not self.alive():
            return
        self.folder.ask("cancel")
        process = self._process()
        if process is None and not self.starting():
            self._wait_for_another(state.host, patience)
            return
        if process is not None and not gone(process, POLITE_S):
            kill_tree(process)
            if not gone(process, max(0.1, deadline - time.monotonic(), patience)) and patience:
                raise RunFailed(
                    f"{self.folder.name} does not end (process {process.pid}), perhaps because a disk or GPU does not "
                    "answer; try again in a minute"
                )
        if self._child is not None:
            # So that it does not stay behind as a zombie.
            self._child.process.poll()
        if self.folder.state().state not in ("cancelled", "finished", "stopped"):
            # Killed before it could give any sign of life.
            self.folder.append(CancelledByUser(step=state.step))

    def _wait_for_another(self, host: str | None, seconds: float) -> None:
        """For a process on another computer, which was asked to end."""
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() >= deadline:
                where = f"runs on {host}" if host else "runs elsewhere"
                raise RunFailed(f"{self.folder.name} {where}; it was asked to end and will do so soon")
            time.sleep(LOOK_S)

    def _process(self) -> psutil.Process | None:
        """The process, where it is on this computer and really is the one that works on the run."""
        import psutil

        alive = self.folder.alive
        writer = alive.pid if alive is not None and alive.here and alive.lives() else None
        pid = self._child.process.pid if self._child is not None and self.starting() else writer
        try:
            return None if pid is None else psutil.Process(pid)
        except psutil.Error:
            return None


def spawn(arguments: Sequence[str], **streams: Any) -> subprocess.Popen[bytes]:
    """``python -m napari_cellsynth …``, apart from this process and its terminal, without a console, giving way to all.

    Where a core is idle the low priority costs the training nothing; where
    none is, the window comes first.
    """
    options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "close_fds": True, **streams}
    if sys.platform == "win32":
        options["creationflags"] = (
            subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        )
    else:
        options["start_new_session"] = True
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    child = subprocess.Popen([sys.executable, "-m", "napari_cellsynth", *arguments], env=environment, **options)
    if sys.platform != "win32":
        give_way(child.pid)
    return child


def give_way(pid: int) -> None:
    """Lower the priority of a process; not by preexec_fn, which may lock up in a program with threads."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
    # Linux shares the processor among sessions first, and a process apart has one of its own.
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(NICE))


def follow(process: TrainingProcess) -> Iterator[News]:
    """Look at a run again and again until it has ended; the first look brings all that was ever said.

    Yields at every look, news or not, so that a worker can be stopped; a
    folder that is away is waited for.
    Raises RunFailed where a child of ours ends before it could say anything.
    """
    tail = process.folder.tail()
    while True:
        working = process.starting()
        events = tuple(tail.read())
        state = process.folder.state()
        usable = process.folder.latest_weights() is not None
        yield News(events, state, newest_preview(process.folder, events), usable)
        if not working and state.state not in (*LIVE, "away"):
            break
        time.sleep(LOOK_S)
    process.note_end()
    if reason := process.could_not_begin():
        raise RunFailed(reason)


def newest_preview(run: RunFolder, events: Sequence[Event]) -> np.ndarray | None:
    """The last preview of these events as (N, C, Y, X), the first frame of clips, if its file is (still) there."""
    made = [event for event in events if isinstance(event, PreviewMade)]
    for event in reversed(made[-2:]):
        try:
            return preview_images(run.file(event.path))
        except (OSError, ValueError):
            continue
    return None


def preview_images(file: Path) -> np.ndarray:
    """A preview file, axes QCYX or QTCYX, as (N, C, Y, X)."""
    import numpy as np

    from napari_cellsynth.stack.files.read import read_stack

    stack = read_stack(file)
    images = np.asarray(stack.data[:, 0] if "T" in stack.axes else stack.data)
    return images if "C" in stack.axes else images[:, None]


def estimate(
    family: str, data: Path, *, preset: str, changes: Mapping[str, Any], device: str
) -> Generator[None, None, Estimate]:
    """Three real steps in a process of their own, unless they were taken before; yields while it works.

    Raises RunFailed with the process's last words.
    """
    with suppress(CellsynthError):  # which the process will say better
        threads = threads_for_training()
        known = api.known_estimate(family, data, preset=preset, changes=changes, device=device, threads=threads)
        if known is not None:
            return known
    wishes = [f"--set={name}={json.dumps(value)}" for name, value in changes.items()]
    place = ["--preset", preset, "--device", device, "--threads", str(threads_for_training())]
    said = yield from ask_a_process(["train", family, str(data), "--estimate", "--json", *place, *wishes])
    event = Event.from_json({"event": "estimate", **json.loads(said)})
    assert isinstance(event, Estimate)
    return event


def ask_a_process(arguments: Sequence[str]) -> Generator[None, None, str]:
    """What ``cellsynth …`` prints; yields while it works, and ends the process when it is not wanted any more.

    Raises RunFailed with the process's last words.
    """
    child = spawn(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        while True:
            try:
                said, complaint = child.communicate(timeout=0.1)
                break
            except subprocess.TimeoutExpired:
                yield None
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    if child.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines()
        raise RunFailed(lines[-1].removeprefix("cellsynth: ") if lines else f"it ended with status {child.returncode}")
    return said.decode()


def is_here(host: str | None) -> bool:
    """Whether the computer of this name is this one; what nobody works on is worked on here, if anywhere."""
    return host is None or host in (socket.gethostname(), platform.node())


def device_words(device: Mapping[str, Any]) -> str:
    """``RTX A5000, 19 of 24 GB free`` or ``processor, 1 of 2 cores``."""
    if device["device"] == "cpu":
        return f"processor, {threads_for_training()} of {os.cpu_count() or 1} cores"
    memory, free = device.get("memory"), device.get("free")
    room = f", {free / 1e9:.0f} of {memory / 1e9:.0f} GB free" if memory and free is not None else ""
    name = str(device["name"]).removeprefix("NVIDIA ").removeprefix("GeForce ")
    return f"{name}{room}"


def last_line(file: Path) -> str:
    """The last words of a log; empty where there are none."""
    try:
        with file.open("rb") as log:
            log.seek(max(0, file.stat().st_size - 4000))
            lines = log.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1].removeprefix("cellsynth: ").strip() if lines else ""


def gone(process: psutil.Process, seconds: float) -> bool:
    """Wait for a process to end; one that waits only for its parent's attention has ended."""
    import psutil

    deadline = time.monotonic() + seconds
    while True:
        try:
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)


def kill_tree(process: psutil.Process) -> None:
    """End a process and all that it started."""
    import psutil

    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue

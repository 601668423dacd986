"""A study of usefulness as a process of its own, followed and ended from a worker; what it has done stays."""

from __future__ import annotations

import json
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from napari_cellsynth.api.useful_settings import UsefulSettings
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.errors import RunFailed
from napari_cellsynth.gui.jobs import kill_tree, last_line, spawn
from napari_cellsynth.quality.usefulness import Usefulness

LOOK_S = 0.3
"""From one look at the process to the next."""
SAID, LOG = "said.txt", "log.txt"
"""What the process says, below the folder of studies; not in the study's own."""

_BUSY: defaultdict[Path, Lock] = defaultdict(Lock)
"""Who cancels is free at once, but the process takes a moment to end; whoever begins again waits for it."""


@dataclass(frozen=True)
class Asked:
    """What is asked of a study."""

    data: Path
    folder: Path
    settings: UsefulSettings
    run: Path | None = None
    part: Literal["validation", "test"] = "validation"

    def words(self) -> list[str]:
        """The command."""
        numbers = ",".join(str(count) for count in self.settings.frames)
        words = ["useful", str(self.data), str(self.folder), "--frames", numbers, "--part", self.part]
        for name in ("seeds", "simulated", "steps", "preset"):
            words += [f"--{name}", str(getattr(self.settings, name))]
        for name, value in (("run", self.run), ("modality", self.settings.modality)):
            words += [] if value is None else [f"--{name}", str(value)]
        return [*words, "--progress", "json"]


def study(asked: Asked) -> Iterator[Progress | Usefulness]:
    """Follow the process; last of all what it found.  Closing ends the process; what it has done is kept."""
    ending = _BUSY[asked.folder]
    while not ending.acquire(timeout=LOOK_S):
        yield Progress(done=0, total=0, message="waiting for what was cancelled to end")
    try:
        yield from _followed(asked)
    finally:
        ending.release()


def _followed(asked: Asked) -> Iterator[Progress | Usefulness]:
    import psutil

    asked.folder.parent.mkdir(parents=True, exist_ok=True)
    said, log = (asked.folder.with_name(f".{asked.folder.name}.{name}") for name in (SAID, LOG))
    with said.open("wb") as out, log.open("wb") as errors:
        child: subprocess.Popen[bytes] = spawn(asked.words(), stdout=out, stderr=errors)
    yield Progress(done=0, total=0, message="beginning")
    try:
        while child.poll() is None:
            time.sleep(LOOK_S)
            news = _newest(said)
            if news is not None:
                yield news
        if child.returncode:
            raise RunFailed(last_line(log) or "the study ended before it was done; begin it again, it goes on")
        yield read_study(asked)
    finally:
        if child.poll() is None:
            with suppress(psutil.Error):
                kill_tree(psutil.Process(child.pid))
            child.wait(5)
        for file in (said, log):
            with suppress(OSError):
                file.unlink()


def _newest(said: Path) -> Progress | None:
    """Of the last whole line of JSON."""
    for line in reversed(said.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]):
        with suppress(ValueError, KeyError, TypeError):
            told = json.loads(line)
            return Progress(done=int(told["done"]), total=int(told["total"]), message=str(told["message"]))
    return None


def read_study(asked: Asked) -> Usefulness:
    """What a study has found so far; nothing is computed."""
    from napari_cellsynth.api.useful_study import Study

    return Study(asked.data, asked.folder, asked.settings, asked.run, asked.part, "cpu", "").found()


def folder_for(folders: Path, data: Path, choice: Sequence[Any]) -> Path:
    """The folder of a study: the same for the same question, so that it goes on where it was."""
    import hashlib

    code = hashlib.sha256(json.dumps([str(one) for one in choice]).encode()).hexdigest()[:8]
    return folders / f"useful {data.name} {code}"

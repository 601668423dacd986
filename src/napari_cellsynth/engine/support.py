"""A zip for whoever helps: what this computer is, and what the last runs said of themselves.

No pixels, and neither the user's name nor those of the computers.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from napari_cellsynth.engine.files import end_of
from napari_cellsynth.engine.heartbeat import Alive
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.replacing import replace, temporary_beside

RUNS = 5
"""The newest, where none are named."""
FILES = ("run.json", "alive.json", "control.json", "log.txt", "events.jsonl")
"""Of a run; all are text of ours, and nothing else of it is read."""
END = 1 << 18
"""Bytes of the end of a file that goes in."""
TIMEOUT = 120.0
"""Seconds that the look at this computer may take."""
ABOUT = """What this is
A report on CellSynth for whoever helps with it. Look into it before you send it: all files are plain text.

computer.json   versions, devices and advice, as 'cellsynth check --json' says them
plugins.txt     packages of Python that are installed, those that are plugins of napari marked
runs/NAME/      of the newest trainings: settings, state, the end of the log and of the events

What is not in it: images, previews, weights, training sets, or any other file.
Your home folder is written as ~, your user name as 'user', and the names of this computer and of those on which the
trainings ran as 'computer', wherever they stand in a path or a line. Names of your other folders, recordings and
trainings are in it as they are.
"""


def write_bundle(path: Path, runs: Sequence[Path]) -> Path:
    """Write the zip, whole or not at all; the path.

    Raises :class:`BadInput` where a file of that name is there already, or
    the folder is not.
    """
    path = Path(path)
    path = path if path.suffix.lower() == ".zip" else path.with_name(path.name + ".zip")
    if path.exists():
        raise BadInput(f"{path} is there already; choose another name for the report")
    if not path.absolute().parent.is_dir():
        raise BadInput(f"{path.absolute().parent} is not a folder; choose another place for the report")
    clean = Cleaner(others=_computers(runs))
    temporary = temporary_beside(path)
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, text in _contents(runs):
                bundle.writestr(clean(name), clean(text))
        replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _contents(runs: Sequence[Path]) -> Iterable[tuple[str, str]]:
    yield "README.txt", ABOUT
    yield "computer.json", json.dumps(_computer(), indent=2, ensure_ascii=False)
    yield "plugins.txt", "\n".join(_packages()) + "\n"
    taken: set[str] = set()
    for run in runs:
        name = next(name for name in _numbered(run.name) if name not in taken)
        taken.add(name)
        yield from ((f"runs/{name}/{part}", text) for part, text in _of_run(run))


def _computers(runs: Sequence[Path]) -> list[str]:
    """Names of the computers on which runs were trained last."""
    signs = (Alive.read(run / "alive.json") for run in runs)
    return [sign.host for sign in signs if sign is not None]


def _computer() -> dict[str, Any]:
    """What ``check`` says; asked of a process where torch is not loaded here, and without it where that fails."""
    if "torch" in sys.modules:
        from napari_cellsynth.engine.environment import environment

        return environment()
    command = [sys.executable, "-m", "napari_cellsynth", "check", "--json"]
    quiet: dict[str, Any] = {}
    if sys.platform == "win32":
        quiet["creationflags"] = subprocess.CREATE_NO_WINDOW
    try:
        asked = subprocess.run(
            command, capture_output=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL, check=False, **quiet
        )
        return dict(json.loads(asked.stdout))
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return {"failed": f"{type(error).__name__}: {error}", "python": sys.version, "platform": sys.platform}


def _packages() -> list[str]:
    """``name version``, and whether napari takes it for a plugin."""
    found = {}
    for package in metadata.distributions():
        name = package.metadata["Name"] or "?"
        plugin = any(entry.group == "napari.manifest" for entry in package.entry_points)
        found[name.lower()] = f"{name} {package.version}{'  (plugin of napari)' if plugin else ''}"
    return [found[name] for name in sorted(found)]


def _of_run(run: Path) -> Iterable[tuple[str, str]]:
    """Files of a run that are text, and how it is doing."""
    if not RunFolder.is_run(run):
        yield "missing.txt", "this folder is no run, or cannot be read\n"
        return
    folder = RunFolder(run)
    state = folder.state()
    yield "state.txt", f"{state.state} at step {state.step} of {state.steps}: {state.because or 'nothing to say'}\n"
    yield "files.txt", "".join(f"{size:12,} {name}\n" for name, size in _files(run))
    for name in FILES:
        text = _end_of(run / name)
        if text is not None:
            yield name, text


def _files(run: Path) -> list[tuple[str, int]]:
    """Names and sizes of all files of a run."""
    found = []
    for root, _, names in os.walk(run):
        for name in names:
            path = Path(root) / name
            try:
                found.append((path.relative_to(run).as_posix(), path.lstat().st_size))
            except OSError:
                continue
    return sorted(found)


def _end_of(file: Path) -> str | None:
    """The last :data:`END` bytes, from a beginning of a line on; None for what is no file of its own."""
    if file.is_symlink():
        return None
    if not os.path.isfile(file):
        return None
    found, whole = end_of(file, END)
    if not whole:
        found = b"[the beginning is left out]\n" + found.partition(b"\n")[2]
    return found.decode("utf-8", errors="replace")


def _numbered(name: str) -> Iterable[str]:
    yield name
    number = 2
    while True:
        yield f"{name} ({number})"
        number += 1


class Cleaner:
    """Takes the user's folder and name, and the names of this and ``others`` computers, out of text."""

    def __init__(
        self, home: Path | None = None, user: str | None = None, host: str | None = None, others: Iterable[str] = ()
    ) -> None:
        home = Path.home() if home is None else home
        names = {home.name, _user() if user is None else user}
        folders = {str(home), home.as_posix(), str(home.resolve()), home.resolve().as_posix()}
        # Paths stand in JSON as well, where a backslash is two.
        folders |= {folder.replace("\\", "\\\\") for folder in folders}
        long_enough = sorted((folder for folder in folders if len(folder) > 1), key=len, reverse=True)
        flags = re.IGNORECASE if os.name == "nt" else 0
        self._patterns = [(re.compile(re.escape(folder) + r"(?![\w.-])", flags), "~") for folder in long_enough]
        hosts = {socket.gethostname() if host is None else host, *others}
        # With its domain and without, the longer first.
        hosts |= {name.partition(".")[0] for name in hosts}
        words = [(name, "user") for name in names]
        words += [(name, "computer") for name in sorted(hosts, key=len, reverse=True)]
        self._patterns += [
            (re.compile(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", flags), other)
            for name, other in words
            if len(name) > 1
        ]

    def __call__(self, text: str) -> str:
        for pattern, other in self._patterns:
            text = pattern.sub(other, text)
        return text


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""

"""A run as a folder or zip for another machine: settings, newest state, training set, and how to start it.

Nothing is half-written: it is made under a temporary name.  All paths inside
are relative, so that the package may be unpacked anywhere.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_cellsynth.engine.elsewhere import scripts
from napari_cellsynth.engine.elsewhere.containers import Copying, Folder, Zip, container
from napari_cellsynth.engine.elsewhere.roots import Root, moved
from napari_cellsynth.engine.elsewhere.scripts import Contents, Slurm
from napari_cellsynth.engine.elsewhere.training_data import files_of, fingerprint
from napari_cellsynth.engine.event_log import EventLog
from napari_cellsynth.engine.events import Progress, Stopped
from napari_cellsynth.engine.run_folder import LIVE, RunFolder, versions
from napari_cellsynth.engine.why import EXIT
from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.replacing import replacing
from napari_cellsynth.stack.quantity import format_bytes
from napari_cellsynth.stack.training_sets.openings import FILE as OPENINGS

DATA = "data"
SPARE = 1 << 22
"""Bytes for the scripts and what the file system needs itself."""
NOT_ALONG = ("run.json", "events.jsonl", "alive.json", "control.json", EXIT)
"""Files of a run that a package has anew, or that are about the process that worked on it here."""

RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that Windows keeps for devices."""


@dataclass(frozen=True)
class Package:
    """What goes along and where."""

    run: RunFolder
    out: Path
    record: Mapping[str, Any]
    """run.json as it will be, but for the training set's place."""
    training_set: Path
    name: str = ""
    """Of the run in the package; default: as it is called here."""
    roots: Sequence[Root] = ()
    """Where there are any, the training set is not copied but expected on the other machine."""
    slurm: Slurm = field(default_factory=Slurm)


def pack(package: Package) -> Iterator[Progress]:
    """Write a package; the first event says its size and the room on the disk, the last has ``details``.

    Raises BadInput for a run that is live or finished, a place that is taken,
    a training set outside the mapped folders, and a disk without room.
    Closing the generator leaves nothing behind.
    """
    _check(package)
    plan = _Plan.of(package)
    yield Progress(done=0, total=plan.bytes, message=_room(package.out, plan), details={"bytes": plan.bytes})
    with _parents(package.out), tempfile.TemporaryDirectory() as work, replacing(package.out.absolute()) as temporary:
        # Closed in every case: Windows removes nothing that is open.
        with closing(container(package.out, temporary)) as target:
            yield from plan.write(target, Path(work))
        # It may have been started while it was copied.
        _check(package)
    details = {"out": str(package.out), "run": plan.name, "data": plan.data, "bytes": plan.bytes, "step": plan.step}
    yield Progress(done=plan.bytes, total=plan.bytes, message=f"{package.out} is ready", details=details)


def _check(package: Package) -> None:
    run, state = package.run, package.run.state()
    if state.state in LIVE:
        raise BadInput(
            f"{run.path} is {state.state} (process {state.pid} on {state.host}); stop it first, then pack it"
        )
    if state.state == "finished":
        raise BadInput(f"{run.path} is finished: there is nothing to train; copy its folder to use it elsewhere")
    if package.out.exists():
        raise BadInput(f"{package.out} exists; choose another name for the package, or delete it first")
    for source in (run.path, package.training_set):
        if package.out.resolve().is_relative_to(source.resolve()):
            raise BadInput(f"{package.out} lies in {source}, which is to be packed; choose a place outside")


@contextmanager
def _parents(out: Path) -> Iterator[None]:
    """The folders above ``out``, which go again where nothing came into them."""
    made = [folder for folder in out.absolute().parents if not folder.exists()]
    try:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{out} cannot be made there ({error.strerror}); choose another place") from None
    try:
        yield
    finally:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()


def _room(out: Path, plan: _Plan) -> str:
    """The size in words; BadInput where the disk has less room."""
    folder = next(parent for parent in out.absolute().parents if parent.exists())
    free = shutil.disk_usage(folder).free
    if free < plan.bytes + SPARE:
        raise BadInput(
            f"the package needs {format_bytes(plan.bytes)}, and {folder} has {format_bytes(free)} free; "
            "make room, choose another place, or leave the data here with --map /here=/there"
        )
    copied = "with its training set" if plan.along else f"without its training set, expected at {plan.data}"
    return f"packing {format_bytes(plan.bytes)} {copied}; {format_bytes(free)} are free in {folder}"


@dataclass(frozen=True)
class _Plan:
    package: Package
    name: str
    """Of the run's folder in the package."""
    data: str
    """Where run.json will say that the training set is."""
    inside: bool
    """The training set lies in the run's folder and goes along with it."""
    step: int
    """Steps that the state in the package has done."""
    files: list[tuple[Path, str]]
    """Files of the run and their names in it."""
    sources: list[tuple[Path, str]]
    """Files of the training set and their names in it."""

    @classmethod
    def of(cls, package: Package) -> _Plan:
        run, data = package.run.path, package.training_set
        checkpoint = _newest_whole(package.run)
        files = [(path, path.relative_to(run).as_posix()) for path in _files_of_run(run, checkpoint)]
        sources = [(path, path.relative_to(data).as_posix()) for path in files_of(data)]
        inside = data.resolve().is_relative_to(run.resolve())
        name = _portable(package.name or run.resolve().name)
        if inside:
            # What was written for the run alone goes with it, and needs no other place.
            place = data.resolve().relative_to(run.resolve()).as_posix()
        else:
            place = moved(data, package.roots) if package.roots else f"../{DATA}"
        step = 0 if checkpoint is None else int(checkpoint.name.rpartition("-")[2])
        return cls(package, name, place, inside, step, files, sources)

    @property
    def copies(self) -> bool:
        """Whether the training set is copied beside the run."""
        return not self.inside and not self.package.roots

    @property
    def along(self) -> bool:
        return self.inside or self.copies

    @property
    def bytes(self) -> int:
        """Of what is copied."""
        copied = [*self.files, *((*self.sources, *self.counted) if self.copies else ())]
        return sum(path.stat().st_size for path, _ in copied)

    @property
    def counted(self) -> list[tuple[Path, str]]:
        """The count of openings of the test part: it goes along, and may grow there."""
        count = self.package.training_set / OPENINGS
        return [(count, OPENINGS)] if count.is_file() else []

    def write(self, target: Folder | Zip, work: Path) -> Iterator[Progress]:
        known = {}
        so_far = _SoFar(self.bytes)
        for path, name in self.sources:
            if self.copies:
                known[name] = yield from so_far.counting(target.copy(path, f"{DATA}/{name}"), f"packing {name}")
            else:
                known[name] = fingerprint(path)
                yield so_far.progress(f"looked at {name}")
        for path, name in self.counted if self.copies else ():
            yield from so_far.counting(target.copy(path, f"{DATA}/{name}"), f"packing {name}")
        for path, name in self.files:
            yield from so_far.counting(target.copy(path, f"{self.name}/{name}"), f"packing {name}")
        self._write_words(target, known, work)

    def _write_words(self, target: Folder | Zip, known: dict[str, Any], work: Path) -> None:
        """What is written anew: the record, the events, the scripts."""
        record = self._record(known)
        target.write(f"{self.name}/run.json", json.dumps(record, indent=2, ensure_ascii=False) + "\n")
        events = self._events(work / "events.jsonl")
        if events:
            target.write(f"{self.name}/events.jsonl", events)
        slurm, now = self.package.slurm, versions()
        about = Contents(
            run=self.name,
            family=record["family"],
            preset=str(record["preset"]),
            steps=record["settings"]["steps"],
            done=self.step,
            data=DATA if self.copies else f"{self.name}/{self.data}" if self.inside else self.data,
            copied=self.along,
            hash=str(record["data"]["hash"]),
            versions=now,
            slurm=slurm,
        )
        target.write("start.sh", scripts.start_sh(self.name), runs=True)
        target.write("start.bat", scripts.start_bat(self.name))
        target.write("job.slurm", scripts.job_slurm(self.name, slurm), runs=True)
        target.write("README.txt", scripts.readme(about))
        target.write("versions.json", json.dumps(now, indent=2) + "\n")

    def _record(self, known: dict[str, Any]) -> dict[str, Any]:
        before = self.package.record["data"]
        was = [str(self.package.training_set.resolve()), *(before.get("was") or ())]
        data = {**before, "path": self.data, "was": list(dict.fromkeys(was)), "files": known}
        return {**self.package.record, "data": data, "packed": time.time()}

    def _events(self, copy: Path) -> str:
        """What happened until the state that goes along: a run that was stopped there."""
        log = self.package.run.log_of_events.path
        if not self.step or not log.exists():
            return ""
        shutil.copyfile(log, copy)
        EventLog(copy).cut_back(self.step)
        EventLog(copy).append(Stopped(step=self.step))
        return copy.read_text(encoding="utf-8")


class _SoFar:
    """Bytes that were copied."""

    def __init__(self, total: int) -> None:
        self._done, self._total = 0, total

    def counting(self, copying: Copying, message: str) -> Generator[Progress, None, dict[str, Any]]:
        """Progress of a file."""
        while True:
            try:
                self._done += next(copying)
            except StopIteration as end:
                return end.value
            yield self.progress(message)

    def progress(self, message: str) -> Progress:
        return Progress(done=min(self._done, self._total), total=self._total, message=message)


def _newest_whole(run: RunFolder) -> Path | None:
    """The newest checkpoint whose files are what was written."""
    for path in reversed(run.checkpoints()):
        files = json.loads((path / "checkpoint.json").read_bytes())["files"]
        if all(fingerprint(path / Path(name).name) == entry for name, entry in files.items()):
            return path
    return None


def _files_of_run(run: Path, checkpoint: Path | None) -> Iterator[Path]:
    """Of all checkpoints only one; nothing hidden or temporary, and no links, which may lead anywhere."""
    for root, folders, names in os.walk(run):
        here = Path(root)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not (here / name).is_symlink())
        if here == run / "checkpoints":
            folders[:] = [] if checkpoint is None else [checkpoint.name]
        for name in sorted(names):
            path = here / name
            left = name.startswith(".") or path.is_symlink() or (here == run and name in NOT_ALONG)
            if not left and path.is_file():
                yield path


def _portable(name: str) -> str:
    """A name that every system takes, no command takes for an option, and that is none of the package's own."""
    plain = re.sub(r'[<>:"/\\|?*%!\x00-\x1f]', "_", name).strip(" .").lstrip("-") or "run"
    own = {DATA, "start.sh", "start.bat", "job.slurm", "readme.txt", "versions.json"}
    return f"run {plain}" if plain.lower() in own or RESERVED.fullmatch(plain) else plain

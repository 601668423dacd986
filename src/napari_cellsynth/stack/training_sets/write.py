"""Writing a training set of any kind: all of it, or nothing."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import shutil
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from napari_cellsynth.errors import BadInput, RunFailed
from napari_cellsynth.stack.files.replacing import replace
from napari_cellsynth.stack.hashing import content_hash
from napari_cellsynth.stack.quantity import format_bytes
from napari_cellsynth.stack.training_sets.planes import PlaneFile

SPARE = 2**24
"""Bytes kept free beyond the pixels: table, record, the file system's own."""
FULL = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)


def check_out(out: Path) -> None:
    """BadInput where something lies at ``out`` already; an empty folder may."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"{out} exists; choose another name for the training set, or delete it first")


class SetWriter:
    """Collects the files of a set in a temporary folder beside ``out`` and renames it when ``finish`` has all.

    As a context manager: leaving without ``finish``, also because a
    generator was closed, removes everything.  ``needed`` are the bytes of
    the pixels; BadInput says so where the disk has less free.
    """

    def __init__(self, out: Path, *, needed: int = 0) -> None:
        self.out = out if out.name else out.absolute()  # `.` has no name to put a temporary one beside
        self.needed = needed
        self.tables: dict[str, bytes] = {}
        self.files: dict[str, PlaneFile] = {}
        self._made: list[Path] = []

    def __enter__(self) -> Self:
        check_out(self.out)
        try:
            self._make_parents()
            # Not tempfile's: its folders are for their owner alone, and this one will be the training set.
            self.folder = self.out.with_name(f".{self.out.name}.{uuid.uuid4().hex[:8]}.part")
            self.folder.mkdir()
        except OSError as error:
            self._remove_parents()
            raise BadInput(f"cannot write beside {self.out}: {error.strerror}; choose another place") from error
        try:
            check_room(self.out.parent, self.needed, self.out.name)
        except BadInput:
            self._tidy()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cause = error if isinstance(error, OSError) else getattr(error, "__cause__", None)
        # A write that was cut short has no number; then the room that is left tells.
        full = isinstance(cause, OSError) and (
            cause.errno in FULL or (cause.errno is None and shutil.disk_usage(self.folder).free < SPARE)
        )
        self._tidy()
        if full:
            raise RunFailed(self._full()) from error

    def planes(
        self,
        file: str,
        axes: str,
        shape: tuple[int, ...],
        dtype: Any,
        *,
        provenance: Mapping[str, Any] | None = None,
        progress: Callable[[int, int], None] | None = None,
        **scale: Any,
    ) -> PlaneFile:
        """An empty image file of the set, to be filled plane by plane; ``scale`` as :class:`Stack` has it."""
        made = PlaneFile.create(
            self.folder / file, axes, shape, dtype, provenance=provenance, progress=progress, **scale
        )
        self.files[file] = made
        return made

    def table(self, name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
        """Write a table of the set: CSV with a header."""
        with open(self.folder / name, "w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, columns)
            table.writeheader()
            table.writerows(rows)
        self.tables[name] = (self.folder / name).read_bytes()

    def finish(self, record: Mapping[str, Any]) -> None:
        """Write dataset.json, with the fingerprint of images and tables as ``hash``, and put the folder in its place.

        ``record`` has ``kind``, ``format``, ``sources``, ``counts``,
        ``scaling``, ``dtype``, ``modality``, ``pixel_size`` and what the kind needs.
        """
        said = {**record, "hash": self._hash()}
        (self.folder / "dataset.json").write_text(
            json.dumps(said, indent=1, ensure_ascii=False, default=_plain), encoding="utf-8"
        )
        self._close()
        try:
            if self.out.is_dir():
                self.out.rmdir()
            replace(self.folder, self.out)
        except OSError as error:
            if self.out.exists():
                raise BadInput(f"{self.out} appeared meanwhile; choose another name for the training set") from error
            raise RunFailed(
                f"{self.out} could not be put in its place ({error.strerror or error}); try again"
            ) from error
        self._made = []

    def _hash(self) -> str:
        """Of every image as :func:`content_hash` says, and of every table: the table pins what each item is."""
        digest = hashlib.sha256()
        for name, file in sorted(self.files.items()):
            digest.update(f"{name} {content_hash(file.stack())}\n".encode())
        for name, text in sorted(self.tables.items()):
            digest.update(name.encode() + b"\n" + text)
        return digest.hexdigest()

    def _full(self) -> str:
        folder = next(folder for folder in self.out.absolute().parents if folder.exists())
        free = shutil.disk_usage(folder).free
        needed = f"it needs {format_bytes(self.needed)}, " if self.needed else ""
        return (
            f"{self.out.name} could not be written, the disk became full: {needed}{format_bytes(free)} are free in "
            f"{folder}; nothing of it was kept: make room, or choose another place"
        )

    def _close(self) -> None:
        """Let go of the files: Windows removes and renames nothing that is open."""
        for file in self.files.values():
            file.close()

    def _tidy(self) -> None:
        with suppress(OSError):  # what could not be flushed goes anyway
            self._close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._remove_parents()

    def _make_parents(self) -> None:
        """The folders above ``out``, remembering those that were not there."""
        parent = self.out.parent
        missing = [folder for folder in (parent, *parent.parents) if not folder.exists()]
        parent.mkdir(parents=True, exist_ok=True)
        self._made = missing

    def _remove_parents(self) -> None:
        for folder in self._made:
            try:
                folder.rmdir()
            except OSError:
                break  # somebody put something there
        self._made = []


def check_room(folder: Path, needed: int, what: str) -> None:
    """BadInput, with both numbers, where ``needed`` bytes do not fit on the disk of ``folder``."""
    free = shutil.disk_usage(folder).free
    if needed and free < needed + SPARE:
        raise BadInput(
            f"{what} needs {format_bytes(needed)}, and {folder} has {format_bytes(free)} free; "
            f"make room, choose another place, or make a smaller set"
        )


def _plain(value: Any) -> Any:
    """Numbers of numpy and paths, as JSON has them."""
    return value.item() if hasattr(value, "item") else str(value)

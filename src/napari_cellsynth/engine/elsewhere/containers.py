"""What a package is written into: a folder or a zip."""

from __future__ import annotations

import hashlib
import time
import zipfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from napari_cellsynth.engine.elsewhere.training_data import chunks_of

SHRUNK = (".csv", ".json", ".jsonl", ".txt")
"""Files that a zip makes smaller; pixels and weights are stored as they are."""
Copying = Generator[int, None, dict[str, Any]]
"""Gives the bytes of each part that was copied; returns the file's fingerprint."""


class Folder:
    """A package as a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir()

    def copy(self, source: Path, name: str) -> Copying:
        target = self._path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "wb") as file:
            return (yield from _pour(source, file.write))

    def write(self, name: str, text: str, *, runs: bool = False) -> None:
        target = self._path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
        if runs:
            target.chmod(0o755)

    def close(self) -> None:
        pass


class Zip:
    """A package as a zip, in which everything lies in a folder of the same name."""

    def __init__(self, path: Path, name: str) -> None:
        self._name = name
        self._zip = zipfile.ZipFile(path, "w", allowZip64=True)

    def copy(self, source: Path, name: str) -> Copying:
        with self._zip.open(self._entry(name), "w", force_zip64=True) as file:
            return (yield from _pour(source, file.write))

    def write(self, name: str, text: str, *, runs: bool = False) -> None:
        self._zip.writestr(self._entry(name, runs), text.encode())

    def close(self) -> None:
        self._zip.close()

    def _entry(self, name: str, runs: bool = False) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(f"{self._name}/{name}", time.localtime()[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED if name.endswith(SHRUNK) else zipfile.ZIP_STORED
        entry.external_attr = (0o100755 if runs else 0o100644) << 16
        return entry


def container(out: Path, temporary: Path) -> Folder | Zip:
    """What ``out`` is to be by its ending, written under a temporary name."""
    return Zip(temporary, out.stem) if out.suffix.lower() == ".zip" else Folder(temporary)


def _pour(source: Path, write: Callable[[bytes], Any]) -> Copying:
    """Copy a file's content, a part at a time; its fingerprint, taken on the way."""
    digest, size = hashlib.sha256(), 0
    for chunk in chunks_of(source):
        write(chunk)
        digest.update(chunk)
        size += len(chunk)
        yield len(chunk)
    return {"bytes": size, "sha256": digest.hexdigest()}

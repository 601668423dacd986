"""What a training set was made from moves into it when it is there: the table of recordings, files beside it."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from napari_cellsynth.engine.files import read_json, write_json

MADE_FROM = "made_from"
"""Folder inside a finished set: its table of recordings, and what was written for it."""


def move_into(out: Path, parts: Iterable[Path], data: Path, notes: Sequence[str]) -> None:
    """Move ``parts`` and the folder ``data`` into the set ``out``, whose record then has them and the ``notes``.

    They keep their places to each other.  OSError where something cannot be
    moved; what was moved before is not moved back, and may be moved again.
    """
    target = out / MADE_FROM
    target.mkdir(exist_ok=True)
    for part in (*parts, data):
        if part.exists():
            move(part, target / part.name)
    record = read_json(out / "dataset.json") or {}
    known = record.get("notes", ())
    if new := [note for note in notes if note not in known]:
        record["notes"] = [*known, *new]
    write_json(out / "dataset.json", moved(record, str(data), str(target / data.name)))


def move(part: Path, to: Path) -> None:
    """Move a file or a folder, whole or not at all; what is there already was moved before."""
    if not to.exists():
        try:
            part.rename(to)
            return
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        half = to.with_name(f".{to.name}.part")
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(part, half) if part.is_dir() else shutil.copy2(part, half)
        half.rename(to)


def moved(value: Any, old: str, new: str) -> Any:
    """A record in which paths below ``old`` lie below ``new``."""
    if isinstance(value, dict):
        return {key: moved(one, old, new) for key, one in value.items()}
    if isinstance(value, list):
        return [moved(one, old, new) for one in value]
    return new + value.removeprefix(old) if isinstance(value, str) and value.startswith(old) else value

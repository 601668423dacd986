"""Whether a saved state is what was written; loads no torch."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from napari_cellsynth.engine.files import read_json
from napari_cellsynth.engine.weight_files import AVERAGES, NETWORKS
from napari_cellsynth.errors import BadInput

STATE = "state.pt"
"""Optimisers and the like, beside the weights."""


class Damaged(BadInput):
    """A checkpoint is not what was written."""


def fingerprint(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file, as checkpoint.json keeps them."""
    with open(path, "rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def check(path: Path, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    """checkpoint.json, after comparing the files (or only ``names``) with it; raises :class:`Damaged`."""
    record = read_json(path / "checkpoint.json")
    if record is None or not isinstance(record.get("files"), dict) or not isinstance(record.get("step"), int):
        raise Damaged(f"{path} is not a whole checkpoint: its checkpoint.json is missing or cannot be read")
    for name, entry in record["files"].items():
        # A name from a file is data: it never leads out of the folder.
        if name not in (NETWORKS, AVERAGES, STATE) or (names is not None and name not in names):
            continue
        try:
            same = fingerprint(path / name) == entry
        except OSError:
            same = False
        if not same:
            raise Damaged(f"{path.name} is damaged: {name} is not what was written")
    return record


def is_whole(path: Path) -> bool:
    """Whether a checkpoint is what was written; reads all of it."""
    try:
        check(path)
    except Damaged:
        return False
    return True

"""How often the test part of a training set was looked at, and why."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from napari_cellsynth.errors import BadInput

FILE = "test_openings.jsonl"
"""In the folder of the set, a line for each opening."""


def note_opening(folder: Path, why: str, by: str = "") -> None:
    """Add a line: when, by what (a run, a model) and why.

    BadInput where the folder cannot be written, because an opening that is not counted is hidden.
    """
    line = json.dumps({"time": round(time.time()), "by": by, "why": why}, ensure_ascii=False)
    try:
        with open(folder / FILE, "a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        raise BadInput(
            f"opening the test part of {folder} cannot be noted there ({error.strerror}); "
            f"copy the set to a place that you may write to"
        ) from error


def openings(folder: Path) -> list[dict[str, Any]]:
    """The openings so far, the first first; a line that was cut short counts too."""
    try:
        lines = (folder / FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [_read(line) for line in lines if line.strip()]


def _read(line: str) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {"time": None, "why": ""}

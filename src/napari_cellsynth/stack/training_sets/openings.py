"""How often the test part of a training set, or of all sets with a recording in it, was looked at, and why."""

from __future__ import annotations

import json
import time
from collections import Counter
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


def times_opened(training_sets: Path) -> Counter[str]:
    """Openings by path of the recording, over the training sets in a folder whose test part holds it.

    What was chosen by the test part of one set is known to whoever tests
    with the same recording in another, so that they are added up.
    """
    counts: Counter[str] = Counter()
    for noted in sorted(training_sets.glob(f"*/{FILE}")):
        times = len(openings(noted.parent))
        for path in _tested_in(noted.parent):
            counts[path] += times
    return counts


def _tested_in(training_set: Path) -> set[str]:
    """Recordings of which a set holds something out for the test."""
    try:
        sources = json.loads((training_set / "dataset.json").read_text(encoding="utf-8"))["sources"]
        return {str(s["path"]) for s in sources if s.get("path") and (s.get("split") or {}).get("test")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()

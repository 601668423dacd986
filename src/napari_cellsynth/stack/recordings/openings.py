"""How often the test part that a recording belongs to was looked at, in all training sets of a folder."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from napari_cellsynth.stack.training_sets.openings import FILE, openings


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

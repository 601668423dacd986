"""What the Cell Tracking Challenge's layout has no place for, kept in a JSON beside its table.

There a mother that buds ends, and goes on as a daughter of herself; nothing
tells her from the bud.  Nor is there a pixel size, an interval, a condition.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_cellsynth.motion.tracks.ctc_pieces import pieces
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.motion.tracks.words import families
from napari_cellsynth.stack.numbers_in_words import counted

KEPT = "cellsynth.json"
ABOUT = ("condition", "pixel_size", "frame_interval", "provenance")


@dataclass(frozen=True)
class Kept:
    """Of a table that is as it was written."""

    cells: dict[int, int]
    """From each label to the track that it is of."""
    parents: dict[int, int]
    """From a track to the one it came from."""
    about: dict[str, Any]
    """Fields of the tracks: what nobody said is not there."""


def not_held(tracks: Tracks) -> str | None:
    """What other programs will read otherwise, in a line; None where the layout holds it all."""
    _, buds = families(tracks)
    starts = {int(n): int(tracks.t[row]) for n, row in zip(tracks.numbers(), tracks.starts(), strict=True)}
    sudden = sum(starts[parent] >= starts[child] for child, parent in tracks.parents.items())
    late = set(_taken_for_gaps(tracks))
    parts = [f"{counted(buds - sudden, 'bud')} as a division, with a new number for the mother"] * (buds > sudden)
    parts += [f"{counted(sudden, 'cell')} without the mother, who was not seen before"] * bool(sudden)
    parts += [f"{counted(len(late), 'late child', 'late children')} as the mother herself"] * bool(late)
    if not parts:
        return None
    return f"the layout of the Cell Tracking Challenge gives {', '.join(parts)}; {KEPT} beside it says how it is"


def _taken_for_gaps(tracks: Tracks) -> Iterable[int]:
    """Only children that begin later than in the frame after their mother's last: as if she had been away."""
    ends = {number: int(tracks.t[tracks.rows(number).stop - 1]) for number in set(tracks.parents.values())}
    for parent, found in tracks.children().items():
        if len(found) == 1 and int(tracks.t[tracks.rows(found[0]).start]) > ends[parent] + 1:
            yield found[0]


def kept(tracks: Tracks, table: str) -> str:
    """The JSON of a table."""
    return json.dumps(
        {
            "kind": "tracks",
            "table": _hash(table),
            "cells": {str(piece.label): piece.track for piece in pieces(tracks)},
            "parents": {str(child): parent for child, parent in tracks.parents.items()},
            **{name: getattr(tracks, name) for name in ABOUT},
        },
        indent=2,
    )


def read_kept(table: Path, labels: Iterable[int]) -> tuple[Kept | None, str | None]:
    """What lies beside a table, and what is odd about it: it is left aside where it is of another table or damaged."""
    path = table.with_name(KEPT)
    if not path.exists():
        return None, None
    try:
        block = json.loads(path.read_text("utf-8"))
        if block.get("kind") != "tracks":
            return None, None  # of a simulated movie, which says other things
        if block["table"] != _hash(table.read_text("utf-8")):
            return None, f"{KEPT} is of an earlier {table.name} and was left aside: buds are read as divisions"
        made = Kept(_numbers(block["cells"]), _numbers(block["parents"]), _about(block))
        if set(made.cells) != set(labels):
            raise ValueError("other labels")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None, f"{KEPT} is damaged and was left aside: buds are read as divisions"
    return made, None


def _numbers(block: dict[str, Any]) -> dict[int, int]:
    return {int(name): int(value) for name, value in block.items()}


def _about(block: dict[str, Any]) -> dict[str, Any]:
    said = {name: block[name] for name in ABOUT if block.get(name) is not None}
    if "pixel_size" in said:
        height, width = said["pixel_size"]
        said["pixel_size"] = (float(height), float(width))
    if "frame_interval" in said:
        said["frame_interval"] = float(said["frame_interval"])
    return said


def _hash(table: str) -> str:
    """Of the lines, whatever ends them."""
    return hashlib.sha256("\n".join(line.strip() for line in table.split("\n")).encode()).hexdigest()

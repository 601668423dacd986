"""A line for each track: length, speed, displacement, turning, area, in physical units where they are known."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from math import isfinite
from pathlib import Path

from napari_cellsynth.motion.statistics import TrackRow, Units, track_rows, units_of
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.stack.files.replacing import replacing

PLAIN = ("track", "parent", "first", "last", "frames")
"""Columns of whole numbers; frames count from 0."""


def columns(units: Units) -> dict[str, str]:
    """Fields of a row to headings with their units, such as ``speed_um_per_s``."""
    length, time = ("um" if units.length != "px" else "px"), units.time
    return {
        **{name: name for name in PLAIN},
        "duration": f"duration_{time}",
        "path_length": f"path_{length}",
        "displacement": f"displacement_{length}",
        "straightness": "straightness",
        "speed": f"speed_{length}_per_{time}",
        "top_speed": f"top_speed_{length}_per_{time}",
        "turning": "turning_deg",
        "msd": f"msd_one_frame_{length}2",
        "area": f"area_{length}2",
    }


def table(tracks: Tracks) -> Iterator[list[str]]:
    """Headings, then a line for each track; empty where a number does not exist (a speed of one frame)."""
    names = columns(units_of(tracks))
    yield list(names.values())
    for row in track_rows(tracks):
        yield [_cell(row, name) for name in names]


def _cell(row: TrackRow, name: str) -> str:
    value = getattr(row, name)
    if name in PLAIN:
        return str(value)
    return f"{value:.6g}" if isfinite(value) else ""


def write_per_track(path: Path, tracks: Tracks) -> Path:
    """The table as CSV."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(table(tracks))
    return path

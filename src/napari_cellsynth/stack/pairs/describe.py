"""What a training set of pairs says of itself: its table, and its record."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from napari_cellsynth.stack.pairs.check import Checked
from napari_cellsynth.stack.pairs.plan import PairPlan
from napari_cellsynth.stack.pairs.report import PairReport
from napari_cellsynth.stack.pairs.tiles import Tile
from napari_cellsynth.stack.recordings.recording import Recording
from napari_cellsynth.stack.scaling import Scaling

FORMAT = 1
"""Version of dataset.json for pairs."""
LOW, HIGH, TABLE = "low.ome.tif", "high.ome.tif", "pairs.csv"
COLUMNS = (
    "id", "low", "high", "low_file", "high_file", "field", "t_low", "t_high", "z", "y0", "x0", "dy", "dx",
    "moved_y", "moved_x", "split", "condition", "session",
)  # fmt: skip
"""Columns of pairs.csv: ``low_file`` and ``high_file`` are seen from the folder that all lie in;
frames, planes and pixels are the low file's own, counted from 0; (dy, dx) is where the high
exposure lies against the low, in pixels (empty: could not be measured), moved_y and moved_x what was taken back."""


def recordings_in(plan: PairPlan) -> list[Recording]:
    """Every recording once, low ones before their high one."""
    found = {id(one): one for couple in plan.couples for one in (couple.low, couple.high)}
    return list(found.values())


def rows_of(plan: PairPlan, tiles: Sequence[Tile], checked: Checked) -> Iterator[dict[str, Any]]:
    """Rows of the table, in the order of the tiles."""
    files = _files_below(recordings_in(plan))
    for number, tile in enumerate(tiles):
        pair, shift = tile.pair, checked.shifts[tile.pair]
        low, high = plan.both(pair)
        y0, x0 = low.file_place(tile.y0, tile.x0)
        found = (f"{shift.dy:.3f}", f"{shift.dx:.3f}") if shift.measured else ("", "")
        values = (
            number, low.name, high.name, files[id(low)], files[id(high)], plan.couples[pair.couple].field[-1],
            low.file_frame(pair.t_low), high.file_frame(pair.t_high), low.selection.plane(pair.z_low), int(y0),
            int(x0), *found, *tile.moved, pair.split, low.condition or "", low.session or "",
        )  # fmt: skip
        yield dict(zip(COLUMNS, values, strict=True))


def _files_below(recordings: Sequence[Recording]) -> dict[int, str]:
    """By id of the recording, its file seen from the folder that all files lie in; its name where it has none."""
    paths = {id(one): Path(one.stack.path).absolute() for one in recordings if one.stack.path is not None}
    try:
        top = os.path.commonpath([path.parent for path in paths.values()])
    except ValueError:  # no file, or files on several drives
        top = ""
    below = {number: path.relative_to(top) if top else path for number, path in paths.items()}
    return {id(one): below[id(one)].as_posix() if id(one) in below else one.stack.name for one in recordings}


def record_of(
    plan: PairPlan,
    report: PairReport,
    sources: list[dict[str, Any]],
    provenance: dict[str, Any],
    scalings: Sequence[Scaling],
) -> dict[str, Any]:
    """dataset.json, but for the fingerprint."""
    return {
        "format": FORMAT,
        "kind": "pairs",
        "size": report.size,
        "pixel_size": plan.pixel_size,
        "dtype": plan.low_dtype.name,
        "high_dtype": plan.high_dtype.name,
        "modality": plan.modality,
        "sources": sources,
        "scaling": scalings[0].to_json(),
        "high_scaling": scalings[1].to_json(),
        "split": [source["split"] for source in sources],
        "counts": report.per_split,
        "left_out": report.left_out,
        "report": report.to_json(),
        "provenance": provenance,
    }

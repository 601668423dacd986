"""The layout of the Cell Tracking Challenge: a mask for each frame, and a table of tracks with their parents.

A line of the table is ``L B E P``: a label, its first and last frame (from
0), and its parent, 0 for none.  A parent ends before its child begins, and a
label is in every frame from B to E.  So a gap, and a mother that goes on when
her bud begins, are several labels there (:mod:`.ctc_pieces`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.ctc_kept import read_kept
from napari_cellsynth.motion.tracks.from_labels import outlines_of
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.stack.numbers_in_words import counted

TABLES = ("res_track.txt", "man_track.txt")
TRACKING, OUTLINES = "TRA", "SEG"
"""Folders of a sequence's truth (01_GT, 01_ST): of the table and its masks, and of outlines without tracks."""
_MASK = re.compile(r"(man_track|mask)(\d+)\.tiff?", re.IGNORECASE)


def find_table(path: Path) -> Path | None:
    """The table that ``path`` is, or that lies in it or in its TRA; None where there is none."""
    if path.is_dir():
        places = (folder / name for folder in (path, path / TRACKING) for name in TABLES)
        return next((place for place in places if place.exists()), None)
    return path if path.name.lower() in TABLES else None


def is_truth(path: Path) -> bool:
    """Whether ``path`` is laid out as a sequence's truth (01_GT, 01_ST), or is one of the folders in it."""
    inner = path.name in (TRACKING, OUTLINES) and re.fullmatch(r"\d+_[GS]T", path.parent.name) is not None
    return inner or any((path / name).is_dir() for name in (TRACKING, OUTLINES))


def read_ctc(path: Path | str) -> Tracks:
    """Tracks from ``01_RES``, ``01_GT`` or its ``TRA``: the folder, or the table in it, whose masks lie beside it.

    Positions are centroids of the masks; those of ``man_track`` are marks
    that may be smaller than the cells.  An only child that begins after a gap
    is the same cell, and its track has a gap.  What we wrote comes back as it
    was, with its buds, as the JSON beside the table says.  Frames that the
    table speaks of and that have no mask are left out, which a note says.

    Raises:
        BadInput: no table, no masks, a damaged line, or a mask with a label that is not in the table.
    """
    path = Path(path)
    table = find_table(path)
    if table is None or not table.exists():
        raise BadInput(_no_table(path))
    lines = lines_of(table)
    masks = _masks(table.parent)
    found = [(t, row) for t, file in sorted(masks.items()) for row in outlines_of(_plane(file))]
    t = np.array([t for t, _ in found], np.int64)
    rows = np.array([row for _, row in found]).reshape(-1, 4)
    labels = rows[:, 0].astype(np.int64)
    unknown = sorted(set(labels.tolist()) - set(lines))
    if unknown:
        raise BadInput(f"the masks in {table.parent} have the label {unknown[0]}, which is not in {table.name}")
    kept, odd = read_kept(table, lines)
    same = kept.cells if kept is not None else _joined(lines)
    ids = np.array([same[n] for n in labels.tolist()], np.int64)
    there = set(ids.tolist())
    parents = kept.parents if kept is not None else _parents(lines, same)
    return Tracks(
        ids,
        t,
        rows[:, 1],
        rows[:, 2],
        {child: parent for child, parent in parents.items() if {child, parent} <= there},
        {"area": rows[:, 3].astype(np.int64)},
        shape=_plane(next(iter(masks.values()))).shape,
        name=_name(table.parent),
        notes=(*([odd] if odd else []), *_notes(lines, masks, t, labels)),
        **({} if kept is None else kept.about),
    )


def _no_table(path: Path) -> str:
    words = f"{path} holds no {' or '.join(TABLES)}"
    if path.is_dir() and is_truth(path):
        outlines = path if path.name == OUTLINES else path / OUTLINES
        there = f", only outlines: give the movie and --labels {outlines}" if outlines.is_dir() else ""
        return f"{words}, and no {TRACKING} with one{there or '; give 01_GT, its TRA, or 01_RES'}"
    return f"{words}; give the folder of a result (01_RES) or of a truth (01_GT)"


def _name(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}" if folder.name in (TRACKING, OUTLINES) else folder.name


def lines_of(table: Path) -> dict[int, tuple[int, int, int]]:
    """First frame, last frame and parent of each label; BadInput for a damaged line."""
    lines: dict[int, tuple[int, int, int]] = {}
    for number, text in enumerate(table.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if not text.strip():
            continue
        try:
            label, first, last, parent = (int(word) for word in text.split())
        except ValueError:
            raise BadInput(f"{table.name}, line {number}: {text[:60]!r} given; expected four numbers L B E P") from None
        if label in lines or label < 1 or first > last:
            raise BadInput(f"{table.name}, line {number}: {text[:60]!r} cannot be (label, first, last frame, parent)")
        lines[label] = (first, last, parent)
    for label, (first, _, parent) in lines.items():
        if parent and (parent not in lines or lines[parent][1] >= first):
            raise BadInput(f"{table.name}: the parent {parent} of {label} is missing, or ends after {label} begins")
    return lines


def _masks(folder: Path) -> dict[int, Path]:
    found = ((file, _MASK.fullmatch(file.name)) for file in sorted(folder.iterdir()))
    masks = {int(match[2]): file for file, match in found if match}
    if not masks:
        raise BadInput(f"{folder} holds no masks (mask000.tif, man_track000.tif); the positions come from them")
    return masks


def _plane(file: Path) -> NDArray[Any]:
    from napari_cellsynth.stack.files.folder import open_one

    planes = open_one(file)
    plane = np.asarray(planes[(slice(None),) * planes.ndim]).squeeze()
    if plane.ndim != 2 or plane.dtype.kind not in "iu":
        raise BadInput(f"{file.name} has shape {plane.shape}, {plane.dtype}; expected a mask (Y, X) of whole numbers")
    return plane


def _joined(lines: dict[int, tuple[int, int, int]]) -> dict[int, int]:
    """The track of each label: an only child that begins after a gap is its parent."""
    children: dict[int, list[int]] = {}
    for label, (_, _, parent) in lines.items():
        children.setdefault(parent, []).append(label)
    same: dict[int, int] = {}
    for label in sorted(lines, key=lambda n: lines[n][0]):
        first, _, parent = lines[label]
        alone = parent and len(children[parent]) == 1 and first > lines[parent][1] + 1
        same[label] = same[parent] if alone else label
    return same


def _parents(lines: dict[int, tuple[int, int, int]], same: dict[int, int]) -> dict[int, int]:
    return {same[n]: same[p] for n, (_, _, p) in lines.items() if p and same[n] != same[p]}


def _notes(
    lines: dict[int, tuple[int, int, int]], masks: dict[int, Path], t: NDArray[np.int64], labels: NDArray[np.int64]
) -> tuple[str, ...]:
    notes = []
    missing = {u for first, last, _ in lines.values() for u in range(first, last + 1)} - set(masks)
    if missing:
        few = counted(len(missing), "frame")
        notes.append(f"{few} of the table {'has' if len(missing) == 1 else 'have'} no mask: left out")
    seen = set(zip(labels.tolist(), t.tolist(), strict=True))
    said = {(n, u) for n, (first, last, _) in lines.items() for u in range(first, last + 1) if u in masks}
    if seen != said:
        notes.append(
            f"{counted(len(seen ^ said), 'time')} a label is in a mask and not in the table's frames, or the reverse"
        )
    return tuple(notes)

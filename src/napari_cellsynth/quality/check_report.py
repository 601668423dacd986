"""A check of outlines, saved: a folder with a table, a page of pictures, and where the numbers come from."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from napari_cellsynth.quality.check_sheets import wrong_frames
from napari_cellsynth.quality.outline_check import OutlineCheck
from napari_cellsynth.quality.report.folder import new_folder
from napari_cellsynth.stack.contact_sheet import save_sheet
from napari_cellsynth.stack.outlines.score import OutlineScore
from napari_cellsynth.stack.stack import Stack

TABLE, SHEET, ABOUT = "numbers.csv", "pictures.png", "about.json"
SCORES = ("f1", "precision", "recall", "mean_iou", "seg", "count_error", "true", "found", "matched")
"""Columns of a score."""


def save_outline_check(check: OutlineCheck, folder: Path, movie: Stack | None = None, channel: int = 0) -> Path:
    """Write a new folder; a row for each plane, the worst first, and one for all (t, z empty).  Returns it.

    Raises BadInput where there is something of that name already.
    """
    rows: list[list[Any]] = []
    for plane in check.worst():
        rows.append([plane.t, plane.z, plane.missed, plane.false, *_scores(plane.score), *_scores(plane.free)])
    total = check.total
    wrong = (total.true - total.matched, total.found - total.matched)
    rows.append(["", "", *wrong, *_scores(total), *_scores(check.free)])
    head = ["t", "z", "missed", "false", *SCORES, *(f"otsu_{name}" for name in SCORES)]
    about = {
        "says": [check.sentence(), *check.notes()],
        "matched_above_iou": 0.5,
        "otsu_side": check.side,
        "frames_counted_from": 0,
        "provenance": check.provenance,
    }
    return _write(folder, [head, *rows], wrong_frames(check, movie, channel), about)


def _scores(score: OutlineScore | None) -> list[Any]:
    if score is None:
        return [""] * len(SCORES)
    values = (score.f1, score.precision, score.recall, score.mean_iou, score.seg_score, score.count_error)
    return [*(round(value, 4) for value in values), score.true, score.found, score.matched]


def _write(folder: Path, rows: Iterable[Sequence[Any]], sheet: Any, about: dict[str, Any]) -> Path:
    """All of it, or nothing."""
    folder = Path(folder)
    with new_folder(folder) as temporary:
        with open(temporary / TABLE, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        save_sheet(temporary / SHEET, sheet)
        (temporary / ABOUT).write_text(json.dumps(about, indent=2, ensure_ascii=False), encoding="utf-8")
    return folder


def free_folder(parent: Path, name: str) -> Path:
    """A folder in ``parent`` that is not there yet: the name, or the name and a number."""
    safe = "".join("-" if letter in '<>:"/\\|?*' else letter for letter in name).strip(" .")[:80] or "check"
    number, folder = 2, parent / safe
    while folder.exists():
        folder, number = parent / f"{safe} {number}", number + 1
    return folder

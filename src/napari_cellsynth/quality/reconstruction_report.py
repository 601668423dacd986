"""A reconstruction check, saved: numbers, figure 2 with its source data, a page of pictures, where it comes from."""

from __future__ import annotations

import csv
import json
from math import isfinite
from pathlib import Path

from napari_cellsynth.quality.check_report import ABOUT, SHEET, TABLE
from napari_cellsynth.quality.figures.saving import save_figure
from napari_cellsynth.quality.reconstruction import ReconstructionCheck
from napari_cellsynth.quality.reconstruction_figure import HEAD, figure_two, pictures, source_rows
from napari_cellsynth.quality.report.folder import new_folder
from napari_cellsynth.stack.contact_sheet import save_sheet

FIGURE = "reconstruction"
"""Stem of the figure's files: .png, .svg, and .csv with a row for each crop."""


def save_reconstruction_check(check: ReconstructionCheck, folder: Path) -> Path:
    """Write a new folder, all of it or nothing.  Returns it.

    Raises BadInput where there is something of that name already.
    """
    folder = Path(folder)
    with new_folder(folder) as temporary:
        with open(temporary / TABLE, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["name", "words", "value", "low", "high"])
            writer.writerows([row.name, row.words, row.value, row.low, row.high] for row in check.rows())
        save_figure(figure_two(check), temporary, FIGURE, HEAD, source_rows(check))
        save_sheet(temporary / SHEET, pictures(check))
        ratio, low, high = (value if isfinite(value) else None for value in check.ratio)
        about = {
            "says": [check.sentence(), *check.notes()],
            "error": "root of the mean squared difference in the networks' range, of width 2",
            "ratio": {
                "held_out_to_training": ratio,
                "low": low,
                "high": high,
                "is": "mean error over that of the mean training image, of held-out to training crops",
                "interval": "95 %, bootstrap by cells",
            },
            "explained": check.explained if isfinite(check.explained) else None,
            "latent_size": check.latent_size,
            "provenance": check.provenance,
        }
        (temporary / ABOUT).write_text(
            json.dumps(about, indent=2, ensure_ascii=False, allow_nan=False), encoding="utf-8"
        )
    return folder

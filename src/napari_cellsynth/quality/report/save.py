"""Write a report: a page, figures with their source data, tables, and everything as JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth import __version__
from napari_cellsynth.quality.alike import AlikeCheck
from napari_cellsynth.quality.check_sheets import named
from napari_cellsynth.quality.figures.beside import HEAD, draw_beside, rows_beside
from napari_cellsynth.quality.figures.histograms import draw_histograms
from napari_cellsynth.quality.figures.panels import ImageSet, Panels, choose_panels, draw_panels
from napari_cellsynth.quality.figures.saving import FREE, MADE, REAL, save_figure
from napari_cellsynth.quality.measures import NAMES
from napari_cellsynth.quality.report.folder import new_folder
from napari_cellsynth.quality.report.methods import methods
from napari_cellsynth.quality.report.page import html_page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE, JSON, NUMBERS, DIFFERENCES, METHODS = (
    "report.html",
    "compare.json",
    "numbers.csv",
    "differences.csv",
    "methods.txt",
)
FORMAT = 1
"""Of compare.json."""
PAIRS_SHOWN = 16
BESIDE = (
    "Each distance to held-out crops beside its floors: as many training crops, and halves of the training crops;"
    " and beside the mean training crop with noise, which costs nothing. Lines hold 95 % of drawings (of halves:"
    " the least and largest of nine). The axis is linear near 0 and logarithmic beyond."
)
MEASURES = (
    "Share of images at each value of each hand-made measure; the ends hold what lies beyond. \u03b4: Cliff's delta of"
    " made against held-out images; *: p below 0.05 after Holm, of Mann and Whitney's test with n counting cells."
)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A figure of the report."""

    stem: str
    title: str
    caption: str
    draw: Callable[[], Figure]
    head: tuple[str, ...]
    rows: list[Any]


def save_report(check: AlikeCheck, folder: Path, title: str = "Made images beside real ones") -> Path:
    """Write a new folder, all of it or nothing.  Returns it.

    ``report.html`` to read; ``compare.json`` with all numbers; ``numbers.csv`` and ``differences.csv``; each figure as
    PNG, SVG and CSV (what it shows); ``methods.txt``, a paragraph for a paper.

    Raises BadInput where there is something of that name already.
    """
    folder = Path(folder)
    figures, paragraph = figures_of(check), methods(check)
    with new_folder(folder) as temporary:
        for one in figures:
            save_figure(one.draw(), temporary, one.stem, one.head, one.rows)
        _tables(check, temporary)
        (temporary / METHODS).write_text(paragraph, encoding="utf-8")
        said = json.dumps(as_json(check, paragraph), indent=2, ensure_ascii=False, allow_nan=False)
        (temporary / JSON).write_text(said, encoding="utf-8")
        page = html_page(check, title, [(one.stem, one.title, one.caption) for one in figures], paragraph)
        (temporary / PAGE).write_text(page, encoding="utf-8")
    return folder


def as_json(check: AlikeCheck, paragraph: str | None = None) -> dict[str, Any]:
    """All that was found, JSON-safe; docs/compare.md has the keys."""
    m = check.material
    return {
        "format": FORMAT,
        "version": __version__,
        "level": check.level,
        "sentence": check.sentence(),
        "next": check.next_step(),
        "says": list(dict.fromkeys([*check.notes(), *m.distances.warnings])),
        "counts": {
            "made": len(m.made),
            "held_out": len(m.unseen),
            "held_out_cells": len(set(m.unseen_cells.tolist())),
            "training": len(m.training),
            "training_cells": len(set(m.training_cells.tolist())),
            "cells_in_both": m.learned_from,
        },
        "distances": m.distances.as_json(),
        "differences": [one.as_json() for one in m.differences],
        "sections": [
            {
                "code": found.code,
                "level": found.level,
                "sentence": found.sentence,
                "rows": [
                    {"name": row.name, "words": row.words, "column": row.column}
                    | _numbers(value=row.value, low=row.low, high=row.high)
                    for row in found.rows
                ],
            }
            for found in check.found
        ],
        "methods": methods(check) if paragraph is None else paragraph,
        "seed": m.seed,
        "provenance": check.provenance,
    }


def _numbers(**values: float | None) -> dict[str, float | None]:
    """JSON has no NaN."""
    return {name: value if value is not None and isfinite(value) else None for name, value in values.items()}


def _tables(check: AlikeCheck, folder: Path) -> None:
    rows = [
        [found.code, row.name, named(row), *map(_or_empty, (row.value, row.low, row.high)), found.level]
        for found in check.found
        for row in found.rows
    ]
    _csv(folder / NUMBERS, ["section", "name", "words", "value", "low", "high", "level"], rows)
    lines = [
        [d.name, d.real, d.made, d.delta.value, d.delta.low, d.delta.high, d.size(), d.control, d.p, d.p_corrected]
        for d in check.material.differences
    ]
    head = ["measure", "median_real", "median_made", "cliffs_delta", "low", "high", "size", "delta_real", "p", "p_holm"]
    _csv(folder / DIFFERENCES, head, lines)


def _or_empty(value: float | None) -> float | str:
    return "" if value is None or not isfinite(value) else value


def _csv(path: Path, head: list[str], rows: list[list[Any]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])


# -- the figures -----------------------------------------------------------------------------------------------------


def figures_of(check: AlikeCheck) -> list[Drawn]:
    """In the order of the page."""
    return [_panels(check), *_nearest(check), _beside(check), _histograms(check)]


def _panels(check: AlikeCheck) -> Drawn:
    m = check.material
    sets = [ImageSet("held-out crops (real)", m.unseen), ImageSet("made images (synthetic)", m.made)]
    chosen = choose_panels(sets, m.seed, pixel_size=m.pixel_size)
    return _drawn_panels("panels", "Random images", chosen, chosen.caption())


def _drawn_panels(stem: str, title: str, chosen: Panels, caption: str) -> Drawn:
    return Drawn(stem, title, caption, lambda: draw_panels(chosen), ("set", "place", "index"), chosen.rows())


def _nearest(check: AlikeCheck) -> list[Drawn]:
    """Made images, chosen at random, each above its nearest training crop, where that is known."""
    import numpy as np

    m = check.material
    if not m.parted:
        return []
    order = np.random.default_rng([m.seed, 9]).permutation(len(m.made))[:PAIRS_SHOWN]
    places, far = m.closeness.nearest_training(m.made[order])
    sets = (ImageSet("made images", m.made), ImageSet("nearest training crop of each (real)", m.training))
    shown = choose_panels([ImageSet("real", m.unseen)], m.seed, pixel_size=m.pixel_size)
    pairs = Panels(sets, (order, places), m.seed, shown.black, shown.white, m.pixel_size, shown.bar)
    caption = (
        f"{len(order)} made images chosen at random (seed {m.seed}) and, in the same order below, the training crop"
        f" most like each. {pairs.shown_as()}"
    )
    rows = [(int(a), int(b), float(d)) for a, b, d in zip(order, places, far, strict=True)]
    head = ("made_index", "training_index", "distance")
    return [Drawn("nearest", "Nearest training crops", caption, lambda: draw_panels(pairs), head, rows)]


def _beside(check: AlikeCheck) -> Drawn:
    found = check.material.distances
    return Drawn("distances", "Distances", BESIDE, lambda: draw_beside(found), HEAD, rows_beside(found))


def _histograms(check: AlikeCheck) -> Drawn:
    m = check.material
    known = {one.name: one for one in m.differences}
    notes = [f"\u03b4 {known[name].delta.value:+.2f}{'*' if known[name].differs else ''}" for name in NAMES]
    sets = {"training": m.measures["training"], "held-out": m.measures["unseen"], "made": m.measures["made"]}
    rows = [(name, number, *values) for name, part in sets.items() for number, values in enumerate(part.tolist())]
    colours = (FREE, REAL, MADE)
    draw = lambda: draw_histograms(NAMES, sets, colours, notes)  # noqa: E731
    return Drawn("measures", "Measures", MEASURES, draw, ("set", "image", *NAMES), rows)

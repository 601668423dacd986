"""The learning curve of :mod:`.usefulness` as a figure, and as a folder with tables."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth.quality.figures.saving import FREE, new_figure, save_figure
from napari_cellsynth.quality.report.folder import new_folder
from napari_cellsynth.quality.usefulness import (
    ARMS,
    CUT_OUTS,
    MADE,
    MADE_MIXED,
    MEASURES,
    MIXED,
    REAL,
    WORDS,
    Usefulness,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE, TABLE, TRIALS, ABOUT = "useful", "numbers.csv", "trials.csv", "useful.json"
LOOKS = {
    REAL: ("#0072b2", "o", "-"),
    CUT_OUTS: ("#e69f00", "s", ":"),
    MIXED: ("#d55e00", "D", "-"),
    MADE: ("#56b4e9", "^", ":"),
    MADE_MIXED: ("#009e73", "v", "-"),
}
"""Colour (Okabe and Ito's), marker and line: colours alone do not tell them apart in print."""
APART = 0.06
"""Places that curves of one number of frames stand beside each other."""


def learning_curve(
    check: Usefulness,
    *,
    measure: str = "average_precision",
    size: tuple[float, float] = (4.2, 3.2),
    paper: tuple[str, str] = ("white", "black"),
) -> Figure:
    """The measure against the number of real labelled frames, with intervals; ``paper`` is its ground and its ink."""
    figure = new_figure(*size)
    ground, ink = paper
    figure.set_facecolor(ground)
    axis = figure.subplots()
    axis.set_facecolor(ground)
    places = {frames: place for place, frames in enumerate(check.levels)}
    for number, arm in enumerate(check.arms):
        points = [(n, found) for n in check.levels if (found := check.interval(arm, n, measure)) is not None]
        x = [places[n] + APART * (number - (len(check.arms) - 1) / 2) for n, _ in points]
        means = [one.mean for _, one in points]
        errors = [[one.mean - one.low for _, one in points], [one.high - one.mean for _, one in points]]
        colour, marker, line = LOOKS[arm]
        looks: dict[str, Any] = {
            "color": colour,
            "marker": marker,
            "linestyle": line,
            "markersize": 4,
            "linewidth": 1.2,
        }
        axis.errorbar(x, means, yerr=errors, capsize=2, label=arm, **looks)
    if measure in check.free:
        axis.axhline(check.free[measure], color=FREE, linestyle="--", linewidth=1, label="without training (auto)")
    axis.set_xticks(list(places.values()), [str(n) for n in places])
    axis.set_ylim(min(0.0, axis.get_ylim()[0]) if measure == "count_error" else 0, None)
    if measure != "count_error":
        axis.set_ylim(0, 1.02)
    axis.set_xlabel("real frames with labels", fontsize=8, color=ink)
    axis.set_ylabel(f"{WORDS[measure]} on held-out real frames", fontsize=8, color=ink)
    axis.tick_params(labelsize=7, length=3, colors=ink)
    for side, spine in axis.spines.items():
        spine.set_color(ink)
        spine.set_visible(side in ("left", "bottom"))
    legend = figure.legend(loc="outside upper center", ncols=2, fontsize=7, frameon=False)
    for text in legend.get_texts():
        text.set_color(ink)
    return figure


def table_rows(check: Usefulness) -> list[list[Any]]:
    """Head and rows: an arm with so many real frames, each measure with its interval."""
    head = ["learned from", "real_frames", "seeds"]
    head += [f"{name}{end}" for name in MEASURES for end in ("", "_low", "_high")]
    rows: list[list[Any]] = [head]
    for arm, frames, found in check.rows():
        numbers = [
            round(value, 4) for name in MEASURES for value in (found[name].mean, found[name].low, found[name].high)
        ]
        rows.append([arm, frames, found[MEASURES[0]].count, *numbers])
    if check.free:
        rows.append(["auto", "", "", *(v for name in MEASURES for v in (round(check.free[name], 4), "", ""))])
    return rows


def as_json(check: Usefulness) -> dict[str, Any]:
    """Everything, JSON-safe: ``says``, ``effects``, ``trials``, ``auto``."""
    effects = [
        {"adding": arm, "frames": e.frames, "before": e.before, "after": e.after, "outcome": e.outcome}
        | {"difference": e.difference.mean, "low": e.difference.low, "high": e.difference.high}
        | {"p": e.p, "p_corrected": e.p_corrected}
        for arm in (MIXED, MADE_MIXED)
        for e in check.effects(arm)
    ]
    return {
        "says": [check.sentence(), *check.notes()],
        "arms": {arm: ARMS[arm] for arm in check.arms},
        "effects": effects,
        "auto": dict(check.free),
        "held_out": {"part": check.part, "pieces": check.held_out, "cells": check.held_out_cells},
        "trials": [one.to_json() for one in check.trials],
        "provenance": dict(check.provenance),
    }


def write_into(check: Usefulness, folder: Path) -> None:
    """``useful.png`` and ``.svg`` with ``useful.csv``, ``numbers.csv``, ``trials.csv`` and ``useful.json``."""
    rows = table_rows(check)
    save_figure(learning_curve(check), folder, FIGURE, rows[0], rows[1:])
    trials = [["arm", "real_frames", "seed", *MEASURES]]
    trials += [[t.arm, t.frames, t.seed, *(getattr(t, name) for name in MEASURES)] for t in check.trials]  # type: ignore[list-item]
    for name, table in ((TABLE, rows), (TRIALS, trials)):
        with open(folder / name, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(table)
    said = json.dumps(as_json(check), indent=2, ensure_ascii=False)
    (folder / ABOUT).write_text(said + "\n", encoding="utf-8")


def save_usefulness(check: Usefulness, folder: Path) -> Path:
    """Write a new folder, all of it or nothing; returns it.  BadInput where there is something of that name."""
    folder = Path(folder)
    with new_folder(folder) as temporary:
        write_into(check, temporary)
    return folder

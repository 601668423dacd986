"""Write what was found of how cells move: a page, figures with their source data, tables, everything as JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from html import escape
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth import __version__
from napari_cellsynth.quality.check_sheets import number
from napari_cellsynth.quality.figures import motion as draw
from napari_cellsynth.quality.figures.saving import save_figure
from napari_cellsynth.quality.motion_check import SETS, MotionCheck
from napari_cellsynth.quality.report.folder import new_folder
from napari_cellsynth.quality.report.page import STYLE
from napari_cellsynth.quality.shared_words import methods_of_shared

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE, JSON, NUMBERS, METHODS = "report.html", "compare.json", "numbers.csv", "methods.txt"
FORMAT = 1
"""Of compare.json."""
HEADS = ("condition", "measure", "unit", "held_out", "learned", "simulated", "low", "high", "p_holm", "differs")
CITED = (
    "Doretto et al. 2003, Int. J. Computer Vision 51:91 (autoregressive processes in a subspace)",
    "Hyndman, Jepson and Fleet 2007, BMVC (the same of higher order)",
    "Fürth 1920, Z. Physik 2:244 (persistent random walk)",
    "Cliff 1993, Psychol. Bull. 114:494; Mann and Whitney 1947; Wilcoxon 1945; Holm 1979 (effect size and tests)",
)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A figure of the report."""

    stem: str
    title: str
    caption: str
    draw: Callable[[MotionCheck], Figure]
    head: tuple[str, ...]
    rows: Callable[[MotionCheck], list[Any]]


FIGURES = (
    Drawn(
        "trajectories",
        "Trajectories",
        "Held-out real and simulated cells from one origin, at one scale; as many of each, drawn at random, each"
        " simulated path as long as a real one. Dots are their ends.",
        draw.draw_trajectories,
        draw.TRAJECTORY,
        draw.rows_trajectories,
    ),
    Drawn(
        "components",
        "Components",
        "Share of rows at each value of the first components of y; the ends hold what lies beyond. Reading of cells:"
        " one subspace for all sets, in which conditions count alike; joint: each condition in its own.",
        draw.draw_components,
        draw.COMPONENT,
        draw.rows_components,
    ),
    Drawn(
        "states",
        "State",
        "Paths of the state through the first three dimensions of the subspace, real cells.",
        draw.draw_states,
        draw.STATE,
        draw.rows_states,
    ),
    Drawn(
        "statistics",
        "Statistics",
        "Speed and turning angle from frame to frame, and mean squared displacement (MSD), of held-out real cells and"
        " of as many simulated ones.",
        draw.draw_statistics,
        draw.STATISTIC,
        draw.rows_statistics,
    ),
    Drawn(
        "grid",
        "Grid",
        "Root mean squared distance of predicted and true next position on held-out rows, the same for all fits."
        " Crosses: more regressors than half the rows, never chosen.",
        draw.draw_grid,
        draw.GRID,
        draw.rows_grid,
    ),
)


def save_motion_check(check: MotionCheck, folder: Path | str, title: str = "") -> Path:
    """Write a new folder, all of it or nothing.  Returns it.

    ``report.html`` to read; ``compare.json``; ``numbers.csv``; each figure as PNG, SVG and CSV; a fit (JSON) of each
    condition, from which more can be simulated; ``methods.txt``.  Raises BadInput where the folder is there already.
    """
    folder = Path(folder)
    names = " and ".join(one.name for one in check.conditions)
    with new_folder(folder) as temporary:
        for one in FIGURES:
            save_figure(one.draw(check), temporary, one.stem, one.head, one.rows(check))
        for place, moving in enumerate(check.conditions, start=1):
            moving.fit.to_json(temporary / f"fit_{place}.json")
        _csv(temporary / NUMBERS, HEADS, _numbers(check))
        (temporary / METHODS).write_text(methods(check), encoding="utf-8")
        said = json.dumps(as_json(check), indent=2, ensure_ascii=False, allow_nan=False)
        (temporary / JSON).write_text(said, encoding="utf-8")
        (temporary / PAGE).write_text(_page(check, title or f"How {names} cells move"), encoding="utf-8")
    return folder


def as_json(check: MotionCheck) -> dict[str, Any]:
    """All that was found; docs/motion.md has the keys."""
    return _finite(
        {
            "format": FORMAT,
            "version": __version__,
            "level": check.level,
            "sentence": check.sentence(),
            "says": check.notes(),
            "conditions": [
                {
                    "name": one.name,
                    "recordings": list(one.paths.names),
                    "cells": one.fit.cells,
                    "held_out": len(set(one.parts.held_cells)),
                    "left_out": one.fit.left_out,
                    "q": one.fit.q,
                    "d": one.fit.d,
                    "error": one.fit.error,
                    "baselines": dict(one.fit.baselines),
                    "spectral_radius": one.fit.spectral_radius,
                    "estimator": one.fit.estimator,
                    "units": one.fit.units,
                    "frame_interval": one.fit.frame_interval,
                    "shared_motion": [asdict(shared) for shared in one.fit.shared],
                    "measures": [{**asdict(like), "differs": like.off} for like in one.likeness],
                }
                for one in check.conditions
            ],
            "contrasts": [
                {**asdict(one), "means": list(one.means), "size": one.size(), "differs": one.differs}
                for one in check.contrasts
            ],
            "tested": check.tested,
            "methods": methods(check),
            "settings": check.settings.model_dump(mode="json"),
            "seed": check.seed,
            "provenance": check.provenance,
        }
    )


def _finite(value: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _numbers(check: MotionCheck) -> list[tuple[Any, ...]]:
    return [
        (one.name, w.name, w.unit, w.held_out, w.learned, w.simulated, w.low, w.high, w.p, int(w.off))
        for one in check.conditions
        for w in one.likeness
    ]


def _csv(path: Path, head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *(["" if one is None else one for one in row] for row in rows)])


def methods(check: MotionCheck) -> str:
    """A paragraph for a paper, and what it cites."""
    said = [*filter(None, [methods_of_shared([one.fit for one in check.conditions])]), _fitted(check)]
    said.append(
        f"Simulated cells were compared with held-out ones in {len(check.measures)} numbers; intervals hold 95 % of"
        f" {SETS} simulated sets, each of as many paths as are held out and as long."
    )
    if check.contrasts:
        how = (
            "by exact two-sided Mann-Whitney tests over recordings, p corrected after Holm"
            if check.tested
            else "by description alone, as there were too few recordings for a test"
        )
        said.append(f"Conditions were compared {how}; effect sizes are Cliff's delta over cells.")
    return " ".join(said) + "\n\nCited:\n" + "\n".join(f"- {one}" for one in CITED) + "\n"


def _fitted(check: MotionCheck) -> str:
    how = check.settings
    what = (
        f"the displacements of one cell over the last {how.window} frames"
        if how.reading == "cell"
        else "the positions of all cells of a condition, stacked"
    )
    fits = "; ".join(
        f"{one.name}: {one.fit.cells} cells of {len(one.paths.names)} recordings, q = {one.fit.q}, d = {one.fit.d}"
        for one in check.conditions
    )
    held = "cells" if how.reading == "cell" else "last frames"
    return (
        f"Cell motion was modelled as an autoregressive process of order d in a subspace of q dimensions of {what},"
        f" fitted by least squares for q from 2 to {how.max_q} and d from 1 to {how.max_d} and chosen by the one-step"
        f" error on held-out {held} ({how.held_out:.0%}), with napari-cellsynth {__version__} (seed {check.seed};"
        f" {fits})."
    )


def _page(check: MotionCheck, title: str) -> str:
    parts = [f"<h1>{escape(title)}</h1>", f'<p class="{check.level}"><strong>{escape(check.sentence())}</strong></p>']
    parts += [f"<p>{escape(note)}</p>" for note in check.notes()]
    for one in check.conditions:
        head = ("", "held-out (real)", "learned from (real)", "simulated", "95 % of simulated sets")
        rows = [
            (
                _unit(w.words, w.unit),
                *map(number, (w.held_out, w.learned, w.simulated)),
                f"{number(w.low)} to {number(w.high)}",
            )
            for w in one.likeness
        ]
        parts += [f"<h2>{escape(one.name)}</h2>", _table(head, rows)]
    if check.contrasts:
        a, b = check.conditions
        head = ("", a.name, b.name, "Cliff's delta (cells)", "p (recordings, Holm)")
        lines = [
            (
                _unit(c.words, c.unit),
                *map(number, c.means),
                f"{c.delta:+.2f}",
                "not tested" if c.p_corrected is None else f"{c.p_corrected:.3g}",
            )
            for c in check.contrasts
        ]
        parts += [f"<h2>{escape(b.name)} beside {escape(a.name)}</h2>", _table(head, lines)]
    parts += ["<h2>Figures</h2>", *(_figure(one) for one in FIGURES)]
    parts += ["<h2>Methods</h2>", *(f"<p>{escape(line)}</p>" for line in methods(check).split("\n") if line.strip())]
    top = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{top}</head><body>{"".join(parts)}</body></html>\n'


def _unit(words: str, unit: str) -> str:
    return f"{words} ({unit})" if unit else words


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    top = "".join(f"<th>{escape(one)}</th>" for one in head)
    lines = ""
    for first, *rest in rows:
        cells = "".join(f'<td class="number">{escape(one)}</td>' for one in rest)
        lines += f"<tr><td>{escape(first)}</td>{cells}</tr>"
    return f"<table><tr>{top}</tr>{lines}</table>"


def _figure(one: Drawn) -> str:
    files = " · ".join(f'<a href="{one.stem}.{ending}">{ending.upper()}</a>' for ending in ("png", "svg", "csv"))
    picture = f'<img src="{one.stem}.png" alt="{escape(one.title)}">'
    words = f"<strong>{escape(one.title)}.</strong> {escape(one.caption)} {files}"
    return f"<figure>{picture}<figcaption>{words}</figcaption></figure>"

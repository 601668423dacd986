"""A figure as it is kept: PNG to look at, SVG to edit, and its source data."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 200
REAL, MADE, FREE = "#0072b2", "#d55e00", "#7f7f7f"
"""Okabe and Ito's blue and vermilion, which colour-blind readers can tell apart, and grey for what costs nothing."""


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches, which belongs to no window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(
    figure: Figure, folder: Path, stem: str, head: Sequence[str] = (), rows: Iterable[Sequence[Any]] = ()
) -> list[Path]:
    """``stem.png`` and ``stem.svg`` (letters stay letters), and with a head ``stem.csv``, what the figure shows.

    The same figure gives the same bytes: no date, no random names.
    """
    import matplotlib as mpl

    paths = [folder / f"{stem}.png", folder / f"{stem}.svg"]
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": stem}):
        figure.savefig(paths[0], dpi=DPI, metadata={"Software": None})
        figure.savefig(paths[1], metadata={"Date": None})
    if head:
        paths.append(folder / f"{stem}.csv")
        with open(paths[-1], "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head, *rows])
    return paths

"""Points of several sets in one plane, with lines that say what to compare them with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.quality.figures.saving import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LIGHT = ("white", "black")
"""Paper and ink, unless others are given."""


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points of one set."""

    name: str
    x: np.ndarray
    """(N,)"""
    y: np.ndarray
    colour: str
    marker: str = "o"
    """Another for each set: colours alone do not tell them apart in print."""


@dataclass(frozen=True)
class Line:
    """A line across the plane; lines of one name stand once in the legend."""

    at: float
    name: str
    colour: str
    upright: bool = False
    style: str = "-"


def draw_scatter(
    clouds: Sequence[Cloud],
    lines: Sequence[Line],
    *,
    x: str,
    y: str,
    size: tuple[float, float] = (4.2, 3.2),
    paper: tuple[str, str] = LIGHT,
) -> Figure:
    """The figure, of ``size`` inches; ``paper`` is its ground and its ink.

    The points and all lines are in sight, with a margin.
    """
    figure = new_figure(*size)
    ground, ink = paper
    figure.set_facecolor(ground)
    axis = figure.subplots()
    axis.set_facecolor(ground)
    named: set[str] = set()
    for line in lines:
        draw = axis.axvline if line.upright else axis.axhline
        label = "_" if line.name in named else line.name
        draw(line.at, color=line.colour, linestyle=line.style, linewidth=1.0, label=label, zorder=1)
        named.add(line.name)
    for cloud in clouds:
        looks: dict[str, Any] = {
            "facecolors": "none",
            "edgecolors": cloud.colour,
            "linewidths": 1.0,
        }
        axis.scatter(cloud.x, cloud.y, s=16, marker=cloud.marker, label=cloud.name, zorder=2, **looks)
    axis.set_xlabel(x, fontsize=8, color=ink)
    axis.set_ylabel(y, fontsize=8, color=ink)
    _ink(axis, ink)
    count = len(clouds) + len(named)
    legend = figure.legend(loc="outside upper center", ncols=2 if count > 3 else count, fontsize=7, frameon=False)
    for text in legend.get_texts():
        text.set_color(ink)
    return figure


def _ink(axis: Axes, ink: str) -> None:
    axis.tick_params(labelsize=7, length=3, colors=ink)
    for side, spine in axis.spines.items():
        spine.set_color(ink)
        spine.set_visible(side in ("left", "bottom"))


def as_picture(figure: Figure, dpi: float) -> np.ndarray:
    """(H, W, 3) uint8: the figure as pixels, for a window."""
    figure.set_dpi(dpi)
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()  # type: ignore[attr-defined]

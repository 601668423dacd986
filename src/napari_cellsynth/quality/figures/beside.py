"""Distances of made images as dots with intervals, each beside its floors and what costs nothing."""

from __future__ import annotations

from math import ceil, floor, isfinite, log10
from typing import TYPE_CHECKING, Any

from napari_cellsynth.quality.check_sheets import number
from napari_cellsynth.quality.distances import Distances
from napari_cellsynth.quality.figures.saving import FREE, MADE, REAL, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TICKS = 4
HEAD = ("space", "distance", "what", "value", "low", "high")
KINDS = (("frechet", "Fréchet distance"), ("kid", "kernel distance (KID)"))
LINES = (
    ("made", "made images", MADE, "o"),
    ("across", "training crops (real)", REAL, "D"),
    ("halves", "halves of training crops", REAL, "s"),
    ("free", "mean image with noise", FREE, "x"),
)


def draw_beside(found: Distances) -> Figure:
    """A small plot for each distance and space; the axis is linear near 0 and logarithmic beyond."""
    figure = new_figure(3.4 * len(KINDS), 1.35 * len(found.spaces) + 0.2)
    axes = figure.subplots(len(found.spaces), len(KINDS), squeeze=False)
    for row, one in zip(axes, found.spaces, strict=True):
        for axis, (kind, title) in zip(row, KINDS, strict=True):
            _one(axis, getattr(one, kind))
            axis.set_title(f"{title}, {one.space}, {one.count} each", fontsize=7)
    return figure


def _one(axis: Any, beside: Any) -> None:
    for place, (name, _, colour, mark) in enumerate(reversed(LINES)):
        at = getattr(beside, name)
        axis.plot([at.low, at.high], [place, place], color=colour, linewidth=1.2)
        axis.plot([at.value], [place], mark, color=colour, markersize=4)
        axis.annotate(number(at.value), (at.value, place), (0, 4), textcoords="offset points", fontsize=6, ha="center")
    axis.set_yticks(range(len(LINES)), [words for _, words, _, _ in reversed(LINES)], fontsize=6)
    _scale(axis, beside)
    axis.set_ylim(-0.5, len(LINES) - 0.3)
    axis.axvline(0, color="0.8", linewidth=0.6, zorder=0)


def _scale(axis: Any, beside: Any) -> None:
    """Linear up to about the floors, so that numbers below 0 have their place, and logarithmic beyond."""
    ends = [end for name, *_ in LINES for at in [getattr(beside, name)] for end in (at.value, at.low, at.high)]
    known = [end for end in ends if isfinite(end)] or [1.0]
    near = max(abs(beside.halves.high) if isfinite(beside.halves.high) else 0.0, max(map(abs, known)) * 1e-5, 1e-9)
    axis.set_xscale("symlog", linthresh=near)
    axis.set_xlim(min(-0.3 * near, 1.3 * min(known)), 12 * max(*known, near))
    powers = range(ceil(log10(near)), floor(log10(max(*known, near))) + 1)
    shown = list(powers)[:: max(1, -(-len(powers) // TICKS))]
    axis.set_xticks([0, *(10.0**power for power in shown)], ["0", *(f"{10.0**power:g}" for power in shown)], fontsize=6)
    axis.set_xticks([], minor=True)


def rows_beside(found: Distances) -> list[tuple[str, str, str, float, float, float]]:
    """Source data; columns are ``HEAD``."""
    return [
        (one.space, kind, name, at.value, at.low, at.high)
        for one in found.spaces
        for kind, _ in KINDS
        for name, *_ in LINES
        for at in [getattr(getattr(one, kind), name)]
    ]

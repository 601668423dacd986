"""How often each value of each measure occurs, in several sets: small histograms side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from napari_cellsynth.quality.figures.saving import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS, BINS = 5, 24


def draw_histograms(
    names: Sequence[str], sets: Mapping[str, np.ndarray], colours: Sequence[str], notes: Sequence[str] = ()
) -> Figure:
    """One small plot a measure; ``sets`` are values (N, K) by their name, ``notes`` a few words for each plot."""
    rows = -(-len(names) // COLUMNS)
    figure = new_figure(COLUMNS * 1.7, rows * 1.35 + 0.4)
    axes = figure.subplots(rows, COLUMNS, squeeze=False)
    for axis in axes.flat[len(names) :]:
        axis.set_axis_off()
    for k, (axis, name) in enumerate(zip(axes.flat, names, strict=False)):
        everything = np.concatenate([values[:, k] for values in sets.values()])
        low, high = np.quantile(everything, (0.005, 0.995))
        edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
        for (label, values), colour in zip(sets.items(), colours, strict=True):
            share = np.histogram(values[:, k].clip(edges[0], edges[-1]), edges)[0] / len(values)
            axis.stairs(share, edges, color=colour, label=label, linewidth=1.1)
        axis.set_title(name, fontsize=7)
        axis.set_xlabel(notes[k] if notes else "", fontsize=6)
        axis.set_yticks([])
        axis.tick_params(labelsize=5, length=2)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), fontsize=7, frameon=False)
    return figure

"""Random images of several sets beside each other: not the best ones, one contrast for all, with a scale bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.figures.saving import new_figure
from napari_cellsynth.stack.contact_sheet import limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS, ROWS, SIDE = 8, 3, 0.75
"""Images in a row and rows of a set; inches along an image's side."""
BARS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Micrometres that a scale bar may have."""


@dataclass(frozen=True, eq=False)
class ImageSet:
    """A set to draw from."""

    name: str
    images: np.ndarray
    """(N, Y, X) in intensity units."""


@dataclass(frozen=True, eq=False)
class Panels:
    """Which images are shown, and how."""

    sets: tuple[ImageSet, ...]
    chosen: tuple[np.ndarray, ...]
    """Of each set the indices shown, in the order shown."""
    seed: int
    black: float
    """Intensity shown black in all images; ``white`` likewise."""
    white: float
    pixel_size: tuple[float, float] | None
    bar: float | None
    """Length of the scale bar in micrometres; None where the pixel size is not known."""

    def caption(self) -> str:
        """What a reader has to know, a sentence each."""
        parts = [f"{len(c)} of {len(s.images):,} {s.name}" for s, c in zip(self.sets, self.chosen, strict=True)]
        return f"Images chosen at random (seed {self.seed}): {'; '.join(parts)}. {self.shown_as()}"

    def shown_as(self) -> str:
        """Contrast and scale."""
        bar = "No pixel size, so no scale bar." if self.bar is None else f"Scale bar {self.bar:g} \u00b5m."
        return f"One contrast for all: black {self.black:.4g}, white {self.white:.4g}. {bar}"

    def rows(self) -> list[tuple[str, int, int]]:
        """Source data: set, place in the panel, index in the set."""
        return [
            (one.name, place, int(index))
            for one, indices in zip(self.sets, self.chosen, strict=True)
            for place, index in enumerate(indices)
        ]


def choose_panels(
    sets: Sequence[ImageSet],
    seed: int,
    *,
    count: int = COLUMNS * ROWS,
    pixel_size: tuple[float, float] | None = None,
) -> Panels:
    """Draw ``count`` images of each set without replacement (all where there are fewer).

    Black and white are the 0.5 and 99.5 % quantiles of the first set, the
    real images by convention: what is made is shown as real images are.
    """
    if not sets or any(one.images.ndim != 3 or len(one.images) == 0 for one in sets):
        raise BadInput("no images to show; expected sets of images (N, Y, X), at least one each")
    chosen = []
    for place, one in enumerate(sets):
        draws = np.random.default_rng([seed, place])
        chosen.append(draws.permutation(len(one.images))[:count])
    black, white = limits(list(sets[0].images))
    bar = None if pixel_size is None else scale_bar(sets[0].images.shape[2] * pixel_size[1])
    return Panels(tuple(sets), tuple(chosen), seed, black, white, pixel_size, bar)


def scale_bar(width: float) -> float:
    """A round length of about a quarter of a width, both in micrometres."""
    return min(BARS, key=lambda bar: abs(np.log(bar / (width / 4))))


def draw_panels(panels: Panels) -> Figure:
    """The figure: a block for each set, its name above, the scale bar in the last image."""
    blocks = [-(-len(indices) // COLUMNS) for indices in panels.chosen]
    figure = new_figure(COLUMNS * SIDE + 0.1, sum(blocks) * SIDE + 0.3 * len(blocks) + 0.1)
    parts: Any = figure.subfigures(len(blocks), 1, squeeze=False, height_ratios=[n + 0.35 for n in blocks])[:, 0]
    for part, one, indices, rows in zip(parts, panels.sets, panels.chosen, blocks, strict=True):
        part.suptitle(one.name, fontsize=8, x=0.01, ha="left")
        axes = part.subplots(rows, COLUMNS, squeeze=False, gridspec_kw={"wspace": 0.03, "hspace": 0.03})
        for axis in axes.flat:
            axis.set_axis_off()
        for axis, index in zip(axes.flat, indices, strict=False):
            axis.imshow(one.images[index], cmap="gray", vmin=panels.black, vmax=panels.white, interpolation="nearest")
        if panels.bar is not None and panels.pixel_size is not None:
            _bar(axes.flat[len(indices) - 1], one.images.shape[1:], panels.bar / panels.pixel_size[1])
    return figure


def _bar(axis: Axes, shape: tuple[int, ...], length: float) -> None:
    """A white bar on a dark one, which is seen on any image."""
    height, width = shape
    right, low = width * 0.94, height * 0.92
    for colour, thick in (("black", 4.0), ("white", 2.0)):
        axis.plot([right - length, right], [low, low], color=colour, linewidth=thick, solid_capstyle="butt")

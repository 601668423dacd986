"""What a reconstruction check shows: figure 2 of the neutrophil paper, and images beside what was made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_cellsynth.quality.check_sheets import captioned, grid, small
from napari_cellsynth.quality.figures.saving import FREE, MADE, REAL
from napari_cellsynth.quality.figures.scatter import LIGHT, Cloud, Line, draw_scatter
from napari_cellsynth.quality.reconstruction import ReconstructionCheck, Side, difference, order_of
from napari_cellsynth.stack.contact_sheet import limits

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PRIOR_LINE, SKY = "#8c8c8c", "#56b4e9"
"""Grey as in the paper; and the lighter of Okabe and Ito's blues, for dark ground."""
HEAD = (
    "side",
    "index",
    "cell",
    "error",
    "error_units",
    "nll",
    "length2",
    "iterations",
    "error_mean_image",
    "error_nearest_training",
)
TRIPLES = 8
"""Images of a strip."""


def figure_two(
    check: ReconstructionCheck, *, size: tuple[float, float] = (4.4, 3.6), paper: tuple[str, str] = LIGHT
) -> Figure:
    """Reconstruction error against the negative log likelihood of z; held-out and training crops in two colours.

    As the paper's figure 2: the vertical line is the mean error (of held-out
    crops), the horizontal lines the mean negative log likelihood of draws of
    the prior and three standard deviations from it.  Ours: the training
    crops, and the dotted line of the mean training image.
    """
    mean, spread = check.prior_nll
    blue = REAL if paper == LIGHT else SKY
    lines = [
        Line(float(check.held_out.errors.mean()), "mean error, held-out", blue, upright=True),
        Line(float(check.held_out.mean_image.mean()), "mean image instead", FREE, upright=True, style=":"),
        *(Line(mean + times * spread, "draws of the prior, ±3 sd", PRIOR_LINE) for times in (-3, 0, 3)),
    ]
    clouds = [
        Cloud("training crops", check.training.errors, check.training.nll, MADE, "^"),
        Cloud("held-out crops", check.held_out.errors, check.held_out.nll, blue),
    ]
    x, y = "reconstruction error (RMS, range of 2)", "negative log likelihood of z (nats)"
    return draw_scatter(clouds, lines, x=x, y=y, size=size, paper=paper)


def source_rows(check: ReconstructionCheck) -> list[list[object]]:
    """What the figure shows, a row a crop; columns are ``HEAD``."""
    found: list[list[object]] = []
    for name, side in (("held-out", check.held_out), ("training", check.training)):
        columns = (
            side.indices, side.cells, side.errors, side.errors_in_units, side.nll, side.lengths,
            side.iterations, side.mean_image, side.nearest,
        )  # fmt: skip
        found += [[name, *(column[i].item() for column in columns)] for i in range(len(side))]
    return found


def strip_of_triples(side: Side, *, shown: int = TRIPLES, columns: int = 4, thumb: int = 64) -> np.ndarray:
    """(H, W, 3) uint8: real, made again and made minus real, side by side, from the least to the largest error.

    Evenly spaced among all, so that neither the best nor the worst alone are
    shown; one contrast for all, differences about grey in the same units.
    """
    order = order_of(side)
    chosen = order[np.unique(np.linspace(0, len(order) - 1, min(shown, len(order))).round().astype(int))]
    low, high = limits([*side.images, *side.reconstructions])
    apart, wide = difference(side), high - low
    cards = []
    for number in chosen:
        pictures = ((side.images, low), (side.reconstructions, low), (apart, -wide / 2))
        card = np.concatenate([small(images[number], black, black + wide, thumb) for images, black in pictures], 1)
        cards.append(np.repeat(card[..., None], 3, axis=2))
    return grid(cards, columns)


WHAT = "real | made again | difference, from the least to the largest error"


def pictures(check: ReconstructionCheck) -> np.ndarray:
    """(H, W, 3) uint8: a page with the sentences, the numbers, and strips of both sides."""
    numbers = [f"{row.words}: {row.value:.3g} ({row.low:.3g} to {row.high:.3g})" for row in check.rows()]
    strips = [
        captioned(strip_of_triples(side, shown=12, columns=3, thumb=84), [f"{name}: {WHAT}"], least=800)
        for name, side in (("held-out crops", check.held_out), ("training crops", check.training))
    ]
    return captioned(grid(strips, 1), [check.sentence(), *check.notes(), *numbers], least=800)

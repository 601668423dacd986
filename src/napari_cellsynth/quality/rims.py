"""Brightness across the outlines of cells: the dark rim, the bright halo and how far each reaches.

What makes brightfield and phase contrast look as they do is less in their spectrum than in this curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.likeness import Curve

DISTANCES = np.arange(-2.2, 2.41, 0.2)
"""Edges of the bins in micrometres from the darkest line of the rim, negative inside."""
SHIFT = 0.8
"""Micrometres within which the rim's darkest line is sought around the outline."""
ALONE = 0.9
"""Micrometres beside another cell or a pillar that are left out."""


def standardised(image: NDArray[Any]) -> NDArray[np.float64]:
    """An image (Y, X) with its median at 0 and standard deviation 1: what normalised images allow to compare."""
    values = np.asarray(image, np.float64)
    return (values - np.median(values)) / max(float(values.std()), 1e-12)


def rim_profile(
    images: Sequence[NDArray[Any]],
    labels: Sequence[NDArray[np.integer[Any]]],
    pixel_size: float,
    *,
    others: Sequence[NDArray[np.bool_]] | None = None,
) -> Curve:
    """Mean brightness against the distance from the rim, over all cells of all images.

    Each cell's curve (a median along its outline) is shifted so that its darkest place near the outline lies at 0:
    outlines by hand and by construction need not agree on where a rim ends.

    Args:
        images: each (Y, X), all in the same unit.
        labels: each (Y, X), a number for each cell, 0 elsewhere.
        pixel_size: micrometres.
        others: each (Y, X), what is no cell and throws light as well, such as pillars.

    Returns:
        Curve over micrometres; NaN where no cell has 20 pixels that far.

    Raises:
        BadInput: there is no cell at all.
    """
    curves = []
    for number, (image, marks) in enumerate(zip(images, labels, strict=True)):
        other = np.zeros(marks.shape, bool) if others is None else others[number]
        for label in np.unique(marks[marks > 0]):
            curves.append(_of_cell(np.asarray(image, np.float64), marks, int(label), other, pixel_size))
    if not curves:
        raise BadInput("no cell given; a rim profile needs at least one label")
    stacked = np.stack(curves)
    count = np.isfinite(stacked).sum(axis=0)
    total = np.nansum(stacked, axis=0)
    return Curve((DISTANCES[1:] + DISTANCES[:-1]) / 2, np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _of_cell(
    image: NDArray[np.float64],
    marks: NDArray[np.integer[Any]],
    label: int,
    other: NDArray[np.bool_],
    pixel_size: float,
) -> NDArray[np.float64]:
    from scipy.ndimage import distance_transform_edt

    own = marks == label
    away = pixel_size * (distance_transform_edt(~own) - distance_transform_edt(own) + np.where(own, 0.5, -0.5))
    rest = ((marks > 0) & ~own) | other
    free = distance_transform_edt(~rest) * pixel_size > ALONE if rest.any() else np.ones(own.shape, bool)
    fine = np.arange(-SHIFT, SHIFT + 0.05, 0.1)
    near = [np.median(image[at]) if (at := free & (np.abs(away - d) < 0.1)).sum() > 9 else np.inf for d in fine]
    away = away - (fine[int(np.argmin(near))] if np.isfinite(near).any() else 0.0)
    place = np.digitize(away, DISTANCES) - 1
    found = np.full(DISTANCES.size - 1, np.nan)
    for i in range(found.size):
        chosen = free & (place == i)
        if chosen.sum() >= 20:
            found[i] = np.median(image[chosen])
    return found

"""How large cells are, where nobody said it: the diameter at which what is found looks most like cells."""

from __future__ import annotations

import numpy as np

from napari_cellsynth.stack.modality import Modality
from napari_cellsynth.stack.outlines.choose import choose
from napari_cellsynth.stack.outlines.image import Map
from napari_cellsynth.stack.outlines.settings import OutlineSettings

STEP = 1.5
"""Ratio of two diameters that are tried."""
SMALLEST = {"halo": 8.0, "lines": 16.0}
"""Pixels: the grains of a textured cell are cells to who looks closely enough."""
USUAL = 0.9
"""Usual diameter over the median of those found: small cells are found last, and halos widen the others."""
ACROSS = 14
"""Diameters along each side of the part in the middle that is looked at, 256 pixels at least."""


def estimate_diameter(image: Map, settings: OutlineSettings, modality: Modality | None = None) -> float | None:
    """Usual diameter of the cells of a normalised image (Y, X), in pixels; None where nothing looks like a cell."""
    from napari_cellsynth.stack.outlines.frame import method_for
    from napari_cellsynth.stack.outlines.texture import borders_of

    tried = {}
    method = method_for(image, settings, modality)
    diameter = SMALLEST[borders_of(modality) if method == "texture" else "halo"]
    while diameter <= min(max(image.shape) / 2.5, 0.9 * min(image.shape)):  # a trench is hardly wider than its cells
        tried[diameter] = _how_well(image, diameter, settings, modality)
        diameter *= STEP
    best = max(tried, key=lambda d: tried[d][0], default=None)
    if best is None or tried[best][0] <= 0:
        return None
    return float(np.clip(USUAL * tried[best][1], best / STEP, best * STEP))


def _how_well(image: Map, diameter: float, settings: OutlineSettings, modality: Modality | None) -> tuple[float, float]:
    """Mean score, by area, of the cells found at a diameter, and their median diameter."""
    from napari_cellsynth.stack.outlines.frame import view_of

    side = max(256, int(ACROSS * diameter))
    middle = tuple(slice(max(0, (n - side) // 2), max(0, (n - side) // 2) + side) for n in image.shape)
    view = view_of(image[middle], diameter, settings, modality)
    if view is None:
        return 0.0, diameter
    found = choose(view.propose((slice(None), slice(None))), view.shape)
    if not found:
        return 0.0, diameter
    scores, areas = np.array([one.score for one in found]), np.array([one.area for one in found])
    # Few cells may look well by chance.
    surely = len(found) / (len(found) + 2)
    return float(scores.mean() * surely), float(np.sqrt(np.median(areas) * 4 / np.pi) * view.factor)

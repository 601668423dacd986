"""Cells of the example movie: what a simulation shows where nobody says how its cells look."""

from __future__ import annotations

import numpy as np

from napari_cellsynth.simulation.cut_outs import Crops, CutOuts

SIDE = 72
"""Pixels of a crop: a neutrophil with its shadow at 0.25 µm."""
FRAMES, FIELD, CELLS = 12, 384, 9
SEEDS = (101, 102)


def example_cells(*, change: str = "film", turn: bool = True) -> CutOuts:
    """Crawling neutrophils under DIC, cut out of two phantoms; they have no frame interval of their own."""
    from napari_cellsynth.phantoms.catalogue import make

    images: list[np.ndarray] = []
    masks: list[np.ndarray] = []
    films: dict[tuple[int, int], list[int]] = {}
    gaps: set[tuple[int, int]] = set()
    for seed in SEEDS:
        phantom = make("neutrophils", frames=FRAMES, size=FIELD, cells=CELLS, seed=seed)
        for point in phantom.tracks:
            top, left = round(point.y) - SIDE // 2, round(point.x) - SIDE // 2
            box = (point.t, slice(top, top + SIDE), slice(left, left + SIDE))
            labels = phantom.labels[box] if min(top, left) >= 0 else phantom.labels[:0, 0]
            key = (seed, point.id)
            alone = labels.shape == (SIDE, SIDE) and bool(np.isin(labels, (0, point.id)).all())
            if not alone:
                gaps |= {key} if key in films else set()
            elif key not in gaps:
                films.setdefault(key, []).append(len(images))
                images.append(np.asarray(phantom.stack.frame(point.t))[box[1:]].copy())
                masks.append(labels == point.id)
    crops = Crops(
        lambda index: (images[index], masks[index]),
        tuple(tuple(film) for film in films.values()),
        images[0].dtype,
        phantom.stack.pixel_size,
        (1.0, 1.0),
        "dic",
        None,
        {"kind": "example cells", "phantom": "neutrophils", "seeds": list(SEEDS)},
    )
    return CutOuts(crops, change=change, turn=turn)

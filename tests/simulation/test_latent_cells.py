"""Cells that a model makes, with a model that draws discs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from napari_cellsynth.api.latent_cells import TURNS, LatentCells
from napari_cellsynth.engine.verbs import Samples
from napari_cellsynth.errors import BadInput
from napari_cellsynth.simulation.ground import Ground
from napari_cellsynth.simulation.movie import simulate
from napari_cellsynth.simulation.paths import RandomWalk
from napari_cellsynth.simulation.settings import SimulationSettings

SIDE = 32


class Drawing:
    """Decodes the first number of a point as the radius of a disc, the second as its light."""

    def __init__(self, masks: bool = True) -> None:
        self.masks = masks
        self.decoded = 0

    def latents(self, count, *, seed=0, start=0):
        rows = [np.random.default_rng([seed, start + i]).standard_normal(4) for i in range(count)]
        return np.stack(rows).astype(np.float32)

    def decode(self, latents):
        self.decoded += len(latents)
        y, x = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
        away = np.hypot(y, x)
        radius = 6 + np.clip(latents[:, 0], -2, 2)
        masks = away[None] <= radius[:, None, None]
        images = 100 + masks * (60 + 10 * latents[:, 1])[:, None, None]
        return Samples(images.astype(np.uint8), masks.astype(np.uint8) if self.masks else None, latents)


def model(verbs=None, able=("sample", "decode")):
    data = {"pixel_size": [0.5, 0.5], "modality": "fluorescence", "hash": "h"}
    family = SimpleNamespace(name="drawing", verbs=able)
    run = Path("runs/drawing-1")
    return SimpleNamespace(
        verbs=verbs or Drawing(), family=family, run=run, record={"data": data}, weights_hash="w", step=1, notes=()
    )


def test_a_cell_changes_smoothly_and_comes_back():
    cells = LatentCells(model())
    looks = cells.sequence(0, 80, 3)
    areas = np.array([looks[t].mask.sum() for t in range(62)])
    assert areas.std() > 0
    assert np.abs(np.diff(areas)).max() <= 0.35 * areas.max()
    assert_array_equal(looks[0].mask, looks[int(TURNS)].mask)
    assert_array_equal(looks[7].light, LatentCells(model()).sequence(0, 10, 3)[7].light)
    assert (looks[0].light != cells.sequence(1, 1, 3)[0].light).any()


def test_cells_may_keep_their_shape():
    looks = LatentCells(model(), change="still").sequence(0, 30, 3)
    assert_array_equal(looks[0].mask, looks[20].mask)


def test_which_draw_a_cell_is_of_is_settled_once():
    drawing = Drawing()
    cells = LatentCells(model(drawing))
    drawing.decoded = 0
    looks = cells.sequence(0, 20, 3)
    assert len({looks[t].light.tobytes() for t in range(20)}) > 10
    assert drawing.decoded <= 21


def test_a_movie_of_them_says_by_which_run():
    cells = LatentCells(model())
    ground = Ground(cells.level, cells.noise, cells.dtype)
    settings = SimulationSettings(cells=3, frames=3, height=90, width=90)
    *_, made = simulate(cells, RandomWalk(), ground, settings)
    assert made.stack.dtype == np.uint8 and made.stack.pixel_size == (0.5, 0.5)
    assert made.parameters["appearance"]["run"] == "drawing-1"
    assert set(np.unique(made.labels)) == {0, 1, 2, 3}
    assert made.clean[made.labels == 0].mean() == pytest.approx(100, abs=3)


def test_a_model_without_outlines_or_decode_is_refused():
    with pytest.raises(BadInput, match=r"without outlines.*with_masks=true"):
        LatentCells(model(Drawing(masks=False)))
    with pytest.raises(BadInput, match="cannot make cells"):
        LatentCells(model(able=("segment",)))

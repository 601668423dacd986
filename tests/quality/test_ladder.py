"""Both distances grow, in both spaces, with five steps of blur, noise, contrast and copies: phantoms, and real yeast.

From which step on they tell it is printed in docs/judging.md, by docs/make_judging_table.py.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_cellsynth import phantoms
from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.encoder import load, train
from napari_cellsynth.quality.encoder.network import Encoder
from napari_cellsynth.quality.encoder.settings import EncoderSettings
from napari_cellsynth.quality.features import SPACES, FeatureSpace, encoder_space
from napari_cellsynth.quality.frechet import frechet_distance
from napari_cellsynth.quality.ladder import STEPS, Climb, climb, worse
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.crops.make import make_crops
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.stack import Stack

Sets = dict[str, np.ndarray]
TOLD = {"blur": 0.5, "noise": 0.2, "contrast": 0.8, "copies": 0.75}
"""Steps of docs/judging.md, from which on either distance tells it in either space."""
HALF = CropSettings(validation_fraction=0.25, test_fraction=0.25, gap=0)
"""Of a short film, so that enough is held out."""
IN_BOTH = pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)


def held_out_by_time(stack: Stack, labels: Stack, out: Path, settings: CropSettings) -> Sets:
    for _ in make_crops([(stack, labels)], out, settings):
        pass
    data = TrainingSet.open(out)
    unseen = np.concatenate([data.indices("validation"), data.indices("test")])
    learned = data.indices("train")
    return {
        "training": data.images(learned),
        "held_out": data.images(unseen),
        "training_cells": data.cells(learned),
        "held_out_cells": data.cells(unseen),
    }


@pytest.fixture(scope="module")
def neutrophils(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    """Cells under DIC, the last frames held out."""
    made = phantoms.make("neutrophils", frames=8, size=640, frame_interval=3, seed=5)
    out = tmp_path_factory.mktemp("neutrophils") / "crops"
    return held_out_by_time(made.stack, Stack(made.labels, "TYX", name="truth"), out, HALF)


@pytest.fixture(scope="module")
def yeast(real_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Sets:
    """Real phase contrast, the last frames held out."""
    folder = real_data("yeast_pos13_phase")
    stack, labels = (read_stack(folder / name, axes="TYX") for name in ("yeast_phase.tif", "yeast_masks.tif"))
    out = tmp_path_factory.mktemp("yeast") / "crops"
    return held_out_by_time(Stack(stack.data, "TYX", name="yeast"), labels, out, CropSettings())


def climbed(space: FeatureSpace, sets: Sets) -> Climb:
    cells = {name: sets[name] for name in ("training_cells", "held_out_cells")}
    *rungs, last = climb(space, sets["training"], sets["held_out"], **cells, resamples=60)
    assert len(rungs) == 21 and isinstance(last, Climb)
    return last


def check_it_grows(found: Climb) -> None:
    for kind in STEPS:
        for distance in ("frechet", "kid"):
            steps = found.of(kind, distance)
            far = getattr(found, distance).across.high
            # A tenth of copies may bring a set nearer by less than its noise: these grow from there on.
            for before, after in pairwise(steps[1:] if kind == "copies" else steps):
                assert after > before, (found.space, kind, distance, steps)
            assert steps[-1] > far, (found.space, kind, distance, steps, far)
            told = found.told_from(kind, distance)
            easy = TOLD[kind] if kind != "contrast" else -TOLD[kind]
            assert told is not None and (told if kind != "contrast" else -told) <= easy, (found.space, kind, told)


@IN_BOTH
def test_they_grow_on_simulated_cells(space: FeatureSpace, neutrophils: Sets) -> None:
    check_it_grows(climbed(space, neutrophils))


@IN_BOTH
def test_they_grow_on_real_crops(space: FeatureSpace, yeast: Sets) -> None:
    check_it_grows(climbed(space, yeast))


@pytest.mark.slow
def test_training_taught_the_encoder_something(yeast: Sets, tmp_path: Path) -> None:
    """The same network untrained hardly sees half a pixel of blur in real crops, nor noise of a tenth."""
    settings = EncoderSettings.model_validate(load.recipe()["settings"])
    torch.manual_seed(1)
    train.save(tmp_path, Encoder(settings.widths, settings.features), settings, {})

    def times(space: FeatureSpace, kind: str, step: float) -> float:
        fitted, real = space.fitted(yeast["training"]), yeast["held_out"]
        known = fitted.features(yeast["training"])[: len(real)]
        here, beyond = (frechet_distance(fitted.features(one), known) for one in (real, worse(real, kind, step)))
        return beyond / here

    for kind, step in (("blur", 0.5), ("noise", 0.1)):
        trained, untrained = times(encoder_space(), kind, step), times(encoder_space(tmp_path), kind, step)
        assert trained - 1 > 5 * max(untrained - 1, 0.1), (kind, trained, untrained)


def test_images_made_worse() -> None:
    images = np.random.default_rng(0).integers(0, 1000, (40, 20, 20)).astype(np.uint16)
    assert all(worse(images, kind, step).shape == images.shape for kind, steps in STEPS.items() for step in steps)
    assert worse(images, "blur", 1).std() < images.std() / 2 and worse(images, "noise", 1).std() > 1.3 * images.std()
    halved = worse(images, "contrast", 0.5)
    assert halved.std() == pytest.approx(images.std() / 2) and halved.mean() == pytest.approx(images.mean())
    assert len(np.unique(worse(images, "copies", 1.0), axis=0)) <= 10
    assert len(np.unique(worse(images, "copies", 0.5), axis=0)) >= 20
    more, less = (worse(images, "copies", step) for step in (0.5, 0.25))
    assert ((more == images).all((1, 2)) <= (less == images).all((1, 2))).all(), "what was replaced stays so"
    with pytest.raises(BadInput, match="choose one of: blur, noise"):
        worse(images, "rust", 1)

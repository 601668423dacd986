"""The encoder: a recipe that repeats itself, weights that are checked, and that it is not blind to what it judges."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.encoder import damage, load, scenes, train
from napari_cellsynth.quality.encoder.settings import EncoderSettings
from napari_cellsynth.quality.features import encoder_space

SMALL = EncoderSettings(fields=2, crops=64, steps=3, batch=4, widths=(6, 8), features=5, seed=3)


def trained(folder: Path, settings: EncoderSettings = SMALL) -> Path:
    *_, last = train.train(settings)
    assert len(last) == 2
    train.save(folder, last[0], settings, {"noted": last[1]})
    return folder


def test_the_recipe_repeats_itself(tmp_path: Path) -> None:
    first, second = (trained(tmp_path / name) for name in "ab")
    assert load.recipe(first)["sha256"] == load.recipe(second)["sha256"]
    other = trained(tmp_path / "c", SMALL.model_copy(update={"seed": 4}))
    assert load.recipe(first)["sha256"] != load.recipe(other)["sha256"]
    images = np.random.default_rng(0).normal(100, 10, (9, 40, 40))
    assert encoder_space(first).features(images).shape == (9, 5)
    assert load.recipe(first)["noted"][-1]["step"] == 2


def test_weights_that_are_not_the_recipes_are_refused(tmp_path: Path) -> None:
    folder = shutil.copytree(load.SHIPPED, tmp_path / "copy", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    load.encoder(folder)
    load.encoder.cache_clear()
    weights = folder / load.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(BadInput, match="install the package again"):
        load.encoder(folder)
    (folder / load.RECIPE).unlink()
    with pytest.raises(BadInput, match="cannot be read"):
        load.encoder(folder)


def test_what_ships() -> None:
    about = load.recipe()
    assert (load.SHIPPED / load.WEIGHTS).stat().st_size < 6_000_000
    assert about["sha256"] == load.hash_of(load.SHIPPED / load.WEIGHTS)
    assert EncoderSettings.model_validate(about["settings"]).features == 32
    assert {"torch", "numpy", "python"} <= set(about["versions"])
    assert json.dumps(about)
    names = (load.SHIPPED.parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    assert "quality/encoder/*.safetensors" in names and "quality/encoder/*.json" in names, "they are in the wheel"


def test_crops_of_all_phantoms() -> None:
    *progress, crops = scenes.crops(SMALL)
    assert [done for done, _ in progress] == list(range(2 * len(scenes.KINDS)))
    assert crops.shape == (64, 80, 80) and crops.dtype == np.float32 and np.isfinite(crops).all()
    assert 0.2 < crops.std() < 3


def test_damage_is_what_it_says() -> None:
    draws = torch.Generator().manual_seed(0)
    crops = torch.randn((6, 80, 80), generator=draws)
    none = damage.Damage(torch.zeros(6), torch.zeros(6), torch.ones(6))
    still = EncoderSettings(shift=0)
    seen = damage.view(crops, none, still, draws)
    assert seen.shape == (6, 1, 64, 64) and torch.allclose(seen[:, 0], crops[:, 8:72, 8:72], atol=1e-5)
    worse = damage.Damage(torch.linspace(0.5, 2, 6), torch.zeros(6), torch.full((6,), 0.5))
    spread = damage.view(crops, worse, still, draws).std((1, 2, 3))
    assert (spread.diff() < 0).all() and spread[0] < 0.5
    noisy = damage.Damage(torch.zeros(6), torch.full((6,), 0.5), torch.ones(6))
    added = damage.view(crops, noisy, still, draws) - seen
    assert added.std() == pytest.approx(0.5, rel=0.05)
    moved = damage.view(crops, none, EncoderSettings(shift=8), draws)
    assert not torch.allclose(moved, seen)


def test_a_partner_is_found_among_others() -> None:
    there, turned = torch.eye(6), torch.eye(6).roll(1, 0)
    assert train.contrastive(there, there, 0.1) < 0.01 < 5 < train.contrastive(there, turned, 0.1)

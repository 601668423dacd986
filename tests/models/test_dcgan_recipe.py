import numpy as np
import pytest
import torch

from napari_cellsynth import api
from napari_cellsynth.engine.draws import generator, latents
from napari_cellsynth.errors import BadInput
from napari_cellsynth.models.dcgan.batch import CropBatch, from_networks, to_networks
from napari_cellsynth.models.dcgan.config import FAMILY, TINY, DcganSettings
from napari_cellsynth.models.dcgan.generate import generate, ready_to_use
from napari_cellsynth.models.dcgan.networks import Generator
from napari_cellsynth.models.dcgan.recipe import DcganRecipe
from napari_cellsynth.quality import closeness
from napari_cellsynth.quality.measures import foreground
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.scaling import Scaling


@pytest.fixture(scope="module")
def recipe(training_sets) -> DcganRecipe:
    return DcganRecipe(TINY.model_copy(update={"with_masks": True, "batch_size": 8}), training_sets("crops"))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_crops_come_back_from_the_networks_range_as_they_were(dtype: type) -> None:
    draws = np.random.default_rng(0)
    images = draws.integers(10, 200, (5, 16, 16)).astype(dtype)
    masks = np.zeros_like(images, dtype=np.uint8)
    masks[:, 4:12, 5:11] = 1
    scaling = Scaling(10, 200, np.dtype(dtype))
    batch = to_networks(images, masks, scaling)
    assert batch.abs().max() <= 1
    again, again_masks = from_networks(batch, scaling)
    np.testing.assert_array_equal(again, images)
    assert again.dtype == dtype
    # Softening by a pixel moves an outline by none: at most the corners go.
    assert (again_masks != masks).sum() <= 4 * len(masks)


def test_batches_are_a_function_of_the_step_and_cover_an_epoch(recipe: DcganRecipe) -> None:
    first, again = recipe.batch(3, "discriminator", 0), recipe.batch(3, "generator", 0)
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, recipe.batch(4, "discriminator", 0).images)
    steps = len(recipe.train) // 8
    seen = torch.cat([recipe.batch(step, "discriminator", 0).images for step in range(steps)])
    assert len(seen.flatten(1).unique(dim=0)) == steps * 8, "no crop comes twice within an epoch"


def test_each_loss_has_gradients_for_its_own_network(recipe: DcganRecipe) -> None:
    batch = recipe.batch(0, "discriminator", 0)
    for phase, other in (("discriminator", "generator"), ("generator", None)):
        for network in recipe.networks.values():
            network.zero_grad()
        recipe.losses(phase, recipe.networks, batch, generator(0, phase))["loss"].backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in recipe.networks[phase].parameters())
        if other:
            assert all(p.grad is None for p in recipe.networks[other].parameters())


def test_a_step_down_each_gradient_lowers_that_loss(recipe: DcganRecipe) -> None:
    batch = recipe.batch(0, "discriminator", 0)
    for phase in ("discriminator", "generator"):
        optimizer = torch.optim.SGD(recipe.networks[phase].parameters(), lr=1e-3)
        losses = []
        for _ in range(2):
            optimizer.zero_grad()
            loss = recipe.losses(phase, recipe.networks, batch, generator(0, phase))["loss"]
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[1] < losses[0], phase


def test_losses_do_not_depend_on_torch_global_state(recipe: DcganRecipe) -> None:
    batch = recipe.batch(0, "discriminator", 0)
    values = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        values.append(recipe.losses("discriminator", recipe.networks, batch, generator(7))["loss"].item())
    assert values[0] == pytest.approx(values[1], rel=1e-6)


def test_batch_splits_and_joins() -> None:
    batch = CropBatch(torch.randn(10, 1, 16, 16))
    parts = batch.split(4)
    assert [len(part) for part in parts] == [4, 4, 2]
    assert torch.equal(torch.cat([part.images for part in parts]), batch.images)


def test_use_normalises_with_the_statistics_of_these_very_weights() -> None:
    """In use, each batch norm's output over many latents has mean 0 and spread 1 (times its gain)."""
    network = Generator(16, 1, 8, 8, 64)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.fill_(100.0)
    ready = ready_to_use(network, 8)
    found = []
    norm = next(module for module in ready.modules() if isinstance(module, torch.nn.BatchNorm2d))
    norm.register_forward_hook(lambda module, inputs, output: found.append(output - module.bias[:, None, None]))
    generate(ready, latents(256, 8, 123))
    output = torch.cat(found)
    assert output.mean().abs() < 0.05
    np.testing.assert_allclose(output.std((0, 2, 3)) / norm.weight, 1, atol=0.2)
    assert network.training and network.layers[1].running_mean[0] == 100.0, "the network in training is left alone"


def test_preview_and_validation_speak_of_the_data(recipe: DcganRecipe) -> None:
    preview = recipe.preview(recipe.networks)
    data = recipe.data
    assert preview.shape[1:] == (2, data.size, data.size) and preview.dtype == data.dtype
    assert set(np.unique(preview[:, 1])) <= {0, 1}
    values = recipe.validate(recipe.networks)
    assert values["frechet"] > 10, "an untrained generator is far from real cells"
    assert values["variety"] >= 0


def test_validation_looks_at_crops_of_all_frames(training_sets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_cellsynth.models.dcgan.recipe.VALIDATION_COUNT", 2)
    recipe = DcganRecipe(TINY, training_sets("crops"))
    all_of_them = recipe.data.indices("validation")
    assert recipe._validation.tolist() == all_of_them[closeness.some(len(all_of_them), 2)].tolist()
    assert recipe._validation.tolist() != all_of_them[:2].tolist() and len(recipe._held_out) == 2


def test_validation_tells_copies_and_sameness(training_sets, monkeypatch: pytest.MonkeyPatch) -> None:
    """As its samples: training crops, ten of them again and again, and held-out crops."""
    monkeypatch.setattr(closeness, "FEW", 2)
    recipe = DcganRecipe(TINY, training_sets("crops"))

    def validated(images: np.ndarray) -> dict[str, float]:
        monkeypatch.setattr(recipe, "_samples", lambda networks, count: (images, None))
        return recipe.validate(recipe.networks)

    training = recipe.data.images(recipe.train)
    assert validated(training)["nearest"] < 0.01
    assert validated(np.concatenate([training[:10]] * 10))["variety"] < 0.01
    held_out = recipe.data.images(recipe.data.indices("validation"))
    found = validated(held_out)
    assert list(found) == ["frechet", "variety", "nearest"]
    assert found["nearest"] == pytest.approx(1, abs=0.01)


def test_made_masks_fit_their_own_images(training_sets, tmp_path) -> None:
    """A made outline agrees with what is seen in its image better than the outline of another made cell does."""
    run = tmp_path / "masks"
    changes = {"with_masks": True, "steps": 400, "preview_every": 400, "checkpoint_every": 400, "augment": 0.5}
    api.create_run("dcgan", training_sets("crops"), run, preset="tiny", changes=changes, threads=1)
    list(api.train(run))
    images, labels = api.sample(run, count=64)
    assert labels is not None and labels.shape == images.shape and labels.dtype == np.uint8
    seen, outlined = foreground(images.data[:, 0]), labels.data[:, 0] > 0
    own, others = dice(seen, outlined).mean(), dice(seen, np.roll(outlined, 1, axis=0)).mean()
    assert own > others + 0.02, (own, others)
    real = TrainingSet.open(training_sets("crops"))
    real_area = real.masks(real.indices("train")).mean((1, 2))
    assert real_area.min() * 0.7 < np.median(outlined.mean((1, 2))) < real_area.max() * 1.3


def dice(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return 2 * (a & b).sum((1, 2)) / np.maximum(a.sum((1, 2)) + b.sum((1, 2)), 1)


def test_a_batch_beyond_reason_is_refused_before_memory_is_taken() -> None:
    few = {"size": 64, "counts": {"train": 30}}
    FAMILY.check(DcganSettings(batch_size=2048), few)
    with pytest.raises(BadInput, match="batch size 100,000 given; the training set has 30"):
        FAMILY.check(DcganSettings(batch_size=100_000), few)
    FAMILY.check(DcganSettings(batch_size=4096), {"size": 64, "counts": {"train": 5000}})

"""Each loss of the DCGAN through the engine: turns, penalties, clipping, masks, parts of a batch, resuming."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from napari_cellsynth import api
from napari_cellsynth.engine.draws import generator
from napari_cellsynth.engine.events import PreviewMade, Step
from napari_cellsynth.engine.loop import Loop
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.train import train
from napari_cellsynth.errors import BadInput
from napari_cellsynth.models.dcgan import losses
from napari_cellsynth.models.dcgan.config import FAMILY, DcganSettings
from napari_cellsynth.models.dcgan.recipe import DcganRecipe

SMALL = {"steps": 4, "preview_every": 2, "checkpoint_every": 2, "batch_size": 6, "width": 4, "latent_size": 8}
PRESETS = ("paper", "paper_wgan", "paper_wgan_gp", "fast")
every_loss = pytest.mark.parametrize("preset", PRESETS)
NO_BATCH_NORM = pytest.mark.parametrize("preset", PRESETS[2:])


@pytest.fixture(scope="module")
def crops(training_sets) -> Path:
    return training_sets("crops")


@pytest.fixture(scope="module")
def make(crops: Path) -> Callable[..., DcganRecipe]:
    return lambda preset, **changes: DcganRecipe(settings_of(preset, **changes), crops)


def settings_of(preset: str, **changes: Any) -> DcganSettings:
    return FAMILY.presets[preset].model_copy(update={**SMALL, "widest": 16, **changes})


def test_the_presets_are_of_four_losses() -> None:
    found = [FAMILY.presets[name] for name in PRESETS]
    assert [preset.loss for preset in found] == ["gan", "wgan", "wgan-gp", "relativistic"]
    assert [preset.discriminator_steps for preset in found] == [1, 5, 5, 1]
    data = {"size": 64, "counts": {"train": 1000}}
    for preset in found:
        FAMILY.check(preset, data)


@every_loss
def test_gradients_are_for_the_network_whose_turn_it_is(preset: str, make) -> None:
    loop = Loop(make(preset, with_masks=True), settings_of(preset), "cpu")
    batch = loop.recipe.batch(0, "discriminator", 0)
    assert batch.images.shape == (6, 2, 32, 32)
    for turn in loop.turns:
        turn.freeze()
        said = loop.recipe.losses(turn.phase.name, loop.networks, batch, generator(0))
        said["loss"].backward()
        for name, network in loop.networks.items():
            got = [weight.grad is not None for weight in network.parameters()]
            assert all(got) if name == turn.phase.name else not any(got)
            network.zero_grad(set_to_none=True)
        assert all(torch.isfinite(value) and value.dim() == 0 for value in said.values())
        assert not any(value.requires_grad for name, value in said.items() if name.endswith("made"))


@every_loss
def test_each_turn_of_the_discriminator_sees_crops_of_its_own(preset: str, make) -> None:
    recipe = make(preset, batch_size=2)
    repeats = recipe.settings.discriminator_steps
    assert [phase.repeats for phase in recipe.phases] == [repeats, 1]
    turns = [recipe.batch(step, "discriminator", turn).images for step in range(2) for turn in range(repeats)]
    seen = torch.cat(turns).flatten(1)
    assert len(seen.unique(dim=0)) == len(seen), "no crop comes twice within an epoch"
    fresh = make(preset, batch_size=2)
    assert torch.equal(fresh.batch(1, "generator", 0).images, turns[-1]), "whatever was drawn before"
    assert torch.equal(fresh.batch(0, "discriminator", 0).images, turns[0])


@every_loss
def test_what_is_said_of_each_loss(preset: str, make) -> None:
    recipe = make(preset)
    said = recipe.losses("discriminator", recipe.networks, recipe.batch(0, "discriminator", 0), generator(0))
    assert {"paper": {"real_taken_for_real", "made_taken_for_real"}, "paper_wgan": {"real_above_made", "apart"},
            "paper_wgan_gp": {"real_above_made", "apart", "penalty"}, "fast": {"real_above_made", "r1", "r2"}}[
        preset
    ] | {"loss"} == set(said)  # fmt: skip
    total = {"paper_wgan": -said.get("apart", 0), "paper_wgan_gp": -said.get("apart", 0) + 10 * said.get("penalty", 0)}
    if preset in total:
        assert said["loss"].item() == pytest.approx(total[preset].item(), rel=1e-4, abs=1e-6)


def test_the_weights_of_the_penalties_count(make) -> None:
    recipe, values = make("fast"), {}
    batch = recipe.batch(0, "discriminator", 0)
    for r1, r2 in ((0, 0), (2, 0), (0, 3)):
        recipe.settings = settings_of("fast", r1=r1, r2=r2)
        values[r1, r2] = recipe.losses("discriminator", recipe.networks, batch, generator(0))
    plain = values[0, 0]["loss"].item()
    assert set(values[0, 0]) == {"loss", "real_above_made"}
    assert values[2, 0]["loss"].item() == pytest.approx(plain + 2 * values[2, 0]["r1"].item(), rel=1e-5)
    assert values[0, 3]["loss"].item() == pytest.approx(plain + 3 * values[0, 3]["r2"].item(), rel=1e-5)
    assert values[2, 0]["r1"].item() != pytest.approx(values[0, 3]["r2"].item()), "real images and made ones"


@NO_BATCH_NORM
def test_two_parts_of_a_batch_give_the_gradients_of_the_whole(preset: str, make, monkeypatch) -> None:
    """Real and made images stay pairs; the shares of the penalty, drawn part by part, are held fixed here."""
    recipe = make(preset, augment=0.0)
    monkeypatch.setattr(losses.torch, "rand", lambda *shape, generator: torch.full(shape, 0.3))
    judge = recipe.networks["discriminator"]
    real = recipe.batch(0, "discriminator", 0).images
    made = torch.randn(real.shape, generator=generator(9)).tanh()
    found = []
    for size in (6, 3):
        judge.zero_grad()
        for mine, theirs in zip(real.split(size), made.split(size), strict=True):
            loss = recipe._discriminator_losses(judge, mine, theirs, generator(0))["loss"]
            (loss * size / 6).backward()
        found.append([weight.grad.clone() for weight in judge.parameters()])
    for whole, parts in zip(*found, strict=True):
        torch.testing.assert_close(parts, whole, rtol=1e-3, atol=1e-5)


def trained(crops: Path, run: Path, preset: str, stop_at: int | None = None, **changes: Any) -> Path:
    """A run of four steps; if stopped, then resumed."""
    api.create_run("dcgan", crops, run, preset=preset, changes=SMALL | changes, threads=1)
    job = api.train(run)
    for event in job:
        if stop_at is not None and isinstance(event, PreviewMade) and event.step == stop_at:
            break
    job.close()
    if stop_at is not None:
        list(api.train(run, resume=True))
    return run


@every_loss
def test_resuming_and_masks(preset: str, crops: Path, tmp_path: Path) -> None:
    """With the outline as a second channel, bit for bit as if it had never stopped."""
    whole = trained(crops, tmp_path / "whole", preset, with_masks=True, ema=0.9)
    stopped = trained(crops, tmp_path / "stopped", preset, stop_at=2, with_masks=True, ema=0.9)
    for name in ("networks.safetensors", "ema.safetensors"):
        files = [next((run / "checkpoints").glob(f"*4/{name}")) for run in (whole, stopped)]
        assert files[0].read_bytes() == files[1].read_bytes(), name
    assert all(np.isfinite(list(e.losses.values())).all() for e in RunFolder(whole).events() if isinstance(e, Step))
    images, labels = api.sample(whole, count=3, seed=1)
    more, _ = api.sample(stopped, count=20, seed=1)
    np.testing.assert_array_equal(images.data, more.data[:3])
    assert labels is not None and labels.shape == images.shape == (3, 1, 32, 32)


def test_a_critics_weights_are_clipped_after_every_step_and_after_resuming(crops: Path, tmp_path: Path) -> None:
    settings = settings_of("paper_wgan", clip=0.02, learning_rate=1e-3, discriminator_learning_rate=0.1)
    folder = RunFolder.create(
        tmp_path / "run", family="dcgan", preset="paper_wgan", settings=settings.model_dump(), data={}, threads=1
    )
    largest: list[float] = []

    class Watched(DcganRecipe):
        def losses(self, phase: str, networks: Any, batch: Any, draws: Any) -> Any:
            largest.append(max(weight.abs().max().item() for weight in networks["discriminator"].parameters()))
            return super().losses(phase, networks, batch, draws)

    job = train(folder, Watched(settings, crops), settings, device="cpu")
    for event in job:
        if isinstance(event, PreviewMade) and event.step == 2:
            break
    job.close()
    before = len(largest)
    list(train(folder, Watched(settings, crops), settings, device="cpu", resume=True))
    assert before >= 12 and len(largest) - before == 12, "five turns of the critic and one of the generator a step"
    assert max(largest) == pytest.approx(0.02) and max(largest) <= 0.02 + 1e-9
    assert min(largest) > 0.01, "the large learning rate reaches the bound"


@pytest.mark.parametrize(
    "changes",
    [{"loss": "wgan-gp"}, {"r1": 1.0}, {"loss": "relativistic", "r2": 0.5}],
    ids=lambda changes: " ".join(changes),
)
def test_a_penalty_with_batch_norm_is_refused_in_one_line(changes: dict[str, Any], crops: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="discriminator_norm = batch given with a penalty") as refusal:
        api.create_run("dcgan", crops, tmp_path / "run", preset="paper", changes=changes)
    assert "\n" not in str(refusal.value) and not (tmp_path / "run").exists()
    for fits in ({"discriminator_norm": "layer"}, {"discriminator_norm": "none"}, {"networks": "residual"}):
        FAMILY.check(settings_of("paper", **changes, **fits), {"size": 32, "counts": {"train": 100}})


@NO_BATCH_NORM
def test_penalties_in_mixed_precision(preset: str, crops: Path, tmp_path: Path) -> None:
    run = trained(crops, tmp_path / "run", preset, precision="bf16-mixed", steps=2)
    assert RunFolder(run).state().state == "finished"


def test_the_panels_have_words_for_each_preset() -> None:
    words = {preset.name: preset.words for preset in api.presets("dcgan")}
    assert list(words) == ["fast", "small", "tiny", "paper", "paper_wgan", "paper_wgan_gp"]
    assert "WGAN-GP" in words["paper_wgan_gp"] and all("_" not in said for said in words.values())
    assert set(FAMILY.preset_words) < set(FAMILY.presets)

"""How a DCGAN is trained: two phases, a loss of four, previews and held-out numbers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from math import isfinite, nan
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from napari_cellsynth.engine.draws import EpochSampler, latents
from napari_cellsynth.engine.rates import falling
from napari_cellsynth.engine.recipe import Phase
from napari_cellsynth.models.dcgan.batch import CropBatch, from_networks, to_networks
from napari_cellsynth.models.dcgan.clipping import ClippedRMSprop
from napari_cellsynth.models.dcgan.config import DcganSettings
from napari_cellsynth.models.dcgan.generate import generate, ready_to_use
from napari_cellsynth.models.dcgan.losses import (
    discriminator_loss,
    flatness,
    generator_loss,
    gradient_penalty,
    scored,
    signs,
)
from napari_cellsynth.models.dcgan.networks import Discriminator, Generator
from napari_cellsynth.models.dcgan.residual import ResidualDiscriminator, ResidualGenerator
from napari_cellsynth.nets.augment import augment
from napari_cellsynth.quality.closeness import TRAINING, Closeness, some
from napari_cellsynth.quality.frechet import frechet_distance, standardise
from napari_cellsynth.quality.measures import measure
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.modality import SHADOWLESS

PREVIEW_COUNT = 64
VALIDATION_COUNT = 200


def build_networks(settings: DcganSettings, size: int, channels: int) -> dict[str, nn.Module]:
    """Generator and discriminator with weights that depend on the seed alone."""
    wide = (settings.width, settings.widest)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        if settings.networks == "residual":
            return {
                "generator": ResidualGenerator(size, channels, settings.latent_size, *wide),
                "discriminator": ResidualDiscriminator(size, channels, *wide),
            }
        return {
            "generator": Generator(size, channels, settings.latent_size, *wide),
            "discriminator": Discriminator(size, channels, *wide, settings.discriminator_norm),
        }


def make_phases(settings: DcganSettings) -> tuple[Phase, Phase]:
    """The discriminator's turns, then the generator's."""
    if settings.loss == "wgan":
        # Momentum makes WGAN's training unstable at times (Arjovsky et al. 2017).
        judge: Any = partial(ClippedRMSprop, clip=settings.clip)
        maker: Any = torch.optim.RMSprop
    else:
        judge = maker = partial(torch.optim.Adam, betas=(settings.beta1, settings.beta2))
    rate = falling(settings.steps, settings.decay) if settings.decay > 0 else None
    return (
        Phase(
            "discriminator",
            ("discriminator",),
            partial(judge, lr=settings.discriminator_learning_rate),
            repeats=settings.discriminator_steps,
            rate=rate,
        ),
        Phase("generator", ("generator",), partial(maker, lr=settings.learning_rate), rate=rate),
    )


class DcganRecipe:
    """Recipe of the engine for single-cell crops (Radford et al. 2015; equations 1 and 2 of the neutrophil paper)."""

    ema = ("generator",)

    def __init__(self, settings: DcganSettings, data: Path) -> None:
        self.settings = settings
        self.data = TrainingSet.open(data)
        self.train = self.data.indices("train")
        self.channels = 2 if settings.with_masks else 1
        self.networks: Mapping[str, nn.Module] = build_networks(settings, self.data.size, self.channels)
        self.phases = make_phases(settings)
        self.sampler = EpochSampler(len(self.train), settings.batch_size, settings.seed)
        self._last: tuple[int, CropBatch] | None = None
        """The newest draw and its crops, which both networks see."""

    def batch(self, step: int, phase: str, repeat: int) -> CropBatch:
        """Real crops of a turn; the generator's gets those of the discriminator's last one."""
        repeats = self.settings.discriminator_steps
        draw = step * repeats + (repeat if phase == "discriminator" else repeats - 1)
        if self._last is None or self._last[0] != draw:
            self._last = (draw, self._read(draw))
        return self._last[1]

    def _read(self, draw: int) -> CropBatch:
        chosen = self.train[self.sampler.indices(draw)]
        masks = self.data.masks(chosen) if self.settings.with_masks else None
        return CropBatch(to_networks(self.data.images(chosen), masks, self.data.scaling))

    def losses(
        self, phase: str, networks: Mapping[str, nn.Module], batch: CropBatch, draws: torch.Generator
    ) -> dict[str, Tensor]:
        """Of the network whose turn it is."""
        generator = networks["generator"]
        noise = torch.randn(len(batch), self.settings.latent_size, generator=draws).to(batch.images.device)
        if phase == "generator":
            return {"loss": self._generator_loss(networks, generator(noise), batch.images, draws)}
        with torch.no_grad():
            made = generator(noise)
        return self._discriminator_losses(networks["discriminator"], batch.images, made, draws)

    def _generator_loss(
        self, networks: Mapping[str, nn.Module], made: Tensor, real: Tensor, draws: torch.Generator
    ) -> Tensor:
        settings, judge = self.settings, networks["discriminator"]
        score, beside = judge(self._seen(made, draws)), None
        if settings.loss == "relativistic":
            with torch.no_grad():
                beside = judge(self._seen(real, draws))
        return generator_loss(score, settings.generator_term, settings.loss, beside)

    def _discriminator_losses(
        self, judge: nn.Module, real: Tensor, made: Tensor, draws: torch.Generator
    ) -> dict[str, Tensor]:
        settings = self.settings
        real, made = self._seen(real, draws), self._seen(made, draws)
        # The scores that are compared are those whose gradient is penalised: an image is looked at once.
        real, real_score = scored(real, judge, settings.r1 > 0)
        made, made_score = scored(made, judge, settings.r2 > 0)
        loss = discriminator_loss(real_score, made_score, settings.loss)
        said = signs(real_score, made_score, settings.loss)
        if settings.loss == "wgan-gp":
            said["penalty"] = gradient_penalty(real, made, judge, draws)
            loss = loss + settings.gradient_penalty * said["penalty"]
        if settings.r1 > 0:
            said["r1"] = flatness(real, real_score)
            loss = loss + settings.r1 * said["r1"]
        if settings.r2 > 0:
            said["r2"] = flatness(made, made_score)
            loss = loss + settings.r2 * said["r2"]
        return {"loss": loss, **said}

    def _seen(self, images: Tensor, draws: torch.Generator) -> Tensor:
        """As the discriminator sees them."""
        return augment(images, self.settings.augment, draws, modality=self.data.modality)

    def preview(self, networks: Mapping[str, nn.Module]) -> np.ndarray:
        """The first samples of the run's seed, (N, C, Y, X): always the same latents, so that one sees them change."""
        images, masks = self._samples(networks, PREVIEW_COUNT)
        return np.stack([images, masks.astype(images.dtype)] if masks is not None else [images], 1)

    def validate(self, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        """Whether samples come near held-out crops (Frechet distance), differ among each other, and are no copies."""
        made = self._samples(networks, VALIDATION_COUNT)[0]
        found = {"variety": self._closeness.variety(made), "nearest": self._closeness.nearest(made)}
        if len(self._held_out) >= 2:
            real = standardise(self._held_out, self._held_out)
            found["frechet"] = frechet_distance(real, standardise(measure(made), self._held_out))
        # Too few crops for one of them: no number is better than a wild one.
        return {name: found[name] for name in ("frechet", "variety", "nearest") if isfinite(found.get(name, nan))}

    def describe(self) -> dict[str, Any]:
        """What using the weights needs besides the settings."""
        return {
            "size": self.data.size,
            "channels": self.channels,
            "scaling": self.data.scaling.to_json(),
            "dtype": str(self.data.dtype),
            "pixel_size": self.data.pixel_size,
            "modality": self.data.modality,
        }

    def _samples(self, networks: Mapping[str, nn.Module], count: int) -> tuple[np.ndarray, np.ndarray | None]:
        ready = ready_to_use(networks["generator"], self.settings.latent_size)
        points = latents(count, self.settings.latent_size, self.settings.seed)
        return from_networks(generate(ready, points), self.data.scaling)

    @cached_property
    def _held_out(self) -> np.ndarray:
        """Measures (N, K) of the validation part."""
        return measure(self.data.images(self._validation))

    @cached_property
    def _validation(self) -> np.ndarray:
        """Indices of the validation crops that are looked at: of all frames, and not the first ones."""
        held_out = self.data.indices("validation")
        return held_out[some(len(held_out), VALIDATION_COUNT)]

    @cached_property
    def _closeness(self) -> Closeness:
        """Crops to learn from and held-out ones, beside which samples are copies or not, different or not."""
        learned = self.train[some(len(self.train), TRAINING)]
        # A made cell that is a mirrored training cell is a copy where training has mirrored it.
        turned = self.settings.augment > 0 and self.data.modality in SHADOWLESS
        held_out = self.data.images(self._validation)
        return Closeness(self.data.images(learned), held_out, self.data.cells(learned), turned)

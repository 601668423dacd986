"""Settings and presets of the DCGAN family; loads no torch.

Each setting says where the preset ``paper`` has it from: *stated* in the
neutrophil paper, *cited* (in DCGAN, which that paper builds on) or *chosen*
by us.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from napari_cellsynth.engine.family import Family
from napari_cellsynth.engine.journey import Journey
from napari_cellsynth.engine.settings import Settings
from napari_cellsynth.engine.words import Things
from napari_cellsynth.errors import BadInput

SIZES = (16, 32, 64, 128, 256, 512)
"""Sides of crops in pixels that the networks can be built for."""
BATCH = 2048
"""Crops in a step that are taken from any training set, however few it has."""


class DcganSettings(Settings):
    """A generator and a discriminator after DCGAN, for single-cell crops."""

    steps: int = Field(25_000, ge=1)
    """Update cycles of discriminator and generator (chosen; not stated)."""
    batch_size: int = Field(128, ge=2)
    """Crops drawn in one step (cited: 128); batch norm needs at least two."""
    latent_size: int = Field(100, ge=2, le=1024, title="numbers behind a cell")
    """Numbers from which a cell is made, drawn from a Gaussian (Gaussian stated, 100 cited)."""
    width: int = Field(128, ge=4, le=256, title="network width")
    """Channels of the layers next to the image; they double towards the smallest layer (cited: 128)."""
    widest: int = Field(1024, ge=16, le=2048, title="network width, at most")
    """Channels at most, however large the image (cited: 1024 at 64 pixels)."""
    networks: Literal["dcgan", "residual"] = "dcgan"
    """Strided convolutions with batch norm (stated: DCGAN), or residual blocks without any norm (ours)."""
    discriminator_norm: Literal["batch", "layer", "none"] = "batch"
    """Of DCGAN's discriminator (cited: batch; layer norm where its gradient is penalised, after WGAN-GP)."""
    with_masks: bool = False
    """Make the outline of the cell together with its image, so that simulated labels are exact (ours)."""
    loss: Literal["gan", "wgan", "wgan-gp", "relativistic"] = "gan"
    """What the two networks compete over: equation 1; Wasserstein distance with clipped weights; the same with
    equation 2 (all stated); or which of a real and a made image looks more real (ours, after R3GAN)."""
    discriminator_steps: int = Field(1, ge=1, le=20)
    """Turns of the discriminator in a step, each with crops of its own (cited: 1 for GAN, 5 for WGAN and WGAN-GP)."""
    generator_term: Literal["non-saturating", "minimax"] = "non-saturating"
    """The generator maximises log D(G(z)) (cited: Goodfellow 2014, section 3) or minimises log(1 - D(G(z))) (stated:
    equation 1, which learns slowly at first); used by gan alone."""
    clip: float = Field(0.01, gt=0, le=1)
    """Largest weight of the critic; used by wgan alone (clipping stated, 0.01 cited)."""
    gradient_penalty: float = Field(10.0, gt=0)
    """Weight lambda of equation 2; used by wgan-gp alone (the penalty stated, 10 cited)."""
    r1: float = Field(0.0, ge=0)
    """Weight gamma of the penalty on the discriminator's gradient at real images (ours; 0 as published)."""
    r2: float = Field(0.0, ge=0)
    """The same at made images (ours; 0 as published)."""
    learning_rate: float = Field(2e-4, gt=0, le=1e-1)
    """Of the generator (cited: 0.0002; 0.00005 for WGAN, 0.0001 for WGAN-GP)."""
    discriminator_learning_rate: float = Field(2e-4, gt=0, le=1e-1)
    """Of the discriminator (cited: the same as the generator's)."""
    beta1: float = Field(0.5, ge=0, lt=1)
    """Adam's memory of the gradient (cited: 0.5; 0 for WGAN-GP); wgan takes RMSprop instead, which has none."""
    beta2: float = Field(0.999, ge=0, lt=1)
    """Adam's memory of the squared gradient (cited: 0.999; 0.9 for WGAN-GP)."""
    decay: float = Field(0.0, ge=0, le=1)
    """Share of the steps, the last ones, over which the learning rates fall to nothing in a straight line (ours; 0 as
    published)."""
    augment: float = Field(0.0, ge=0, le=1)
    """Share of the crops, real and made alike, that is shifted or changed in brightness and contrast before the
    discriminator sees it; mirrored and turned as well where the microscopy allows it (ours; 0 as published)."""


def check(settings: DcganSettings, data: Mapping[str, Any]) -> None:
    """Refuse crops of a size that halving does not bring to 4 pixels, and a batch beyond reason.

    A step of tens of thousands of crops is a slip of the finger that some
    systems answer by killing programs, and the estimate tries it as it is typed.
    """
    if data["size"] not in SIZES:
        sizes = ", ".join(str(size) for size in SIZES)
        raise BadInput(f"crops of {data['size']} pixels given; this method takes {sizes}: prepare them so (size)")
    penalised = settings.loss == "wgan-gp" or settings.r1 > 0 or settings.r2 > 0
    if penalised and settings.networks == "dcgan" and settings.discriminator_norm == "batch":
        raise BadInput(
            "discriminator_norm = batch given with a penalty on each image's gradient; batch norm mixes images:"
            " take layer or none"
        )
    crops = data["counts"]["train"]
    if settings.batch_size > max(crops, BATCH):
        raise BadInput(f"batch size {settings.batch_size:,} given; the training set has {crops:,} crops to learn from")


def mirrors(settings: DcganSettings, modality: str | None) -> bool:
    """Whether the discriminator sees crops mirrored and turned."""
    from napari_cellsynth.stack.modality import SHADOWLESS

    return settings.augment > 0 and modality in SHADOWLESS


PAPER = DcganSettings()
WGAN = DcganSettings(
    loss="wgan", batch_size=64, discriminator_steps=5, learning_rate=5e-5, discriminator_learning_rate=5e-5
)
WGAN_GP = DcganSettings(
    loss="wgan-gp",
    discriminator_norm="layer",
    batch_size=64,
    discriminator_steps=5,
    learning_rate=1e-4,
    discriminator_learning_rate=1e-4,
    beta1=0.0,
    beta2=0.9,
)
FAST = DcganSettings(
    steps=20_000,
    batch_size=32,
    latent_size=64,
    networks="residual",
    width=64,
    widest=512,
    loss="relativistic",
    r1=0.1,
    r2=0.1,
    learning_rate=5e-4,
    discriminator_learning_rate=5e-4,
    beta1=0.0,
    # A longer memory lets single steps grow tenfold, and the training comes apart (measured; docs/families/dcgan.md).
    beta2=0.9,
    # A longer average blurs the grain of the camera (measured).
    ema=0.99,
    decay=0.5,
    augment=0.5,
)
SMALL = FAST.model_copy(update={"steps": 3000, "width": 32, "widest": 256})
TINY = DcganSettings(
    steps=1200,
    batch_size=32,
    latent_size=32,
    width=16,
    learning_rate=4e-4,
    discriminator_learning_rate=4e-4,
    ema=0.98,
    augment=0.5,
    preview_every=100,
    checkpoint_every=250,
)

QUICK = {"steps": 200, "preview_every": 40, "checkpoint_every": 100}
"""For a journey: what can be watched."""

FAMILY = Family(
    name="dcgan",
    title="DCGAN",
    task="makes new cells",
    data="crops",
    verbs=("sample", "decode", "walk", "embed"),
    settings=DcganSettings,
    preset_words={
        "paper_wgan": "As published, its WGAN (clipped weights)",
        "paper_wgan_gp": "As published, its WGAN-GP (gradient penalty)",
    },
    presets={"paper": PAPER, "paper_wgan": WGAN, "paper_wgan_gp": WGAN_GP, "fast": FAST, "small": SMALL, "tiny": TINY},
    papers=(
        "Pandhe, Rada, Quinn 2018, Generative spatiotemporal modeling of neutrophil behavior",
        "Radford, Metz, Chintala 2015, Unsupervised representation learning with DCGANs, arXiv:1511.06434",
        "Goodfellow et al. 2014, Generative adversarial nets, arXiv:1406.2661",
        "Arjovsky, Chintala, Bottou 2017, Wasserstein GAN, arXiv:1701.07875",
        "Gulrajani et al. 2017, Improved training of Wasserstein GANs, arXiv:1704.00028",
        "Jolicoeur-Martineau 2018, The relativistic discriminator, arXiv:1807.00734",
        "Mescheder, Geiger, Nowozin 2018, Which training methods for GANs do actually converge?, arXiv:1801.04406",
        "Huang et al. 2024, The GAN is dead; long live the GAN! A modern GAN baseline, arXiv:2501.05441",
        "Zhao et al. 2020, Differentiable augmentation for data-efficient GAN training, arXiv:2006.10738",
    ),
    recipe="napari_cellsynth.models.dcgan.recipe:DcganRecipe",
    model="napari_cellsynth.models.dcgan.model:DcganModel",
    published_as="Pandhe, Rada, Quinn 2018",
    without_gpu="small",
    check=check,
    makes=Things("cell", "cells"),
    mirrors=mirrors,
    journeys=(
        Journey(
            task="Make new cells",
            about="Train a model on the cells of a movie; it makes cells that nobody recorded.",
            verb="sample",
            honest="It learned for seconds only, so its cells are blurred; a real training takes longer.",
            quick=QUICK,
        ),
        Journey(
            task="Morph between cells",
            about="Walk from one cell to another, through cells in between that a model makes.",
            verb="decode",
            honest="It learned for seconds only, so its cells are blurred; a real training takes longer.",
            quick=QUICK,
        ),
    ),
)

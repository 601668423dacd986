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
    latent_size: int = Field(100, ge=2, le=1024)
    """Numbers from which a cell is made, drawn from a Gaussian (Gaussian stated, 100 cited)."""
    width: int = Field(128, ge=4, le=256)
    """Channels of the layers next to the image; they double towards the smallest layer (cited: 128)."""
    widest: int = Field(1024, ge=16, le=2048)
    """Channels at most, however large the image (cited: 1024 at 64 pixels)."""
    with_masks: bool = False
    """Make the outline of the cell together with its image, so that simulated labels are exact (ours)."""
    loss: Literal["gan"] = "gan"
    """What the two networks compete over (stated: equation 1)."""
    generator_term: Literal["non-saturating", "minimax"] = "non-saturating"
    """The generator maximises log D(G(z)) (cited: Goodfellow 2014, section 3) or minimises log(1 - D(G(z))) (stated:
    equation 1, which learns slowly at first)."""
    learning_rate: float = Field(2e-4, gt=0, le=1e-1)
    """Of the generator (cited: 0.0002)."""
    discriminator_learning_rate: float = Field(2e-4, gt=0, le=1e-1)
    """Of the discriminator (cited: 0.0002)."""
    beta1: float = Field(0.5, ge=0, lt=1)
    """Adam's memory of the gradient (cited: 0.5)."""
    beta2: float = Field(0.999, ge=0, lt=1)
    """Adam's memory of the squared gradient (cited: 0.999)."""
    augment: float = Field(0.0, ge=0, le=1)
    """Share of the crops, real and made alike, that is shifted or changed in brightness and contrast before the
    discriminator sees it; mirrored and turned as well where the microscopy allows it (ours; 0 as published)."""


def check(settings: Settings, data: Mapping[str, Any]) -> None:
    """Refuse crops of a size that halving does not bring to 4 pixels, and a batch beyond reason.

    A step of tens of thousands of crops is a slip of the finger that some
    systems answer by killing programs, and the estimate tries it as it is typed.
    """
    if data["size"] not in SIZES:
        sizes = ", ".join(str(size) for size in SIZES)
        raise BadInput(f"crops of {data['size']} pixels given; this method takes {sizes}: prepare them so (size)")
    crops = data["counts"]["train"]
    if settings.batch_size > max(crops, BATCH):
        raise BadInput(f"batch size {settings.batch_size:,} given; the training set has {crops:,} crops to learn from")


PAPER = DcganSettings()
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
    verbs=("sample", "decode", "walk"),
    settings=DcganSettings,
    presets={"paper": PAPER, "tiny": TINY},
    papers=(
        "Pandhe, Rada, Quinn 2018, Generative spatiotemporal modeling of neutrophil behavior",
        "Radford, Metz, Chintala 2015, Unsupervised representation learning with DCGANs, arXiv:1511.06434",
        "Goodfellow et al. 2014, Generative adversarial nets, arXiv:1406.2661",
        "Zhao et al. 2020, Differentiable augmentation for data-efficient GAN training, arXiv:2006.10738",
    ),
    recipe="napari_cellsynth.models.dcgan.recipe:DcganRecipe",
    model="napari_cellsynth.models.dcgan.model:DcganModel",
    published_as="Pandhe, Rada, Quinn 2018",
    check=check,
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

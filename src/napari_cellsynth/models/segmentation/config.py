"""Settings and presets of the segmentation family; loads no torch.

Each setting says where the preset ``paper`` has it from: *stated* in the
neutrophil paper, which says no more than that cells were segmented with fully
convolutional DenseNets; *cited* (Jégou et al. 2017, which it names); or
*chosen* by us.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from napari_cellsynth.engine.family import Family
from napari_cellsynth.engine.settings import Settings
from napari_cellsynth.engine.words import Things
from napari_cellsynth.errors import BadInput

BATCH = 512
"""Clips in a step that are taken from any training set, however few it has."""
SMALLEST = 32
"""Pixels along a side that a clip needs."""


class SegmentationSettings(Settings):
    """A network that finds the cells of a frame, learned from outlines that somebody trusts."""

    steps: int = Field(25_000, ge=1)
    """Update cycles (chosen; cited: until the held-out score has not grown for 100 epochs)."""
    batch_size: int = Field(3, ge=1)
    """Crops drawn in one step (cited: 3)."""
    network: Literal["densenet", "unet"] = "densenet"
    """A fully convolutional DenseNet (stated), or a residual U-Net (ours)."""
    densenet: Literal["56", "67", "103"] = "103"
    """Convolutions of the DenseNet, of the three that its authors describe (chosen: 103, their best)."""
    dropout: float = Field(0.2, ge=0.0, lt=1.0)
    """Share of the DenseNet's feature maps that is left out at random while it learns (cited: 0.2)."""
    width: int = Field(48, ge=4, le=256, title="network width")
    """Channels of the first layer (cited: 48; the U-Net doubles them from level to level)."""
    levels: int = Field(5, ge=1, le=6)
    """How often the image is halved on its way through the U-Net; the DenseNet always halves it five times (cited)."""
    part: Literal["distance", "not"] = "not"
    """How touching cells are parted: by the distance to their border, which is learned, too (ours), or not at all, so
    that what is connected is one cell (chosen: the DenseNet's classes of pixels know no cells)."""
    with_classes: bool = True
    """Learn the class of each pixel, too, where the training set has classes."""
    overlap_loss: float = Field(0.0, ge=0.0, le=10.0)
    """Weight of the soft Dice loss beside the cross entropy (cited: 0; ours more, since cells are a small part of many
    frames)."""
    crop: int = Field(224, ge=32, le=2048)
    """Pixels along a side of the square drawn at random from each clip; smaller clips are taken whole (cited: 224)."""
    mirror: bool = True
    """Mirror every second crop where the microscopy allows it (cited; never in DIC, whose shadow has a direction)."""
    augment: float = Field(0.0, ge=0.0, le=1.0)
    """Share of the crops that is changed in size, brightness and contrast, made noisier, and turned where the
    microscopy allows it (ours; 0 as cited)."""
    learning_rate: float = Field(1e-3, gt=0, le=1e-1)
    """At the first step (cited: 0.001)."""
    decay: float = Field(0.36, gt=0, le=1)
    """What is left of the learning rate at the last step, less by the same factor in each (cited: 0.995 times in an
    epoch, which over 25,000 steps with the cited 367 images is 0.36)."""
    optimizer: Literal["rmsprop", "adamw"] = "rmsprop"
    """RMSprop (cited), or AdamW (ours)."""
    weight_decay: float = Field(1e-4, ge=0, le=1)
    """How much weights are pulled to 0 (cited: 0.0001)."""
    foreground: float = Field(0.5, gt=0, lt=1)
    """Probability above which a pixel is taken for one of a cell (chosen)."""
    prominence: float = Field(0.1, gt=0, lt=1)
    """By how much the distance to the border, 1 in the middle of a cell, must rise above the neck between two middles
    for them to be two cells; more where cells come in pieces, less where several are one (chosen)."""
    smallest: float = Field(0.3, ge=0, le=1)
    """Outlines smaller than this share of the smaller training cells (their 5th percentile) are left out (chosen)."""


def check(settings: SegmentationSettings, data: Mapping[str, Any]) -> None:
    """Refuse clips without labels, of several channels, or too small; and a batch beyond reason."""
    if not data.get("labels"):
        raise BadInput(
            "clips without labels given; a segmentation learns from outlines: prepare clips with them (--labels FILE)"
        )
    if data.get("channels", 1) != 1:
        raise BadInput(
            f"clips of {data['channels']} channels given; this method takes one: prepare clips of --channel N"
        )
    if data["size"] < SMALLEST:
        raise BadInput(
            f"clips of {data['size']} pixels given; this method takes {SMALLEST} or more: prepare larger ones"
        )
    clips = data["counts"]["train"]
    if settings.batch_size > max(clips, BATCH):
        raise BadInput(f"batch size {settings.batch_size:,} given; the training set has {clips:,} clips to learn from")


def mirrors(settings: SegmentationSettings, modality: str | None) -> bool:
    """Whether training sees frames mirrored or turned."""
    from napari_cellsynth.stack.modality import SHADOWLESS

    return (settings.mirror or settings.augment > 0) and modality in SHADOWLESS


PAPER = SegmentationSettings()
FAST = SegmentationSettings(
    steps=4000,
    batch_size=8,
    network="unet",
    width=32,
    levels=4,
    part="distance",
    overlap_loss=1.0,
    crop=192,
    augment=0.7,
    decay=0.02,
    optimizer="adamw",
    weight_decay=1e-2,
    ema=0.99,
    preview_every=200,
)
SMALL = FAST.model_copy(
    update={"steps": 2000, "width": 16, "levels": 3, "crop": 128, "learning_rate": 4e-3, "ema": 0.98}
)
TINY = SegmentationSettings(
    steps=300,
    batch_size=4,
    network="unet",
    width=8,
    levels=3,
    part="distance",
    overlap_loss=1.0,
    crop=96,
    augment=0.5,
    learning_rate=1e-2,
    decay=0.1,
    optimizer="adamw",
    weight_decay=1e-2,
    ema=0.95,
    preview_every=50,
    checkpoint_every=100,
)

FAMILY = Family(
    name="segmentation",
    title="Segmentation",
    task="finds cells",
    data="clips",
    verbs=("segment",),
    settings=SegmentationSettings,
    presets={"paper": PAPER, "fast": FAST, "small": SMALL, "tiny": TINY},
    papers=(
        "Pandhe, Rada, Quinn 2018, Generative spatiotemporal modeling of neutrophil behavior",
        "Jégou et al. 2017, The one hundred layers tiramisu: fully convolutional DenseNets, arXiv:1611.09326",
        "Ronneberger, Fischer, Brox 2015, U-Net, arXiv:1505.04597",
        "He et al. 2016, Identity mappings in deep residual networks, arXiv:1603.05027",
        "Naylor et al. 2019, Segmentation of nuclei by deep regression of the distance map, IEEE TMI 38",
        "van der Walt et al. 2014, scikit-image (watershed), PeerJ 2:e453",
    ),
    recipe="napari_cellsynth.models.segmentation.recipe:SegmentationRecipe",
    model="napari_cellsynth.models.segmentation.model:SegmentationModel",
    published_as="Jégou et al. 2017",
    without_gpu="small",
    check=check,
    makes=Things("outline", "outlines", made="found", real="true", examples="outlined frames", true_beside=True),
    mirrors=mirrors,
)

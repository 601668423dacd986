"""The recipe of the small encoder; loads no torch."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class EncoderSettings(BaseModel):
    """How the encoder that ships with the package is built and trained."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True, validate_default=True)

    seed: int = Field(0, ge=0, le=2**31 - 1)
    """Number from which phantoms, crops and weights follow."""
    side: int = Field(64, ge=16, le=256)
    """Pixels along a side of what the network is given."""
    widths: tuple[int, ...] = (24, 48, 96, 128)
    """Filters of each level; from level to level, half as many pixels along a side."""
    features: int = Field(32, ge=4, le=512)
    """Numbers that the network gives for an image: few, so that few images suffice for their covariance."""
    fields: int = Field(80, ge=1, le=5000)
    """Simulated fields of each phantom that crops are drawn from."""
    crops: int = Field(6000, ge=64, le=100_000)
    """Crops that are drawn of them, at all scales, before training."""
    steps: int = Field(1000, ge=1, le=100_000)
    """Steps of training."""
    batch: int = Field(40, ge=2, le=1024)
    """Crops of a step; each is shown four times: damaged in two ways, each at two places."""
    learning_rate: float = Field(1e-3, gt=0, le=0.1)
    """At its highest; it rises for a twentieth of the steps and falls to 0 along a cosine."""
    temperature: float = Field(0.2, gt=0, le=2)
    """Of the contrastive loss: how strictly the nearest others are told apart."""
    shift: int = Field(8, ge=0, le=16)
    """Pixels by which two views of a crop may lie apart along an axis."""
    blur: float = Field(2.5, gt=0, le=8)
    """Widest blur, sigma in pixels."""
    noise: float = Field(0.6, gt=0, le=4)
    """Strongest noise, in standard deviations of the field."""
    contrast: float = Field(0.4, gt=0, le=1)
    """Lowest contrast, as a share of the field's."""

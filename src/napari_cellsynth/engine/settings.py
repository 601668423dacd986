"""Settings that every run has; a family's config adds its own.

Each setting is written once, with type, default, bounds and one sentence;
forms, ``--help`` and docs are made from the fields.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """Settings under the same names in every family."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True, validate_default=True)

    steps: int = Field(5000, ge=1)
    """Update cycles of all phases until the training is finished."""
    batch_size: int = Field(64, ge=1)
    """Examples drawn in one step."""
    micro_batch: int | None = Field(None, ge=1)
    """Examples (cells, clips) in the device's memory at once; fewer need less of it (empty: the whole batch)."""
    checkpoint_every: int = Field(500, ge=1)
    """Steps from one saved state to the next."""
    preview_every: int = Field(100, ge=1)
    """Steps from one preview to the next."""
    keep_checkpoints: int = Field(3, ge=1)
    """How many of the newest saved states stay on disk."""
    keep_gb: float = Field(20.0, gt=0.0)
    """Gigabytes that the saved states may take together; the newest stays however large it is."""
    keep_previews: int = Field(200, ge=1)
    """How many previews stay on disk; beyond that every second of the older ones goes."""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """Number format of the arithmetic; bf16-mixed saves time and memory on NVIDIA GPUs from the RTX 30 on."""
    ema: float = Field(0.0, ge=0.0, lt=1.0)
    """Decay of the running average of the weights that are used for results; 0 uses the last weights."""
    seed: int = Field(0, ge=0, le=2**31 - 1)
    """Number from which every random draw of the training follows."""

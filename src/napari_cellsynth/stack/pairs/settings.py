"""What can be chosen when pairs of a low and a high exposure are prepared."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from napari_cellsynth.stack.modality import Modality


class PairSettings(BaseModel):
    """How low and high exposures are put together, checked and cut."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True, validate_default=True)

    alternating: bool = False
    """Low and high exposures alternate in each recording; else they are recordings of their own, or channels."""
    first: Literal["low", "high"] = "low"
    """Of alternating exposures, which one frame 0 of the recording is."""
    size: int | None = Field(256, ge=16, le=8192)
    """Pixels along each side of the tiles that frames are cut into (empty: whole frames)."""
    overlap: float = Field(0.0, ge=0.0, lt=1.0)
    """Share of its side that a tile has in common with the next."""
    max_shift: float = Field(1.0, ge=0.0, allow_inf_nan=False)
    """Pixels by which low and high may be shifted against each other and still count as one picture."""
    when_shifted: Literal["refuse", "align"] = "refuse"
    """What becomes of pairs that are shifted further: left out, or moved by whole pixels onto each other."""
    every: int = Field(1, ge=1)
    """Take every n-th pair; more than 1 where the field hardly changes from frame to frame."""
    modality: Modality | None = None
    """How the images were made; decides whether training may mirror or turn them (empty: as the recordings say)."""

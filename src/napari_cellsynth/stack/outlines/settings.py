"""What can be chosen when cells are outlined without training."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Method = Literal["auto", "threshold", "watershed", "texture"]


class OutlineSettings(BaseModel):
    """How cells are found and outlined; sizes follow the cell diameter, so that pixel size and type do not matter."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True, validate_default=True)

    method: Method = "auto"
    """Watershed or threshold for bright cells on dark, texture for the others (auto: by how the image was made)."""
    diameter_um: float | None = Field(None, gt=0, allow_inf_nan=False)
    """Usual diameter of a cell in micrometres (empty: estimated from the image)."""
    diameter_px: float | None = Field(None, ge=4, le=4096, allow_inf_nan=False)
    """The same in pixels of the recording; not together with micrometres."""
    sensitivity: float = Field(0.5, ge=0.0, le=1.0)
    """From 0 (only what stands out clearly) to 1 (faint cells too, and more that are none)."""
    smoothing: float = Field(1.0, ge=0.0, le=4.0)
    """How much the image is smoothed and outlines are rounded; 1 suits most, 0 keeps every corner."""
    split_touching: bool = True
    """Part cells that touch, by their shape and the borders between them."""
    smallest: float = Field(0.35, gt=0.0, le=1.0)
    """Diameter of the smallest cell to keep, as a share of the usual one."""
    largest: float = Field(2.0, ge=1.0, le=10.0)
    """Diameter of the largest cell to keep, as a multiple of the usual one."""
    remove_at_border: bool = False
    """Leave out cells that touch the border of the image."""
    steady: bool = False
    """Keep only outlines that one in the frame before or after agrees with, in cells that move little (no preview)."""
    channel: int = Field(0, ge=0)
    """Channel to look at, counted from 0."""

    @model_validator(mode="after")
    def _one_diameter(self) -> OutlineSettings:
        if self.diameter_um is not None and self.diameter_px is not None:
            raise ValueError("give the cell diameter in micrometres or in pixels, not both")
        return self

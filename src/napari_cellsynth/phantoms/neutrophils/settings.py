"""What can be chosen about a simulated recording; loads neither torch nor scipy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class NeutrophilSettings(BaseModel):
    """A field of crawling neutrophils under DIC."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True, validate_default=True)

    frames: int = Field(48, ge=1, le=100_000)
    """Number of frames."""
    size: int = Field(256, ge=96, le=8192)
    """Side of the square field in pixels."""
    seed: int = Field(0, ge=0, le=2**31 - 1)
    """Number from which every random draw follows; both conditions of a seed have the same cells."""
    condition: Literal["normal", "inhibited"] = "normal"
    """Untreated cells, or cells treated with an inhibitor, which crawl, turn and ruffle less."""
    cells: int | None = Field(None, ge=1, le=60_000)
    """Number of cells (empty: as many as have room to crawl, about ten in 256 x 256 pixels)."""
    pixel_size: float = Field(0.25, ge=0.1, le=0.3)
    """Micrometres per pixel; a cell is about 11 micrometres long."""
    frame_interval: float = Field(1.0, gt=0.0, le=3.0)
    """Seconds from frame to frame; speeds are physical, and above 2 s the flow of many cell pixels is NaN."""
    shear_angle: float = Field(45.0, ge=-360.0, le=360.0)
    """Direction of the DIC shear in degrees, from +x (right) towards +y (down); slopes rising that way are bright."""
    contrast: float = Field(1.0, ge=0.0, le=2.0)
    """Factor on the optical path of everything seen; 1 resembles real cells, 0 leaves the empty background."""
    unevenness: float = Field(0.2, ge=0.0, le=0.5)
    """Peak-to-peak difference of the illumination over the field, as a fraction of its mean."""
    electrons: float = Field(1500.0, gt=0.0, le=3500.0)
    """Electrons a background pixel collects in a frame: fewer are noisier; above 2000 bright slopes saturate."""
    read_noise: float = Field(2.0, ge=0.0, le=100.0)
    """Standard deviation of the camera's read noise in electrons."""


@dataclass(frozen=True)
class Vigour:
    """How lively the cells of a condition are."""

    speed: float
    """Mean crawling speed in micrometres per minute."""
    turning: float
    """Standard deviation of the veering rate of a crawling cell in radians per second."""
    ruffling: float
    """Factor on shape changes and on the turning of the body, 1 for normal cells."""


VIGOUR = {
    # 10-20 um/min is what human neutrophils crawl on glass; that treated cells move less is figure 4 of
    # Pandhe, Rada and Quinn, "Generative spatiotemporal modeling of neutrophil behavior" (2018); how much is chosen.
    "normal": Vigour(speed=16.0, turning=0.03, ruffling=1.0),
    "inhibited": Vigour(speed=4.0, turning=0.02, ruffling=0.5),
}

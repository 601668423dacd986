"""What can be chosen about a simulated recording of trapped yeast; loads neither torch nor scipy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SIDE = 27.7
"""Micrometres of the square around one trap: 256 pixels of 0.108 um, a 60x objective on a camera of 6.5 um pixels."""
PITCH = 40.0
"""Micrometres from trap to trap in a field of several."""


class TrappedYeastSettings(BaseModel):
    """Budding yeast in a trap of two pillars, brightfield-like."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True, validate_default=True)

    frames: int = Field(24, ge=1, le=100_000)
    """Number of frames."""
    size: int = Field(256, ge=96, le=1024)
    """Side in pixels of the square around a trap; the field of a single trap is this square."""
    seed: int = Field(0, ge=0, le=2**31 - 1)
    """Number from which every random draw follows; both conditions of a seed start with the same cells."""
    condition: Literal["calm", "washed"] = "calm"
    """Cells stay until they grow out of the picture, or the flow takes some away and brings others."""
    wash: float | None = Field(None, ge=0.0, le=12.0)
    """Times an hour that the flow takes or brings a cell at a trap (empty: calm 0, washed 1.5)."""
    most: int = Field(8, ge=1, le=40)
    """Cells and buds that a trap shelters; of more, the flow carries off the outermost, in both conditions."""
    budding: Literal["either", "up", "down"] = "either"
    """Where the trapped mother's buds grow: away from the trap (up), into the gap of the pillars (down), or either."""
    doubling_time: float = Field(90.0, ge=45.0, le=600.0)
    """Minutes in which a cell and its bud double their volume, on average; cells differ by 8 %."""
    planes: int = Field(1, ge=1, le=9)
    """Number of z planes; with more than one the recording has a Z axis."""
    z_step: float = Field(2.0, gt=0.0, le=5.0)
    """Micrometres from plane to plane."""
    focus: float = Field(2.0, ge=-8.0, le=8.0)
    """Micrometres of the middle plane above the cells' middle: rims are dark above 0 and bright below."""
    traps: tuple[int, int] = (1, 1)
    """Rows and columns of traps in the field, 40 um apart; (1, 1) is a crop around a single trap."""
    empty: float = Field(0.0, ge=0.0, le=1.0)
    """Share of traps that hold no cell."""
    pixel_size: float | None = Field(None, ge=0.02, le=0.6)
    """Micrometres per pixel (empty: 27.7 um divided by the size, which shows the same square at every size)."""
    frame_interval: float = Field(600.0, ge=10.0, le=3600.0)
    """Seconds from frame to frame."""
    contrast: float = Field(1.0, ge=0.0, le=2.0)
    """Factor on all that stands out from the background; 1 resembles real recordings, 0 leaves the empty field."""
    unevenness: float = Field(0.03, ge=0.0, le=0.5)
    """Peak-to-peak difference of the illumination over the field, as a fraction of its mean."""
    electrons: float = Field(8000.0, gt=0.0, le=10_000.0)
    """Electrons a background pixel of 0.108 um collects in a frame (larger ones more): fewer are noisier."""
    read_noise: float = Field(2.0, ge=0.0, le=100.0)
    """Standard deviation of the camera's read noise in electrons."""


@dataclass(frozen=True)
class Wash:
    """What the flow does in a condition."""

    rate: float
    """Events per hour and trap, half of which take cells and half of which bring them."""


WASH = {"calm": Wash(rate=0.0), "washed": Wash(rate=1.5)}
"""The rate is chosen: the thesis says that one version has cells flushed in and out, the other as few as can be."""

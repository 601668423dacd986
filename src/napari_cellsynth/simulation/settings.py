"""What can be chosen about a simulated movie; loads neither torch nor scipy."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class SimulationSettings(BaseModel):
    """A movie of cells that look like given ones and move like given ones, with its labels, tracks and flow."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True, validate_default=True)

    cells: int = Field(30, ge=1, le=10_000)
    """Cells in the first frame, none over another."""
    frames: int = Field(120, ge=1, le=100_000)
    """Number of frames; frame k of a seed is the same in a shorter and in a longer movie."""
    height: int | None = Field(None, ge=32, le=16_384)
    """Height of the field in pixels (empty: that of the background, else 512)."""
    width: int | None = Field(None, ge=32, le=16_384)
    """Width of the field in pixels (empty: that of the background, else 512)."""
    seed: int = Field(0, ge=0, le=2**31 - 1)
    """Number from which every draw follows: places, paths, which cell looks how, noise."""
    touching: float = Field(0.0, ge=0.0, le=1.0)
    """Share of the cells that lie against another one in the first frame, as in a colony; the others lie anywhere."""
    at_border: Literal["replace", "turn"] = "replace"
    """A cell that has left the field is replaced by a new one, with a new number, that comes in on the other side; or
    cells turn back at the border."""
    crawl_over: bool = False
    """Let cells crawl over one another; otherwise those that come too near push each other away."""
    change: Literal["film", "still"] = "film"
    """Cells change their shape as in the recording where it shows them for several frames (from the last frame back to
    the first where the movie is longer), or keep the shape of one frame, for which the flow is true in every pixel."""
    as_cut: bool = False
    """Show cells only as they were cut out; otherwise mirrored and in quarter turns as well, where the kind of image
    has no direction (never in DIC)."""
    noise: float = Field(1.0, ge=0.0, le=10.0)
    """Noise as a multiple of the recording's own."""
    speed: float = Field(0.05, ge=0.0, le=2.0)
    """Only without fitted motion: step from frame to frame as a share of a cell's diameter."""
    persistence: float = Field(0.9, ge=0.0, lt=1.0)
    """Only without fitted motion: how much of a step goes on in the next, from 0 (none) towards 1 (straight on)."""

"""What can be chosen when outlines are linked to tracks."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Multiply = Literal["division", "budding", "none"]


class TrackSettings(BaseModel):
    """How outlines are linked from frame to frame; distances follow the cells' diameter unless they are given."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True, validate_default=True)

    multiply: Multiply = "division"
    """How cells multiply: by division (both daughters get new numbers), by budding (the bud gets a new number, the
    mother keeps hers), or not at all."""
    max_distance_um: float | None = Field(None, gt=0, allow_inf_nan=False)
    """How far a cell moves at most from one frame to the next, in micrometres (empty: the usual diameter of a cell)."""
    max_distance_px: float | None = Field(None, gt=0, allow_inf_nan=False)
    """The same in pixels; not together with micrometres."""
    gap: int = Field(2, ge=0, le=50)
    """Frames in a row for which a cell may have no outline and still be the same cell."""
    common_motion: bool = True
    """Leave the motion that most cells share (a stage that jumps) out of account while linking; positions stay as
    filmed."""
    shortest: int = Field(1, ge=1)
    """Leave out tracks with an outline in fewer frames than this."""
    numbered: bool = False
    """The outlines' numbers are the same cell in all frames already: keep them, link nothing."""

    @model_validator(mode="after")
    def _one_distance(self) -> TrackSettings:
        if self.max_distance_um is not None and self.max_distance_px is not None:
            raise ValueError("give the largest distance in micrometres or in pixels, not both")
        return self

"""What can be chosen when the traps of a chip are found, judged and cut out."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from napari_cellsynth.stack.modality import Modality
from napari_cellsynth.stack.traps.boxes import PixelBox


class TrapSettings(BaseModel):
    """How traps are found, which of their frames are taken, and what is held out.  Frames and planes count from 0."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True, validate_default=True)

    template: str | None = None
    """Box around one trap, without its cells as far as possible: ``y0:y1,x0:x1`` in pixels, the ends not included."""
    template_frame: int = Field(0, ge=0)
    """Frame in which the box was drawn, counted from 0; boxes of all frames are placed as they lie in this one."""
    template_z: int | None = Field(None, ge=0)
    """Plane of z in which traps are looked for, counted from 0 (empty: the middle one); all planes are cut out."""
    size: int = Field(256, ge=16, le=2048)
    """Pixels along each side of a finished crop."""
    box_um: float | None = Field(None, gt=0, allow_inf_nan=False)
    """Side of the square around each trap in micrometres, resampled to that size (empty: pixels as recorded)."""
    box_px: float | None = Field(None, ge=8, allow_inf_nan=False)
    """The same in pixels of the recording; not together with micrometres."""
    offset_y: int = Field(0, ge=-4096, le=4096)
    """Rows by which the middle of a crop lies below the middle of the template's box (less than 0: above)."""
    offset_x: int = Field(0, ge=-4096, le=4096)
    """Columns by which the middle of a crop lies to the right of the middle of the template's box."""
    threshold: float | None = Field(None, gt=0.0, lt=1.0)
    """Likeness to the template from which a place is a trap, up to 1 (empty: from the widest gap in the scores)."""
    stay: bool = False
    """Boxes stay where they are even where the stage moves; else they follow it once it moves by more than a pixel."""
    first: int = Field(0, ge=0)
    """First frame to look at, counted from 0."""
    last: int | None = Field(None, ge=0)
    """Last frame to look at, itself included (empty: the recording's last)."""
    max_cells: int = Field(7, ge=1)
    """Frames in which a trap's crop holds more cells than this are left away (needs outlines)."""
    max_filled: float = Field(0.45, gt=0.0, le=1.0)
    """Without outlines: frames in which more than this share of the crop differs from an empty trap are left away."""
    box_is_empty: bool = False
    """The boxed trap holds no cell in its frame: without outlines, other empty traps are known by it alone."""
    keep_empty: bool = False
    """Take frames without a cell, too."""
    washed: Literal["keep", "reject"] = "keep"
    """Keep cells being washed in and out (with randomness), or take the longest stretch without (no randomness)."""
    max_washed: float = Field(0.3, ge=0.0, le=1.0)
    """Traps are rejected where cells are washed in or out in more than this share of the steps, and more than twice."""
    min_frames: int = Field(3, ge=1)
    """Sequences of fewer frames are left away."""
    modality: Modality | None = None
    """How the image was made; decides how training may mirror it (empty: not known, so it may not)."""
    split: Literal["auto", "table", "traps"] = "auto"
    """Hold out as the recordings say, or whole traps (auto: traps unless whole recordings are held out)."""
    validation_fraction: float = Field(0.1, ge=0.0, lt=1.0)
    """Share of the traps that training looks at but does not learn from, where whole traps are held out."""
    test_fraction: float = Field(0.1, ge=0.0, lt=1.0)
    """Share of the traps kept for the final comparison, where whole traps are held out."""

    @field_validator("template")
    @classmethod
    def _a_box(cls, value: str | None) -> str | None:
        return None if value is None else str(PixelBox.parse(value))

    @model_validator(mode="after")
    def _fits_together(self) -> TrapSettings:
        if self.box_um is not None and self.box_px is not None:
            raise ValueError("give the box in micrometres or in pixels, not both")
        if self.last is not None and self.last < self.first:
            raise ValueError(f"frames {self.first} to {self.last} given; the last must not be before the first")
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError("validation and test together take everything; leave a share for training")
        return self

    @property
    def box(self) -> PixelBox | None:
        """The template's box."""
        return None if self.template is None else PixelBox.parse(self.template)

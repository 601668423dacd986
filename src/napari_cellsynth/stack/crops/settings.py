"""What can be chosen when single cells are cut out of a recording."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from napari_cellsynth.stack.modality import Modality
from napari_cellsynth.stack.recordings.holdout import HoldOut


class CropSettings(BaseModel):
    """How single cells are cut out, and what is held out."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True, validate_default=True)

    size: int = Field(64, ge=16, le=1024)
    """Pixels along each side of a finished crop: the size the model works at."""
    box_um: float | None = Field(None, gt=0, allow_inf_nan=False)
    """Side of the square cut out around each cell, in micrometres (empty: from the size of the cells)."""
    box_px: float | None = Field(None, ge=4, allow_inf_nan=False)
    """The same in pixels of the recording; not together with micrometres."""
    modality: Modality | None = None
    """How the image was made; decides whether training may mirror or turn it (empty: as the table of recordings says,
    else not known, so it may not)."""
    mask_neighbours: bool = False
    """Replace other outlined cells in the box by an estimate of the background around them."""
    max_neighbours: float = Field(1.0, ge=0.0, le=1.0)
    """Largest share of the box that other outlined cells may fill; 0 takes only cells that stand alone."""
    min_area: int = Field(20, ge=1)
    """Outlines of fewer pixels of the recording are refused."""
    channel: int = Field(0, ge=0)
    """Channel to cut from, counted from 0; not for recordings of a table, which says it."""
    z: int | None = Field(None, ge=0)
    """Plane to cut from, counted from 0 (empty: every plane that has outlines)."""
    every: int = Field(1, ge=1)
    """Take every n-th frame; more than 1 where cells hardly change from frame to frame."""
    holdout: Literal["auto", "recording", "position", "session", "time"] = "auto"
    """Hold out whole sessions (days), positions or recordings, or the last frames of each recording (auto: the first
    of these of which there are enough); where a table gives the parts, they are kept."""
    validation_fraction: float = Field(0.1, ge=0.0, lt=1.0)
    """Share of frames (or recordings) that training looks at but does not learn from."""
    test_fraction: float = Field(0.1, ge=0.0, lt=1.0)
    """Share of frames (or recordings) kept for the final comparison."""
    gap: int = Field(1, ge=0)
    """Frames left out between two parts held apart by time."""

    @model_validator(mode="after")
    def _one_box_and_something_to_learn_from(self) -> CropSettings:
        if self.box_um is not None and self.box_px is not None:
            raise ValueError("give the box in micrometres or in pixels, not both")
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError("validation and test together take everything; leave a share for training")
        return self

    @property
    def hold_out(self) -> HoldOut:
        """What these settings hold out of recordings that no table divided."""
        return HoldOut(
            by=self.holdout,
            validation_fraction=self.validation_fraction,
            test_fraction=self.test_fraction,
            gap=self.gap,
        )

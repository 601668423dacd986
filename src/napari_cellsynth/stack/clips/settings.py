"""What can be chosen when clips are cut out of recordings."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from napari_cellsynth.stack.modality import Modality


class ClipSettings(BaseModel):
    """How long and how large clips are, where they begin, and which are left out."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True, validate_default=True)

    frames: int = Field(10, ge=1, le=100_000)
    """Frames in a clip."""
    read: int | None = Field(None, ge=1)
    """Frames of a clip that training reads, from its first (empty: all of them)."""
    for_flow: bool = False
    """Add one frame to each clip, so that all its frames have a flow: n flows need n + 1 frames."""
    every: int = Field(1, ge=1)
    """Take every n-th frame; more than 1 where cells hardly move from frame to frame."""
    step: int | None = Field(None, ge=1)
    """Frames of the recording from the start of a clip to the start of the next at the same place (empty: as long as a
    clip is, so that they share no frame)."""
    size: int = Field(128, ge=8, le=4096)
    """Pixels along each side of a finished clip: the size the model works at."""
    box_um: float | None = Field(None, gt=0, allow_inf_nan=False)
    """Side of the square cut out of the recording, in micrometres (empty: as many pixels as a clip has)."""
    box_px: float | None = Field(None, ge=4, allow_inf_nan=False)
    """The same in pixels of the recording; not together with micrometres."""
    overlap: float = Field(0.25, ge=0.0, lt=1.0)
    """Share of its side that a clip has in common with the next: 0.25 begins one every 0.75 sides."""
    leave_rest: bool = False
    """Do not use what is left over at the right and the bottom, as published; else clips move a little closer together
    so that the last ends at the border."""
    margin: int = Field(0, ge=0)
    """Pixels at the border of the recording that no clip holds."""
    min_content: float = Field(0.02, ge=0.0, le=1.0)
    """Leave clips out as empty where less than this share of their area shows anything (0: keep all)."""
    channels: Literal["apart", "together"] = "apart"
    """Channels of one recording are clips of their own, or the channels of one clip."""
    modality: Modality | None = None
    """How the images were made; decides whether training may mirror or turn them (empty: as the recordings say)."""

    @model_validator(mode="after")
    def _one_box_and_frames_to_read(self) -> ClipSettings:
        if self.box_um is not None and self.box_px is not None:
            raise ValueError("give the box in micrometres or in pixels, not both")
        if self.read is not None and self.read > self.frames:
            raise ValueError(
                f"reading {self.read} of {self.frames} frames asked for; read at most as many as there are"
            )
        return self

    @property
    def stored(self) -> int:
        """Frames in the file for each clip."""
        return self.frames + int(self.for_flow)

    @property
    def span(self) -> int:
        """Frames of the recording from the first of a clip to its last, both counted."""
        return (self.stored - 1) * self.every + 1

    @property
    def time_step(self) -> int:
        """Frames of the recording from one clip's start to the next's."""
        return self.step if self.step is not None else self.frames * self.every

"""What can be chosen when it is asked whether simulated frames are useful; loads nothing heavy."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from napari_cellsynth.stack.modality import Modality


class UsefulSettings(BaseModel):
    """How thoroughly it is tried whether simulated frames help a segmentation."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True, validate_default=True)

    frames: tuple[int, ...] = (1, 2, 5, 10)
    """Numbers of real frames with labels; those that there are not are left out."""
    seeds: int = Field(3, ge=1, le=20)
    """Repetitions, each with other frames, other simulated ones and other first weights."""
    simulated: int = Field(32, ge=4, le=10_000)
    """Simulated frames that are learned from, as large as the pieces of real ones."""
    steps: int = Field(400, ge=10, le=1_000_000)
    """Steps of each training, the same for all."""
    preset: str = "tiny"
    """Preset of the segmentation that is trained; small, since many are."""
    family: str = "segmentation"
    """Method that is trained."""
    modality: Modality | None = None
    """How the frames were filmed, where their training set does not say; decides whether they may be mirrored and
    turned, and how outlines without training are looked for (empty: nothing is mirrored or turned)."""

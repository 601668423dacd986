"""What can be chosen when motion is fitted."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from napari_cellsynth.motion.shake import Wish

Reading = Literal["cell", "joint"]


class MotionSettings(BaseModel):
    """How an autoregressive process is fitted to tracks."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True, validate_default=True)

    reading: Reading = "cell"
    """What is observed: the last displacements of one cell, whichever it is (cell), or the positions of all cells
    together (joint, as published)."""
    max_q: int = Field(10, ge=2, le=32)
    """Largest size of the subspace that is tried; the smallest is 2."""
    max_d: int = Field(10, ge=1, le=32)
    """Largest number of earlier frames that the next state is predicted from; the smallest is 1."""
    window: int = Field(8, ge=1, le=64)
    """Displacements that are observed together, in the reading of single cells."""
    choose: Literal["auto", "least", "fewest"] = "auto"
    """Keep the fit with the least held-out error, or the one with the fewest coefficients whose error is within one
    standard error of it (auto: the least for single cells, whose simulation is then nearer; the fewest jointly)."""
    shared_motion: Wish = "auto"
    """What all cells of a field do together: take it out where the stage shook, which is told from cells that drift
    (auto), leave all in (keep), or take all of it out, a drift as well (remove)."""
    held_out: float = Field(0.25, gt=0.0, lt=1.0)
    """Share of the cells (of the time, in the joint reading) that fits are judged by and do not learn from."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Which cells are held out follows from it."""

    @property
    def fewest(self) -> bool:
        """Whether few coefficients count more than the last part of the error."""
        return self.choose == "fewest" or (self.choose == "auto" and self.reading == "joint")

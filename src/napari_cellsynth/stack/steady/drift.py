"""The path of the stage, and what is left of a recording when it is taken out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cellsynth.errors import BadInput


@dataclass(frozen=True, eq=False)
class Drift:
    """By how much each frame is displaced.

    What lies at p in the steady recording lies at ``p + offsets[t]`` in frame
    t of the recording as it was made.
    """

    offsets: NDArray[np.float64]
    """(T, 2) dy, dx in pixels, for each frame counted from 0."""
    subpixel: bool = False
    """Move by fractions of a pixel, which needs interpolation; else by the nearest whole pixel, which changes no
    value."""

    def __post_init__(self) -> None:
        offsets = np.array(self.offsets, np.float64)
        if offsets.ndim != 2 or offsets.shape[1] != 2 or not len(offsets) or not np.isfinite(offsets).all():
            raise BadInput(f"offsets of shape {offsets.shape} given; expected finite numbers (frames, 2): dy, dx")
        offsets.flags.writeable = False
        object.__setattr__(self, "offsets", offsets)

    @property
    def applied(self) -> NDArray[np.float64]:
        """(T, 2) the offsets as they are applied: whole numbers unless ``subpixel``."""
        return self.offsets if self.subpixel else np.rint(self.offsets)

    @property
    def frames(self) -> int:
        return len(self.offsets)

    @property
    def still(self) -> bool:
        """Whether nothing moves when it is applied."""
        return not self.applied.any()

    def at(self, t: ArrayLike) -> NDArray[np.float64]:
        """Applied offsets of frames ``t``, of any shape; before the first and beyond the last frame those hold."""
        frames = np.clip(np.rint(np.asarray(t, np.float64)), 0, self.frames - 1).astype(np.int64)
        return self.applied[frames]

    def valid(self, shape: tuple[int, int]) -> tuple[int, int, int, int]:
        """(y0, y1, x0, x1), half open, of the steady recording: what every frame of (Y, X) shows.

        BadInput where no pixel is in all frames.
        """
        low, high = np.floor(self.applied.min(0)).astype(int), np.ceil(self.applied.max(0)).astype(int)
        (y0, x0), (y1, x1) = np.maximum(-low, 0), np.array(shape) - np.maximum(high, 0)
        if y1 <= y0 or x1 <= x0:
            raise BadInput(
                f"the stage moves over {np.ptp(self.applied, axis=0).max():.0f} px, so that no pixel of"
                f" {shape[0]} x {shape[1]} is in all frames; take fewer frames"
            )
        return int(y0), int(y1), int(x0), int(x1)

    def take(self, frames: ArrayLike) -> Drift:
        """Of some of the frames, in their order."""
        return replace(self, offsets=self.offsets[np.asarray(frames, np.int64)])

    def to_json(self) -> dict[str, Any]:
        return {"offsets": self.offsets.round(4).tolist(), "subpixel": self.subpixel}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Drift:
        """From what ``to_json`` gave; BadInput for anything else."""
        try:
            return cls(np.asarray(record["offsets"], np.float64), bool(record.get("subpixel", False)))
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"no record of a drift: {error}") from error

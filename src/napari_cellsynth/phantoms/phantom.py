"""What a simulated recording consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.stack.stack import Stack

Progress = Callable[[int, int], None]
"""Told how much is done, and of how much."""


@dataclass(frozen=True, eq=False)
class Phantom:
    """A simulated recording and its exact ground truth."""

    stack: Stack
    """The noisy recording, axes TYX, or TZYX where there are several planes, with pixel size and frame interval."""
    labels: NDArray[np.uint16 | np.uint32]
    """(T, Y, X) instance ids, constant through time; 0 is background.  uint32 where 16 bits hold too few."""
    tracks: Tracks
    """Numbers equal to those of the labels; positions are their centroids."""
    flow: NDArray[np.float32]
    """(T - 1, 2, Y, X) backward flow in pixels, channel 0 dx and 1 dy; entry t belongs to frame t + 1
    and points into frame t: ``clean[t + 1](p) = clean[t](p + flow[t](p))``.  NaN where there is no true flow."""
    clean: NDArray[np.float32]
    """(T, Y, X), or (T, Z, Y, X) as the stack: the frames without noise, in the stack's counts."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """What it was made with, name, condition and seed among it; JSON."""
    classes: NDArray[np.uint8] | None = None
    """(T, Y, X) 0 background, 1 trap, 2 cell of interest, 3 other cell; None where the phantom has no classes."""

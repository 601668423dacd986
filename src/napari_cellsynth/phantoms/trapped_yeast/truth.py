"""Flow only where it is true, for cells that grow among still pillars."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.phantoms.truth import TOLERANCE, change_along


def only_where_true(
    flow: NDArray[np.float32], labels: NDArray[np.uint16], clean: NDArray[np.float32]
) -> NDArray[np.float32]:
    """NaN where a flow (2, Y, X) from one frame to the next is not what the pixels did.

    Pillars and background stand still: their flow is 0, but NaN where a cell was a frame before, and where its halo
    came or went.  In cells it is the motion of their matter, growth included, but NaN where a cell was
    not there before (the flow brought it, or it is a bud's first frame), where it came from outside the field, and
    where brightness changed by more than ``TOLERANCE`` of the frame's range on the way, in any plane.

    Args:
        labels: (2, Y, X) of the earlier and the later frame.
        clean: (2, Z, Y, X) of the earlier and the later frame.
    """
    uncovered = (labels[0] > 0) & (labels[1] == 0)
    untrue = uncovered | ~np.isfinite(flow).all(axis=0)
    known = np.where(untrue, np.float32(0), flow)
    for before, after in zip(clean[0], clean[1], strict=True):
        untrue |= change_along(known, (before, after)) > TOLERANCE * min(np.ptp(before), np.ptp(after))
    return np.where(untrue, np.float32(np.nan), flow)

"""Ground truth from the motion itself: flow only where it is true."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 0.018
"""Largest change of brightness along the flow, as a fraction of the clean frame's range; beyond it the flow is NaN."""


def only_where_true(
    flow: NDArray[np.float32],
    labels: tuple[NDArray[np.uint16], NDArray[np.uint16]],
    clean: tuple[NDArray[np.float32], NDArray[np.float32]],
    reach: int,
) -> NDArray[np.float32]:
    """NaN where a flow (2, Y, X) from one frame's clean image to the next is not what the pixels did.

    Those are background that a cell covers, uncovers or lends light to (within
    ``reach`` pixels of a cell in either frame), places that came from outside the
    field, and pixels whose brightness changed by more than ``TOLERANCE`` of the
    frame's range while they moved, since the shading of what turns or bends
    changes under a fixed shear.

    Args:
        labels: of the earlier and the later frame.
        clean: of the earlier and the later frame.
    """
    from scipy.ndimage import binary_dilation

    before, after = labels
    near = binary_dilation((before > 0) | (after > 0), iterations=reach)
    untrue = (near & (after == 0)) | (change_along(flow, clean) > TOLERANCE * min(np.ptp(frame) for frame in clean))
    return np.where(untrue, np.float32(np.nan), flow)


def change_along(
    flow: NDArray[np.float32], clean: tuple[NDArray[np.float32], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Largest change of brightness (Y, X) along the flow, by linear and by cubic interpolation; inf from outside."""
    from scipy.ndimage import map_coordinates

    before, after = clean
    change = np.abs(before - after)
    # Only what moved needs interpolating: most of a field stands still.
    rows, columns = np.nonzero(flow.any(axis=0))
    at = np.stack([rows + flow[1, rows, columns], columns + flow[0, rows, columns]])
    side = np.array(after.shape).reshape(2, 1) - 1
    outside = ((at < 0) | (at > side)).any(axis=0)
    moved = [map_coordinates(before, at, order=order, mode="nearest") for order in (1, 3)]
    miss = np.maximum(*(np.abs(values - after[rows, columns]) for values in moved))
    change[rows, columns] = np.where(outside, np.inf, miss)
    return change

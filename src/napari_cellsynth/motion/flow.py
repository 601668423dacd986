"""The one convention of optical flow, and the way to and from others.

Flow is ``(dx, dy)`` in pixels per frame, backward: ``out(p) = frame(p + flow(p))``,
so the flow that belongs to frame t + 1 points into frame t.  NaN stands where
there is no flow.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput

Number = TypeVar("Number", bound=np.generic)


def swap_row_column(flow: NDArray[Number], *, axis: int = -3) -> NDArray[Number]:
    """From ``(dx, dy)`` to ``(row, column)`` and back: the two components change places.

    scikit-image's ``optical_flow_tvl1(frame_t1, frame_t)`` and napari speak of
    (row, column); the former's flow, swapped, is ours: it too points from its
    first image into its second.

    Args:
        flow: (..., 2, Y, X) pixels per frame, or with the two components on another ``axis``.
        axis: where the two components are.

    Returns:
        A new array of the same shape and dtype.

    Raises:
        BadInput: that axis does not hold two components.
    """
    if flow.ndim < abs(axis) or flow.shape[axis] != 2:
        raise BadInput(
            f"flow of shape {flow.shape} given; axis {axis} must hold the two components: expected (..., 2, Y, X)"
        )
    return np.ascontiguousarray(np.flip(flow, axis=axis))

"""Points, tracks and flow found in a stabilised recording, in the recording's own coordinates; and the other way."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.steady.drift import Drift


def restore_points(points: ArrayLike, drift: Drift, *, origin: tuple[float, float] = (0.0, 0.0)) -> NDArray[np.float64]:
    """Points (N, 3 or more) whose last columns are t, y, x; what stands before them (an id, say) stays.

    napari's Points and Tracks are such arrays.  ``origin`` is the corner
    (y, x) of a cropped recording, as ``drift.valid`` has it.
    """
    return _moved(points, drift, origin, 1)


def stabilise_points(
    points: ArrayLike, drift: Drift, *, origin: tuple[float, float] = (0.0, 0.0)
) -> NDArray[np.float64]:
    """From the recording's own coordinates to those of the stabilised one."""
    return _moved(points, drift, origin, -1)


def restore_flow(flow: NDArray[np.floating], drift: Drift, *, first: int = 0) -> NDArray[np.floating]:
    """Flow (N, 2, Y, X), (dx, dy), backward, back in the recording's coordinates: the stage's own motion is added.

    Entry n belongs to the recording's frame ``first + n + 1`` and points into
    the one before.  It is moved with its frame, to the nearest pixel, and
    ``offsets[t] - offsets[t + 1]`` is added; NaN where the stabilised frame
    showed nothing.
    """
    if flow.ndim != 4 or flow.shape[1] != 2:
        raise BadInput(f"flow of shape {flow.shape} given; expected (frames - 1, 2, Y, X) with dx and dy")
    made = np.full(flow.shape, np.nan, flow.dtype if flow.dtype.kind == "f" else np.float32)
    for n, one in enumerate(flow):
        before, after = drift.at(first + n), drift.at(first + n + 1)
        (dy, dx), (h, w) = (int(v) for v in np.rint(after)), one.shape[-2:]
        kept = one[:, max(0, -dy) : h + min(0, -dy), max(0, -dx) : w + min(0, -dx)]
        stage = (before - after)[::-1].reshape(2, 1, 1)
        rows, columns = slice(max(0, dy), max(0, dy) + kept.shape[1]), slice(max(0, dx), max(0, dx) + kept.shape[2])
        made[n, :, rows, columns] = kept + stage
    return made


def _moved(points: ArrayLike, drift: Drift, origin: tuple[float, float], sign: int) -> NDArray[np.float64]:
    made = np.array(points, np.float64)
    if made.ndim != 2 or made.shape[1] < 3:
        raise BadInput(f"points of shape {made.shape} given; expected (points, 3 or more), ending with t, y, x")
    made[:, -2:] += sign * (drift.at(made[:, -3]) + np.asarray(origin, np.float64))
    return made

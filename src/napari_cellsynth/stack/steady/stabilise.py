"""A recording without the stage's motion, and back again; plane by plane, nothing is read before it is asked for."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.provenance import STABILISED, provenance_block
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.steady.drift import Drift

Border = Literal["crop", "edge", "zero"]
"""What is made of pixels that a frame does not show: left out of all frames, the nearest one it shows, or 0."""
KEY = STABILISED
"""Key in the settings of the provenance block under which the drift stands."""
SPLINE = 3
"""Order of the interpolation for fractions of a pixel."""


def stabilise(stack: Stack, drift: Drift, *, border: Border = "edge") -> Stack:
    """The recording as if the stage had stood still where it was in its first frame.

    ``out[t](p) = frame[t](p + drift.applied[t])``.  Whole pixels, the
    default, change no value; fractions (``drift.subpixel``) are
    interpolated by cubic splines, rounded and kept within the dtype.
    Pixels that a frame does not show are made up from its edge (or 0), or
    with ``border="crop"`` all frames lose them: what is left is
    ``drift.valid``.  The dtype stays, axes and scale too.

    Raises
    ------
    BadInput
        Where the drift is of another number of frames, or nothing is left.
    """
    return _moved(stack, drift, border, 1, labels=False)


def stabilise_labels(labels: Stack, drift: Drift, *, border: Border = "zero") -> Stack:
    """Outlines of the recording moved as its pixels are, to the nearest pixel: no number changes."""
    return _moved(labels, drift, border, 1, labels=True)


def restore(
    stack: Stack, drift: Drift, *, shape: tuple[int, int] | None = None, first: int = 0, border: Border = "zero"
) -> Stack:
    """What was made from a stabilised recording, back in the recording's own coordinates.

    ``out[t](q) = frame[t](q - drift.applied[first + t])``: the inverse of
    :func:`stabilise`, exact for every pixel that both show where pixels move
    as wholes.

    Parameters
    ----------
    shape
        (Y, X) of the recording, where ``stack`` was made from a cropped one:
        it is put back in its place first.
    first
        The recording's frame, counted from 0, that the first of ``stack``
        belongs to.  Beyond the last frame the stage stays where it was then.
    border
        What is put where the stabilised recording showed nothing.
    """
    return _back(stack, drift, shape, first, border, labels=False)


def restore_labels(labels: Stack, drift: Drift, *, shape: tuple[int, int] | None = None, first: int = 0) -> Stack:
    """The same for outlines, to the nearest pixel; 0 where there was nothing."""
    return _back(labels, drift, shape, first, "zero", labels=True)


def drift_of(stack: Stack) -> Drift | None:
    """The drift that was taken out of a stack, by its provenance block; None where it was not stabilised."""
    settings = (stack.provenance or {}).get("settings") or {}
    return Drift.from_json(settings[KEY]["drift"]) if KEY in settings else None


def _back(
    stack: Stack, drift: Drift, shape: tuple[int, int] | None, first: int, border: Border, *, labels: bool
) -> Stack:
    if border == "crop":
        raise BadInput("border 'crop' given; outputs go back to the whole frame: choose 'zero' or 'edge'")
    frames = np.arange(first, first + stack.size("T")).clip(0, drift.frames - 1)
    if shape is not None and tuple(stack.shape[-2:]) != tuple(shape):
        stack = _in_place(stack, drift, shape, border)
    return _moved(stack, drift.take(frames), border, -1, labels=labels)


def _in_place(stack: Stack, drift: Drift, shape: tuple[int, int], border: Border) -> Stack:
    """A cropped stack where it was in frames of ``shape``."""
    import dask.array as da

    y0, y1, x0, x1 = drift.valid(shape)
    if stack.shape[-2:] != (y1 - y0, x1 - x0):
        raise BadInput(
            f"{stack.name} has frames of {stack.shape[-2]} x {stack.shape[-1]} pixels; expected"
            f" {shape[0]} x {shape[1]}, or {y1 - y0} x {x1 - x0} as in the cropped recording"
        )
    room = ((0, 0),) * (len(stack.axes) - 2) + ((y0, shape[0] - y1), (x0, shape[1] - x1))
    mode = "edge" if border == "edge" else "constant"
    return stack.with_(data=da.pad(_planes(stack), room, mode=mode).rechunk((*(1,) * (len(stack.axes) - 2), -1, -1)))


def _moved(stack: Stack, drift: Drift, border: Border, sign: int, *, labels: bool) -> Stack:
    if border not in ("crop", "edge", "zero"):
        raise BadInput(f"border {border!r} given; choose 'crop', 'edge' or 'zero'")
    if "Q" in stack.axes:
        raise BadInput(f"{stack.name} holds samples (axis Q); choose one of them first")
    if stack.size("T") != drift.frames:
        raise BadInput(f"a drift over {drift.frames} frames given for {stack.name}, which has {stack.size('T')}")
    shape = stack.shape[-2:]
    y0, y1, x0, x1 = drift.valid((shape[0], shape[1])) if border == "crop" else (0, shape[0], 0, shape[1])
    offsets = np.rint(drift.applied) if labels else drift.applied
    move = _by_fractions if drift.subpixel and not labels else _by_wholes
    planes = _planes(stack)
    axis = stack.axes.find("T")

    def one(block: NDArray[Any], block_info: Any = None) -> NDArray[Any]:
        t = block_info[0]["array-location"][axis][0] if axis >= 0 else 0
        plane = block.reshape(block.shape[-2:])
        moved = move(plane, sign * offsets[t], "edge" if border == "crop" else border)
        return moved[y0:y1, x0:x1].reshape((*block.shape[:-2], y1 - y0, x1 - x0))

    chunks = (*planes.chunks[:-2], (y1 - y0,), (x1 - x0,))
    data = planes.map_blocks(one, dtype=stack.dtype, chunks=chunks, meta=np.empty((0,) * planes.ndim, stack.dtype))
    origin = (y0, x0) if border == "crop" else (0, 0)
    return stack.with_(data=data, provenance=_told(stack, drift, border, origin, sign), path=None)


def _planes(stack: Stack) -> Any:
    import dask.array as da

    array = stack.data if isinstance(stack.data, da.Array) else da.from_array(stack.data, chunks=-1)
    return array.rechunk((*(1,) * (array.ndim - 2), -1, -1))


def _by_wholes(plane: NDArray[Any], offset: NDArray[np.float64], border: Border) -> NDArray[Any]:
    """``out(p) = plane(p + offset)`` for whole offsets."""
    (dy, dx), (h, w) = (int(n) for n in offset), plane.shape
    if abs(dy) >= h or abs(dx) >= w:
        dy, dx = int(np.clip(dy, -h, h)), int(np.clip(dx, -w, w))
    if border == "edge":
        return np.asarray(plane[np.clip(np.arange(h) + dy, 0, h - 1)][:, np.clip(np.arange(w) + dx, 0, w - 1)])
    made = np.zeros_like(plane)
    kept = plane[max(0, dy) : h + min(0, dy), max(0, dx) : w + min(0, dx)]
    made[max(0, -dy) : max(0, -dy) + kept.shape[0], max(0, -dx) : max(0, -dx) + kept.shape[1]] = kept
    return made


def _by_fractions(plane: NDArray[Any], offset: NDArray[np.float64], border: Border) -> NDArray[Any]:
    """The same for any offset, by cubic splines."""
    from scipy import ndimage

    exact = plane.astype(np.float64)
    mode = "nearest" if border == "edge" else "constant"
    moved = ndimage.shift(exact, -offset, order=SPLINE, mode=mode, cval=0.0)
    if plane.dtype.kind in "iu":
        limits = np.iinfo(plane.dtype)
        moved = np.clip(np.rint(moved), limits.min, limits.max)
    elif plane.dtype.kind == "b":
        moved = moved >= 0.5
    return np.asarray(moved.astype(plane.dtype))


def _told(stack: Stack, drift: Drift, border: Border, origin: tuple[int, int], sign: int) -> dict[str, Any]:
    """The provenance block, with the drift, so that outputs find the way back."""
    before = stack.provenance or {}
    if sign < 0:
        rest = {key: value for key, value in (before.get("settings") or {}).items() if key != KEY}
        settings = {**rest, "restored": True}
    else:
        told = {"drift": drift.to_json(), "border": border, "origin": list(origin), "shape": list(stack.shape[-2:])}
        settings = {**(before.get("settings") or {}), KEY: told}
    made_by = before.get("made_by") or ("stabilise" if sign > 0 else "restore")
    block = provenance_block(made_by=made_by, synthetic=bool(before.get("synthetic")), settings=settings)
    return {**before, **block}

"""Outlines of cells: an integer image of the recording's shape, 0 for background."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.read import describe_file, read_stack
from napari_cellsynth.stack.stack import Stack

_ADVICE = {
    ".npy": "a NumPy file (Cellpose's _seg.npy is a pickle, which can run code); save the masks as TIFF (_masks.tif)",
    ".npz": "a NumPy archive; save the labels as TIFF",
    ".zip": "an archive (of Fiji ROIs?); in Fiji make a label image of the ROIs and save it as TIFF",
    ".roi": "a Fiji ROI; in Fiji make a label image of the ROIs and save it as TIFF",
    ".png": "PNG; save the labels as TIFF",
}

JUDGED = 4096
"""Pixels with a number that a frame needs for ``is_picture`` to judge it."""


def read_labels(path: str | Path, like: Stack) -> Stack:
    """Labels for ``like``: axes as it has without C, the same T, Z, Y and X, integers, its scale.

    A file that does not name its axes takes those of ``like`` where the
    shape is the same.  BadInput where shape or type does not fit,
    or where the file holds a picture of cells instead of their outlines.
    """
    path = Path(path)
    if path.suffix.lower() in _ADVICE and path.is_file():
        raise BadInput(f"{path.name} is {_ADVICE[path.suffix.lower()]}")
    labels = _read(path, like)
    check_labels(labels, like)
    if is_picture(labels.frame(0)):
        raise BadInput(
            f"the pixels of {labels.name} look like a picture, not like outlines: nearly each has another number;"
            " give the label image, a number for each cell and 0 between them"
        )
    return labels.with_(pixel_size=like.pixel_size, z_step=like.z_step, frame_interval=like.frame_interval)


def check_labels(labels: Stack, like: Stack) -> None:
    """BadInput where ``labels`` do not fit the recording ``like``, in one line that says how."""
    if labels.dtype.kind == "f":
        raise BadInput(
            f"{labels.name} is {labels.dtype.name}; labels are integers: convert it to 16 bit without scaling (in Fiji"
            " uncheck 'Scale when converting')"
        )
    if labels.dtype.kind == "b":
        raise BadInput(f"{labels.name} is a yes/no mask; labels give each cell a number of its own: label it first")
    if "C" in labels.axes and labels.size("C") > 1:
        raise BadInput(f"{labels.name} has {labels.size('C')} channels; labels have one")
    wrong = [a for a in "TZYX" if labels.size(a) != like.size(a)]
    if wrong or "Q" in labels.axes + like.axes:
        raise BadInput(
            f"{labels.name} ({labels.axes} {labels.shape}) does not fit {like.name} ({like.axes} {like.shape});"
            f" expected the same {', '.join(wrong) or 'axes, without samples'}"
        )


def is_picture(plane: np.ndarray) -> bool:
    """Whether a plane (Y, X) holds grey levels, not labels: most numbered pixels differ from the next, down and right.

    Nearly all pixels of a label are beside one of the same label; of noisy
    grey levels few are.  Smooth pictures pass, and nothing is said of planes
    with few numbered pixels.
    """
    if np.count_nonzero(plane) < JUDGED:
        return False
    pairs = ((plane[:, :-1], plane[:, 1:]), (plane[:-1], plane[1:]))
    return bool(max(np.mean((one == other)[one != 0]) for one, other in pairs if one.any()) < 0.5)


def _read(path: Path, like: Stack) -> Stack:
    """In the axes of ``like`` without C."""
    described = describe_file(path)
    axes = like.axes.replace("C", "")
    shape = tuple(like.size(a) for a in axes)
    # A mask movie saved as z stack, or unnamed, is told by its shape: no other reading fits.
    if described.axes != axes and described.shape == shape:
        return read_stack(path, axes=axes).with_(notes=())
    if described.axes is None:
        raise BadInput(
            f"{path.name} of shape {described.shape} does not fit {like.name}; expected {axes} of shape {shape}"
        )
    labels = read_stack(path)
    if labels.axes != axes and all(labels.size(a) == like.size(a) for a in "TZYX") and labels.size("C") == 1:
        data = labels.data.reshape(shape).rechunk((*(1,) * (len(axes) - 2), -1, -1))
        return labels.with_(data=data, axes=axes, channels=())
    return labels

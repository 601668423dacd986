"""Outlines of cells for a recording, from whatever file or folder they lie in."""

from __future__ import annotations

from pathlib import Path

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.read import describe_file, read_stack
from napari_cellsynth.stack.labels.check import check_labels, is_picture
from napari_cellsynth.stack.labels.folders import read_mask_folder
from napari_cellsynth.stack.labels.rois import read_rois
from napari_cellsynth.stack.stack import Stack

_ADVICE = {
    ".npy": "a NumPy file (Cellpose's _seg.npy is a pickle, which can run code); in Cellpose save the masks as PNG or"
    " TIFF instead (_cp_masks), and give that file or its folder",
    ".npz": "a NumPy archive; save the labels as TIFF",
}
_ROIS = (".zip", ".roi")


def read_labels(path: str | Path, like: Stack) -> Stack:
    """Labels for ``like``: axes as it has without C, the same T, Z, Y and X, integers, its scale.

    ``path`` is a label image or movie (TIFF, OME-Zarr, PNG), a folder of
    masks with a file for each frame (Cellpose, the Cell Tracking Challenge,
    any numbered ones), a Fiji ROI or an archive of them.  A file that does
    not name its axes takes those of ``like`` where the shape is the same.
    A frame without a file or a ROI has no outlines, which a note says.
    BadInput where shape or type does not fit, or where the file holds a
    picture of cells instead of their outlines.
    """
    path = Path(path)
    if not path.exists():
        raise BadInput(f"{path} does not exist; give a label image, a number for each cell and 0 between them")
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


def _read(path: Path, like: Stack) -> Stack:
    """In the axes of ``like`` without C."""
    if path.suffix.lower() in _ROIS and path.is_file():
        return read_rois(path, like)
    if path.is_dir() and (found := read_mask_folder(path, like)) is not None:
        return found
    return _read_image(path, like)


def _read_image(path: Path, like: Stack) -> Stack:
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

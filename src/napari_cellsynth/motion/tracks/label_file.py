"""Outlines numbered by track, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.stack.files.write import write_plain_tiff
from napari_cellsynth.stack.stack import Stack


def write_tracked(path: Path, labels: Stack, highest: int) -> Path:
    """Plain TIFF (T, Y, X) in the smallest type that holds ``highest``, as a phantom's labels; frame by frame."""
    scale = {"pixel_size": labels.pixel_size, "frame_interval": labels.frame_interval}
    about = {**(labels.provenance or {}), "kind": "labels", "axes": "TYX", **scale}
    return write_plain_tiff(path, _Frames(labels, np.uint16 if highest <= 65535 else np.uint32), about)


class _Frames:
    """A stack as an array of another type, a frame of it in memory at a time."""

    def __init__(self, labels: Stack, dtype: Any) -> None:
        self.labels, self.dtype = labels, np.dtype(dtype)
        self.shape = tuple(labels.size(axis) for axis in "TYX")
        self.ndim = 3

    def __getitem__(self, t: int) -> NDArray[Any]:
        return self.labels.frame(t).astype(self.dtype)

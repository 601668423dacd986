"""Labels in which a number is the same cell in all frames; each frame is renumbered when it is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.stack.stack import Stack, with_source

Numbers = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Numbers in a frame, ascending, and what each becomes."""


def relabelled(labels: Stack, numbers: Sequence[Numbers]) -> Stack:
    """``labels`` (axes TYX) with new numbers, int32, lazily; what has no new number becomes background."""
    import dask.array as da

    planes = Relabelled(labels, numbers)
    data = da.from_array(planes, chunks=(1, *planes.shape[1:]), name=None, asarray=True, fancy=False, inline_array=True)
    return labels.with_(data=with_source(data, planes), axes="TYX", name=f"{labels.name}, tracked")


class Relabelled:
    """Array-like (T, Y, X), int32."""

    def __init__(self, labels: Stack, numbers: Sequence[Numbers]) -> None:
        self.labels, self.numbers = labels, numbers
        self.shape = tuple(labels.size(axis) for axis in "TYX")
        self.ndim, self.dtype = 3, np.dtype(np.int32)

    def __dask_tokenize__(self) -> str:
        return uuid4().hex

    def __getitem__(self, key: Any) -> NDArray[np.int32]:
        from napari_cellsynth.stack.files.planes import full_key

        frames, *inner = full_key(key, 3)
        chosen = np.arange(self.shape[0])[frames]
        read = [self.frame(int(t)) for t in np.atleast_1d(chosen)]
        whole = np.stack(read) if read else np.empty((0, *self.shape[1:]), np.int32)
        whole = whole[(slice(None), *inner)]
        return whole if np.ndim(chosen) else whole[0]

    def frame(self, t: int) -> NDArray[np.int32]:
        old, new = self.numbers[t]
        plane = self.labels.frame(t)
        if not len(old):
            return np.zeros(plane.shape, np.int32)
        place = np.minimum(np.searchsorted(old, plane), len(old) - 1)
        return np.where(old[place] == plane, new[place], 0).astype(np.int32)

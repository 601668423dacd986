"""What every kind of file hands out: an array-like that reads a piece when asked, and its axes in our order."""

from __future__ import annotations

from math import prod
from typing import Any, Protocol
from uuid import uuid4

import numpy as np

PROBED = 2**28
"""Bytes of a plane up to which it is read when a file is opened, to find damage at once."""


class Planes(Protocol):
    """Array-like over the pixels of a file: shape, dtype and reading by index; above it nobody knows the format."""

    shape: tuple[int, ...]
    ndim: int
    dtype: np.dtype[Any]

    def __getitem__(self, key: Any) -> np.ndarray:
        """A piece, by whole numbers and slices."""

    def check(self) -> None:
        """BadInput where the file is cut short or its first plane cannot be read."""


def full_key(key: Any, ndim: int) -> tuple[Any, ...]:
    """One entry for each axis."""
    key = key if isinstance(key, tuple) else (key,)
    return key + (slice(None),) * (ndim - len(key))


class Arranged:
    """Planes with their axes in another order, and axes of length one where the file has none.

    ``letters`` names the axes of ``planes`` in the file's order, ``final``
    those that this array has; letters that the file lacks have length one.
    """

    def __init__(self, planes: Planes, letters: str, final: str) -> None:
        self.planes = planes
        self.letters, self.final = letters, final
        sizes = dict(zip(letters, planes.shape, strict=True))
        self.shape = tuple(sizes.get(axis, 1) for axis in final)
        self.ndim = len(final)
        self.dtype = planes.dtype

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        token = getattr(self.planes, "__dask_tokenize__", None)
        return type(self).__name__, self.letters, self.final, token() if token else uuid4().hex

    def __getitem__(self, key: Any) -> np.ndarray:
        asked = dict(zip(self.final, full_key(key, self.ndim), strict=True))
        values = self.planes[tuple(asked[axis] for axis in self.letters)]
        left = [axis for axis in self.letters if isinstance(asked[axis], slice)]
        kept = [axis for axis in self.final if isinstance(asked[axis], slice)]
        values = np.transpose(values, [left.index(axis) for axis in kept if axis in left])
        # A slice of an axis of length one that the file does not have may also be empty.
        ones = {axis: len(range(1)[asked[axis]]) for axis in kept if axis not in left}
        shape = iter(values.shape)
        wanted = tuple(ones[axis] if axis in ones else next(shape) for axis in kept)
        return values.reshape(wanted) if prod(wanted) == values.size else np.empty(wanted, self.dtype)


class Squeezed:
    """Planes without some of their axes of length one: those that ``shape`` does not have."""

    def __init__(self, planes: Planes, shape: tuple[int, ...]) -> None:
        self.planes, self.shape = planes, shape
        self.ndim = len(shape)
        self.dtype = planes.dtype
        left = list(shape)
        self._kept = []
        for size in planes.shape:  # which of several ones stay makes no difference: each has one place
            self._kept.append(bool(left) and left[0] == size)
            if self._kept[-1]:
                left.pop(0)
            elif size != 1:
                raise ValueError(f"{planes.shape} cannot become {shape}")

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        token = getattr(self.planes, "__dask_tokenize__", None)
        return type(self).__name__, self.shape, token() if token else uuid4().hex

    def __getitem__(self, key: Any) -> np.ndarray:
        rest = iter(full_key(key, self.ndim))
        return self.planes[tuple(next(rest) if kept else 0 for kept in self._kept)]

    def check(self) -> None:
        self.planes.check()

"""Coarser resolutions of a plane, each half the size of the one before."""

from __future__ import annotations

import numpy as np

SMALLEST = 256
"""Pixels of the longer side at which no coarser resolution is made."""


def sizes(height: int, width: int, smallest: int = SMALLEST) -> list[tuple[int, int]]:
    """Height and width of all resolutions, the finest first; halves are rounded up."""
    found = [(height, width)]
    while max(found[-1]) > smallest:
        height, width = found[-1]
        found.append((-(-height // 2), -(-width // 2)))
    return found


def halved(planes: np.ndarray, *, blend: bool) -> np.ndarray:
    """Planes (..., Y, X) at half the size, in their dtype; a last odd row or column counts twice.

    ``blend`` takes the mean of four pixels, rounded; else the value that most
    of the four have (of a tie the first), so that no label appears that was
    not there.
    """
    pad = [(0, 0)] * (planes.ndim - 2) + [(0, planes.shape[-2] % 2), (0, planes.shape[-1] % 2)]
    whole = np.pad(planes, pad, mode="edge")
    four = [whole[..., y::2, x::2] for y in (0, 1) for x in (0, 1)]
    return _mean(four) if blend and planes.dtype.kind != "b" else _most(four)


def _mean(four: list[np.ndarray]) -> np.ndarray:
    a, b, c, d = four
    if a.dtype.kind == "f":
        wide = np.promote_types(a.dtype, np.float32)
        return (sum((part.astype(wide) / 4 for part in (b, c, d)), a.astype(wide) / 4)).astype(a.dtype)
    if a.dtype.itemsize == 8:  # four such numbers may add up to more than 64 bits
        return _floor_mean(_floor_mean(a, b), _floor_mean(c, d))
    total = a.astype(np.int64) + b + c + d
    return ((total + 2) >> 2).astype(a.dtype)


def _floor_mean(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a & b) + ((a ^ b) >> 1)


def _most(four: list[np.ndarray]) -> np.ndarray:
    a, b, c, d = four
    first = (a == b) | (a == c) | (a == d)
    return np.where(first, a, np.where((b == c) | (b == d), b, np.where(c == d, c, a)))

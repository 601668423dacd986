"""Lines and edges that run on over part of a cell's outline; grains of the texture do not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DIRECTIONS = 12


def coherent(image: NDArray[np.float32], width: float, length: float) -> NDArray[np.float32]:
    """Strongest response of long ridge and step filters in twelve directions, without sign; (Y, X) as given.

    ``width`` is across, ``length`` along the line: standard deviations in
    pixels.  A signed mean along the line cancels grains and keeps borders.
    """
    from scipy.fft import irfft2, next_fast_len, rfft2

    reach = int(3 * length) + 1
    padded = np.pad(image, reach, mode="symmetric" if min(image.shape) <= reach else "reflect")
    shape = [next_fast_len(n + 2 * reach, real=True) for n in padded.shape]
    spectrum = rfft2(padded, shape)
    best = np.zeros(image.shape, np.float32)
    inner = tuple(slice(2 * reach, 2 * reach + n) for n in image.shape)
    for kernel in _kernels(width, length, reach):
        response = irfft2(spectrum * rfft2(kernel, shape), shape)[inner]
        np.maximum(best, np.abs(response), out=best)
    return best


def _kernels(width: float, length: float, reach: int) -> list[NDArray[np.float32]]:
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    kernels = []
    for angle in np.arange(DIRECTIONS) * np.pi / DIRECTIONS:
        along = x * np.cos(angle) + y * np.sin(angle)
        across = -x * np.sin(angle) + y * np.cos(angle)
        ridge = (1 - (across / width) ** 2) * np.exp(-0.5 * ((across / width) ** 2 + (along / length) ** 2))
        wide = 1.5 * width
        step = across / wide * np.exp(-0.5 * ((across / wide) ** 2 + (along / length) ** 2))
        for kernel in (ridge, step):
            kernel -= kernel.mean()
            kernels.append((kernel / np.abs(kernel).sum()).astype(np.float32))
    return kernels

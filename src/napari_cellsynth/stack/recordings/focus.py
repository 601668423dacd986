"""Which plane of a z stack is in focus."""

from __future__ import annotations

from typing import Any

import numpy as np

SMOOTH = 1.0
"""Standard deviation in pixels of the Gaussian before the gradient: the noise of single pixels shall not count."""


def sharpness(plane: np.ndarray) -> float:
    """The Tenengrad measure of a plane (Y, X): mean square of the Sobel gradient, after a Gaussian of 1 pixel.

    Tenenbaum 1970; among the most reliable of 36 measures in Pertuz, Puig and
    Garcia, Pattern Recognition 46 (2013).  It is of the order of intensity
    squared and compares planes of one frame only.  Pixels that are not finite
    count as the mean of the others.
    """
    from scipy import ndimage

    values = plane.astype(np.float64)
    broken = ~np.isfinite(values)
    if broken.any():
        values[broken] = 0.0 if broken.all() else values[~broken].mean()
    smooth = ndimage.gaussian_filter(values, SMOOTH)
    # Divided by 8, Sobel's filter is the slope from pixel to pixel.
    slopes = (ndimage.sobel(smooth, axis) / 8 for axis in (0, 1))
    return float(np.mean(sum(slope**2 for slope in slopes)))


class Sharpest:
    """Array-like (T, Y, X) of a z stack (T, Z, Y, X): in each frame the plane that is sharpest in ``by``.

    ``by`` has the same T and Z (the recording itself, where its outlines are
    chosen); what was chosen for a frame is remembered.
    """

    def __init__(self, planes: Any, by: Any) -> None:
        self.planes, self.by = planes, by
        self.shape = (planes.shape[0], *planes.shape[2:])
        self.ndim = 3
        self.dtype = np.dtype(planes.dtype)
        self._chosen: dict[int, int] = {}

    def chosen(self, t: int) -> int:
        """The sharpest plane of a frame, the lowest of equals."""
        if t not in self._chosen:
            planes = (np.asarray(self.by[t, z]) for z in range(self.by.shape[1]))
            self._chosen[t] = int(np.argmax([sharpness(plane) for plane in planes]))
        return self._chosen[t]

    def __getitem__(self, key: Any) -> np.ndarray:
        key = key if isinstance(key, tuple) else (key,)
        first, rest = key[0] if key else slice(None), key[1:]
        if isinstance(first, int | np.integer):
            t = int(first) % self.shape[0]
            return np.asarray(self.planes[(t, self.chosen(t), *rest)])
        frames = [np.asarray(self.planes[(t, self.chosen(t), *rest)]) for t in range(*first.indices(self.shape[0]))]
        if frames:
            return np.stack(frames)
        return np.empty((0, *np.empty(self.shape[1:], self.dtype)[rest].shape), self.dtype)

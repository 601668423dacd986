"""How far the stage has moved: where the whole frame lies against a reference, by correlation.

Whole pixels are what boxes can follow; the pillars, which stand still on the
chip, outweigh the cells by far.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.traps.still import finite

SMOOTH, FLATTEN = 1.0, 8.0
"""Pixels (after halving): noise below, and shadows above, do not count."""
SURE = 9.0
"""Standard deviations that the highest correlation must reach; pure noise reaches 8."""
HELD = 1.0
"""Pixels of drift up to which boxes are held fixed."""


class Stage:
    """Finds the stage's offset of a frame against a reference frame."""

    def __init__(self, reference: np.ndarray, reach: int | None = None) -> None:
        self.shape = reference.shape
        self.bin = 2 if min(reference.shape) >= 256 else 1
        self.reach = max(2, (reach or min(reference.shape) // 4) // self.bin)
        self._reference = np.conj(self._spectrum(reference))

    def offset(self, frame: np.ndarray) -> tuple[float, float] | None:
        """(dy, dx) in pixels: what is at p in the reference is at p + offset in the frame.  None where not sure."""
        from scipy.fft import irfft2

        product = self._spectrum(frame) * self._reference
        whole = irfft2(product, s=self._padded)
        spread = float(whole.std())
        top, left = (min(self.reach, side // 2 - 1) for side in self._padded)
        near = np.roll(whole, (top, left), (0, 1))[: 2 * top + 1, : 2 * left + 1]
        y, x = (int(i) for i in np.unravel_index(np.argmax(near), near.shape))
        if spread == 0 or near[y, x] < SURE * spread:
            return None
        dy, dx = _vertex(near[:, x], y), _vertex(near[y], x)
        return (dy - top) * self.bin, (dx - left) * self.bin

    def _spectrum(self, frame: np.ndarray) -> np.ndarray:
        from scipy.fft import next_fast_len, rfft2
        from scipy.ndimage import gaussian_filter

        image = binned(finite(np.asarray(frame, np.float32)), self.bin)
        image = gaussian_filter(image, SMOOTH) - gaussian_filter(image, FLATTEN)
        window = np.outer(np.hanning(image.shape[0] + 2)[1:-1], np.hanning(image.shape[1] + 2)[1:-1])
        self._padded = tuple(next_fast_len(side + self.reach, real=True) for side in image.shape)
        return np.asarray(rfft2((image * window).astype(np.float32), s=self._padded))


def binned(image: np.ndarray, by: int) -> np.ndarray:
    """Means of ``by`` x ``by`` pixels; rows and columns that fill no block are left away."""
    if by == 1:
        return image
    height, width = (side - side % by for side in image.shape)
    return np.asarray(image[:height, :width].reshape(height // by, by, width // by, by).mean((1, 3)))


def _vertex(line: np.ndarray, at: int) -> float:
    """Where the parabola through the highest value and its neighbours has its top."""
    if not 0 < at < len(line) - 1:
        return float(at)
    before, here, after = (float(v) for v in line[at - 1 : at + 2])
    curve = before - 2 * here + after
    return at + (0.5 * (before - after) / curve if curve < 0 else 0.0)


@dataclass
class Followed:
    """Offsets of all frames against the one in which the traps were found."""

    offsets: dict[int, tuple[float, float]] = field(default_factory=dict)
    """By frame, (dy, dx) in pixels."""
    lost: list[int] = field(default_factory=list)
    """Frames whose offset could not be found: the one before holds."""
    follow: bool = True
    """Whether boxes move where the drift is more than a pixel."""

    @classmethod
    def given(cls, drift: Any, frames: int, reference: int, follow: bool = True) -> Followed:
        """From a drift with ``offsets`` (T, 2), against frame ``reference``; what is NaN is lost."""
        rows = np.asarray(drift.offsets, dtype=float)[:frames]
        made = cls(follow=follow)
        last = (0.0, 0.0)
        for t, (dy, dx) in enumerate(rows - rows[reference]):
            if np.isfinite(dy) and np.isfinite(dx):
                last = (float(dy), float(dx))
            else:
                made.lost.append(t)
            made.offsets[t] = last
        return made

    def note(self, t: int, offset: tuple[float, float] | None) -> None:
        """Take the next frame's offset; None where it could not be found."""
        if offset is None:
            self.lost.append(t)
            offset = list(self.offsets.values())[-1] if self.offsets else (0.0, 0.0)
        self.offsets[t] = offset

    @property
    def largest(self) -> float:
        """Largest drift along y or x, in pixels."""
        return max((max(abs(dy), abs(dx)) for dy, dx in self.offsets.values()), default=0.0)

    @property
    def moves(self) -> bool:
        """Whether boxes follow the stage; else they are held fixed."""
        return self.follow and self.largest > HELD

    def whole(self, t: int) -> tuple[int, int]:
        """By how many whole pixels the boxes of a frame are moved."""
        if not self.moves:
            return 0, 0
        dy, dx = self.offsets.get(t, (0.0, 0.0))
        return round(dy), round(dx)

    def words(self) -> str:
        most = f"the stage moves by up to {self.largest:.1f} px"
        lost = f"; in {counted(len(self.lost), 'frame')} it could not be found" if self.lost else ""
        if self.largest <= HELD:
            return f"{most}: boxes are held fixed{lost}"
        if self.moves:
            return f"{most}: boxes follow it in whole pixels{lost}"
        return f"{most}, and boxes do not follow it{lost}"

"""Boxes in whole pixels of a recording."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.stack.stack import Stack
    from napari_cellsynth.stack.traps.settings import TrapSettings

_BOX = re.compile(r"\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*")


@dataclass(frozen=True)
class PixelBox:
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right``, the ends not included."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def parse(cls, text: str) -> PixelBox:
        """``"y0:y1,x0:x1"`` in pixels counted from 0, the ends not included; else BadInput."""
        found = _BOX.fullmatch(text)
        if found is None:
            raise BadInput(f"box {text!r} given; write rows and columns such as 120:180,200:260 (y0:y1,x0:x1, pixels)")
        box = cls(*(int(number) for number in found.groups()))
        if box.height < 1 or box.width < 1:
            raise BadInput(f"box {text!r} given; each second number must be larger than the first (y0:y1,x0:x1)")
        return box

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def middle(self) -> tuple[int, int]:
        """The pixel in the middle; after it where a side is even."""
        return self.top + self.height // 2, self.left + self.width // 2

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def moved(self, dy: int, dx: int) -> PixelBox:
        return PixelBox(self.top + dy, self.bottom + dy, self.left + dx, self.right + dx)

    def beyond(self, shape: tuple[int, ...]) -> int:
        """Pixels by which the box reaches out of a frame of this shape; 0 inside."""
        return max(0, -self.top, -self.left, self.bottom - shape[-2], self.right - shape[-1])

    def __str__(self) -> str:
        return f"{self.top}:{self.bottom},{self.left}:{self.right}"


@dataclass(frozen=True)
class CropShape:
    """The square that is cut out around each trap of a recording, and what becomes of it."""

    height: float
    width: float
    """In pixels of the recording; whole where nothing is resampled."""
    size: int
    """Pixels along a side of the finished crop."""
    offset: tuple[int, int] = (0, 0)
    """Where its middle lies against the middle of the template's box, y and x in pixels."""

    @classmethod
    def of(cls, stack: Stack, settings: TrapSettings) -> CropShape:
        """As the settings say, in the pixels of this recording."""
        height = width = float(settings.box_px or settings.size)
        if settings.box_um is not None:
            if stack.pixel_size is None:
                raise BadInput(
                    f"a box of {settings.box_um:g} µm asked for; the pixel size of {stack.name} is not known: "
                    "give it, or the box in pixels"
                )
            height, width = (settings.box_um / side for side in stack.pixel_size)
        return cls(height, width, settings.size, (settings.offset_y, settings.offset_x))

    @property
    def as_recorded(self) -> bool:
        """Whether pixels are copied and not resampled."""
        return self.height == self.size and self.width == self.size

    def around(self, y: int, x: int) -> PixelBox:
        """The whole pixels that the square around (y, x) touches."""
        top, left = y - int(self.height // 2), x - int(self.width // 2)
        return PixelBox(top, top + ceil(self.height), left, left + ceil(self.width))

    def cut(self, plane: np.ndarray, y: int, x: int) -> np.ndarray:
        """The finished crop (size, size) around (y, x), which lies inside ``plane``, in its dtype."""
        from napari_cellsynth.stack.crops.cut import Box, resample

        box = self.around(y, x)
        pixels = plane[box.slices]
        if self.as_recorded:
            return pixels.copy()
        return resample(pixels, Box(0, 0, self.height, self.width), (0, 0), self.size)

    def cut_labels(self, plane: np.ndarray, y: int, x: int) -> np.ndarray:
        """The same of labels: each pixel takes the number of the nearest."""
        box = self.around(y, x)
        if self.as_recorded:
            return plane[box.slices].copy()
        rows, columns = (
            np.minimum((np.arange(self.size) + 0.5) * side / self.size, ceil(side) - 0.5).astype(int)
            for side in (self.height, self.width)
        )
        return np.asarray(plane[box.slices][rows[:, None], columns])

    def __str__(self) -> str:
        text = f"{self.height:.4g} px"
        return text if self.as_recorded else f"{text} → {self.size} px"

"""Cutting one cell out of one plane: the box, its resampling, its mask, its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from napari_cellsynth.stack.crops.background import Background, estimate_background, replace_neighbours
from napari_cellsynth.stack.crops.plan import CropPlan, Source, reason_of_shape
from napari_cellsynth.stack.crops.scan import Outline

FLOAT32_SAFE = 1e30
"""Intensities up to here can be resampled in float32, sums of the filter included."""
HALO = 8
"""A neighbour's halo reaches an eighth of the box."""


@dataclass(frozen=True)
class Crop:
    """A finished crop: ``image`` (S, S) in the recording's dtype, ``mask`` (S, S) uint8, 1 inside the cell.

    ``y`` and ``x`` are the centre of the box in the recording, in pixels
    (the centre of the first pixel is 0, 0).
    """

    outline: Outline
    image: np.ndarray
    mask: np.ndarray
    y: float
    x: float


@dataclass(frozen=True)
class Box:
    """A box in a plane: a whole-pixel corner (the middle is off by half a pixel at most), sides perhaps not whole."""

    top: int
    left: int
    height: float
    width: float

    @classmethod
    def around(cls, outline: Outline, sides: tuple[float, float]) -> Box:
        """The box whose middle is that of the outline's bounding box."""
        height, width = sides
        top = round((outline.top + outline.bottom - height) / 2)
        left = round((outline.left + outline.right - width) / 2)
        return cls(top, left, height, width)

    def inside(self, frame: tuple[int, ...]) -> bool:
        return (
            self.top >= 0
            and self.left >= 0
            and self.top + self.height <= frame[0]
            and self.left + self.width <= frame[1]
        )

    def pixels(self, frame: tuple[int, ...], margin: int = 0) -> tuple[slice, slice]:
        """Whole pixels that the box touches, and ``margin`` more where the frame has them."""
        bottom, right = int(np.ceil(self.top + self.height)), int(np.ceil(self.left + self.width))
        return (
            slice(max(0, self.top - margin), min(frame[0], bottom + margin)),
            slice(max(0, self.left - margin), min(frame[1], right + margin)),
        )

    @property
    def centre(self) -> tuple[float, float]:
        return self.top + self.height / 2 - 0.5, self.left + self.width / 2 - 0.5


class Plane:
    """One plane of a recording with its outlines, both (Y, X), and its background once that is asked for."""

    def __init__(self, image: np.ndarray, labels: np.ndarray, box: tuple[float, float]) -> None:
        self.image = image
        self.labels = labels
        self.box = box
        self.reach = max(2, round(max(box) / HALO))

    @classmethod
    def read(cls, source: Source, plan: CropPlan, t: int, z: int) -> Plane:
        image = source.stack.frame(t, z=z)
        return cls(image.astype(plan.dtype, copy=False), source.label_plane(t, z), source.box)

    @cached_property
    def background(self) -> Background | None:
        return estimate_background(self.image, self.labels, self.reach, max(self.box))


def reason_against(outline: Outline, source: Source, plan: CropPlan) -> str | None:
    """Why an outline gives no crop, as far as its shape and place say; None where they allow one."""
    frame = (source.stack.size("Y"), source.stack.size("X"))
    if outline.t in source.gap:
        return "in the gap between two parts"
    shape = reason_of_shape(outline, frame, plan.settings)
    if shape is not None:
        return shape
    if outline.height > source.box[0] or outline.width > source.box[1]:
        return "larger than the box"
    if not Box.around(outline, source.box).inside(frame):
        return "too close to the border for the box"
    return None


def cut(plane: Plane, outline: Outline, source: Source, plan: CropPlan) -> Crop | str:
    """The crop of one outline of a plane, or why there is none."""
    settings = plan.settings
    box = Box.around(outline, source.box)
    # Bicubic reaches 2 pixels of the finished crop to each side.
    margin = int(np.ceil(2 * max(1.0, max(source.box) / settings.size))) + 1
    region = box.pixels(plane.image.shape, margin)
    pixels, numbers = plane.image[region], plane.labels[region]
    offset = (box.top - region[0].start, box.left - region[1].start)
    own = numbers == outline.label
    others = (numbers != 0) & ~own
    if others[_local(box, offset)].mean() > settings.max_neighbours:
        return "crowded"
    if not np.isfinite(pixels).all():
        return "pixels that are not numbers"
    if _flat(pixels[_local(box, offset)]):
        return "all its pixels have one value"
    if settings.mask_neighbours and others.any():
        if plane.background is None:
            return "no background to put in place of neighbours"
        surface, residuals = plane.background.surface[region], plane.background.residuals
        filled = replace_neighbours(pixels, own, others, surface, residuals, plane.reach, outline.key)
        pixels = to_dtype(filled, pixels.dtype)
    mask = (resample(own.astype(np.float32), box, offset, settings.size, smooth=True) >= 0.5).astype(np.uint8)
    if not mask.any():
        return "too small"
    return Crop(outline, resample(pixels, box, offset, settings.size), mask, *box.centre)


def _flat(pixels: np.ndarray) -> bool:
    """Whether nothing is to be seen: what a file lacks (a chunk of Zarr, an empty frame) is read as one value."""
    return bool(pixels.min() == pixels.max())


def _local(box: Box, offset: tuple[int, int]) -> tuple[slice, slice]:
    return (
        slice(offset[0], offset[0] + int(np.ceil(box.height))),
        slice(offset[1], offset[1] + int(np.ceil(box.width))),
    )


def resample(pixels: np.ndarray, box: Box, offset: tuple[int, int], size: int, *, smooth: bool = False) -> np.ndarray:
    """The box, whose corner is at ``offset`` in ``pixels`` (Y, X), as (size, size) in the dtype of ``pixels``.

    Bicubic, with the filter widened when shrinking so that nothing aliases;
    rounded and clipped for integers.  ``smooth`` takes a triangle instead,
    which cannot overshoot.  A box of exactly ``size`` pixels is copied.
    """
    from PIL import Image

    top, left = offset
    if box.height == size and box.width == size:
        return pixels[top : top + size, left : left + size].copy()
    # Pillow resamples float32; taking the lowest value away first keeps the digits of large integers.
    low = float(pixels.min())
    above = pixels.astype(np.float64) - low
    # What float32 cannot hold is resampled in units of its largest value.
    unit = float(above.max()) if above.max() > FLOAT32_SAFE else 1.0
    plane = Image.fromarray((above / unit).astype(np.float32))
    filter_ = Image.Resampling.BILINEAR if smooth else Image.Resampling.BICUBIC
    place = (left, top, left + box.width, top + box.height)
    made = np.asarray(plane.resize((size, size), filter_, box=place)).astype(np.float64) * unit + low
    return to_dtype(made, pixels.dtype)


def to_dtype(values: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Rounded and clipped for integers, cast for floats."""
    if not np.issubdtype(dtype, np.integer):
        return values.astype(dtype)
    info = np.iinfo(dtype)
    # float(2**63 - 1) is 2**63, which does not fit.
    top = np.nextafter(float(info.max), 0) if dtype.itemsize == 8 else info.max
    return np.clip(np.rint(values), info.min, top).astype(dtype)

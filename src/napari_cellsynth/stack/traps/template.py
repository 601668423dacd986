"""The trap that the user boxed, as it looks without what moves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.traps.boxes import PixelBox
from napari_cellsynth.stack.traps.settings import TrapSettings

SMALLEST = 8
"""Pixels along a side of a box below which everything looks like everything."""
SAME = 0.01
"""Relative difference of pixel sizes below which a template is not resampled."""


@dataclass(frozen=True, eq=False)
class Template:
    """What traps are matched with: an image (h, w) float32, and what it was made of."""

    image: np.ndarray
    pixel_size: tuple[float, float] | None
    box: PixelBox
    recording: str
    frame: int
    z: int

    @property
    def shape(self) -> tuple[int, int]:
        height, width = self.image.shape
        return height, width

    def scaled_to(self, stack: Stack) -> Template:
        """The same trap in the pixels of another recording; as it is where one of the pixel sizes is not known."""
        if self.pixel_size is None or stack.pixel_size is None:
            return self
        zoom = tuple(mine / theirs for mine, theirs in zip(self.pixel_size, stack.pixel_size, strict=True))
        if all(abs(z - 1) < SAME for z in zoom):
            return self
        from skimage.transform import resize

        shape = [max(1, round(side * z)) for side, z in zip(self.shape, zoom, strict=True)]
        image = resize(self.image, shape, order=1, mode="reflect", anti_aliasing=True).astype(np.float32)
        return replace(self, image=check_image(image, self.recording), pixel_size=stack.pixel_size)


def check_box(box: PixelBox, stack: Stack) -> None:
    """BadInput where a box is no template of this recording."""
    frame = stack.size("Y"), stack.size("X")
    if box.beyond(frame):
        raise BadInput(
            f"the box {box} reaches beyond {stack.name}, whose frames are {frame[0]} x {frame[1]} pixels (y, x): "
            "box a trap that is whole"
        )
    if min(box.height, box.width) < SMALLEST:
        raise BadInput(f"the box {box} is smaller than {SMALLEST} pixels; draw it around the whole trap")


def check_image(image: np.ndarray, name: str) -> np.ndarray:
    """The template's image; BadInput where it shows nothing."""
    if min(image.shape) < SMALLEST:
        raise BadInput(f"the template of {name} has {image.shape} pixels here; box a larger trap, or check pixel sizes")
    if float(image.std()) <= 1e-6 * max(1.0, float(np.abs(image).max())):
        raise BadInput(f"there is nothing in the box in {name}: all its pixels are alike; box a trap")
    return image


def plane_of(stack: Stack, settings: TrapSettings) -> int:
    """The plane in which traps are looked for; BadInput where there is none of that number."""
    planes = stack.size("Z")
    z = planes // 2 if settings.template_z is None else settings.template_z
    if z >= planes:
        raise BadInput(f"plane {z} asked for; {stack.name} has planes 0 to {planes - 1}")
    return z


def frames_of(stack: Stack, settings: TrapSettings) -> range:
    """The frames to look at; BadInput where the recording does not have them."""
    frames = stack.size("T")
    last = frames - 1 if settings.last is None else settings.last
    if last >= frames or settings.first >= frames:
        raise BadInput(f"frames {settings.first} to {last} asked for; {stack.name} has frames 0 to {frames - 1}")
    if stack.size("C") > 1 or "Q" in stack.axes:
        raise BadInput(f"{stack.name} has axes {stack.axes}; choose one channel of one recording")
    return range(settings.first, last + 1)

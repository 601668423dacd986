"""Grey images that are stored as red, green and blue: told from real colours, and read as one channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, Literal
from uuid import uuid4

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.planes import Planes, full_key

Colours = Literal["equal", "all", "strongest"]
"""What to do with colours: read them as grey where all are equal (else leave them), leave them, or read one."""
NAMES = ("red", "green", "blue")
_UNEXPLAINED = 0.02
"""Variance of the other colours that the strongest one leaves open, as a share of its own, up to which they repeat it.

A green look-up table saved as JPEG-like colours leaves 0.006 (fly embryo, CellProfiler), stained tissue 0.3 and more.
"""


@dataclass(frozen=True)
class Seen:
    """Planes as they are to be read, and what was found out about their colours."""

    planes: Planes
    letters: str
    """Their axes; S is there where colours are left."""
    grey: bool = False
    """All colours were equal: one of them is read."""
    tint: str | None = None
    """Name of the colour that the others repeat, where they are not equal to it."""
    notes: tuple[str, ...] = ()


def seen(planes: Planes, letters: str, name: str, want: Colours) -> Seen:
    """The planes without their colours (axis S) where ``want`` and the first, middle and last image allow it."""
    if "S" not in letters:
        return Seen(planes, letters)
    axis = letters.index("S")
    if want == "all" or planes.shape[axis] not in (3, 4) or planes.dtype.kind not in "ui":
        return Seen(planes, letters)
    bare = letters.replace("S", "")
    looked_at = list(_images(planes, letters))
    if all(same_colours(image) for image in looked_at):
        return Seen(OneColour(planes, axis, 0, name, check=True), bare, grey=True)
    number = _strongest(looked_at)
    if number is None:
        return Seen(planes, letters)
    tint = NAMES[number]
    if want != "strongest":
        return Seen(planes, letters, tint=tint)
    note = f"stored as colours, of which {tint} is read: the others repeat it"
    return Seen(OneColour(planes, axis, number, name, check=False), bare, tint=tint, notes=(note,))


class OneColour:
    """One colour of images stored as colours; ``check`` refuses an image whose colours are not all equal.

    ``axis`` is the place of the colours in ``planes``.
    """

    def __init__(self, planes: Planes, axis: int, number: int, name: str, *, check: bool) -> None:
        self.planes, self.axis, self.number, self.name, self.equal = planes, axis, number, name, check
        self.shape = planes.shape[:axis] + planes.shape[axis + 1 :]
        self.ndim = len(self.shape)
        self.dtype = planes.dtype

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        token = getattr(self.planes, "__dask_tokenize__", None)
        return type(self).__name__, self.axis, self.number, token() if token else uuid4().hex

    def __getitem__(self, key: Any) -> np.ndarray:
        key = full_key(key, self.ndim)
        if not self.equal:
            return self.planes[(*key[: self.axis], self.number, *key[self.axis :])]
        values = self.planes[(*key[: self.axis], slice(None), *key[self.axis :])]
        place = sum(isinstance(one, slice) for one in key[: self.axis])
        if not same_colours(np.moveaxis(values, place, -1)):
            raise BadInput(
                f"{self.name}: {_frame_of(key, self.shape)} is coloured, while those looked at first were grey; read it"
                " as colours (a C for them in --axes, such as TYXC) and choose a channel"
            )
        return np.take(values, self.number, axis=place)

    def check(self) -> None:
        self.planes.check()


def _frame_of(key: tuple[Any, ...], shape: tuple[int, ...]) -> str:
    """``frame 3`` where an index asks for a single place along axes that have several."""
    places = [range(size)[one] if isinstance(one, slice) else [one] for one, size in zip(key, shape, strict=True)]
    single = [str(place[0]) for place, size in zip(places, shape, strict=True) if len(place) == 1 < size]
    return f"frame {', '.join(single)}" if single else "a frame"


def same_colours(image: np.ndarray) -> bool:
    """Whether red, green and blue (the last axis) are equal everywhere, and opacity (a fourth) does not vary."""
    if image.size == 0:
        return True
    if image.shape[-1] == 4 and not (image[..., 3] == image[..., 3].flat[0]).all():
        return False
    return bool((image[..., 0] == image[..., 1]).all() and (image[..., 0] == image[..., 2]).all())


def _images(planes: Planes, letters: str) -> Iterator[np.ndarray]:
    """The first, middle and last image, colours last."""
    sizes = dict(zip(letters, planes.shape, strict=True))
    lead = [axis for axis in letters if axis not in "YXS"]
    count = prod(sizes[axis] for axis in lead)
    for number in dict.fromkeys((0, count // 2, count - 1)):
        place = dict(zip(lead, np.unravel_index(number, [sizes[axis] for axis in lead]), strict=True)) if lead else {}
        image = planes[tuple(int(place[axis]) if axis in place else slice(None) for axis in letters)]
        yield np.moveaxis(image, [axis for axis in letters if axis not in place].index("S"), -1)


def _strongest(images: list[np.ndarray]) -> int | None:
    """The colour that holds what the others do, up to small noise; None where each says something of its own."""
    pixels = np.concatenate([image[..., :3].reshape(-1, 3).astype(np.float64) for image in images])
    spread = pixels.var(axis=0)
    number = int(spread.argmax())
    if spread[number] == 0:
        return None
    main = pixels[:, number]
    # Steps of the strongest colour, within each of which the others should hardly differ.
    step = np.floor((main - main.min()) / (np.ptp(main) + 1) * 256).astype(np.int64)
    count = np.maximum(np.bincount(step, minlength=256), 1)
    for other in range(3):
        if other == number:
            continue
        mean = np.bincount(step, pixels[:, other], 256) / count
        if np.mean((pixels[:, other] - mean[step]) ** 2) > _UNEXPLAINED * spread[number]:
            return None
    return number

"""Images that a user gives to a model: a stack of crops, an array, a file, or a part of a training set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_cellsynth.stack.stack import Stack

OTHER_PIXELS = 0.05
"""Share by which a pixel may differ from those that were learned from before it is said."""


@dataclass(frozen=True, eq=False)
class Given:
    """Images (N, Y, X), read when they are wanted."""

    name: str
    shape: tuple[int, int]
    """(Y, X) of each."""
    dtype: np.dtype[Any]
    pixel_size: tuple[float, float] | None
    indices: np.ndarray
    """(N,) int64: their numbers in what was given, from 0."""
    source: Any
    """A Stack, or a set of crops."""
    part: str | None = None
    """Of a training set, which."""

    def __len__(self) -> int:
        return len(self.indices)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Some of them, (N, Y, X)."""
        chosen = self.indices[start:stop]
        if self.part is not None:
            return np.asarray(self.source.images(chosen))
        leading = self.source.shape[:-2]
        places = [np.unravel_index(int(i), leading) if leading else () for i in chosen]
        return np.stack([np.asarray(self.source.data[tuple(int(n) for n in place)]) for place in places])

    def open(self, why: str, by: str) -> None:
        """Note that a test part is looked at."""
        if self.part == "test":
            self.source.open_test(why, by=by)

    def origin(self) -> dict[str, Any]:
        """For the provenance of what is made from them."""
        from napari_cellsynth.stack.hashing import content_hash

        if self.part is not None:
            return {"path": str(self.source.path.resolve()), "hash": self.source.hash, "part": self.part}
        path = self.source.path
        said = {"name": self.name} if path is None else {"path": str(Path(path).absolute())}
        return {**said, "axes": self.source.axes, "hash": content_hash(self.source)}


def given_images(images: Stack | Path | str | np.ndarray, part: str | None = None) -> Given:
    """What was given, as images; BadInput for what holds none, or a part of what has no parts."""
    from napari_cellsynth.stack.files.read import read_stack
    from napari_cellsynth.stack.stack import Stack

    if isinstance(images, str | Path):
        path = Path(images)
        if (path / "dataset.json").exists():
            return _of_set(path, part or "validation")
        images = read_stack(path)
    if part is not None:
        name = images.name if isinstance(images, Stack) else "an array"
        raise BadInput(f"part {part} of {name} asked for; only training sets have parts: leave it out")
    return _of_stack(images if isinstance(images, Stack) else _as_stack(images))


def _as_stack(array: np.ndarray) -> Stack:
    from napari_cellsynth.stack.stack import Stack

    if np.ndim(array) != 3:
        raise BadInput(f"an array of shape {np.shape(array)} given; expected images (N, Y, X)")
    return Stack(np.asarray(array), "TYX", name="array")


def _of_stack(stack: Stack) -> Given:
    for axis, what in (("C", "channels"), ("Z", "planes")):
        if stack.size(axis) > 1:
            raise BadInput(
                f"{stack.name} has {stack.size(axis)} {what}; expected a stack of crops (QTYX or TYX): give one of them"
            )
    count = int(np.prod(stack.shape[:-2], dtype=np.int64))
    if not count:
        raise BadInput(f"{stack.name} holds no images (shape {stack.shape})")
    shape = (stack.size("Y"), stack.size("X"))
    return Given(stack.name, shape, stack.dtype, stack.pixel_size, np.arange(count, dtype=np.int64), stack)


def _of_set(path: Path, part: str) -> Given:
    from napari_cellsynth.stack.training_sets.kinds import open_training_set

    data: Any = open_training_set(path)
    if data.kind != "crops":
        raise BadInput(f"{path} holds {data.kind}; expected crops of single cells")
    indices = data.indices(part)
    if not len(indices):
        raise BadInput(f"{path.name} has no {part} part; it has {data.counts_text()}")
    return Given(f"{path.name} ({part})", (data.size, data.size), data.dtype, data.pixel_size, indices, data, part)


def notes_on(learned: Mapping[str, Any], given: Given) -> tuple[str, ...]:
    """What may be wrong with images that can be used."""
    if given.part is not None and learned.get("hash") not in (None, given.source.hash):
        other = f"{given.name} is of another training set than the one that the model learned from"
        return (f"{other}: errors say how unlike they are, not how well it learned", *_other_pixels(learned, given))
    return _other_pixels(learned, given)


def _other_pixels(learned: Mapping[str, Any], given: Given) -> tuple[str, ...]:
    """That a pixel shows another size of a cell."""
    pixel = learned.get("pixel_size")
    if pixel is None or given.pixel_size is None:
        return ()
    theirs = float(pixel[0])
    if abs(given.pixel_size[0] / theirs - 1) <= OTHER_PIXELS:
        return ()
    said = f"a pixel of {given.name} is {given.pixel_size[0]:.3g} um, of the model's training set {theirs:.3g} um"
    return (f"{said}: cut images with the same box, or cells are of another size to it",)

"""What a file or folder says of itself, before anybody said more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.colours import Seen
from napari_cellsynth.stack.files.metadata import Metadata
from napari_cellsynth.stack.stack import AXES

Scene = int | str | None
"""Which image of several: its number from 0, its name, or None for the first that is no thumbnail."""
_THUMBNAIL = 512
"""Pixels of the longer side up to which a single image in front of a much larger one is a thumbnail."""
_MOST_PLANES = 5_000_000
"""More (Y, X) planes than a recording has: at ten a second, six days."""


@dataclass(frozen=True)
class FileDescription:
    """What a file says of itself, before anybody said more."""

    path: Path
    shape: tuple[int, ...]
    """In the file's order; axes of length one that mean nothing are left out."""
    dtype: np.dtype[Any]
    axes: str | None
    """In the file's order; None where the file does not name them."""
    guesses: tuple[str, ...] = ()
    """What the axes could be, most likely first; to be offered, never taken."""
    colour: bool = False
    """The pixels are RGB or RGBA, and not the same grey in all colours."""
    scenes: tuple[str, ...] = ()
    """Names of the images in the file; empty where it holds one."""
    scene: int = 0
    """Which of them this is."""
    metadata: Metadata = field(default_factory=Metadata)
    notes: tuple[str, ...] = ()
    kind: Literal["image", "labels"] = "image"
    """Whether the file says that its numbers are outlines."""
    labels: tuple[Path, ...] = ()
    """Outlines that lie in the file beside the image, as paths that can be opened."""
    colour_alone: bool = False
    """The file names all axes but that of the colours."""
    grey: bool = False
    """Stored as colours, all of them the same grey: read as one channel."""
    tint: str | None = None
    """Stored as colours of which the others repeat this one, ``green``: it can be read alone."""

    @property
    def tinted(self) -> tuple[str, bool] | None:
        """Axes by which the one colour is read, and whether the file names them all; None where each colour counts."""
        if self.tint is None or not self.guesses:
            return None
        # With colours alone to be named, there is one way to name the axes.
        return self.guesses[0].replace("C", ""), self.colour_alone


def described(
    path: Path, image: Seen, said: Metadata, *, notes: Sequence[str] = (), asks_z: bool = False, **more: Any
) -> FileDescription:
    """The description of planes with their axes; a letter other than TCZYX is an unknown axis.

    ``asks_z`` notes that z planes may be frames.
    """
    planes = prod(image.planes.shape[:-2])
    if planes > _MOST_PLANES:
        raise BadInput(f"{path.name} claims {planes:,} planes of pixels, which cannot be; its description is damaged")
    kept = [(a, n) for a, n in zip(image.letters, image.planes.shape, strict=True) if n > 1 or a in "TCZYX"]
    axes, shape = "".join(a for a, _ in kept), tuple(n for _, n in kept)
    allowed = "TCZYX" if said.record is None else AXES
    known = set(axes) <= set(allowed) and len(set(axes)) == len(axes) and {"Y", "X"} <= set(axes)
    colour = "S" in axes
    if known and asks_z and said.record is None and axes == "ZYX":
        doubt = f"{shape[0]} z planes and one time point: if it is a time-lapse saved as a z stack, give axes TYX"
        notes = [*notes, doubt]
    return FileDescription(
        path=path,
        shape=shape,
        dtype=image.planes.dtype,
        axes=axes if known else None,
        guesses=() if known else guesses(axes, colour),
        colour=colour,
        colour_alone=colour and set(axes) <= {*allowed, "S"} and len(set(axes)) == len(axes) and "C" not in axes,
        metadata=said,
        notes=(*notes, *image.notes),
        grey=image.grey,
        tint=image.tint,
        **more,
    )


def guesses(axes: str, colour: bool) -> tuple[str, ...]:
    """Ways to name the unknown axes, in the file's order."""
    base = axes.replace("S", "C") if colour else axes
    unknown = [i for i, a in enumerate(base) if a not in "TCZYX"]
    free = [a for a in "TZC" if a not in base]
    if not unknown:
        return (base,)
    if len(unknown) > len(free):
        return ()
    found = []
    for shift in range(len(free)):
        letters = list(base)
        for k, i in enumerate(unknown):
            letters[i] = free[(shift + k) % len(free)]
        found.append("".join(letters))
    return tuple(dict.fromkeys(found))


def scene_number(asked: Scene, names: Sequence[str], path: Path, shapes: Sequence[tuple[int, ...]] = ()) -> int:
    """Number of the scene that is asked for; BadInput where there is none such.

    ``shapes`` (with Y and X last, one for each scene) tell thumbnails, which
    are passed over where nothing is asked for.
    """
    if asked is None:
        return next((i for i in range(len(shapes)) if not is_thumbnail(i, shapes)), 0)
    if isinstance(asked, str) and asked in names:
        return list(names).index(asked)
    if isinstance(asked, str) and not asked.isdecimal():
        raise BadInput(f"scene {asked!r} asked for; {path.name} has {listed(names)}")
    number = int(asked)
    if not 0 <= number < len(names):
        raise BadInput(f"scene {asked} asked for; {path.name} has {len(names)}, counted from 0")
    return number


def listed(names: Sequence[str], most: int = 8) -> str:
    """The first names, and how many more there are."""
    said = ", ".join(names[:most])
    return said if len(names) <= most else f"{said} and {len(names) - most} more"


def is_thumbnail(number: int, shapes: Sequence[tuple[int, ...]]) -> bool:
    """Whether a scene is one small image beside one of four times its area or more."""
    *lead, height, width = shapes[number]
    largest = max(shape[-2] * shape[-1] for shape in shapes)
    return prod(lead) == 1 and max(height, width) <= _THUMBNAIL and 4 * height * width <= largest


def scene_notes(names: Sequence[str], number: int, what: str = "file holds {} images") -> list[str]:
    """What to say of a file that holds several images."""
    if len(names) < 2:
        return []
    return [f"the {what.format(len(names))} ({listed(names)}); this is number {number}, {names[number]}"]


def refuse_dtype(path: Path, dtype: np.dtype[Any]) -> None:
    """BadInput for pixels that are no numbers."""
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise BadInput(f"{path.name} has pixels of type {dtype}; expected integers or floats of up to 64 bits")

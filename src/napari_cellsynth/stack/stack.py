"""A recording: an array with the axes, pixel size and frame interval it was made with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    import dask.array as da

AXES = "QTCZYX"
"""All axes a stack can have, in the order in which they stand: sample, time, channel, z, y, x."""


@dataclass(frozen=True, eq=False)
class Stack:
    """A recording, read lazily, that knows what its axes mean.

    The array has only the axes that ``axes`` names, in the order of
    :data:`AXES`; ``five_d`` gives the full ``TCZYX`` view.  What the file did
    not say is None, never 1.
    """

    data: Any
    """Array of the shape that ``axes`` names: numpy, dask, zarr or memory-mapped; never loaded whole."""
    axes: str
    """The axes present, a subsequence of ``"QTCZYX"`` that ends with ``"YX"``."""
    pixel_size: tuple[float, float] | None = None
    """Height and width of a pixel in micrometres."""
    z_step: float | None = None
    """Distance of two z planes in micrometres."""
    frame_interval: float | None = None
    """Time from frame to frame in seconds."""
    channels: tuple[str, ...] = ()
    """Names of the channels, where the file gives them."""
    name: str = "stack"
    path: Path | None = None
    """The file or folder that was read; None for an array from memory."""
    provenance: dict[str, Any] | None = None
    """The provenance block (see :mod:`.provenance`) where we or the file wrote one."""
    notes: tuple[str, ...] = field(default=())
    """What is odd about the file, a sentence each."""
    scene: int = 0
    """Which image of the file, counted from 0."""
    scenes: tuple[str, ...] = ()
    """Names of the images in the file, where it holds several."""

    def __post_init__(self) -> None:
        present = [axis for axis in AXES if axis in self.axes]
        if "".join(present) != self.axes or not self.axes.endswith("YX"):
            raise BadInput(f"axes {self.axes!r} given; expected letters of {AXES} in that order, ending with YX")
        if len(self.axes) != self.data.ndim:
            shape = tuple(self.data.shape)
            raise BadInput(f"axes {self.axes!r} given for an array of shape {shape}; name every axis once")

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(int(n) for n in self.data.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.data.dtype)

    def size(self, axis: str) -> int:
        """Length of one axis; 1 where the stack does not have it."""
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1

    @property
    def scale(self) -> tuple[float | None, ...]:
        """Step along each axis present, in ``units``; None where unknown."""
        y, x = self.pixel_size or (None, None)
        steps = {"T": self.frame_interval, "Z": self.z_step, "Y": y, "X": x}
        return tuple(steps.get(axis) for axis in self.axes)

    @property
    def units(self) -> tuple[str | None, ...]:
        """``second`` or ``micrometer`` for each axis whose step is known, else None."""
        names = {"T": "second", "Z": "micrometer", "Y": "micrometer", "X": "micrometer"}
        steps = zip(self.axes, self.scale, strict=True)
        return tuple(names[axis] if step is not None else None for axis, step in steps)

    @property
    def five_d(self) -> da.Array:
        """Lazy view with all of ``TCZYX`` (missing axes of length 1); refused for samples (Q)."""
        import dask.array as da

        if "Q" in self.axes:
            raise BadInput(f"{self.name} holds samples (axis Q); choose one of them first")
        array = self.data if isinstance(self.data, da.Array) else da.from_array(self.data)
        return array[tuple(slice(None) if axis in self.axes else None for axis in "TCZYX")]

    def frame(self, t: int = 0, *, channel: int = 0, z: int = 0) -> np.ndarray:
        """One plane (Y, X), read now, in the stack's dtype."""
        if "Q" in self.axes:
            raise BadInput(f"{self.name} holds samples (axis Q); choose one of them first")
        place = {"T": t, "C": channel, "Z": z}
        return np.asarray(source_of(self.data)[tuple(place[axis] for axis in self.axes[:-2])])

    def with_(self, **changes: Any) -> Stack:
        """A copy with some fields changed."""
        return replace(self, **changes)


_SOURCE = "_cellsynth_source"


def with_source(array: da.Array, source: Any) -> da.Array:
    """The same dask array, which remembers that its pixels are those of ``source`` (array-like of the same shape).

    A single plane then comes from there: dask takes 4 ms to find it, the file often a tenth of that.
    """
    setattr(array, _SOURCE, (array.name, source))
    return array


def source_of(array: Any) -> Any:
    """What a plane is read from: not the source where the array was written into, which changes its name."""
    name, source = getattr(array, _SOURCE, (None, None))
    return array if name is None or name != array.name else source

"""What the file of a layer says, and whether the layer still is that file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.facts import Facts, array_of, facts_of

if TYPE_CHECKING:
    from napari_cellsynth.stack.files.read import Scene
    from napari_cellsynth.stack.stack import Stack


def open_any(path: Path, scene: Scene = None) -> tuple[Stack, bool]:
    """The recording, and whether its axes are known; where not, the array is in the file's order.

    Of colours that are a tint of one grey image the strongest is read.
    """
    from napari_cellsynth.stack.files.read import AxesUnknown, read_stack

    try:
        return read_stack(path, scene=scene), True
    except AxesUnknown as error:
        description = error.description
        if description.tinted is not None:
            axes, known = description.tinted
            return read_stack(path, axes=axes, scene=scene), known
        if description.colour or not description.guesses:
            raise BadInput(no_movie(path, description.shape, description.colour)) from error
        guess = description.guesses[0]
        return read_stack(path, axes=guess, scene=scene).with_(notes=description.notes), False


def no_movie(path: Path, shape: tuple[int, ...], colour: bool) -> str:
    if colour:
        return f"{path.name} is a colour (RGB) image; save one grey channel of it as TIFF (in Fiji: Split Channels)"
    return f"{path.name} has shape {shape} and does not name its axes; save it in Fiji as a hyperstack"


def facts_in_file(layer: Any) -> Facts:
    """What the layer's own file says.

    Raises BadInput where there is no file, we cannot read it, or it holds
    another shape or, in three frames, other pixels than the layer.
    """
    return look_in_file(layer)()


def look_in_file(layer: Any) -> Callable[[], Facts]:
    """The same for a worker: called at once, it looks at the layer; the function that it gives reads."""
    known_facts, array, name = facts_of(layer), array_of(layer), layer.name
    path = known_facts.path

    def look() -> Facts:
        if path is None or not path.exists():
            raise BadInput(f"{name} comes from no file that is still there; type in what is missing")
        stack, known = open_any(path, known_facts.scene)
        axes = same_pixels(array, stack)
        if axes is None:
            raise BadInput(f"{name} is not what {path.name} holds (cut, changed or split); type in what is missing")
        return replace(Facts.of_stack(stack), axes=axes if known else None)

    return look


def same_pixels(array: Any, stack: Stack) -> str | None:
    """The axes of ``array`` if it is the stack, axes of length one aside; None if it is not."""
    if array.dtype != stack.dtype:
        return None
    if tuple(array.shape) == stack.shape:
        return stack.axes if frames_equal(array, stack.data) else None
    long = "".join(axis for axis in stack.axes if stack.size(axis) > 1 or axis in "YX")
    squeezed = stack.data[tuple(slice(None) if axis in long else 0 for axis in stack.axes)]
    return long if tuple(array.shape) == tuple(squeezed.shape) and frames_equal(array, squeezed) else None


def frames_equal(a: Any, b: Any) -> bool:
    """Whether the first, middle and last plane are the same; reads nothing else."""
    leading: Sequence[int] = a.shape[:-2]
    count = int(np.prod(leading, dtype=int))
    places = {0, count // 2, count - 1}
    indices = [tuple(int(i) for i in np.unravel_index(place, leading)) if leading else () for place in places]
    return all(np.array_equal(np.asarray(a[index]), np.asarray(b[index])) for index in indices)

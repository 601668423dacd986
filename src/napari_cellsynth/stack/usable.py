"""Whether a recording's pixels can be trained on, said before any work is done."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.hashing import plane_places
from napari_cellsynth.stack.stack import Stack

_NAMED = 3
"""Recordings of a type that are named."""
_LOOKED_AT = 3
"""Planes (first, middle, last) whose values are looked at where a type holds more than training sets do."""


def check_usable(stack: Stack) -> None:
    """BadInput for a recording of a type that no training set holds, in one line that names it and says what to do.

    Reads pixels only of 64-bit integers: three planes, whose values have to fit 32 bits.
    """
    dtype = stack.dtype
    if dtype.kind == "b":
        raise BadInput(
            f"{stack.name} is a yes/no mask (bool), not a recording of intensities; give the recording itself, and"
            " masks as outlines with a number for each cell"
        )
    if dtype == np.float16:
        raise BadInput(f"{stack.name} is {dtype}, which training sets do not hold; convert it to float32")
    if dtype.kind in "iu" and dtype.itemsize == 8:
        _check_values(stack)


def mixed_types(stacks: Sequence[Stack]) -> str | None:
    """Which recordings have which type of pixel and what to do, where they differ; None where all are alike."""
    names: dict[str, list[str]] = {}
    for stack in stacks:
        names.setdefault(stack.dtype.name, []).append(stack.name)
    if len(names) < 2:
        return None
    kinds = [f"{_listed(some)} {'is' if len(some) == 1 else 'are'} {kind}" for kind, some in names.items()]
    return (
        f"{', '.join(kinds)}, but one training set holds one type of pixel; convert them to one type (in Fiji:"
        " Image > Type, without scaling), or make a set of each"
    )


def _listed(names: Sequence[str]) -> str:
    named = list(dict.fromkeys(names))
    more = [] if len(named) <= _NAMED else [f"{len(named) - _NAMED} more"]
    words = named[:_NAMED] + more
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _check_values(stack: Stack) -> None:
    for place in plane_places(stack, _LOOKED_AT):
        plane = np.asarray(stack.data[place])
        low, high = int(plane.min()), int(plane.max())
        if low < -(2**31) or high >= (2**32 if low >= 0 else 2**31):
            raise BadInput(
                f"{stack.name} is {stack.dtype} with values from {low} to {high}, more than 32 bits hold, as"
                " training sets do; divide them (in Fiji: Process > Math > Divide) or convert it to float32"
            )

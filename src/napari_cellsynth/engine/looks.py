"""A look at what was learned, a preview and numbers on held-out data, also where the device's memory is full."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from napari_cellsynth.engine.loop import Loop
from napari_cellsynth.engine.memory import free_what_can_be, is_out_of_memory

Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Look:
    """What a recipe shows of its networks; ``words`` says where there was no memory for it."""

    images: np.ndarray | None
    """(N, C, Y, X) or (N, T, C, Y, X); None where there was no memory for them anywhere."""
    values: dict[str, float]
    words: tuple[str, ...] = ()


def look(loop: Loop) -> Look:
    """Preview and numbers, made on the device, else on the processor; without either rather than failing.

    Leaves no trace in the training.
    """
    words: list[str] = []
    images = _tried(loop, loop.recipe.preview, "the preview", words)
    values = _tried(loop, loop.recipe.validate, "the numbers on held-out data", words)
    return Look(images, values or {}, tuple(words))


def _tried(loop: Loop, make: Callable[[Mapping[str, nn.Module]], Seen], what: str, words: list[str]) -> Seen | None:
    seen, fits = _once(loop, make, on_processor=False)
    if fits:
        return seen
    seen, fits = _once(loop, make, on_processor=True)
    full = f"out of memory after step {loop.done} on {loop.device}"
    if not fits:
        words.append(f"{full}: {what} had to be left out; the training goes on, close other programs to see more")
    elif loop.device.type != "cpu":
        words.append(f"{full}: {what} came from the processor instead, more slowly; the training goes on as it was")
    return seen


def _once(
    loop: Loop, make: Callable[[Mapping[str, nn.Module]], Seen], *, on_processor: bool
) -> tuple[Seen | None, bool]:
    """What ``make`` returns, and whether there was memory for it."""
    try:
        with loop.looking() as networks:
            if on_processor and loop.device.type != "cpu":
                networks = {name: copy_on_processor(network) for name, network in networks.items()}
            return make(networks), True
    except Exception as error:
        if not is_out_of_memory(error):
            raise
    free_what_can_be(loop.device)
    return None, False


def copy_on_processor(network: nn.Module) -> nn.Module:
    """A copy that takes no memory of the device, not even for a moment."""
    known: dict[int, Any] = {}
    for weight in network.parameters():
        known[id(weight)] = nn.Parameter(weight.detach().to("cpu", copy=True), requires_grad=weight.requires_grad)
    for buffer in network.buffers():
        known[id(buffer)] = torch.Tensor.to(buffer.detach(), "cpu", copy=True)
    return copy.deepcopy(network, known)

"""Layers for a process of its own: what a layer says goes along, its pixels by path where the file still holds them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth.gui.facts import facts_of
from napari_cellsynth.gui.layers import stack_of
from napari_cellsynth.stack.handover import ASK_ABOVE, HandedOver, Written, hand_over

if TYPE_CHECKING:
    from napari_cellsynth.stack.stack import Stack


@dataclass(frozen=True)
class Held:
    """What a worker needs of a layer; taken in the GUI thread, where layers belong."""

    stack: Stack
    letters: str | None
    """The layer's axes in its own order, which is that of its file."""
    modality: str | None
    is_labels: bool


def held(layer: Any) -> Held:
    """The layer as a worker may have it; nothing is read.

    Raises BadInput where an axis has no meaning yet, or the layer is a colour image.
    """
    facts = facts_of(layer)
    return Held(stack_of(layer), facts.axes, facts.modality, type(layer).__name__ == "Labels")


def hand_over_layer(layer: Held, folder: Path, *, ask_above: float = ASK_ABOVE) -> Generator[Written, None, HandedOver]:
    """:func:`~napari_cellsynth.stack.handover.hand_over` for a layer; labels are written compressed."""
    return (
        yield from hand_over(layer.stack, folder, letters=layer.letters, ask_above=ask_above, compress=layer.is_labels)
    )

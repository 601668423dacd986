"""What every method makes of an image: maps on a grid of their own, and proposals of cells in any part of it."""

from __future__ import annotations

from typing import Protocol

from napari_cellsynth.stack.outlines.choose import Proposal
from napari_cellsynth.stack.outlines.propose import Cellness
from napari_cellsynth.stack.outlines.settings import OutlineSettings

Box = tuple[slice, slice]


class View(Protocol):
    """An image as one method sees it."""

    @property
    def factor(self) -> int:
        """Pixels of the image along each side of a pixel here."""
        ...

    @property
    def cellness(self) -> Cellness: ...

    @property
    def shape(self) -> tuple[int, int]: ...

    def propose(self, box: Box) -> list[Proposal]:
        """Regions in a part of the view that may be cells; places are relative to that part."""
        ...


def least_score(usual: float, settings: OutlineSettings) -> float:
    """Score below which a proposal is none: halved at full sensitivity, doubled at none."""
    return usual * 2 ** (1 - 2 * settings.sensitivity)

"""What a network makes of a frame of any size: in overlapping tiles, smaller ones where memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil

import numpy as np
import torch
from torch import nn

from napari_cellsynth.engine.memory import free_what_can_be, is_out_of_memory
from napari_cellsynth.errors import RunFailed

TILE, SMALLEST = 512, 64
"""Side of a tile in pixels at first, and the smallest that is tried."""
SHARED = 0.25
"""Share of its side that a tile has in common with the next."""
AT_ONCE = TILE**2
"""Pixels that go through the network at once: the DenseNet keeps hundreds of maps of each."""


class Tiles:
    """The maps of frames, tile by tile; remembers the size of tile for which there is memory."""

    def __init__(self, network: nn.Module, *, tile: int = TILE) -> None:
        self.network = network
        self.device = next(network.parameters()).device
        self.tile = tile

    def maps(
        self, image: np.ndarray, progress: Callable[[int, int], None] | None = None
    ) -> Iterator[np.ndarray | None]:
        """None after each batch of tiles of an image (Y, X) float32, then its maps (K, Y, X) float32.

        ``progress`` is told how many tiles of how many are done.
        """
        while True:
            try:
                yield from self._once(image, progress)
                return
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            # Outside of the except block: the error holds on to what is to be freed.
            free_what_can_be(self.device)
            self._smaller()

    def _smaller(self) -> None:
        if self.tile <= SMALLEST:
            raise RunFailed(
                f"no memory for a tile of {self.tile} pixels on {self.device}; close other programs, or take another"
                " device (--device cpu)"
            )
        self.tile = max(SMALLEST, self.tile // 2)

    def _once(self, image: np.ndarray, progress: Callable[[int, int], None] | None) -> Iterator[np.ndarray | None]:
        places = [(y, x) for y in starts(image.shape[0], self.tile) for x in starts(image.shape[1], self.tile)]
        size = (min(self.tile, image.shape[0]), min(self.tile, image.shape[1]))
        window = np.outer(*(ramp(side) for side in size)).astype(np.float32)
        total: np.ndarray | None = None
        weight = np.zeros(image.shape, np.float32)
        many = max(1, AT_ONCE // (size[0] * size[1]))
        for first in range(0, len(places), many):
            here = places[first : first + many]
            made = self._run(np.stack([image[y : y + size[0], x : x + size[1]] for y, x in here]))
            if total is None:
                total = np.zeros((made.shape[1], *image.shape), np.float32)
            for (y, x), maps in zip(here, made, strict=True):
                place = (slice(y, y + size[0]), slice(x, x + size[1]))
                total[(slice(None), *place)] += maps * window
                weight[place] += window
            if progress is not None:
                progress(first + len(here), len(places))
            yield None
        assert total is not None
        yield total / weight

    @torch.no_grad()
    def _run(self, tiles: np.ndarray) -> np.ndarray:
        given = torch.from_numpy(np.ascontiguousarray(tiles))[:, None].to(self.device)
        return np.asarray(self.network(given).float().cpu().numpy())


def starts(length: int, tile: int) -> list[int]:
    """First pixels of tiles along an axis, evenly spread, that share at least a quarter with the next."""
    if length <= tile:
        return [0]
    gaps = ceil((length - tile) / (tile * (1 - SHARED)))
    return [round(i * (length - tile) / gaps) for i in range(gaps + 1)]


def ramp(side: int) -> np.ndarray:
    """(side,) weights above 0 that fall towards both ends, so that tiles pass into each other without a seam."""
    edge = max(1, round(side * SHARED))
    distance = np.minimum(np.arange(side), np.arange(side)[::-1]) + 1.0
    return np.minimum(distance / edge, 1.0)

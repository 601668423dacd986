"""A way through latent space, one image at a time, as fast as a slider is drawn."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth import api

BUDGET_S = 0.025
"""An image that takes the processor no longer is made in the GUI thread: with drawing, 33 ms from slider to screen.

Processor time, not time on the clock: on a busy computer a worker would wait
for its turn just the same, and then once more for the window to be drawn.
"""


@dataclass(frozen=True)
class Way:
    """A loaded model and a way through its latent space."""

    model: api.Model
    latents: np.ndarray
    """(K, D): all points of the way."""
    between: int
    """Steps from one cell to the next."""
    cells: tuple[int, ...]
    """Sample numbers of the cells that the way passes."""
    ends: np.ndarray
    """(P, Y, X): images of those cells."""
    limits: tuple[float, float]
    """Contrast for the whole way."""
    seconds: float = 0.0
    """That one image took, at first."""

    def image(self, place: int) -> np.ndarray:
        """The image (Y, X) at a place of the way, 0 to K - 1."""
        with one_thread():
            image: np.ndarray = self.model.verbs.decode(self.latents[place : place + 1]).images[0]
        return image

    def words(self, place: int) -> str:
        """Where that is."""
        leg, share = divmod(place, self.between)
        if share == 0:
            return f"cell {self.cells[leg]}"
        per_cent = round(100 * share / self.between)
        return f"cell {self.cells[leg]} → {self.cells[leg + 1]}, {per_cent} %"


def make_way(model: api.Model, cells: Sequence[int], between: int, kind: str, seed: int) -> Way:
    """Join samples of a seed (by their numbers); the latents are computed here, once.

    Raises BadInput for fewer than two cells.
    """
    from napari_cellsynth.engine.latent_paths import latent_path
    from napari_cellsynth.gui.layers import contrast

    if len(cells) < 2 or min(cells) < 0:
        raise BadInput(f"a morph needs at least two cells, numbered from 0; got {', '.join(map(str, cells)) or 'none'}")
    points = np.concatenate([model.verbs.latents(1, seed=seed, start=number) for number in cells])
    latents = latent_path(points, between, "linear" if kind == "linear" else "spherical")
    ends = model.verbs.decode(points).images
    way = Way(model, latents, between, tuple(cells), ends, contrast(ends))
    times = []
    for _ in range(5):
        began = time.thread_time()
        way.image(0)
        times.append(time.thread_time() - began)
    return replace(way, seconds=statistics.median(times))


@contextmanager
def one_thread() -> Iterator[None]:
    """One image is too little to share: threads that wait for a core that a training has cost tenfold."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Latest:
    """Makes the images that are asked for elsewhere than in the GUI thread, and only ever the newest wish."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._wish: int | None = None
        self._news = threading.Condition()

    def want(self, place: int) -> None:
        """Make this one next; a wish that nobody has begun with is forgotten."""
        with self._news:
            self._wish = place
            self._news.notify()

    def images(self) -> Iterator[tuple[int, np.ndarray] | None]:
        """For a worker: yields (place, image), and None now and then so that the worker can be stopped."""
        while True:
            with self._news:
                if self._wish is None:
                    self._news.wait(0.1)
                place, self._wish = self._wish, None
            yield None if place is None else (place, self._way.image(place))

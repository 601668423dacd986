"""Cells cut out of recordings, with their true masks: the look of the user's own cells, without any training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.simulation.draws import For, draws
from napari_cellsynth.simulation.light import look_of, strange
from napari_cellsynth.simulation.look import Look
from napari_cellsynth.simulation.measured import common_to
from napari_cellsynth.simulation.scale import pixel_of_record
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.modality import SHADOWLESS

SAMPLED = 96
"""Crops, evenly spaced, by which noise and halo are measured."""
ALIKE = 0.5
"""Intersection over union, laid upon each other, from which two masks in a row are of one cell that changed."""
LONG = 5
"""Frames from which a sequence is a film; shorter ones are shown as they begin."""
ENOUGH = 12
"""Cells from which on those that are shorter or stand beside others are left out."""
ALONE = 0.5
"""Share of a halo that something else may take: the rest tells enough to complete it."""

Read = Callable[[int], tuple[np.ndarray, np.ndarray]]
"""From a crop's index to its image (S, S) and mask (S, S)."""


@dataclass(frozen=True)
class Crops:
    """What cut-outs are made of."""

    read: Read
    films: tuple[tuple[int, ...], ...]
    """Indices of crops of one cell, in the order of time and without a gap."""
    dtype: np.dtype[Any]
    pixel_size: tuple[float, float] | None = None
    recording_pixel: tuple[float, float] | None = None
    modality: str | None = None
    frame_interval: float | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)


class CutOuts:
    """An appearance (see :class:`~napari_cellsynth.simulation.look.Appearance`) of cut-out cells.

    A sequence shows one cell over time where there are crops of it, from the
    last frame back to the first and on again where it is asked for longer;
    else one crop.  Crops in which something else stands beside the cell are
    left out where enough others are there (see ``notes``).

    Raises BadInput where no cell can be cut out.
    """

    def __init__(self, crops: Crops, *, change: str = "film", turn: bool = True) -> None:
        self._crops = crops
        self._still = change == "still"
        self._turn = turn and crops.modality in SHADOWLESS
        self.pixel_size, self.recording_pixel = crops.pixel_size, crops.recording_pixel
        self.modality, self.dtype = crops.modality, crops.dtype
        self.notes: list[str] = []
        if not crops.films:
            raise BadInput("there is no cell to cut out; give a training set of single cells with a training part")
        self._measure()
        self._choose()
        films = not self._still and any(len(film) >= LONG for film in self.films)
        self.frame_interval = crops.frame_interval if films else None
        self._look = lru_cache(maxsize=512)(self._cut)

    @classmethod
    def of_set(cls, crops: TrainingSet, *, change: str = "film", turn: bool = True) -> CutOuts:
        """Of the training part of a set of crops; what is held out stays out."""
        indices = crops.indices("train")
        if not len(indices):
            raise BadInput(f"{crops.path.name} has no training part; prepare a set of single cells that has one")

        def read(index: int) -> tuple[np.ndarray, np.ndarray]:
            return crops.images([index])[0], crops.masks([index])[0] > 0

        intervals = {source.get("frame_interval") for source in crops.record["sources"]}
        interval = intervals.pop() if len(intervals) == 1 else None
        films, step = films_of([crops.table[i] for i in indices], indices)
        films = tuple(part for film in films for part in alike(film, read))
        made = Crops(
            read,
            films,
            crops.dtype,
            crops.pixel_size,
            pixel_of_record(crops.record),
            crops.modality,
            None if interval is None else float(interval) * step,
            {"kind": "cut out", "path": str(crops.path.absolute()), "hash": crops.hash, "cells": len(films)},
        )
        return cls(made, change=change, turn=turn)

    # -- what all crops have in common

    def _measure(self) -> None:
        """Level, noise and halo, from some of the crops."""
        everything = [index for film in self._crops.films for index in film]
        places = np.linspace(0, len(everything) - 1, min(SAMPLED, len(everything))).round().astype(int)
        common = common_to([self._crops.read(everything[i]) for i in np.unique(places)], self.modality)
        self.level, self.noise, self.halo = common.level, common.noise, common.halo
        self.reach = self.halo.reach

    def _choose(self) -> None:
        """The films that are shown: of cells that stand alone, and long ones, where there are enough of them."""
        films = list(self._crops.films)
        shares = [self._strange(film) for film in films]
        alone = [film for film, share in zip(films, shares, strict=True) if share <= ALONE]
        if len(alone) >= ENOUGH:
            films = alone
        elif len(alone) < len(films):
            least = np.argsort(shares, kind="stable")[: max(ENOUGH, len(alone))]
            self.notes.append(
                f"only {len(alone)} of {len(films)} cells are free of others on half of their rim; the {ENOUGH} most"
                " free are shown: a set made with --mask-neighbours may give more"
            )
            films = [films[i] for i in sorted(least)]
        long = [film for film in films if len(film) >= LONG]
        self.films = tuple(long if len(long) >= ENOUGH and not self._still else films)

    def _strange(self, film: tuple[int, ...]) -> float:
        """How much of the halo is not the cell's own, in the worst of three frames."""
        frames = sorted({film[0], film[len(film) // 2], film[-1]})
        return max(strange(*self._crops.read(index), self.noise.sigma, self.halo) for index in frames)

    @property
    def provenance(self) -> Mapping[str, Any]:
        return {**self._crops.provenance, "cells_used": len(self.films), "halo_px": self.halo.full}

    # -- looks

    def sequence(self, cell: int, frames: int, seed: int) -> Sequence[Look]:
        """Looks of a cell; which cell of the set it is, and how it is turned, follows from (seed, cell)."""
        order = draws(seed, For.CELLS).permutation(len(self.films))
        film = self.films[int(order[cell % len(order)])]
        turned = int(draws(seed, For.TURNS, cell).integers(8)) if self._turn else 0
        return Film(self._look, film if len(film) >= LONG and not self._still else film[:1], turned, frames)

    def _cut(self, index: int) -> Look:
        image, mask = self._crops.read(index)
        return look_of(image, mask, self.noise.sigma, self.halo)


class Film(Sequence[Look]):
    """Looks of one cell, cut out when they are asked for."""

    def __init__(self, look: Callable[[int], Look], film: tuple[int, ...], turned: int, frames: int) -> None:
        self._look, self._film, self._turned, self._frames = look, film, turned, frames

    def __len__(self) -> int:
        return self._frames

    def __getitem__(self, t: Any) -> Any:
        if isinstance(t, slice):
            return [self[i] for i in range(*t.indices(len(self)))]
        if not -len(self) <= t < len(self):
            raise IndexError(t)
        return oriented(self._look(self._film[there_and_back(t % len(self), len(self._film))]), self._turned)


def there_and_back(t: int, length: int) -> int:
    """0, 1 … length - 1, length - 2 … 1, 0, 1 …: a film that runs backward at its end, so that nothing jumps."""
    if length == 1:
        return 0
    place = t % (2 * length - 2)
    return place if place < length else 2 * length - 2 - place


def oriented(look: Look, turned: int) -> Look:
    """One of the eight ways to lay a square: 0 as it is, 1 to 3 quarter turns, 4 to 7 the same mirrored."""
    if not turned:
        return look

    def lay(array: np.ndarray) -> np.ndarray:
        laid = np.rot90(array, turned % 4)
        return np.ascontiguousarray(laid[:, ::-1] if turned >= 4 else laid)

    kept = None if look.kept is None else lay(look.kept)
    return Look(lay(look.light), lay(look.alpha), lay(look.mask), kept)


def films_of(rows: Sequence[Mapping[str, str]], indices: Sequence[int] | np.ndarray) -> tuple[Any, int]:
    """Crops of one cell in a row, without a gap in time, and how many frames lie from one to the next."""
    of_cell: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for row, index in zip(rows, indices, strict=True):
        key = tuple(row[name] for name in ("source", "z", "channel", "cell"))
        of_cell.setdefault(key, []).append((int(row["t"]), int(index)))
    frames = sorted({(row["source"], int(row["t"])) for row in rows})
    steps = [b[1] - a[1] for a, b in pairwise(frames) if a[0] == b[0]]
    step = min(steps, default=1)
    films = []
    for points in of_cell.values():
        points.sort()
        film: list[int] = []
        for number, (t, index) in enumerate(points):
            if film and t - points[number - 1][0] != step:
                films.append(tuple(film))
                film = []
            film.append(index)
        films.append(tuple(film))
    return tuple(films), step


def alike(film: tuple[int, ...], read: Read) -> Iterator[tuple[int, ...]]:
    """A film, cut where two masks in a row do not resemble each other: the outlines were of another cell there."""
    part: list[int] = []
    before: np.ndarray | None = None
    for index in film:
        mask = read(index)[1]
        if before is not None and (before & mask).sum() < ALIKE * (before | mask).sum():
            yield tuple(part)
            part = []
        part.append(index)
        before = mask
    yield tuple(part)

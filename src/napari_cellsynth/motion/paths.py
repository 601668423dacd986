"""From tracks to paths of consecutive frames in physical units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isclose

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.shake import Shared, Wish, shake_of
from napari_cellsynth.motion.tracks.tracks import Tracks

MICROMETRE, PIXEL = "micrometer", "pixel"
SAME = 0.01
"""Part by which intervals may differ and still be the same."""


@dataclass(frozen=True, eq=False)
class Paths:
    """Paths of cells of one condition; a track with gaps is several paths of one cell."""

    paths: tuple[NDArray[np.float64], ...]
    """(n, 2) each, n >= 2: y and x in ``units``, frame by frame."""
    cell: NDArray[np.int64]
    """(paths,) numbers of the cells from 0, counted through all recordings."""
    family: NDArray[np.int64]
    """(paths,) the same of the cells that come from one cell: they are held out together."""
    recording: NDArray[np.int64]
    """(paths,) of the recordings, from 0."""
    units: str
    """``micrometer``, or ``pixel`` where nobody said the size of one."""
    pixel_size: tuple[float, float] | None
    frame_interval: float | None
    condition: str | None
    shape: tuple[int, int]
    """Height and width in pixels of the largest field, or of what the cells need."""
    names: tuple[str, ...] = ()
    """Of the recordings."""
    alone: int = 0
    """Cells that were seen in single frames only, which say nothing of motion."""
    shared: tuple[Shared, ...] = ()
    """What the cells of each recording do together, and whether it is in the paths."""

    @property
    def cells(self) -> int:
        """How many there are."""
        return len(np.unique(self.cell))


def paths_of(recordings: Sequence[Tracks], shared_motion: Wish = "auto") -> Paths:
    """The paths of all cells of recordings of one condition, without the shake of the stage unless it is to be kept.

    Raises:
        BadInput: no recordings, no cells, a single frame; conditions, intervals or units that do not fit together.
    """
    _check(recordings)
    known = [one.pixel_size is not None for one in recordings]
    found: list[NDArray[np.float64]] = []
    cells, families, of = [], [], []
    said: list[Shared] = []
    cell_count = alone = 0
    for place, one in enumerate(recordings):
        scale = np.array(one.pixel_size if all(known) else (1.0, 1.0))
        roots, (stage, shared) = _roots(one), shake_of(one, scale, shared_motion)
        said.append(shared)
        for number in one.numbers().tolist():
            t, positions = one.track(number)
            steady = positions * scale - stage[t]
            runs = [run for run in np.split(steady, np.flatnonzero(np.diff(t) > 1) + 1) if len(run) > 1]
            alone += not runs
            found += runs
            cells += [cell_count] * len(runs)
            families += [(place, roots[number])] * len(runs)
            of += [place] * len(runs)
            cell_count += 1
    if not found:
        raise BadInput(
            f"{_named(recordings)}: no cell is there in two frames one after the other; track the cells first"
        )
    return Paths(
        paths=tuple(found),
        cell=np.unique(np.array(cells), return_inverse=True)[1].reshape(-1),
        family=np.unique(np.array(families), axis=0, return_inverse=True)[1].reshape(-1),
        recording=np.array(of),
        units=MICROMETRE if all(known) else PIXEL,
        pixel_size=recordings[0].pixel_size if all(known) else None,
        frame_interval=recordings[0].frame_interval,
        condition=recordings[0].condition,
        shape=_field(recordings),
        names=tuple(one.name for one in recordings),
        alone=alone,
        shared=tuple(said),
    )


def _check(recordings: Sequence[Tracks]) -> None:
    if not recordings:
        raise BadInput("no tracks given; give those of at least one recording")
    for one in recordings:
        if not len(one):
            raise BadInput(f"{one.name} holds no cells; give a recording whose cells were tracked")
        if len(np.unique(one.t)) < 2:
            raise BadInput(f"{one.name} has cells in one frame only; motion needs at least two frames")
        if not np.isfinite(one.y).all() or not np.isfinite(one.x).all():
            raise BadInput(f"{one.name} has positions that are no numbers; mend or remove those rows")
    for place, one in enumerate(recordings):
        if any(len(one) == len(other) and np.array_equal(one.y, other.y) for other in recordings[:place]):
            # Its cells would be learned from and held out.
            raise BadInput(f"the tracks {one.name} are given twice; give each recording once")
    conditions = list(dict.fromkeys(one.condition for one in recordings))
    if len(conditions) > 1:
        named = " and ".join("unknown" if one is None else repr(one) for one in conditions)
        raise BadInput(f"tracks of the conditions {named} given; one fit is of one condition: fit each by itself")
    if len({one.pixel_size is None for one in recordings}) > 1:
        unsaid = next(one.name for one in recordings if one.pixel_size is None)
        raise BadInput(f"the pixel size of {unsaid} is not known, that of others is; give it, too")
    first = recordings[0].frame_interval
    for one in recordings:
        given = one.frame_interval
        if not same_interval(first, given):
            raise BadInput(
                f"{recordings[0].name} has {_seconds(first)} from frame to frame, {one.name} {_seconds(given)}; one fit"
                " needs one interval"
            )


def same_interval(one: float | None, other: float | None) -> bool:
    """Whether both are known and alike, or neither: software that records says 600 s once and 600.004 s next time."""
    if one is None or other is None:
        return one is other
    return isclose(one, other, rel_tol=SAME)


def _seconds(interval: float | None) -> str:
    return "an unknown time" if interval is None else f"{interval:g} s"


def _named(recordings: Sequence[Tracks]) -> str:
    return recordings[0].name if len(recordings) == 1 else f"{len(recordings)} recordings"


def _roots(tracks: Tracks) -> dict[int, int]:
    """From each track to the first of its line."""
    roots: dict[int, int] = {}
    for number in tracks.numbers().tolist():
        at, seen = number, {number}
        while at in tracks.parents and tracks.parents[at] not in seen:
            at = tracks.parents[at]
            seen.add(at)
        roots[number] = at
    return roots


def _field(recordings: Sequence[Tracks]) -> tuple[int, int]:
    """Height and width of the largest field, in pixels of the first recording: the others may have smaller ones."""
    first = np.array(recordings[0].pixel_size or (1.0, 1.0))
    sides = []
    for one in recordings:
        shape = one.shape or (ceil(float(one.y.max())) + 1, ceil(float(one.x.max())) + 1)
        # Rounded first: 3 pixels of 0.1 are 3.0000000000000004 of them.
        sides.append(np.ceil(np.round(np.array(shape) * (one.pixel_size or (1.0, 1.0)) / first, 6)))
    height, width = np.maximum(np.max(sides, axis=0), 1).astype(int)
    return int(height), int(width)

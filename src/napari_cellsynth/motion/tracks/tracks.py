"""Which cell is where in which frame, and from which cell it came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cellsynth.errors import BadInput

LARGEST = 2**63 - 1
"""Number of a track or a frame that can be kept."""


class TrackPoint(NamedTuple):
    """One cell in one frame: a row of the tracks table."""

    id: int
    """From 1, equal to the cell's label."""
    t: int
    """Frame index from 0."""
    y: float
    x: float
    """Centroid in pixels."""
    parent: int
    """The track it came from; 0 for none."""


@dataclass(frozen=True, eq=False)
class Tracks:
    """The tracks of one recording: a row for each cell in each frame, sorted by id, then frame.

    A track may have gaps (frames without a row).  Where a cell divides, both
    daughters are new tracks with the same parent; a bud is a new track whose
    parent goes on.

    Raises:
        BadInput: columns of several lengths, ids below 1, frames below 0, two rows of one track in one frame, a
            parent that is no track, or that comes from its child.
    """

    ids: NDArray[np.int64]
    """(N,) numbers of the tracks, from 1."""
    t: NDArray[np.int64]
    """(N,) frames, counted from 0."""
    y: NDArray[np.float64]
    x: NDArray[np.float64]
    """(N,) centroids in pixels; the middle of the first pixel is 0."""
    parents: Mapping[int, int] = field(default_factory=dict)
    """From a track to the one it came from; who has none is not there."""
    features: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Further columns (N,), such as ``area`` in pixels."""
    pixel_size: tuple[float, float] | None = None
    """Height and width of a pixel in micrometres; None where nobody said."""
    frame_interval: float | None = None
    """Seconds from frame to frame; None where nobody said."""
    shape: tuple[int, int] | None = None
    """Height and width of the field in pixels."""
    name: str = "tracks"
    condition: str | None = None
    """Of the experiment, such as control."""
    provenance: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    """What is odd about them, or was left out when they were read; a sentence each."""
    cell_area: float | None = None
    """Of a usual outline in pixels, where a file says that and not the ``area`` of each."""

    def __post_init__(self) -> None:
        columns = {"ids": np.int64, "t": np.int64, "y": np.float64, "x": np.float64}
        made = {name: _column(getattr(self, name), dtype) for name, dtype in columns.items()}
        features = {str(name): np.asarray(values) for name, values in self.features.items()}
        if len({len(column) for column in (*made.values(), *features.values())}) > 1:
            lengths = {name: len(column) for name, column in {**made, **features}.items()}
            raise BadInput(f"columns of tracks with {lengths} rows given; expected as many in each")
        order = np.lexsort((made["t"], made["ids"]))
        for name, column in made.items():
            object.__setattr__(self, name, _fixed(column[order]))
        object.__setattr__(self, "features", {n: _fixed(c[order]) for n, c in features.items()})
        parents = {int(child): int(parent) for child, parent in self.parents.items() if parent}
        object.__setattr__(self, "parents", dict(sorted(parents.items())))
        self._check()

    def _check(self) -> None:
        if len(self.ids) and self.ids[0] < 1:
            raise BadInput(f"a track with number {self.ids[0]} given; numbers of tracks begin with 1")
        if (self.t < 0).any():
            raise BadInput(f"frame {self.t.min()} given; frames count from 0")
        if not (np.isfinite(self.y).all() and np.isfinite(self.x).all()):
            raise BadInput("tracks with positions that are no number given; leave such rows out")
        twice = np.flatnonzero((np.diff(self.ids) == 0) & (np.diff(self.t) == 0))
        if len(twice):
            row = twice[0]
            raise BadInput(
                f"track {self.ids[row]} stands twice in frame {self.t[row]}; a cell is in one place at a time"
            )
        there = set(self.numbers().tolist())
        for child, parent in self.parents.items():
            if child not in there or parent not in there:
                gone = child if child not in there else parent
                raise BadInput(f"track {parent} given as parent of {child}; there is no track {gone}")
            if child in self._ancestors(parent):
                raise BadInput(f"track {parent} given as parent of {child}, and comes from it; a cell has one origin")

    def _ancestors(self, number: int) -> list[int]:
        """The track itself, its parent, and so on."""
        line = [number]
        while (above := self.parents.get(line[-1], 0)) and above not in line:
            line.append(above)
        return line

    def __len__(self) -> int:
        """Rows: cells, counted in each frame."""
        return len(self.ids)

    def __iter__(self) -> Iterator[TrackPoint]:
        """The rows, one after the other."""
        columns = (column.tolist() for column in (self.ids, self.t, self.y, self.x))
        for number, t, y, x in zip(*columns, strict=True):
            yield TrackPoint(number, t, y, x, self.parents.get(number, 0))

    @property
    def frames(self) -> int:
        """Frames up to the last one with a cell; 0 without rows."""
        return int(self.t.max()) + 1 if len(self.t) else 0

    def numbers(self) -> NDArray[np.int64]:
        """The tracks' numbers, each once, ascending."""
        return np.unique(self.ids)

    def starts(self) -> NDArray[np.int64]:
        """(tracks,) the row with which each track begins."""
        return np.flatnonzero(np.diff(self.ids, prepend=0))

    def rows(self, number: int) -> slice:
        """Which rows are of a track; an empty slice where there is none of that number."""
        return slice(*(int(n) for n in np.searchsorted(self.ids, (number, number + 1))))

    def track(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Frames (n,) and positions (n, 2), y and x in pixels, of one track; BadInput where there is none."""
        rows = self.rows(number)
        if rows.start == rows.stop:
            raise BadInput(f"there is no track {number} in {self.name}")
        return self.t[rows], np.stack([self.y[rows], self.x[rows]], axis=1)

    def lengths(self) -> NDArray[np.int64]:
        """(tracks,) rows of each track, in the order of ``numbers``."""
        return np.diff(self.starts(), append=len(self.ids))

    def children(self) -> dict[int, tuple[int, ...]]:
        """From a track to those that came from it."""
        found: dict[int, tuple[int, ...]] = {}
        for child, parent in self.parents.items():
            found[parent] = (*found.get(parent, ()), child)
        return found

    def only(self, numbers: Iterable[int]) -> Tracks:
        """The tracks of these numbers; who loses its parent has none."""
        return self._kept(np.isin(self.ids, list(numbers)))

    def between(self, first: int, stop: int) -> Tracks:
        """The rows of frames ``first`` to ``stop`` - 1, which keep their frame numbers."""
        return self._kept((self.t >= first) & (self.t < stop))

    def _kept(self, rows: NDArray[np.bool_]) -> Tracks:
        there = set(self.ids[rows].tolist())
        return self.with_(
            **{name: getattr(self, name)[rows] for name in ("ids", "t", "y", "x")},
            features={name: column[rows] for name, column in self.features.items()},
            parents={child: parent for child, parent in self.parents.items() if child in there and parent in there},
        )

    def with_(self, **changes: Any) -> Tracks:
        """A copy with some fields changed."""
        return replace(self, **changes)

    @classmethod
    def from_points(cls, points: Iterable[tuple[int, int, float, float, int]], **about: Any) -> Tracks:
        """From rows (id, t, y, x, parent); ``about`` are further fields, such as ``pixel_size``."""
        rows = list(points)
        number, t, y, x, parent = zip(*rows, strict=True) if rows else ((), (), (), (), ())
        columns = (_column(number, np.int64), _column(t, np.int64), np.array(y, np.float64), np.array(x, np.float64))
        return cls(*columns, dict(zip(number, parent, strict=True)), **about)


def _column(values: ArrayLike, dtype: Any) -> NDArray[Any]:
    """(N,) of a type; BadInput for whole numbers that are too large for it."""
    try:
        return np.asarray(values, dtype).reshape(-1)
    except OverflowError:
        raise BadInput(f"a number of a track or a frame is beyond {LARGEST}; number them anew") from None


def _fixed(column: NDArray[Any]) -> NDArray[Any]:
    """The column, which nobody writes into any more."""
    column.flags.writeable = False
    return column

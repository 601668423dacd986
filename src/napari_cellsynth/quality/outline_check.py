"""Is it right?  Outlines beside outlines that somebody trusts, frame by frame, and beside what costs nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.crops.scan import CellCounter, Outline, scan_plane
from napari_cellsynth.stack.hashing import content_hash
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.outlines.baseline import SIDES, otsu_outlines
from napari_cellsynth.stack.outlines.many import room
from napari_cellsynth.stack.outlines.score import OutlineScore, judge, score
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.provenance import provenance_block
from napari_cellsynth.stack.stack import Stack

MISSED, FALSE, BOTH = 1, 2, 3
"""Values of the picture of what is wrong: a trusted cell that was missed, an outline that is none of them, and where
one lies on the other (a cell outlined wrongly)."""
WRONG = {MISSED: "missed", FALSE: "extra", BOTH: "outlined wrongly"}
"""The same in words."""
GOOD = 0.8
"""F1 from which outlines are called good: four of five are right."""
FEW_CELLS = 20
"""Different cells below which a number says little about others."""


@dataclass(frozen=True)
class PlaneCheck:
    """One plane with trusted outlines; t and z are counted from 0."""

    t: int
    z: int
    score: OutlineScore
    free: OutlineScore | None
    """Of Otsu's threshold; None where there is no movie."""

    @property
    def missed(self) -> int:
        return self.score.true - self.score.matched

    @property
    def false(self) -> int:
        return self.score.found - self.score.matched


@dataclass(frozen=True, eq=False)
class OutlineCheck:
    """What was found, of all planes with trusted outlines."""

    planes: tuple[PlaneCheck, ...]
    wrong: Stack
    """Axes of the trusted outlines, uint8: 0 nothing wrong, ``MISSED``, ``FALSE``, ``BOTH``."""
    cells: int
    """Different trusted cells."""
    cells_exact: bool
    """Whether they are counted by their numbers; else an estimate by overlap."""
    left_out: int
    """Planes without trusted outlines, which were not judged."""
    side: str
    """Side of Otsu's threshold that agrees better: ``bright`` or ``dark``."""
    provenance: dict[str, Any]
    odd: tuple[str, ...] = ()
    """What is odd about the two, such as that one was moved along with a recording that was made steady."""

    @property
    def total(self) -> OutlineScore:
        return reduce(add, (plane.score for plane in self.planes))

    @property
    def free(self) -> OutlineScore | None:
        """Of Otsu's threshold in the same planes."""
        scores = [plane.free for plane in self.planes if plane.free is not None]
        return reduce(add, scores) if scores else None

    def worst(self) -> list[PlaneCheck]:
        """The planes, the least right first; of equals the one with more wrong."""
        return sorted(self.planes, key=lambda plane: (plane.score.f1, -plane.missed - plane.false, plane.t, plane.z))

    def sentence(self) -> str:
        """What to know first."""
        total, free = self.total, self.free
        said = f"Finds {total.matched:,} of {total.true:,} cells"
        extra = total.found - total.matched
        said += f"; {extra:,} other {'outline matches' if extra == 1 else 'outlines match'} no cell." if extra else "."
        if free is None:
            return said
        worse = " That costs nothing, and does no worse." if free.f1 >= total.f1 else ""
        return f"{said} Otsu's threshold finds {free.matched:,}.{worse}"

    @property
    def level(self) -> str:
        """How the sentence is meant: ``good``, ``quiet``, ``warning`` or ``bad``."""
        total, free = self.total, self.free
        if total.matched == 0 or (free is not None and free.f1 >= total.f1):
            return "bad"
        return "good" if total.f1 >= GOOD else "quiet" if total.f1 >= GOOD / 2 else "warning"

    def notes(self) -> list[str]:
        """What the numbers stand on, a sentence each."""
        about = "" if self.cells_exact else "about "
        planes = counted(len(self.planes), "plane" if "Z" in self.wrong.axes else "frame")
        said = [f"n: {self.total.true:,} trusted outlines of {about}{self.cells:,} different cells in {planes}."]
        if self.cells < FEW_CELLS:
            said.append("So few cells say little about others: trust more outlines, in other frames or movies.")
        if self.left_out:
            said.append(f"{self.left_out:,} without trusted outlines left out.")
        return said + [f"{note[:1].upper()}{note[1:]}." for note in self.odd]


def check_outlines(
    found: Stack,
    trusted: Stack,
    movie: Stack | None = None,
    *,
    channel: int = 0,
    empty_planes: bool = False,
) -> Iterator[SetProgress | OutlineCheck]:
    """Compare outlines with trusted ones, plane by plane; the last that comes is the OutlineCheck.

    Parameters
    ----------
    found, trusted
        Labels (axes of ``TZYX``), 0 background; a cell counts as found where
        the intersection over union of the two outlines is above 0.5.
    movie
        What they outline: Otsu's threshold is tried on it, in the given
        channel, on the side that agrees better with the trusted outlines.
    empty_planes
        Whether a plane without trusted outlines holds no cells.  Else it is
        left out, since nobody may have looked at it.

    Raises
    ------
    BadInput
        Where shapes do not agree, or nothing is trusted.
    """
    _check(found, trusted, movie)
    places = [(t, z) for t in range(trusted.size("T")) for z in range(trusted.size("Z"))]
    wrong = room(tuple(trusted.size(axis) for axis in trusted.axes), np.uint8)
    pictures = wrong.reshape(len(places), *wrong.shape[-2:])
    planes: list[tuple[int, int, OutlineScore, tuple[OutlineScore, ...]]] = []
    counter, seen, left_out = CellCounter(), list[Outline](), 0
    for done, (t, z) in enumerate(places):
        yield SetProgress(done, len(places), "comparing outlines")
        true, here = trusted.frame(t, z=z), found.frame(t, z=z)
        if not true.any() and not empty_planes:
            left_out += 1
            continue
        counter.add(t, z, true)
        seen += scan_plane(true, 0, t, z)
        judged = judge(true, here)
        _draw(pictures[done], np.isin(true, judged.missed), np.isin(here, judged.false))
        planes.append((t, z, judged.score, _free(true, movie, t, z, channel)))
    if not seen and not empty_planes:
        raise BadInput(f"{trusted.name} is empty: there is nothing to compare with; outline cells in some frames first")
    yield SetProgress(len(places), len(places), "noting what was compared")
    side = _better_side([free for *_, free in planes])
    block = _block(found, trusted, movie, empty_planes)
    yield OutlineCheck(
        planes=tuple(PlaneCheck(t, z, s, free[side] if free else None) for t, z, s, free in planes),
        wrong=_wrong(wrong, found, trusted, block),
        cells=max(counter.cells(seen), default=0),
        cells_exact=counter.exact,
        left_out=left_out,
        side=SIDES[side],
        provenance=block,
        odd=tuple(dict.fromkeys((*found.notes, *trusted.notes))),
    )


def _check(found: Stack, trusted: Stack, movie: Stack | None) -> None:
    for stack in (found, trusted, *([] if movie is None else [movie])):
        sizes = [tuple(one.size(axis) for axis in "TZYX") for one in (stack, trusted)]
        if sizes[0] != sizes[1]:
            raise BadInput(
                f"{stack.name} has {_sizes(sizes[0])} and {trusted.name} {_sizes(sizes[1])}; they must be of one movie"
            )
    for labels in (found, trusted):
        if labels.dtype.kind not in "iu" or "C" in labels.axes:
            raise BadInput(f"{labels.name} holds {labels.dtype} {labels.axes}; outlines are whole numbers without C")


def _sizes(sizes: Sequence[int]) -> str:
    t, z, y, x = sizes
    return f"{counted(t, 'frame')} of {f'{z} planes of ' if z > 1 else ''}{y} x {x} pixels"


def _free(true: np.ndarray, movie: Stack | None, t: int, z: int, channel: int) -> tuple[OutlineScore, ...]:
    """Otsu's threshold on either side."""
    if movie is None:
        return ()
    plane = movie.frame(t, channel=channel, z=z)
    return tuple(score(true, otsu_outlines(plane, side)) for side in SIDES)


def _better_side(scores: Sequence[tuple[OutlineScore, ...]]) -> int:
    scores = [both for both in scores if both]
    if not scores:
        return 0
    return int(np.argmax([reduce(add, side).f1 for side in zip(*scores, strict=True)]))


def _draw(picture: np.ndarray, missed: np.ndarray, false: np.ndarray) -> None:
    picture[missed], picture[false], picture[missed & false] = MISSED, FALSE, BOTH


def _wrong(data: Any, found: Stack, trusted: Stack, block: dict[str, Any]) -> Stack:
    return Stack(
        data,
        trusted.axes,
        pixel_size=trusted.pixel_size,
        z_step=trusted.z_step,
        frame_interval=trusted.frame_interval,
        name=f"{found.name}: where it is wrong",
        provenance=block,
    )


def _block(found: Stack, trusted: Stack, movie: Stack | None, empty_planes: bool) -> dict[str, Any]:
    named = {"outlines": found, "trusted": trusted, **({} if movie is None else {"movie": movie})}
    return provenance_block(
        made_by="check outlines",
        synthetic=False,
        settings={"values": {str(value): words for value, words in WRONG.items()}, "empty_planes": empty_planes},
        inputs=[{"as": kind, "name": one.name, "hash": content_hash(one)} for kind, one in named.items()],
    )

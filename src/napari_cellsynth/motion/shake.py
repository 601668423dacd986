"""What all cells of a field do together from one frame to the next: a stage that shakes, told from cells that drift.

Cells that move on their own have a middle that wanders, too, by the spread
between them over the root of their number.  What goes beyond it is shared.
A drift that lasts may be the stage's or the cells' (they follow a gradient,
a sheet flows), and nobody can tell from tracks which: it is kept.  What is
forgotten by the next frame is taken for the stage's.  docs/motion.md has how
often either is mistaken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.steps import FEWEST, Floats, Middle, Steps, clear_drift, drift_of, middle_of, steps_of
from napari_cellsynth.motion.tracks.tracks import Tracks

Wish = Literal["auto", "keep", "remove"]
Found = Literal["few", "alone", "shake", "lasting", "wished", "kept"]

FRAMES = 8
"""Pairs of frames with enough cells from which it is asked whether they shake."""
BEYOND = 2.0
"""Times the variance that the middle of independent cells has, from which it is clearly more."""
CHANCE, FLIPS = 0.01, 999
LASTS, LASTS_LESS = 0.1, -0.05
"""Correlation of shared motion one frame apart from which it lasts, as a drift that turns does; and the same of what a
running mean leaves, which lowers it by about 0.15."""
WINDOW = 9
"""Frames of the running mean of a drift that turns."""
CLIPPED = 10.0
"""Times the usual step from which a longer one, such as a wrong link, counts no more."""
MIDDLE = 12
"""Cells from which the middle third of the field is left out when its sides are compared."""


@dataclass(frozen=True)
class Shared:
    """What was found of one recording; lengths in the units of its paths."""

    recording: str
    found: Found
    """Too ``few`` cells to tell; each moves ``alone``; a ``shake``; ``lasting``, so no shake; ``wished``: all was to be
    taken out; ``kept``: it was not looked for."""
    pairs: int
    """Pairs of consecutive frames that hold cells."""
    frames: int = 0
    """Of them those in which something was taken out."""
    size: float = 0.0
    """Root mean square of what was taken out, a frame."""
    largest: float = 0.0
    """The largest of it."""
    beyond: float = 0.0
    """Root mean square a frame of what cells share beyond chance, less the steady drift."""
    drift: float = 0.0
    """Length a frame of the steady motion of all cells, which is kept; 0 where it is not clear."""
    p: float | None = None
    """Of the test that cells at both sides of the field jump alike."""

    @property
    def taken_out(self) -> bool:
        return self.frames > 0


def shake_of(tracks: Tracks, scale: Floats, wish: Wish = "auto") -> tuple[Floats, Shared]:
    """Where the stage is in each frame (frames, 2), to be taken off the scaled positions, and what was found.

    Args:
        tracks: of one recording.
        scale: (2,) height and width of a pixel in the units that are wanted.
        wish: ``auto`` takes out a shake, ``keep`` nothing, ``remove`` all that cells share, a drift as well.

    Raises:
        BadInput: ``remove`` where there are too few cells at any time.
    """
    steps = steps_of(tracks, scale)
    pairs = len(np.unique(steps.t))
    still = np.zeros((tracks.frames, 2))
    if wish == "keep":
        return still, Shared(tracks.name, "kept", pairs)
    middle = middle_of(steps)
    if wish == "remove":
        if not len(middle.t):
            raise BadInput(
                f"{tracks.name} never has {FEWEST} cells in two frames one after the other, so what they share cannot"
                " be told from what each does; give auto or keep for shared motion, or steady the movie"
            )
        return _taken(still, middle, middle.move, Shared(tracks.name, "wished", pairs))
    if len(middle.t) < FRAMES:
        return still, Shared(tracks.name, "few", pairs)
    shake, said = _looked(steps, middle, Shared(tracks.name, "alone", pairs, drift=clear_drift(steps)))
    return _taken(still, middle, shake, said) if said.found == "shake" else (still, said)


def _taken(offset: Floats, middle: Middle, shake: Floats, said: Shared) -> tuple[Floats, Shared]:
    offset[middle.t + 1] = shake
    length = np.hypot(*shake.T)
    size = float(np.sqrt((length**2).mean()))
    return np.cumsum(offset, axis=0), replace(said, frames=len(shake), size=size, largest=float(length.max()))


def _looked(steps: Steps, middle: Middle, said: Shared) -> tuple[Floats, Shared]:
    """What of the middle (T, 2) is the stage's: all but a steady drift; where that lasts, all but one that turns."""
    for window, limit in ((None, LASTS), (WINDOW, LASTS_LESS)):
        drift = drift_of(middle, window)
        left = middle.move - drift
        variance, chance = float((left**2).sum(1).mean()), float(middle.noise.mean())
        p, lasts = _alike(steps, middle, drift)
        if window is None:
            said = replace(said, beyond=float(np.sqrt(max(0.0, variance - chance))), p=p)
        if variance <= BEYOND * chance or p >= CHANCE:
            return left, said
        if lasts < limit:
            return left, replace(said, found="shake")
        said = replace(said, found="lasting")
    return left, said


# -- both sides of the field -----------------------------------------------------------------------------------------


def _alike(steps: Steps, middle: Middle, drift: Floats) -> tuple[float, float]:
    """Whether cells at one side of the field jump as those at the other: p, and their correlation a frame apart.

    The product of the mean steps of both sides holds what they share and
    nothing that a cell does for itself, however long it goes on.  By chance
    it is what it becomes where the paths of cells are mirrored at random:
    that leaves each as it is and undoes what they share.  Neighbours that
    pull each other along are seldom at both sides.
    """
    near, far = (_side(steps, middle, drift, cells) for cells in _sides(steps.place))
    draws = np.random.default_rng(0)
    a, b = _centred(near.sum(0)), _centred(far.sum(0))
    product = float((a * b).sum())
    chance = np.zeros(FLIPS)
    for axis in range(2):
        signs = (draws.choice([-1.0, 1.0], (FLIPS, len(side))) @ side[:, :, axis] for side in (near, far))
        one, other = (_centred(flipped.T) for flipped in signs)
        chance += (one * other).sum(0)
    # All mirrored alike is the same number but for rounding.
    p = (1 + int((chance >= product * (1 - 1e-9)).sum())) / (1 + FLIPS)
    after = np.diff(middle.t) == 1
    later = float(((a[:-1] * b[1:])[after].sum() + (b[:-1] * a[1:])[after].sum()) / 2)
    return p, later / product if product > 0 else 0.0


def _centred(series: Floats) -> Floats:
    return series - series.mean(0)


def _sides(place: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cells at both ends of the direction in which the field of cells is longest; in the middle is neither."""
    away = place - place.mean(0)
    order = np.argsort(away @ np.linalg.svd(away, full_matrices=False)[2][0], kind="stable")
    middle = len(order) // 3 if len(order) >= MIDDLE else 0
    count = (len(order) - middle) // 2
    return order[:count], order[count + middle :]


def _side(steps: Steps, middle: Middle, drift: Floats, cells: NDArray[np.int64]) -> Floats:
    """(cells, T, 2) steps less the drift, over the number of cells in each frame: their sum is the mean step."""
    number = np.full(len(steps.place), -1)
    number[cells] = np.arange(len(cells))
    at = np.full(int(steps.t.max()) + 1, -1)
    at[middle.t] = np.arange(len(middle.t))
    rows = np.flatnonzero((number[steps.cell] >= 0) & (at[steps.t] >= 0))
    left = steps.move[rows] - drift[at[steps.t[rows]]]
    length = np.hypot(*left.T)
    most = CLIPPED * float(np.median(length)) if len(length) else 0.0
    made = np.zeros((len(cells), len(middle.t), 2))
    made[number[steps.cell[rows]], at[steps.t[rows]]] = left * np.minimum(1, most / np.maximum(length, 1e-300))[:, None]
    counts = np.bincount(at[steps.t[rows]], minlength=len(middle.t))
    return made / np.maximum(counts, 1)[None, :, None]

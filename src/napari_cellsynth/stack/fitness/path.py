"""From shifts between many pairs of frames to one path of the stage, and what of it can be believed.

What is seen moves because the stage moves and because cells do.  Sudden
steps that come and go are the stage's where all parts of the frame agree on
them; slow motion is the stage's only where it holds between distant frames,
too, in which cells that crawl have long gone different ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.stack.fitness.register import Match

LAGS = (1, 2, 4, 8, 16)
"""Frames back with which every frame is compared.  Steps alone add up to a random walk of errors; what stands still
ties a frame to one long before."""
FLOOR = 0.05
"""Standard error in pixels below which no shift is believed to be."""
SLOW = 11
"""Frames over which a line is laid through the path to tell slow motion from sudden steps."""
SURE = 4.0
"""Times its error that a motion is at least."""
JITTER = 0.2
"""Pixels per frame below which the stage counts as steady."""
UNSEEN = 1.5
"""Reduced pixels per frame: where a motion of this size could hide, nothing is said about the stage."""
OTHER_SCENE = (0.5, 0.7)
"""Likeness, against the usual one, below which a frame shows another scene: the first always, the second where it is
far from what it fluctuates by.  In real recordings frames that follow each other have at least 0.7 of it, those of two
scenes at most 0.35 where a frame has 250 pixels or more a side; the smaller, the more two scenes are alike."""
GAP = 4
"""Frames apart at most, of which those between are unfit, that still are compared as if one followed the other."""
BLIND = 0.15
"""Usual likeness below which scenes cannot be told apart."""
NEAR = 2
"""Frames back up to which pairs count where distant frames do not lie as one piece against each other."""
JUMP = (5.0, 4.0)
"""A sudden shift of this many pixels, and of this many usual steps, is a jump..."""
UNMOVED = 0.35
"""... where no more than this share of the difference without it is left with it: 0.07 to 0.30 for shifts of the
stage, 0.43 to 0.61 where a row of cells in a trench lost one and fits onto itself a cell further on."""
FAR = 8
"""Frames that two must lie apart to tell slow motion of the stage from that of cells."""
LASTING = 0.5
"""Likeness of distant frames, against neighbours, where slow motion is the stage's: cells that crawl change more."""
SPREAD = 0.5
"""How much of what all parts of the frame disagree by counts as error where most of them do agree."""
AGREED = 0.75
"""Spread (reduced pixels) of the shift between distant frames up to which their parts agree.  Two channels of a real
recording whose stage goes 17 pixels have 0.6 and 0.7; simulated cells that crawl on featureless ground 0.9 and more."""

Pairs = Mapping[tuple[int, int], Match]
"""Matches by (earlier, later) frame."""


@dataclass(frozen=True, eq=False)
class Path:
    """Where the stage is in each frame, as far as that can be told."""

    offsets: NDArray[np.float64]
    """(T, 2) dy, dx of what is seen against the first frame of its scene: the stage's motion alone."""
    steps: NDArray[np.float64]
    """(T, 2) against the frame before; 0 in the first, NaN where it cannot be measured."""
    jumps: tuple[int, ...]
    """Frames that a sudden large shift or another scene sets apart from the one before."""
    scenes: tuple[int, ...]
    """Those of them at which another scene begins."""
    jitter: float
    """Usual sudden step in pixels per frame, 0 where it is not the stage's beyond doubt."""
    drifts: bool
    """Whether slow motion is the stage's, and part of the path."""
    error: float
    """Usual error of a step in pixels: what parts of the frame, and pairs of frames, disagree by."""
    told: bool
    """Whether it can be told if the stage moves: cells that move by themselves do not hide it."""


def follow(pairs: Pairs, usable: NDArray[np.bool_], *, factor: int = 1) -> Path:
    """The path through the frames that are ``usable`` (T,), from pairs with the lags LAGS.

    ``factor`` is how many pixels make a reduced one.
    """
    follows = _follows(pairs, usable)
    scenes = _other_scenes(pairs, follows)
    known = {pair: one for pair, one in pairs.items() if _counts(pair, one, usable, scenes)}
    error = _error(known)
    drifts = _drifts(known, AGREED * factor)
    near = {(i, t): known[i, t] for t, i in follows.items() if (i, t) in known}
    near |= {(i, j): one for (i, j), one in known.items() if j - i <= NEAR}
    seen = _solve(known if drifts else near, len(usable))
    moved = {t: seen[t] - seen[i] for t, i in follows.items() if (i, t) in known}
    leaps = _leaps(moved, follows, known, error)
    parts = _parts(usable, scenes if drifts else _breaks(usable, follows, scenes))
    jumped = np.zeros_like(seen)
    for t in leaps:
        jumped[t:] += moved[t]
    rest = seen - jumped
    sudden = rest - _slow(rest, parts)
    jitter = _median([float(np.hypot(*(sudden[t] - sudden[follows[t]]))) for t in moved])
    jitters = jitter >= max(JITTER, SURE * error)
    offsets = _from_first(seen if drifts else jumped + (sudden if jitters else 0.0), usable, parts)
    told = jitters or drifts or SURE * error <= UNSEEN * factor
    steps = np.full_like(offsets, np.nan)
    steps[:1] = 0.0
    for t in (t for t in moved if told and follows[t] == t - 1):
        steps[t] = offsets[t] - offsets[t - 1]
    jumps = tuple(sorted({*leaps, *scenes}))
    return Path(offsets, steps, jumps, scenes, jitter if jitters else 0.0, drifts, error, told)


def _follows(pairs: Pairs, usable: NDArray[np.bool_]) -> dict[int, int]:
    """By usable frame the last usable one before it, if that is not long before."""
    made = {}
    for t in np.flatnonzero(usable):
        for i in (int(t) - lag for lag in LAGS if lag <= GAP):
            if i >= 0 and usable[i] and (i, int(t)) in pairs:
                made[int(t)] = i
                break
    return made


def _other_scenes(pairs: Pairs, follows: Mapping[int, int]) -> tuple[int, ...]:
    """Frames at which another scene begins."""
    likeness = {t: pairs[i, t].likeness for t, i in follows.items()}
    usual = _median(list(likeness.values()))
    least = min(OTHER_SCENE[1] * usual, usual - 10 * 1.4826 * _median([abs(v - usual) for v in likeness.values()]))
    return tuple(t for t, v in likeness.items() if usual > BLIND and v < max(OTHER_SCENE[0] * usual, least))


def _counts(pair: tuple[int, int], one: Match, usable: NDArray[np.bool_], scenes: tuple[int, ...]) -> bool:
    i, j = pair
    fits = np.isfinite(one.error) and np.isfinite(one.shift).all()
    return bool(usable[i] and usable[j] and fits and not any(i < t <= j for t in scenes))


def _solve(pairs: Pairs, frames: int) -> NDArray[np.float64]:
    """Offsets (T, 2) that agree best with all pairs, outliers having less of a say.

    Errors of the cells' making go the same way frame after frame, so that
    those of n steps add up to n, not to the square root of n, times one: a
    pair counts the more, the further its frames lie apart.
    """
    from scipy.linalg import solveh_banded

    offsets = np.zeros((frames, 2))
    if not pairs:
        return offsets
    i, j = np.array(list(pairs)).T
    shifts = np.array([one.shift for one in pairs.values()])
    errors = np.array([one.error for one in pairs.values()])
    weights = 1 / ((errors**2 + FLOOR**2) * max(LAGS) / (j - i))
    trust = np.ones(len(i))
    for _ in range(8):
        bands, right = _normal(i, j, weights * trust, shifts, frames)
        offsets = solveh_banded(bands, right)
        off = np.hypot(*(offsets[j] - offsets[i] - shifts).T) * np.sqrt(weights)
        limit = max(1.5 * float(np.median(off)), 1e-9)
        trust = np.minimum(1, limit / np.maximum(off, limit))
    return np.asarray(offsets)


def _normal(
    i: NDArray[np.int64], j: NDArray[np.int64], w: NDArray[np.float64], d: NDArray[np.float64], frames: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Normal equations of ``p[j] - p[i] = d``: upper bands for SciPy, and the right side (T, 2)."""
    width = max(LAGS)
    bands, right = np.zeros((width + 1, frames)), np.zeros((frames, 2))
    bands[width] = 1e-9 * w.max()  # frames without pairs, and one of each scene, stay where they are
    np.add.at(bands[width], i, w)
    np.add.at(bands[width], j, w)
    np.add.at(bands, (width - (j - i), j), -w)
    np.add.at(right, j, w[:, None] * d)
    np.add.at(right, i, -w[:, None] * d)
    return bands, right


def _error(pairs: Pairs) -> float:
    """Usual error of a step: of its fit, of two steps against the pair that spans them, and of all parts' say."""
    steps = {i: one for (i, j), one in pairs.items() if j - i == 1}
    off = [
        float(np.hypot(*(np.subtract(one.shift, steps[i].shift) - steps[i + 1].shift))) / np.sqrt(3)
        for (i, j), one in pairs.items()
        if j - i == 2 and i in steps and i + 1 in steps
    ]
    alone = [np.hypot(one.error, SPREAD * one.spread) for one in steps.values()]
    return float(np.hypot(_median(off), _median(alone)))


def _leaps(
    moved: Mapping[int, NDArray[np.float64]], follows: Mapping[int, int], pairs: Pairs, error: float
) -> list[int]:
    """Frames with a sudden large shift from the one before, as the path has it and the two frames alone have it."""
    usual = _median([float(np.hypot(*step)) for step in moved.values()])
    found = []
    for t, step in moved.items():
        alone, size = pairs[follows[t], t], float(np.hypot(*step))
        least = max(JUMP[0], JUMP[1] * usual, 2 * SURE * max(error, alone.error))
        agreed = float(np.hypot(*(step - alone.shift))) <= max(1.0, 0.2 * size)
        if size >= least and agreed and alone.unmoved < UNMOVED:
            found.append(t)
    return found


def _breaks(usable: NDArray[np.bool_], follows: Mapping[int, int], scenes: tuple[int, ...]) -> tuple[int, ...]:
    """Scenes, and frames after long holes."""
    lost = [int(t) for t in np.flatnonzero(usable)[1:] if t not in follows]
    return tuple(sorted({*scenes, *lost}))


def _parts(usable: NDArray[np.bool_], breaks: tuple[int, ...]) -> list[NDArray[np.int64]]:
    """Usable frames between breaks."""
    edges = [0, *breaks, len(usable)]
    parts = [np.arange(a, b)[usable[a:b]] for a, b in pairwise(edges)]
    return [part for part in parts if len(part)]


def _slow(offsets: NDArray[np.float64], parts: list[NDArray[np.int64]]) -> NDArray[np.float64]:
    """The path without its sudden steps: a line through the frames around each."""
    from scipy.signal import savgol_filter

    slow = offsets.copy()
    for part in parts:
        width = min(SLOW, len(part) - 1 + len(part) % 2)
        if width >= 5:
            slow[part] = savgol_filter(offsets[part], width, 1, axis=0, mode="interp")
    return slow


def _drifts(pairs: Pairs, agreed: float) -> bool:
    """Whether distant frames still lie as one piece against each other."""
    usual = _median([one.likeness for (i, j), one in pairs.items() if j - i == 1])
    for lag in sorted(LAGS, reverse=True):
        apart = [one for (i, j), one in pairs.items() if j - i == lag]
        if lag < FAR or len(apart) < 3:
            continue
        alike = _median([one.likeness for one in apart]) >= LASTING * usual
        return alike and _median([one.spread for one in apart]) <= agreed
    return False


def _from_first(
    offsets: NDArray[np.float64], usable: NDArray[np.bool_], parts: list[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """From the first frame of each part; frames that are not usable lie where the one before does."""
    made = np.zeros_like(offsets)
    for part in parts:
        made[part] = offsets[part] - offsets[part[0]]
    for t in np.flatnonzero(~usable):
        made[t] = made[t - 1] if t else 0.0
    return made


def _median(values: list[float]) -> float:
    return float(np.median(values)) if values else 0.0

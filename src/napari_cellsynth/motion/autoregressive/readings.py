"""What y_t is: the two readings of equations 3 and 4 as rows of observations, with what is held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.autoregressive.settings import MotionSettings
from napari_cellsynth.motion.paths import Paths

CHANCE = 0.01
"""Of a mean of displacements below which it is a drift, and no chance of few cells."""


@dataclass(frozen=True, eq=False)
class Observations:
    """Sequences of y_t, one below the other, and which rows are predicted."""

    joint: bool
    """Which of the readings this is."""
    y: NDArray[np.float64]
    """(M, D) observations."""
    learned: NDArray[np.bool_]
    """(M,) rows that mean and subspace are taken from."""
    targets: NDArray[np.int64]
    """(R,) rows that are predicted, each with ``max_d`` rows of its sequence before it: the same for every d."""
    held: NDArray[np.bool_]
    """(R,) which of them judge and are not learned from."""
    group: NDArray[np.int64]
    """(R,) cells, or frames in the joint reading: errors in one group are not independent."""
    starts: NDArray[np.int64]
    """(sequences,) first row of each."""
    lines: NDArray[np.int64]
    """Of each path that is learned from the number of its line of cells: cells with their daughters."""
    points: int
    """Positions in a row that are new: 1, or the number of cells in the joint reading."""
    cells: int
    """Cells that are learned from or held out."""
    left_out: int
    """Cells that are too short."""
    held_cells: tuple[int, ...]
    """Numbers of the cells held out, as ``Paths.cell`` counts them; empty in the joint reading."""
    joint_cells: tuple[int, ...]
    """Of the joint reading, the cells whose positions are stacked, in their order."""
    frames: int
    """Of the joint reading, frames of its window; else those of the longest path."""


def observe(paths: Paths, settings: MotionSettings) -> Observations:
    """The observations of a reading; BadInput where tracks are too short, or too few, for it."""
    return _joint(paths, settings) if settings.reading == "joint" else _cell(paths, settings)


def windows(path: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """(n - length, 2 length): after each displacement, the last ``length`` of them, the newest first, y before x."""
    steps = np.diff(path, axis=0)
    view = np.lib.stride_tricks.sliding_window_view(steps, length, axis=0)
    return np.ascontiguousarray(view[:, :, ::-1].transpose(0, 2, 1)).reshape(len(view), 2 * length)


def displacements_of(seen: Observations, *, learned: bool) -> list[NDArray[np.float64]]:
    """(n, 2) each: of the paths that are learned from, or held out, all displacements; jointly of each cell."""
    if seen.joint:
        whole = seen.y[seen.learned == learned].reshape(-1, seen.points, 2)
        return list(np.diff(whole, axis=0).transpose(1, 0, 2))
    parts = np.split(np.arange(len(seen.y)), seen.starts[1:])
    # The first window, and of each that follows what is new in it.
    first = [seen.y[part[0]].reshape(-1, 2)[::-1] for part in parts]
    whole = [np.concatenate([one, seen.y[part[1:], :2]]) for one, part in zip(first, parts, strict=True)]
    return [one for one, part in zip(whole, parts, strict=True) if seen.learned[part[0]] == learned]


def clear_mean(seen: Observations) -> NDArray[np.float64]:
    """(2,) mean of the displacements that are learned from, where it is clear that cells drift; else 0.

    Each cell goes on in its own direction for a while, so the mean of few is
    not 0 by chance, and all simulated cells would go that way.  Cells with
    their daughters are what is counted.  If each line of cells goes its own
    way, alike in all directions, the square of their mean over that of its
    standard error (both axes) is F with 2 and 2 (n - 1) degrees of freedom,
    whose tail is (1 + x / (n - 1))^-(n - 1).
    """
    parts = displacements_of(seen, learned=True)
    _, line = np.unique(seen.lines, return_inverse=True)
    n = int(line.max()) + 1
    if n < 2:
        return np.zeros(2)
    counts = np.bincount(line, [len(one) for one in parts])
    sums = np.stack([np.bincount(line, column) for column in np.array([one.sum(0) for one in parts]).T], axis=1)
    mean = sums.sum(0) / counts.sum()
    error = float(((sums - counts[:, None] * mean) ** 2).sum()) * n / (n - 1) / counts.sum() ** 2
    x = float((mean**2).sum()) / error if error > 0 else np.inf
    return mean if (1 + x / (n - 1)) ** (1 - n) < CHANCE else np.zeros(2)


def root_mean_square(seen: Observations) -> float:
    """Of the displacements that are learned from."""
    every = np.concatenate(displacements_of(seen, learned=True))
    return float(np.sqrt((every**2).sum(1).mean()))


def _cell(paths: Paths, settings: MotionSettings) -> Observations:
    """y_t: one cell's displacements over the last L frames; held out are cells."""
    length, lags = settings.window, settings.max_d
    needed = length + lags + 1
    usable = [i for i, path in enumerate(paths.paths) if len(path) >= needed]
    families = np.unique(paths.family[usable]) if usable else np.empty(0, np.int64)
    if len(families) < 2:
        longest = max(map(len, paths.paths))
        raise BadInput(
            f"{len(families)} tracks (cells with their daughters) of at least {needed} frames given, the longest has"
            f" {longest}; a window of {length} and d up to {lags} need two such: lower max d (frames"
            " looked back) or the window (displacements observed)"
        )
    held_families = _drawn(paths, families, settings)
    parts = [windows(paths.paths[i], length) for i in usable]
    counts = np.array([len(part) for part in parts])
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    cell = np.repeat(paths.cell[usable], counts)
    held = np.repeat(np.isin(paths.family[usable], held_families), counts)
    late = np.arange(len(cell)) - np.repeat(starts, counts) >= lags
    targets = np.flatnonzero(late)
    kept = np.unique(paths.cell[usable])
    return Observations(
        joint=False,
        y=np.concatenate(parts),
        learned=~held,
        targets=targets,
        held=held[targets],
        group=cell[targets],
        starts=starts,
        lines=paths.family[[i for i in usable if paths.family[i] not in held_families]],
        points=1,
        cells=len(kept),
        left_out=paths.cells - len(kept) + paths.alone,
        held_cells=tuple(np.unique(cell[held]).tolist()),
        joint_cells=(),
        frames=max(len(paths.paths[i]) for i in usable),
    )


def _drawn(paths: Paths, families: NDArray[np.int64], settings: MotionSettings) -> NDArray[np.int64]:
    """The families that are held out: a share of each recording's, at least one in all, and not all."""
    draws = np.random.default_rng([settings.seed, 0])
    of = {int(f): int(r) for f, r in zip(paths.family, paths.recording, strict=True)}
    held: list[int] = []
    for recording in sorted({of[int(f)] for f in families}):
        mine = draws.permutation([f for f in families if of[int(f)] == recording])
        held += mine[: round(settings.held_out * len(mine))].tolist()
    if not held:
        held = [int(draws.permutation(families)[0])]
    return np.array(held[: len(families) - 1])


def _joint(paths: Paths, settings: MotionSettings) -> Observations:
    """y_t: the positions of all cells at frame t of their tracks, which begin together; held out is the last time."""
    longest: dict[int, NDArray[np.float64]] = {}
    for cell, path in zip(paths.cell.tolist(), paths.paths, strict=True):
        if cell not in longest or len(path) > len(longest[cell]):
            longest[cell] = path
    lengths = sorted(map(len, longest.values()), reverse=True)
    # The longest window that at least half of them share.
    frames, lags = lengths[(len(lengths) + 1) // 2 - 1], settings.max_d
    learn = frames - max(1, round(settings.held_out * frames))
    rows = learn - lags
    if rows < 4:
        raise BadInput(
            f"half of the tracks share {frames} frames, of which {learn} are learned from; with d up to {lags} at"
            f" least {lags + 4} are needed: lower max d (frames looked back), or give longer tracks"
        )
    kept = [cell for cell, path in longest.items() if len(path) >= frames]
    line = dict(zip(paths.cell.tolist(), paths.family.tolist(), strict=True))
    shared = [longest[cell][:frames] - longest[cell][0] for cell in kept]
    y = np.stack(shared, axis=1).reshape(frames, -1)
    targets = np.arange(lags, frames)
    return Observations(
        joint=True,
        y=y,
        learned=np.arange(frames) < learn,
        targets=targets,
        held=targets >= learn,
        group=targets,
        starts=np.array([0]),
        lines=np.array([line[cell] for cell in kept]),
        points=len(shared),
        cells=len(shared),
        left_out=len(longest) - len(shared) + paths.alone,
        held_cells=(),
        joint_cells=tuple(kept),
        frames=frames,
    )

"""What cells share: a shake of known size is taken out, a drift is not, and of cells that move alone nothing is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.paths import paths_of
from napari_cellsynth.motion.shake import shake_of
from napari_cellsynth.motion.steps import FEWEST
from napari_cellsynth.motion.tracks.tracks import Tracks

PIXELS = np.ones(2)


def walkers(cells: int, frames: int, seed: int = 0, kept: float = 0.8) -> np.ndarray:
    """(cells, frames, 2) in pixels all over a field: steps of variance 1 an axis, of which a part goes on."""
    draws = np.random.default_rng(seed)
    step = np.zeros((cells, frames, 2))
    step[:, 0] = draws.normal(size=(cells, 2))
    for t in range(1, frames):
        step[:, t] = kept * step[:, t - 1] + np.sqrt(1 - kept**2) * draws.normal(size=(cells, 2))
    return draws.uniform(0, 400, (cells, 1, 2)) + np.cumsum(step, axis=1)


def tracks(paths: np.ndarray, pixel: float = 0.5) -> Tracks:
    cells, frames, _ = paths.shape
    ids, t = np.repeat(np.arange(1, cells + 1), frames), np.tile(np.arange(frames), cells)
    return Tracks(ids, t, paths[..., 0].ravel(), paths[..., 1].ravel(), pixel_size=(pixel, pixel), name="a")


def steady(frames: int) -> np.ndarray:
    return np.arange(frames)[:, None] * np.array([1.5, -0.8])


def turning(frames: int) -> np.ndarray:
    """Two pixels a frame all the way round in forty frames."""
    angle = 2 * np.pi * np.arange(frames)[:, None] / 40
    return 2 * np.cumsum(np.concatenate([np.cos(angle), np.sin(angle)], axis=1), axis=0)


def jitter(frames: int, size: float = 1.0, seed: int = 1) -> np.ndarray:
    """A stage that comes back to its place but for ``size`` pixels an axis."""
    return size * np.random.default_rng(seed).normal(size=(frames, 2))


def speed(given: Tracks, wish: str) -> float:
    steps = [np.hypot(*np.diff(path, axis=0).T) for path in paths_of([given], wish).paths]  # type: ignore[arg-type]
    return float(np.concatenate(steps).mean())


@pytest.mark.parametrize("wander", [False, True])
def test_a_shake_of_known_size_is_taken_out(wander: bool) -> None:
    """Known answer: what was added comes off again, and speed is what it was, in micrometres."""
    alone, stage = walkers(30, 40), jitter(40)
    stage = np.cumsum(stage, axis=0) if wander else stage
    given = tracks(alone + stage)
    offset, found = shake_of(given, np.full(2, 0.5))
    assert (found.found, found.frames, found.pairs, found.recording) == ("shake", 39, 39, "a")
    added = 0.5 * np.diff(stage, axis=0)
    added = added - added.mean(0)
    assert found.size == pytest.approx(np.sqrt((added**2).sum(1).mean()), rel=0.1)
    # As near as the median of 30 cells can be.
    assert np.sqrt(((np.diff(offset, axis=0) - added) ** 2).mean()) < 0.2
    true = speed(tracks(alone), "keep")
    assert speed(given, "auto") == pytest.approx(true, rel=0.05) and speed(given, "keep") > 1.25 * true


def test_cells_that_move_alone_are_left_as_they_are() -> None:
    """However long each goes on in its direction: by chance at most one in a hundred is touched."""
    found = Counter(
        shake_of(tracks(walkers(cells, 24, seed, kept)), PIXELS)[1].found
        for seed in range(40)
        for cells, kept in ((6, 0.0), (12, 0.8), (12, 0.95))
    )
    assert found["alone"] >= 119 and found.total() == 120
    given = tracks(walkers(12, 24))
    before, after = (paths_of([given], wish).paths for wish in ("keep", "auto"))  # type: ignore[arg-type]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_cells_that_migrate_together_are_no_shake() -> None:
    for seed in range(10):
        offset, found = shake_of(tracks(walkers(16, 40, seed) + steady(40)), PIXELS)
        assert found.found == "alone" and not offset.any()
        assert found.drift == pytest.approx(1.7, abs=0.6)
        offset, found = shake_of(tracks(walkers(16, 40, seed) + turning(40)), PIXELS)
        assert found.found == "lasting" and not offset.any() and found.beyond == pytest.approx(2, rel=0.3)


@pytest.mark.parametrize("drift", [steady, turning])
def test_of_a_drift_and_a_shake_the_drift_is_kept(drift) -> None:
    alone = walkers(24, 40)
    offset, found = shake_of(tracks(alone + drift(40) + jitter(40)), PIXELS)
    assert found.found == "shake" and found.size == pytest.approx(2, rel=0.25)
    left = drift(40) + jitter(40) - offset
    # What is left follows the drift to within the shake and the cells' own middle.
    away = left - drift(40)
    assert np.abs(away - away.mean(0)).max() < 4 < np.abs(np.ptp(drift(40), axis=0)).max()


def test_one_knock_is_taken_out_and_wrong_links_are_none() -> None:
    knocked = walkers(12, 30) + 20 * (np.arange(30) > 14)[:, None]
    _, found = shake_of(tracks(knocked), PIXELS)
    assert found.found == "shake" and found.largest == pytest.approx(20 * np.sqrt(2), rel=0.1)
    leaps = walkers(12, 30, seed=3)
    for cell, frame in ((0, 5), (3, 12), (7, 20)):
        leaps[cell, frame:] += 60
    assert shake_of(tracks(leaps), PIXELS)[1].found == "alone"


def test_what_the_user_wishes_is_done() -> None:
    given = tracks(walkers(12, 20) + steady(20) + jitter(20))
    offset, found = shake_of(given, PIXELS, "keep")
    assert found.found == "kept" and not offset.any() and not found.taken_out
    offset, found = shake_of(given, PIXELS, "remove")
    assert found.found == "wished" and np.allclose(offset[-1], steady(20)[-1], atol=8)


def test_few_cells_cannot_tell() -> None:
    given = tracks(walkers(FEWEST - 1, 30) + jitter(30, 5))
    offset, found = shake_of(given, PIXELS)
    assert found.found == "few" and not offset.any()
    with pytest.raises(BadInput, match="never has 5 cells"):
        shake_of(given, PIXELS, "remove")


def test_gaps_and_cells_that_come_and_go(tmp_path: Path) -> None:
    """The stage is taken off positions, so that a path after a gap goes on where it should."""
    alone, stage = walkers(30, 40), jitter(40, 2)
    draws = np.random.default_rng(5)
    there = draws.random((30, 40)) > 0.2
    cell, t = np.nonzero(there)
    both = [Tracks(cell + 1, t, *paths[cell, t].T) for paths in (alone + stage, alone)]
    moved, true = (paths_of([one], wish).paths for one, wish in zip(both, ("auto", "keep"), strict=True))  # type: ignore[arg-type]
    assert [len(a) for a in moved] == [len(b) for b in true]
    error = np.concatenate([np.diff(a - b, axis=0) for a, b in zip(moved, true, strict=True)])
    assert np.sqrt((error**2).mean()) < 0.5 < np.sqrt((np.diff(stage, axis=0) ** 2).mean()) / 4

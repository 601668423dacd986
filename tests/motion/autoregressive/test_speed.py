"""Simulated cells are as fast as those that were learned from, also near a spectral radius of 1 and of few tracks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from motions_made import straight_on, tracks_of, walk

from napari_cellsynth import api
from napari_cellsynth.motion.autoregressive.fit import MotionFit, MotionSettings, fit_motion, simulate_paths
from napari_cellsynth.motion.autoregressive.stability import stationary, yule_walker, yule_walker_noise
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.phantoms.catalogue import make
from napari_cellsynth.quality.motion_words import doubt

SHORT = MotionSettings(window=5, max_d=5)


def speed(paths: np.ndarray) -> float:
    """Root mean square of a step."""
    return float(np.sqrt((np.diff(paths, axis=1) ** 2).sum(-1).mean()))


def along(paths: np.ndarray) -> float:
    """How much farther steps go along their longest direction than across it."""
    steps = np.diff(paths, axis=1).reshape(-1, 2)
    low, high = np.linalg.eigvalsh(steps.T @ steps)
    return float(np.sqrt(high / low))


def real(tracks: Tracks) -> np.ndarray:
    return np.stack([tracks.track(number)[1] for number in tracks.numbers()])


@pytest.mark.parametrize("seed", range(4))
def test_few_walkers_that_keep_on_are_as_fast(seed: int) -> None:
    paths = walk(10, 24, 0.97, seed=seed)
    fit = fit_motion([tracks_of(paths, pixel_size=None)], SHORT)
    kept = [i for i in range(10) if i not in fit.held_out]
    made = simulate_paths(fit, 300, 24, seed=1)
    assert fit.step == pytest.approx(speed(paths[kept]), rel=1e-6)
    assert speed(made) == pytest.approx(speed(paths[kept]), rel=0.15)
    assert along(made) < 1.6 * along(paths[kept])


def test_cells_that_go_straight_on_are_as_fast_and_get_as_far() -> None:
    paths = straight_on(60, 50)
    fit = fit_motion([tracks_of(paths, pixel_size=None)])
    made = simulate_paths(fit, 300, 50, seed=1)
    assert speed(made) == pytest.approx(speed(paths), rel=0.15)
    far = [np.sqrt(((one[:, 10:] - one[:, :-10]) ** 2).sum(-1).mean()) for one in (made, paths)]
    assert far[0] == pytest.approx(far[1], rel=0.15)
    assert fit.steps_estimator == "Yule-Walker" and fit.steps_radius < 0.999


def test_short_outlines_that_were_followed_do_not_run_off() -> None:
    """Like yeast of twelve frames: steps that are mostly noise of measuring, and a little growth outwards."""
    draws = np.random.default_rng(3)
    place = 200 + 40 * draws.normal(size=(12, 1, 2))
    outwards = 0.002 * (place - 200) * np.arange(12)[:, None]
    tracks = tracks_of(place + np.cumsum(0.2 * draws.normal(size=(12, 12, 2)), axis=1) + outwards)
    fit = api.simulating.fit_to(tracks)
    made = simulate_paths(fit, 300, 12, seed=1)
    kept = [i for i in range(12) if i not in fit.held_out]
    assert speed(made) == pytest.approx(0.5 * speed(real(tracks)[kept]), rel=0.15)
    assert along(made) < 2


def test_neutrophils_of_a_short_movie_are_as_fast() -> None:
    tracks = make("neutrophils", frames=24, size=384, cells=9, seed=5).tracks.with_(pixel_size=None)
    fit = fit_motion([tracks], SHORT)
    assert speed(simulate_paths(fit, 300, 24)) == pytest.approx(fit.step, rel=0.15)
    assert not doubt(fit).startswith("simulated cells move")


def test_yule_walker_has_the_covariance_that_was_seen() -> None:
    paths = [np.diff(one, axis=0) for one in walk(8, 20, 0.9)]
    b = yule_walker(paths, 4)
    seen = np.concatenate(paths)
    made = stationary(b, yule_walker_noise(paths, b))[:2, :2]
    np.testing.assert_allclose(made, seen.T @ seen / len(seen), rtol=1e-6)


def test_a_fit_that_would_be_too_fast_is_doubted() -> None:
    """Such as those that earlier versions wrote."""
    fit = fit_motion([tracks_of(walk(30, 40, 0.8))])
    assert doubt(fit) == ""
    fast = replace(fit, noise_step=16 * fit.noise_step)
    for one in (fast, replace(fast, step=None)):
        assert "µm a frame" in doubt(one) and "real ones" in doubt(one)


def test_a_window_that_was_shortened_is_said() -> None:
    tracks = tracks_of(walk(12, 12, 0.5))
    said = doubt(api.simulating.fit_to(tracks))
    assert "12 frames" in said and "3 displacements" in said


@pytest.fixture(scope="module")
def drifting() -> list[MotionFit]:
    steps = np.array([[0.0, 0.0], [0.0, 3.0]])
    return [fit_motion([tracks_of(walk(40, 30, 0.5) + way * np.arange(30)[:, None])]) for way in steps]


def test_drift_is_kept_where_it_is_clear(drifting: list[MotionFit]) -> None:
    none, drift = drifting
    assert (none.mean == 0).all()
    np.testing.assert_allclose(drift.mean[:2], [0, 1.5], atol=0.15)


def test_the_mean_of_few_cells_is_no_drift() -> None:
    """Each goes on in its direction; simulated ones go all ways, though the real ones' mean is half a step."""
    for seed in range(10):
        fit = fit_motion([tracks_of(walk(6, 24, 0.97, seed=seed))], SHORT)
        assert (fit.mean == 0).all()

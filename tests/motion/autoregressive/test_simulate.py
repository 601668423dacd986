"""Simulated paths are stable, depend on seed and number alone, and move as what was fitted."""

from __future__ import annotations

import numpy as np
import pytest
from motions_made import process, tracks_of, walk

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.autoregressive.fit import (
    MotionFit,
    MotionSettings,
    fit_motion,
    simulate_paths,
    simulate_tracks,
)
from napari_cellsynth.motion.autoregressive.stability import (
    LIMIT,
    companion,
    shrunk,
    spectral_radius,
    stationary,
    yule_walker,
)
from napari_cellsynth.motion.statistics import mean_squared_displacement


@pytest.fixture(scope="module")
def fit() -> MotionFit:
    return fit_motion([tracks_of(walk(150, 50, 0.8, noise=0.2))])


@pytest.fixture(scope="module")
def joint() -> MotionFit:
    return fit_motion([tracks_of(walk(12, 80, 0.8))], MotionSettings(reading="joint"))


def msd(paths: np.ndarray) -> np.ndarray:
    return mean_squared_displacement(list(paths), lags=20).value


def test_moves_as_what_was_fitted(fit: MotionFit) -> None:
    real = 0.5 * walk(400, 50, 0.8, seed=9, noise=0.2)
    made = simulate_paths(fit, 400, 50, seed=1)
    assert made.shape == (400, 50, 2)
    assert (made[:, 0] == 0).all()
    np.testing.assert_allclose(msd(made), msd(real), rtol=0.12)


@pytest.mark.parametrize("kind", ["fit", "joint"])
def test_a_path_depends_on_seed_and_number_alone(kind: str, request: pytest.FixtureRequest) -> None:
    one: MotionFit = request.getfixturevalue(kind)
    few, many = simulate_paths(one, 5, 30, seed=3), simulate_paths(one, 40, 60, seed=3)
    np.testing.assert_allclose(few, many[:5, :30], atol=1e-9)
    assert not np.allclose(few, simulate_paths(one, 5, 30, seed=4))
    assert len(np.unique(np.round(many[:, 7], 9), axis=0)) == 40


@pytest.mark.parametrize("kind", ["fit", "joint"])
def test_the_first_frames_are_as_any_later(kind: str, request: pytest.FixtureRequest) -> None:
    """No running in: steps at the beginning are as long as those after hundreds of frames."""
    one: MotionFit = request.getfixturevalue(kind)
    steps = np.diff(simulate_paths(one, 1200, 200, seed=0), axis=1)
    spread = (steps**2).mean((0, 2))
    assert spread[:5].mean() == pytest.approx(spread[-5:].mean(), rel=0.1)
    assert np.isfinite(steps).all()


def test_unstable_least_squares_is_replaced(joint: MotionFit) -> None:
    """Cells that wander off are no stable process of positions."""
    assert joint.estimator != "least squares"
    assert joint.spectral_radius <= LIMIT
    assert np.abs(simulate_paths(joint, 12, 3000)).max() < 1e4


def test_yule_walker_is_stable_whatever_it_is_given() -> None:
    draws = np.random.default_rng(0)
    for _ in range(20):
        growing = [np.cumsum(np.cumsum(draws.normal(size=(12, 3)), axis=0), axis=0) for _ in range(2)]
        assert spectral_radius(yule_walker(growing, 3)) < 1
    b = np.stack([0.5 * np.eye(2), -0.3 * np.eye(2)])
    np.testing.assert_allclose(yule_walker(list(process(b, 400, sequences=20)), 2), b, atol=0.03)


def test_shrinking_moves_all_poles_by_one_factor() -> None:
    b = np.random.default_rng(1).normal(size=(3, 2, 2))
    before, after = np.linalg.eigvals(companion(b)), np.linalg.eigvals(companion(shrunk(b, 0.9)))
    np.testing.assert_allclose(np.sort(np.abs(after)), np.sort(np.abs(before)) * 0.9 / np.abs(before).max(), rtol=1e-5)
    np.testing.assert_array_equal(shrunk(0.01 * b), 0.01 * b)


def test_stationary_covariance_stays() -> None:
    b, noise = shrunk(np.random.default_rng(2).normal(size=(2, 3, 3)), 0.95), np.diag([1.0, 2.0, 0.0])
    found, step = stationary(b, noise), companion(b)
    kicked = np.zeros((6, 6))
    kicked[:3, :3] = noise
    np.testing.assert_allclose(step @ found @ step.T + kicked, found, rtol=1e-8)


def test_simulated_tracks_stay_in_the_field_and_say_what_they_are(fit: MotionFit) -> None:
    tracks = simulate_tracks(fit, 30, 80, seed=2, field=(64, 96))
    assert len(tracks) == 30 * 80
    assert tracks.y.min() >= 0 and tracks.y.max() <= 63 and tracks.x.min() >= 0 and tracks.x.max() <= 95
    assert (tracks.pixel_size, tracks.frame_interval, tracks.condition) == ((0.5, 0.5), 2.0, "control")
    assert tracks.provenance and tracks.provenance["synthetic"] is True and tracks.provenance["seed"] == 2
    # In pixels of 0.5 µm.
    _, first = tracks.track(1)
    path = simulate_paths(fit, 1, 80, seed=2)[0]
    # The edge mirrors it.
    near = np.abs(np.abs(np.diff(first, axis=0)) - np.abs(np.diff(path, axis=0)) / 0.5).max(1) < 1e-6
    assert near.mean() > 0.8
    gone = simulate_tracks(fit, 30, 80, seed=2, field=(64, 96), edges="leave")
    assert len(gone) < len(tracks) and (np.bincount(gone.ids)[1:] > 0).all()


def test_refuses_nothing_to_simulate(fit: MotionFit) -> None:
    for cells, frames, seed in ((0, 5, 0), (5, 0, 0), (5, 5, -1)):
        with pytest.raises(BadInput):
            simulate_paths(fit, cells, frames, seed=seed)
    with pytest.raises(BadInput, match="field"):
        simulate_tracks(fit, 5, 5, field=(0, 10))

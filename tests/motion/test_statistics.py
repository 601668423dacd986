"""Numbers of motion whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.statistics import (
    fit_random_walk,
    mean_squared_displacement,
    runs,
    speeds,
    track_rows,
    turning_angles,
    units_of,
    velocity_autocorrelation,
)
from napari_cellsynth.motion.tracks.tracks import Tracks

SQUARE = np.array([[0, 0], [0, 3], [3, 3], [3, 0], [0, 0]], float)
"""Right, down, left, up: clockwise on the screen."""


def steps(kept: float, noise: float = 0.0, cells: int = 300, frames: int = 90, seed: int = 0) -> list[np.ndarray]:
    """Steps of variance 1 along each axis."""
    draws = np.random.default_rng(seed)
    step = np.zeros((cells, frames, 2))
    step[:, 0] = draws.normal(size=(cells, 2))
    for t in range(1, frames):
        step[:, t] = kept * step[:, t - 1] + np.sqrt(1 - kept**2) * draws.normal(size=(cells, 2))
    return list(np.cumsum(step, axis=1) + noise * draws.normal(size=step.shape))


def test_speed_counts_the_time_of_a_gap() -> None:
    t = np.array([0, 1, 3])
    np.testing.assert_allclose(speeds(t, np.array([[0, 0], [0, 2], [0, 10.0]]), 2.0), [1, 2])
    assert [len(run) for run in runs(t, np.zeros((3, 2)))] == [2, 1]


def test_turning_right_is_positive_and_straight_on_is_none() -> None:
    np.testing.assert_allclose(turning_angles(SQUARE), [np.pi / 2] * 3)
    np.testing.assert_allclose(turning_angles(SQUARE[::-1]), [-np.pi / 2] * 3)
    np.testing.assert_allclose(turning_angles(np.arange(8.0).reshape(4, 2)), [0, 0], atol=1e-12)
    assert len(turning_angles(np.array([[0, 0], [1, 0], [1, 0], [2, 0.0]]))) == 0


def test_msd_of_a_straight_path_grows_with_the_square_of_time() -> None:
    line = np.stack([np.arange(9.0) * 3, np.arange(9.0) * 4], axis=1)
    curve = mean_squared_displacement([line], interval=2.0, lags=4)
    np.testing.assert_allclose(curve.lag, [2, 4, 6, 8])
    np.testing.assert_allclose(curve.value, 25 * np.array([1, 4, 9, 16]))
    np.testing.assert_array_equal(curve.pairs, [8, 7, 6, 5])
    np.testing.assert_allclose(velocity_autocorrelation([line], lags=3).value, [1, 1, 1, 1])


def test_autocorrelation_is_what_is_kept() -> None:
    curve = velocity_autocorrelation(steps(0.6), interval=3.0, lags=3)
    np.testing.assert_allclose(curve.lag, [0, 3, 6, 9])
    np.testing.assert_allclose(curve.value, [1, 0.6, 0.36, 0.216], atol=0.02)


@pytest.mark.parametrize(("kept", "noise"), [(0.5, 0.0), (0.9, 0.0), (0.9, 0.5)])
def test_a_random_walk_is_found_again(kept: float, noise: float) -> None:
    found = fit_random_walk(mean_squared_displacement(steps(kept, noise), interval=2.0))
    assert found.seen == "yes"
    assert found.persistence == pytest.approx(-2 / np.log(kept), rel=0.08)
    # Steps of root mean square sqrt(2) in 2 s; somewhat longer than that where a step bends within a frame.
    assert found.speed == pytest.approx(np.sqrt(2) / 2, rel=0.08)
    assert found.noise == pytest.approx(noise, abs=0.3)


def test_brownian_motion_has_a_diffusion_and_no_persistence() -> None:
    found = fit_random_walk(mean_squared_displacement(steps(0.0), interval=2.0))
    assert found.seen == "too short"
    # 4 D t = 2 in 2 s.
    assert found.diffusion == pytest.approx(0.25, rel=0.03)
    np.testing.assert_allclose(found.msd(np.array([20.0, 40.0])), [20, 40], rtol=0.03)


def test_too_little_is_refused() -> None:
    with pytest.raises(BadInput, match="two frames"):
        mean_squared_displacement([np.zeros((1, 2))])
    with pytest.raises(BadInput, match="three"):
        fit_random_walk(mean_squared_displacement([SQUARE], lags=2))


def test_rows_of_tracks_are_in_physical_units() -> None:
    t = np.arange(5)
    tracks = Tracks(
        np.repeat([1, 2], [5, 1]),
        np.append(t, 3),
        np.append(SQUARE[:, 0], 9),
        np.append(SQUARE[:, 1], 9),
        {2: 1},
        {"area": np.array([10, 20, 30, 40, 50, 7])},
        pixel_size=(0.5, 0.5),
        frame_interval=2.0,
    )
    units = units_of(tracks)
    assert (units.length, units.time) == ("\u00b5m", "s")
    one, two = track_rows(tracks)
    assert (one.track, one.first, one.last, one.frames, one.duration) == (1, 0, 4, 5, 8.0)
    assert (one.path_length, one.displacement, one.straightness) == (6.0, 0.0, 0.0)
    assert (one.speed, one.top_speed, one.turning, one.msd) == pytest.approx((0.75, 0.75, 90.0, 2.25))
    assert one.area == pytest.approx(30 * 0.25)
    assert (two.parent, two.frames) == (1, 1)
    assert np.isnan([two.speed, two.turning, two.straightness, two.msd]).all()
    bare = units_of(tracks.with_(pixel_size=None, frame_interval=None))
    assert (bare.scale, bare.interval, bare.length, bare.time) == ((1.0, 1.0), 1.0, "px", "frame")

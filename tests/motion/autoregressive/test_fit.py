"""Known motion is found again; one Gram matrix gives what least squares of each fit alone gives; units and shifts."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from motions_made import process, tracks_of, walk

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.autoregressive.fit import MotionSettings, fit_motion
from napari_cellsynth.motion.autoregressive.gram import gram_of, lagged
from napari_cellsynth.motion.autoregressive.grid import search
from napari_cellsynth.motion.autoregressive.readings import observe
from napari_cellsynth.motion.autoregressive.stability import poles
from napari_cellsynth.motion.paths import paths_of
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.quality.motion_words import about_prediction

Q, D = 4, 2


def rotation(size: float, angle: float) -> np.ndarray:
    return size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def known_b() -> np.ndarray:
    """B (2, 4, 4) with poles 0.95 e^(+-0.3i), 0.5, 0.4, and so on: (z - r)(z - s) for 2x2 blocks r, s."""
    first, second = rotation(0.95, 0.3), rotation(0.9, 1.2)
    b = np.zeros((D, Q, Q))
    for place, (r, s) in enumerate([(first, 0.5 * np.eye(2)), (second, -0.4 * np.eye(2))]):
        own = slice(2 * place, 2 * place + 2)
        b[0, own, own], b[1, own, own] = r + s, -r @ s
    return b


def joint_tracks(frames: int, cells: int = 20) -> Tracks:
    """y = C x + u of all cells together, with little u."""
    draws = np.random.default_rng(3)
    c, _ = np.linalg.qr(draws.normal(size=(2 * cells, Q)))
    y = process(known_b(), frames, seed=4)[0] @ c.T * 20 + 0.2 * draws.normal(size=(frames, 2 * cells))
    return tracks_of(y.reshape(frames, cells, 2).transpose(1, 0, 2) + 300)


def test_joint_reading_finds_q_d_and_poles() -> None:
    fit = fit_motion([joint_tracks(2400)], MotionSettings(reading="joint"))
    assert (fit.q, fit.d) == (Q, D)
    true = poles(known_b())
    np.testing.assert_allclose(np.abs(true), np.sort(np.abs(np.linalg.eigvals(_companion(known_b()))))[::-1], rtol=1e-6)
    for pole in true:
        assert np.abs(fit.poles - pole).min() < 0.05
    assert fit.spectral_radius == pytest.approx(0.95, abs=0.02)
    assert fit.estimator == "least squares"
    # u: 0.2 pixels of 0.5 µm.
    assert np.median(fit.noise_u) == pytest.approx((0.2 * 0.5) ** 2, rel=0.15)
    assert fit.error < 0.7 * min(fit.baselines.values())


def _companion(b: np.ndarray) -> np.ndarray:
    """Written out for d = 2."""
    return np.block([[b[0], b[1]], [np.eye(b.shape[1]), np.zeros_like(b[0])]])


def test_cell_reading_of_single_displacements_has_their_poles() -> None:
    b = np.stack([rotation(0.9, 0.5) + 0.3 * np.eye(2), -0.3 * rotation(0.9, 0.5)])
    steps = process(b, 60, sequences=150, seed=5)
    fit = fit_motion([tracks_of(np.cumsum(steps, axis=1))], MotionSettings(window=1))
    assert (fit.q, fit.d) == (2, 2)
    for pole in poles(b):
        assert np.abs(fit.poles - pole).min() < 0.04
    np.testing.assert_allclose(fit.steps, b, atol=0.03)
    np.testing.assert_allclose(fit.noise_step, 0.25 * np.eye(2), atol=0.02)


def test_cell_reading_finds_what_is_kept_of_a_step() -> None:
    fit = fit_motion([tracks_of(walk(200, 60, 0.8))])
    assert fit.persistence == pytest.approx(0.8, abs=0.02)
    # A step is predicted from the last alone, and as well as can be: noise sqrt(2 (1 - 0.8²)) pixels of 0.5 µm.
    assert fit.error == pytest.approx(0.5 * np.sqrt(2 * 0.36), rel=0.03)
    assert fit.error < 1.02 * fit.baselines["random_walk"] < fit.baselines["constant_velocity"]
    assert fit.baselines["standing_still"] == pytest.approx(0.5 * np.sqrt(2), rel=0.05)


def test_gram_gives_what_least_squares_gives() -> None:
    settings = MotionSettings(window=8)
    seen = observe(paths_of([tracks_of(walk(30, 40, 0.7, noise=0.3))]), settings)
    found = search(seen, settings)
    assert [(p.q, p.d) for p in found.points] == [(q, d) for q in range(2, 11) for d in range(1, 11)]
    train, judge = seen.targets[~seen.held], seen.targets[seen.held]
    for point in found.points[::7]:
        x = found.space.x[:, : point.q]
        z, target = lagged(x, train, point.d), (seen.y - found.space.mean)[train, :2]
        alone = np.linalg.lstsq(z, target, rcond=1e-8)[0]
        wrong = (seen.y - found.space.mean)[judge, :2] - lagged(x, judge, point.d) @ alone
        assert point.error == pytest.approx(np.sqrt((wrong**2).sum(1).mean()), rel=1e-6)


def test_gram_coefficients_are_those_of_least_squares() -> None:
    draws = np.random.default_rng(0)
    x, rows = draws.normal(size=(300, 6)) * [9, 5, 3, 2, 1, 0.01], np.arange(4, 300)
    gram = gram_of(x, rows, 4, np.zeros((300, 0)))
    for q, d in ((2, 1), (6, 4), (3, 2)):
        alone = np.linalg.lstsq(lagged(x[:, :q], rows, d), x[rows], rcond=None)[0]
        np.testing.assert_allclose(gram.solve(q, d), alone, rtol=1e-7, atol=1e-9)
        left = x[rows] - lagged(x[:, :q], rows, d) @ alone
        np.testing.assert_allclose(
            gram.residual(q, d, alone), left.T @ left / (len(rows) - q * d), rtol=1e-6, atol=1e-9
        )


def test_every_d_is_judged_on_the_same_rows() -> None:
    """More lags never fit the rows they learn from worse; that holds only where the rows are the same."""
    settings = MotionSettings(window=2, max_q=4, max_d=6)
    seen = observe(paths_of([tracks_of(walk(20, 25, 0.6))]), settings)
    gram = search(seen, settings).gram
    assert gram.rows == 15 * (25 - 2 - 6)
    left = [np.trace((gram.tt - gram.solve(4, d).T @ gram.zt[gram.columns(4, d)])[:4, :4]) for d in range(1, 7)]
    assert all(after <= before + 1e-9 for before, after in pairwise(left))


def test_neither_units_nor_place_matter_but_as_they_should() -> None:
    paths = walk(40, 40, 0.7)
    plain = fit_motion([tracks_of(paths)])
    moved = fit_motion([tracks_of(paths + np.array([40.0, -17.0]))])
    np.testing.assert_allclose(moved.B, plain.B, atol=1e-8)
    assert moved.error == pytest.approx(plain.error)
    coarse = fit_motion([tracks_of(paths / 2, pixel_size=(1.0, 1.0))])
    assert coarse.error == pytest.approx(plain.error)
    pixels = fit_motion([tracks_of(paths, pixel_size=None)])
    assert (pixels.units, plain.units) == ("pixel", "micrometer")
    assert pixels.error == pytest.approx(2 * plain.error)
    np.testing.assert_allclose(pixels.noise_step, 4 * plain.noise_step)
    flat = fit_motion([tracks_of(paths * [1, 2], pixel_size=(0.5, 0.25))])
    assert flat.error == pytest.approx(plain.error)


def test_joint_window_is_shared_by_half_of_the_tracks() -> None:
    paths = walk(9, 60, 0.5)
    lengths = (60, 60, 50, 48, 40, 30, 20, 10, 5)
    whole = tracks_of(paths)
    rows = np.concatenate([np.flatnonzero((whole.ids == i + 1) & (whole.t < n)) for i, n in enumerate(lengths)])
    cut = whole.with_(ids=whole.ids[rows], t=whole.t[rows], y=whole.y[rows], x=whole.x[rows])
    fit = fit_motion([cut], MotionSettings(reading="joint", max_d=3))
    assert (fit.frames, fit.cells, fit.left_out) == (40, 5, 4)
    assert fit.C.shape == (10, fit.q)


def test_fits_with_more_regressors_than_half_the_rows_are_never_chosen() -> None:
    fit = fit_motion([tracks_of(walk(30, 40, 0.9))], MotionSettings(reading="joint", choose="least"))
    rows = 30 - 10
    assert all(point.too_many == (point.q * point.d > rows / 2) for point in fit.grid)
    marked = [point.error for point in fit.grid if point.too_many]
    assert marked and fit.q * fit.d <= rows / 2
    assert min(point.error for point in fit.grid if not point.too_many) == next(
        point.error for point in fit.grid if (point.q, point.d) == (fit.q, fit.d)
    )


def test_cells_of_one_line_are_held_out_together() -> None:
    tracks = tracks_of(walk(24, 30, 0.5)).with_(parents={i: i - 12 for i in range(13, 25)})
    fit = fit_motion([tracks], MotionSettings(max_d=2))
    held = set(fit.held_out)
    assert held and all((cell + 12) % 24 in held for cell in held)
    assert fit.held_out != fit_motion([tracks], MotionSettings(max_d=2, seed=1)).held_out


def test_a_track_with_a_gap_is_two_paths_of_one_cell() -> None:
    whole = tracks_of(walk(10, 40, 0.5))
    kept = whole.t != 20
    gaps = whole.with_(ids=whole.ids[kept], t=whole.t[kept], y=whole.y[kept], x=whole.x[kept])
    paths = paths_of([gaps])
    assert (len(paths.paths), paths.cells) == (20, 10)
    fit = fit_motion([gaps], MotionSettings(window=4, max_d=3))
    assert (fit.cells, fit.left_out, fit.frames) == (10, 0, 20)


@pytest.mark.parametrize(
    ("tracks", "settings", "says"),
    [
        ([], {}, "no tracks given"),
        ([tracks_of(walk(5, 1, 0.5))], {}, "one frame only"),
        ([tracks_of(walk(5, 30, 0.5)).only([])], {}, "no cells"),
        ([tracks_of(walk(5, 18, 0.5))], {}, "at least 19 frames given, the longest has 18"),
        ([tracks_of(walk(1, 40, 0.5))], {}, "two such"),
        ([tracks_of(walk(5, 15, 0.5))], {"reading": "joint"}, "half of the tracks share 15 frames"),
        ([tracks_of(walk(5, 40, 0.5) * 0)], {}, "do not move"),
        ([tracks_of(walk(5, 40, 0.5)), tracks_of(walk(5, 40, 0.5))], {}, "given twice"),
        ([tracks_of(walk(5, 40, 0.5)), tracks_of(walk(5, 40, 0.6), condition="drug")], {}, "conditions 'control' and"),
        ([tracks_of(walk(5, 40, 0.5)), tracks_of(walk(5, 40, 0.6), pixel_size=None)], {}, "pixel size"),
        ([tracks_of(walk(5, 40, 0.5)), tracks_of(walk(5, 40, 0.6), frame_interval=5.0)], {}, "one interval"),
    ],
)
def test_bad_input_is_refused_in_one_line(tracks: list[Tracks], settings: dict[str, object], says: str) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        fit_motion(tracks, MotionSettings.model_validate(settings))
    assert "\n" not in str(refused.value)


def test_baselines_have_the_mean_that_the_fit_has() -> None:
    """Walkers that keep half of a step in a flow of 3 pixels: nothing is better than a walk about the flow."""
    flow = np.array([0.0, 3.0]) * np.arange(40)[:, None]
    fit = fit_motion([tracks_of(walk(60, 40, 0.5) + flow, pixel_size=None)])
    assert fit.persistence == pytest.approx(0.5, abs=0.05)
    assert fit.baselines["mean_drift"] == pytest.approx(np.sqrt(2), rel=0.06)
    assert fit.baselines["random_walk"] == pytest.approx(np.sqrt(2 * 0.75), rel=0.06)
    assert fit.baselines["standing_still"] > 3
    assert len(fit.free_run["mean_drift"]) == 10


def test_better_is_only_said_beyond_chance() -> None:
    better = [about_prediction(fit_motion([tracks_of(walk(16, 40, 0.5, seed=seed))])) for seed in range(8)]
    assert sum("better" in said for said in better) <= 2, better
    b = np.stack([rotation(0.9, 0.8) + 0.3 * np.eye(2), -0.3 * rotation(0.9, 0.8)])
    steps = process(b, 60, sequences=40, seed=5)
    assert "better than" in about_prediction(fit_motion([tracks_of(np.cumsum(steps, axis=1))]))

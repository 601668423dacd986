"""Flow, labels and tracks are true, checked without a warp of our own."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellsynth import phantoms
from napari_cellsynth.motion.flow import swap_row_column
from napari_cellsynth.phantoms.neutrophils import anatomy, deform, dic
from napari_cellsynth.phantoms.neutrophils.recording import Cell, Scene, film


def shifting_film(dx: int, dy: int, frames: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One cell that moves by whole pixels and does nothing else, over an even field."""
    steps = np.arange(frames)[:, None] * np.array([[dx, dy]])
    still = np.zeros(frames)
    waves = tuple(
        deform.Wave(w.angle, w.wavenumber, w.phase, np.full(frames, 0.3))
        for w in deform.ruffles(np.random.default_rng(1), np.zeros(1), 1.0)
    )
    motion = deform.Motion(np.array([[60.3, 58.7]]) + steps, still + 0.7, still + 0.1, waves, 0.25)
    scene = Scene(np.full((128, 128), 1500.0), np.zeros((128, 128)), np.array([0.8, 0.8]))
    return film([Cell(anatomy.grow(np.random.default_rng(2)), motion)], scene, frames)


@pytest.mark.parametrize(("dx", "dy"), [(3, 0), (0, 2), (-2, 5), (4, -3)])
def test_whole_pixel_shifts_are_rolls(dx: int, dy: int) -> None:
    clean, labels, flow = shifting_film(dx, dy)
    for t in (1, 2):
        np.testing.assert_allclose(clean[t], np.roll(clean[t - 1], (dy, dx), axis=(0, 1)), atol=0.02)
        np.testing.assert_array_equal(labels[t], np.roll(labels[t - 1], (dy, dx), axis=(0, 1)))
        inside = labels[t] > 0
        assert inside.sum() > 800
        np.testing.assert_allclose(flow[t - 1, 0][inside], -dx, atol=1e-4)
        np.testing.assert_allclose(flow[t - 1, 1][inside], -dy, atol=1e-4)


def test_background_is_still_and_what_a_cell_passes_has_no_flow() -> None:
    _, labels, flow = shifting_film(6, 0)
    uncovered = (labels[0] > 0) & (labels[1] == 0)
    assert uncovered.any()
    assert np.isnan(flow[0][:, uncovered]).all()
    assert (flow[0][:, :20] == 0).all()


CASES = [("normal", 0), ("inhibited", 1), ("normal", 5)]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def phantom(request: pytest.FixtureRequest) -> phantoms.Phantom:
    condition, seed = request.param
    return phantoms.make("neutrophils", frames=6, size=256, seed=seed, condition=condition)


def test_the_next_frame_is_the_last_one_moved(phantom: phantoms.Phantom) -> None:
    """clean[t](p + flow(p)) = clean[t + 1](p) within 2 % of the range, by another library's interpolation."""
    from scipy.interpolate import RegularGridInterpolator

    side = np.arange(phantom.clean.shape[1])
    y, x = np.meshgrid(side, side, indexing="ij")
    for t, flow in enumerate(phantom.flow):
        known = np.isfinite(flow).all(axis=0)
        at = np.stack([y + flow[1], x + flow[0]], axis=-1)[known]
        moved = RegularGridInterpolator((side, side), phantom.clean[t].astype(float))(at)
        error = np.abs(moved - phantom.clean[t + 1][known])
        assert error.max() <= 0.02 * np.ptp(phantom.clean[t])
        # And the flow is needed: standing still is worse inside the moving cells.
        inside = phantom.labels[t + 1][known] > 0
        still = np.abs(phantom.clean[t] - phantom.clean[t + 1])[known]
        assert error[inside].mean() < 0.6 * still[inside].mean()


def test_flow_leads_back_to_the_same_cell(phantom: phantoms.Phantom) -> None:
    for t, flow in enumerate(phantom.flow):
        rows, columns = np.nonzero((phantom.labels[t + 1] > 0) & np.isfinite(flow[0]))
        from_rows = np.rint(rows + flow[1, rows, columns]).astype(int)
        from_columns = np.rint(columns + flow[0, rows, columns]).astype(int)
        same = phantom.labels[t][from_rows, from_columns] == phantom.labels[t + 1][rows, columns]
        assert same.mean() > 0.98, "all but rounding at the outline"


def test_most_of_each_cell_keeps_its_flow(phantom: phantoms.Phantom) -> None:
    known = np.isfinite(phantom.flow).all(axis=1)
    inside = phantom.labels[1:] > 0
    assert known[inside].mean() >= 0.8
    for label in np.unique(phantom.labels)[1:]:
        assert known[phantom.labels[1:] == label].mean() >= 0.7
    assert known[~inside].mean() >= 0.8
    assert (np.nan_to_num(phantom.flow)[np.broadcast_to(~inside[:, None], phantom.flow.shape)] == 0).all()


def test_scikit_image_sees_the_same_flow() -> None:
    """TV-L1 between the clean frames agrees with the truth in sign, axis and size."""
    from skimage.registration import optical_flow_tvl1

    made = phantoms.make("neutrophils", frames=2, size=256, seed=0, frame_interval=2.0)
    low, span = made.clean.min(), np.ptp(made.clean)
    before, after = ((frame - low) / span for frame in made.clean)
    seen = swap_row_column(np.asarray(optical_flow_tvl1(after, before, attachment=30)))
    true, inside = made.flow[0], (made.labels[1] > 0) & np.isfinite(made.flow[0]).all(axis=0)
    for component in (0, 1):
        assert np.corrcoef(seen[component][inside], true[component][inside])[0, 1] > 0.9
    miss = np.hypot(*(seen - true)[:, inside])
    length = np.hypot(*true[:, inside])
    assert np.median(miss) < 0.25 * np.median(length)


def test_tracks_are_the_centroids_of_the_labels(phantom: phantoms.Phantom) -> None:
    from scipy.ndimage import center_of_mass

    ids = sorted({point.id for point in phantom.tracks})
    assert ids == list(range(1, phantom.parameters["cells"] + 1))
    assert len(phantom.tracks) == len(ids) * len(phantom.labels), "no cell leaves"
    assert list(phantom.tracks) == sorted(phantom.tracks)
    for point in list(phantom.tracks)[::7]:
        y, x = center_of_mass(phantom.labels[point.t] == point.id)
        assert (point.y, point.x) == pytest.approx((y, x))
        assert point.parent == 0


def test_dust_and_light_alone_have_zero_flow_everywhere() -> None:
    light = 1500 * dic.illumination(np.random.default_rng(0), 96, 0.3)
    clean, labels, flow = film([], Scene(light, np.zeros((96, 96)), np.array([1.0, 0.0])), 2)
    assert not labels.any()
    assert (flow == 0).all()
    np.testing.assert_array_equal(clean[0], clean[1])
    assert np.ptp(light) / light.mean() == pytest.approx(0.3, rel=1e-6)

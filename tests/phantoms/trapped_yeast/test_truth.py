"""The flow of trapped yeast is true, growth included, checked without a warp of our own."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellsynth import phantoms
from napari_cellsynth.phantoms.trapped_yeast import inside, scene
from napari_cellsynth.phantoms.trapped_yeast.body import Form, Oval


def film(ovals: list[Oval], *, side: int = 128, pixel: float = 0.2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Contrast, labels and flow of the last of two frames with one cell and no trap."""
    field = scene.make_field((side, side), pixel, [2.0], [], np.random.default_rng(0))
    picture = inside.draw(np.random.default_rng(1))
    cell = scene.Actor(
        Form(((3, 0.02, 0.4),)), 0.0, (0.2, 1.0), dict(enumerate(ovals)), frozenset(), (inside.seen(picture, 2.0),)
    )
    shown = np.stack([scene.contrast(field, [cell], t)[0] for t in (0, 1)])
    marks = [scene.mark(field, [cell], t) for t in (0, 1)]
    return shown, np.stack([m[0] for m in marks]), marks[1][2]


@pytest.mark.parametrize(("dx", "dy"), [(3, 0), (0, 2), (-2, 5), (4, -3)])
def test_whole_pixel_shifts_are_rolls(dx: int, dy: int) -> None:
    start = Oval(12.0, 13.0, 3.0, 1.2, 0.5)
    shown, labels, flow = film([start, Oval(12.0 + 0.2 * dx, 13.0 + 0.2 * dy, 3.0, 1.2, 0.5)])
    np.testing.assert_allclose(shown[1], np.roll(shown[0], (dy, dx), axis=(0, 1)), atol=0.01)
    np.testing.assert_array_equal(labels[1], np.roll(labels[0], (dy, dx), axis=(0, 1)))
    own = labels[1] > 0
    assert own.sum() * 0.04 == pytest.approx(np.pi * 9, rel=0.03)
    np.testing.assert_allclose(flow[0][own], -dx, atol=1e-4)
    np.testing.assert_allclose(flow[1][own], -dy, atol=1e-4)


def test_growth_is_in_the_flow() -> None:
    """Points move outwards as the radius: backward flow is (r0 / r1 - 1) times the way from the middle."""
    _, labels, flow = film([Oval(12.8, 12.8, 2.5, 1.0, 0.0), Oval(12.8, 12.8, 3.0, 1.0, 0.0)])
    rows, columns = np.nonzero(labels[1])
    middle = 12.8 / 0.2 - 0.5
    np.testing.assert_allclose(flow[0, rows, columns], (2.5 / 3 - 1) * (columns - middle), atol=1e-4)
    np.testing.assert_allclose(flow[1, rows, columns], (2.5 / 3 - 1) * (rows - middle), atol=1e-4)


@pytest.fixture(scope="module", params=[("calm", 1), ("washed", 3)], ids=lambda case: case[0])
def made(request: pytest.FixtureRequest) -> phantoms.Phantom:
    condition, seed = request.param
    return phantoms.make("trapped-yeast", frames=8, size=192, seed=seed, condition=condition)


def test_the_next_frame_is_the_last_one_moved(made: phantoms.Phantom) -> None:
    from scipy.interpolate import RegularGridInterpolator

    side = np.arange(made.clean.shape[1])
    y, x = np.meshgrid(side, side, indexing="ij")
    for t, flow in enumerate(made.flow):
        known = np.isfinite(flow).all(axis=0)
        at = np.stack([y + flow[1], x + flow[0]], axis=-1)[known]
        moved = RegularGridInterpolator((side, side), made.clean[t].astype(float))(at)
        error = np.abs(moved - made.clean[t + 1][known])
        assert error.max() <= 0.02 * np.ptp(made.clean[t])


def test_labels_moved_by_the_flow_are_the_labels_before(made: phantoms.Phantom) -> None:
    for t, flow in enumerate(made.flow):
        rows, columns = np.nonzero((made.labels[t + 1] > 0) & np.isfinite(flow[0]))
        before = (
            np.rint(rows + flow[1, rows, columns]).astype(int),
            np.rint(columns + flow[0, rows, columns]).astype(int),
        )
        same = made.labels[t][before] == made.labels[t + 1][rows, columns]
        assert same.mean() > 0.975, "all but rounding at the outline"


def test_most_of_each_cell_has_a_flow_and_new_cells_have_none(made: phantoms.Phantom) -> None:
    known = np.isfinite(made.flow).all(axis=1)
    inside_both = shares = 0
    for t in range(1, len(made.labels)):
        for label in np.unique(made.labels[t][made.labels[t] > 0]):
            own = made.labels[t] == label
            if not (made.labels[t - 1] == label).any():
                assert not known[t - 1][own].any()
            else:
                inside_both += own.sum()
                shares += known[t - 1][own].sum()
    assert shares / inside_both > 0.7


def test_traps_and_far_background_stand_still(made: phantoms.Phantom) -> None:
    still = made.labels[1:] == 0
    assert (np.nan_to_num(made.flow)[np.broadcast_to(still[:, None], made.flow.shape)] == 0).all()
    assert np.isfinite(made.flow).all(axis=1)[made.classes[1:] == 1].mean() > 0.9
    uncovered = (made.labels[:-1] > 0) & (made.labels[1:] == 0)
    assert uncovered.any()
    assert not np.isfinite(made.flow).all(axis=1)[uncovered].any()

import numpy as np
import pytest

from napari_cellsynth.engine.latent_paths import latent_path
from napari_cellsynth.errors import BadInput


@pytest.mark.parametrize("kind", ["linear", "spherical"])
def test_passes_through_its_points(kind: str) -> None:
    points = np.random.default_rng(0).normal(size=(4, 100)).astype(np.float32)
    path = latent_path(points, 5, kind)
    assert path.shape == (16, 100)
    assert path.dtype == np.float32
    np.testing.assert_allclose(path[::5], points, atol=1e-5)


def test_linear_middle_is_the_mean_and_spherical_keeps_the_length() -> None:
    points = np.eye(2, 50) * 10
    np.testing.assert_allclose(latent_path(points, 2, "linear")[1], points.mean(0))
    lengths = np.linalg.norm(latent_path(points, 8, "spherical"), axis=1)
    np.testing.assert_allclose(lengths, 10, rtol=1e-6)
    assert np.linalg.norm(latent_path(points, 8, "linear"), axis=1).min() < 7.2


def test_spherical_turns_evenly() -> None:
    start, end = np.array([3.0, 0, 0]), np.array([0, 5.0, 0])
    path = latent_path(np.stack([start, end]), 6, "spherical")
    angles = np.degrees(np.arctan2(path[:, 1], path[:, 0]))
    np.testing.assert_allclose(np.diff(angles), 15, atol=1e-4)
    np.testing.assert_allclose(np.diff(np.linalg.norm(path, axis=1)), 2 / 6, atol=1e-5)


def test_same_and_opposite_directions_do_not_divide_by_zero() -> None:
    point = np.ones(10)
    for end in (point * 2, -point, point * 0):
        assert np.isfinite(latent_path(np.stack([point, end]), 4, "spherical")).all()


@pytest.mark.parametrize(("points", "between"), [(np.zeros((1, 5)), 3), (np.zeros(5), 3), (np.zeros((2, 5)), 0)])
def test_refuses_what_is_no_walk(points: np.ndarray, between: int) -> None:
    with pytest.raises(BadInput):
        latent_path(points, between)

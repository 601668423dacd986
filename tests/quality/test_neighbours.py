"""Precision, recall, density, coverage: sets with a known answer."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.neighbours import coverage, density, precision, recall, votes

ALL = (precision, recall, density, coverage)


def modes(count: int, places: int, seed: int) -> np.ndarray:
    """Points around so many far corners, (count, 3)."""
    draws = np.random.default_rng(seed)
    corners = 100 * np.eye(10, 3 + 7)[:, :3] + 50 * np.arange(10)[:, None]
    return corners[np.arange(count) % places] + draws.standard_normal((count, 3))


def test_equal_sets() -> None:
    one = modes(100, 4, 0)
    assert [share(one, one) for share in (precision, recall, coverage)] == [1, 1, 1]
    # Each made image lies on its twin, in the ball of each of whose k neighbours it is, on average, too.
    assert density(one, one) == pytest.approx(6 / 5, rel=0.01)


def test_sets_of_one_kind() -> None:
    one, other = modes(400, 4, 0), modes(400, 4, 1)
    assert precision(one, other) > 0.8 and recall(one, other) > 0.8
    assert density(one, other) == pytest.approx(1, abs=0.1) and coverage(one, other) > 0.9


def test_sets_that_have_nothing_in_common() -> None:
    assert [share(modes(60, 4, 0), modes(60, 4, 1) + 1e4) for share in ALL] == [0, 0, 0, 0]


def test_half_of_the_modes() -> None:
    """What is made is real, but half of what there is is missing."""
    real, made = modes(400, 8, 0), modes(400, 4, 1)
    assert precision(real, made) > 0.8 and density(real, made) > 0.9
    assert recall(real, made) < 0.55 and coverage(real, made) < 0.55


def test_twice_the_modes() -> None:
    """All that is real is made, and as much that is not."""
    real, made = modes(400, 4, 0), modes(400, 8, 1)
    assert recall(real, made) > 0.8 and coverage(real, made) > 0.8
    assert precision(real, made) < 0.55 and density(real, made) < 0.55


def test_one_outlier() -> None:
    """Precision and recall believe it: a real one lets in what is nowhere near, a made one meets all that is real."""
    real, made = modes(100, 1, 0), modes(100, 1, 1) + 30
    assert precision(real, made) == 0 and recall(real, made) == 0
    far = np.full((1, 3), 60.0)
    assert precision(np.concatenate([real, far]), made) == 1
    assert recall(real, np.concatenate([made, far - 150])) == 1
    assert density(np.concatenate([real, far]), made) < 0.3, "one ball of 101, over k"
    assert coverage(np.concatenate([real, far]), made) <= 1 / 101
    assert coverage(real, np.concatenate([made, far - 150])) == 0


def test_a_cell_is_no_neighbour_of_itself() -> None:
    """Crops of a cell lie together: with balls that reach only to them, nothing else is ever real."""
    draws = np.random.default_rng(0)
    cells = np.repeat(np.arange(30), 10)
    crops = draws.standard_normal((30, 3))[cells] + 1e-3 * draws.standard_normal((300, 3))
    others = draws.standard_normal((300, 3))
    assert precision(crops, others) < 0.05
    assert votes(crops, others, cells_real=cells).precision.mean() > 0.7
    # Nor is a cell that both sets show the neighbour that says that a set is met.
    places = 10.0 * np.arange(20)[:, None] * np.ones(3)
    moved = places + 0.1

    own = votes(places, moved, cells_real=np.arange(20), cells_made=np.arange(20))
    assert own.coverage.mean() == 1 and own.density.mean() < density(places, moved)


def test_as_it_is_defined() -> None:
    """Against loops over all pairs."""
    draws = np.random.default_rng(4)
    real, made = draws.standard_normal((12, 2)), draws.standard_normal((9, 2)) + 0.5

    def ball(points: np.ndarray, i: int, k: int) -> float:
        return sorted(float(np.linalg.norm(points[i] - other)) for other in points)[k]

    def inside(point: np.ndarray, points: np.ndarray, k: int) -> list[bool]:
        return [float(np.linalg.norm(point - points[i])) <= ball(points, i, k) for i in range(len(points))]

    assert precision(real, made) == pytest.approx(np.mean([any(inside(one, real, 3)) for one in made]))
    assert recall(real, made) == pytest.approx(np.mean([any(inside(one, made, 3)) for one in real]))
    assert density(real, made) == pytest.approx(np.mean([sum(inside(one, real, 5)) / 5 for one in made]))
    met = [any(inside(one, real, 5)[i] for one in made) for i in range(len(real))]
    assert coverage(real, made) == pytest.approx(np.mean(met))


def test_too_few() -> None:
    with pytest.raises(BadInput, match="are needed for its neighbourhood"):
        coverage(np.zeros((5, 2)), np.zeros((9, 2)))

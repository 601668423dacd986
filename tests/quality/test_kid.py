"""The kernel distance: as defined, as others compute it, without bias, and of cells rather than of their crops."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.kid import Kernels, kid


def sets(n: int, m: int, apart: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.default_rng(seed)
    return draws.standard_normal((n, 5)), draws.standard_normal((m, 5)) + apart


def test_as_it_is_defined() -> None:
    """Three sums over pairs, an image never with itself."""
    a, b = sets(7, 9, 0.5)

    def mean(left: np.ndarray, right: np.ndarray, same: bool) -> float:
        pairs = [(i, j) for i in range(len(left)) for j in range(len(right)) if not (same and i == j)]
        return float(np.mean([(sum(left[i] * right[j]) / 5 + 1) ** 3 for i, j in pairs]))

    assert kid(a, b) == pytest.approx(mean(a, a, True) + mean(b, b, True) - 2 * mean(a, b, False), rel=1e-12)


def test_as_torchmetrics_has_it() -> None:
    theirs = pytest.importorskip("torchmetrics.image.kid")
    import torch

    a, b = sets(40, 40, 0.3)
    assert kid(a, b) == pytest.approx(float(theirs.poly_mmd(torch.tensor(a), torch.tensor(b))), rel=1e-9)


@pytest.mark.parametrize("n", [5, 20, 200])
def test_no_bias_whatever_the_number(n: int) -> None:
    """Two sets of one kind: 0 on average, below it as often as above."""
    found = np.array([kid(*sets(n, n, seed=seed)) for seed in range(100)])
    assert abs(found.mean()) < 3 * found.std() / np.sqrt(len(found))
    assert 0.25 < (found < 0).mean() < 0.75


def test_it_grows_with_the_distance() -> None:
    found = [kid(*sets(200, 200, apart)) for apart in (0, 0.25, 0.5, 1, 2)]
    assert found == sorted(found) and found[1] > 5 * abs(found[0])
    a, b = sets(30, 20, 1)
    assert kid(a, b) == pytest.approx(kid(b, a), rel=1e-12)


def test_crops_of_one_cell_make_no_distance() -> None:
    """Ten cells shown twenty times each: of one kind with others only where pairs of one cell are left out."""
    with_cells, without = [], []
    for seed in range(60):
        draws = np.random.default_rng(seed)
        of_cells = draws.standard_normal((10, 5))
        cells = np.repeat(np.arange(10), 20)
        crops = of_cells[cells] + 0.05 * draws.standard_normal((200, 5))
        others = draws.standard_normal((200, 5))
        with_cells.append(kid(crops, others, cells_a=cells))
        without.append(kid(crops, others))
    assert abs(np.mean(with_cells)) < 3 * np.std(with_cells) / np.sqrt(60)
    assert np.mean(without) > 4 * np.std(without) / np.sqrt(60)


def test_a_cell_in_both_sets_is_not_compared_with_itself() -> None:
    draws = np.random.default_rng(0)
    of_cells = draws.standard_normal((40, 5))
    a, b = (of_cells + 0.01 * draws.standard_normal((40, 5)) for _ in range(2))
    assert kid(a, b) < kid(a, b, cells_a=np.arange(40), cells_b=np.arange(40))


def test_drawing_again_is_counting_again() -> None:
    """An image that was drawn twice is no pair with itself; the rest is as if it stood there twice."""
    a, b = sets(6, 5, 0.4)
    times = np.array([2, 1, 0, 1, 1, 1])
    repeated = np.repeat(np.arange(6), times)
    expected = kid(a[repeated], b, cells_a=repeated)
    assert Kernels(a, b).distance(times) == pytest.approx(expected, rel=1e-12)


def test_what_cannot_be_compared() -> None:
    good = np.zeros((5, 3))
    for bad, words in ((np.zeros((1, 3)), "at least 2"), (np.zeros((5, 4)), "same"), (good * np.nan, "not numbers")):
        with pytest.raises(BadInput, match=words):
            kid(good, bad)
    with pytest.raises(BadInput, match="4 cell numbers given for 5 images"):
        kid(good, good, cells_a=[1, 2, 3, 4])
    assert np.isnan(kid(good, good, cells_a=np.zeros(5))), "one cell has no pairs"

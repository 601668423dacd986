import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.differences import cliffs_delta, differences, holm, one_of_each

NAMES = ("size", "brightness", "grain")


def test_cliffs_delta_counts_pairs() -> None:
    a, b = np.array([[1.0], [4.0], [4.0]]), np.array([[2.0], [4.0]])
    pairs = [np.sign(x - y) for x in a[:, 0] for y in b[:, 0]]
    assert cliffs_delta(a, b)[0] == pytest.approx(np.mean(pairs))
    assert cliffs_delta(b + 10, a)[0] == 1 and cliffs_delta(a, a)[0] == 0


def test_holm_against_a_worked_example() -> None:
    """0.01, 0.04, 0.03, 0.005 of four tests: 4 x 0.005, 3 x 0.01, 2 x 0.03, then no less than that."""
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])


def test_one_of_each_takes_every_cell_once() -> None:
    cells = np.array([3, 3, 3, 7, 7, -1])
    for seed in range(5):
        chosen = one_of_each(cells, np.random.default_rng(seed))
        assert sorted(cells[chosen]) == [-1, 3, 7]


def test_what_differs_is_found_with_its_size_and_direction() -> None:
    draws = np.random.default_rng(0)
    training, unseen, made = (draws.standard_normal((80, 3)) for _ in range(3))
    made[:, 1] += 1.0
    found = differences(training, unseen, made, names=NAMES)
    assert found[0].name == "brightness" and found[0].differs and found[0].size() == "large"
    # Two normal distributions one sd apart: delta = 2 Phi(1 / sqrt 2) - 1 = 0.52.
    assert found[0].delta.value == pytest.approx(0.52, abs=0.12)
    assert found[0].delta.low < 0.52 < found[0].delta.high
    assert not any(one.differs for one in found[1:])
    assert all(abs(one.control) < 0.3 for one in found)


def test_copies_of_a_cell_are_no_evidence() -> None:
    """Five cells, seen forty times each, are five: what holds for crops counted one by one fails for cells."""
    draws = np.random.default_rng(3)
    centres = np.array([[-0.3], [0.3], [0.8], [1.1], [0.7]])
    unseen = np.repeat(centres, 40, axis=0) + 0.01 * draws.standard_normal((200, 1))
    made = draws.standard_normal((200, 1))
    cells = np.repeat(np.arange(5), 40)
    alone = differences(made, unseen, made, names=["size"])[0]
    by_cell = differences(made, unseen, made, names=["size"], unseen_cells=cells)[0]
    assert by_cell.p > 0.05 > alone.p
    assert by_cell.delta.high - by_cell.delta.low > 3 * (alone.delta.high - alone.delta.low)


def test_p_of_several_picks_is_twice_their_median() -> None:
    """Crops of a cell that are all the same: every pick finds the same p."""
    draws = np.random.default_rng(4)
    unseen, made = draws.standard_normal((30, 1)) + 0.6, draws.standard_normal((50, 1))
    once = differences(made, unseen, made, names=["size"])[0].p
    again = {"names": ["size"], "unseen_cells": np.repeat(np.arange(30), 4)}
    assert differences(made, np.repeat(unseen, 4, axis=0), made, **again)[0].p == pytest.approx(2 * once)  # type: ignore[arg-type]


def test_what_real_cells_do_as_well_is_not_blamed_on_the_model() -> None:
    """Training cells and made ones have moved from held-out ones in one measure; made ones alone in another."""
    draws = np.random.default_rng(1)
    training, unseen, made = (draws.standard_normal((80, 3)) for _ in range(3))
    training[:, 0] += 1.5
    made[:, 0] += 1.5
    made[:, 1] += 1.5
    training[:, 2] -= 1.5
    made[:, 2] += 1.5
    found = {one.name: one for one in differences(training, unseen, made, names=NAMES)}
    assert all(one.differs and one.size() == "large" for one in found.values())
    assert [found[name].beyond_real for name in NAMES] == [False, True, True], "the last: in the other direction"


def test_a_constant_measure_and_too_few_images() -> None:
    same = np.ones((10, 1))
    only = differences(same, same, same, names=["size"])[0]
    assert only.delta.value == 0 and only.p == 1 and only.size() == "negligible"
    with pytest.raises(BadInput, match="at least 2"):
        differences(same, same[:1], same, names=["size"])

"""The optimiser against functions whose minimum is known, and against SciPy's and torch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import minimize, rosen, rosen_der

from napari_cellsynth.engine import lbfgs
from napari_cellsynth.engine.lbfgs import C1, C2, Minimum, Trial, minimise, strong_wolfe

Function = Callable[[np.ndarray], tuple[float, np.ndarray]]


def run(function: Function, start: np.ndarray, iterations: int) -> Minimum:
    return driven(minimise(start, iterations), function)


def driven(steps: Any, function: Function) -> Any:
    asked = next(steps)
    while True:
        try:
            asked = steps.send(function(asked))
        except StopIteration as end:
            return end.value


def rosenbrock(x: np.ndarray) -> tuple[float, np.ndarray]:
    return float(rosen(x)), rosen_der(x)


def quadratic(condition: float, size: int = 30) -> Function:
    scales = np.geomspace(1, condition, size)
    middle = np.linspace(-1, 1, size).astype(np.float32).astype(np.float64)
    return lambda x: (float(scales @ (x - middle) ** 2) / 2, scales * (x - middle))


@pytest.mark.parametrize("condition", [1.0, 10.0, 100.0])
def test_a_quadratic_is_minimised(condition: float) -> None:
    found = run(quadratic(condition), np.zeros(30), 200)
    np.testing.assert_allclose(found.point, np.linspace(-1, 1, 30), atol=1e-4)
    assert found.iterations < 200, "it ends where nothing is lower"


def test_the_minimum_itself_is_left_alone() -> None:
    found = run(quadratic(10), np.linspace(-1, 1, 30), 50)
    assert (found.value, found.iterations, found.evaluations) == (0.0, 0, 1)


@pytest.mark.parametrize("name", ["quadratic", "steep quadratic", "rosenbrock"])
def test_it_is_as_low_as_scipy_after_as_many_steps_and_asks_no_more(name: str) -> None:
    function = {"quadratic": quadratic(100), "steep quadratic": quadratic(10_000), "rosenbrock": rosenbrock}[name]
    start = np.tile([-1.2, 1.0], 15)
    for steps in (5, 20, 50):
        ours = run(function, start, steps)
        options = {"maxiter": steps, "ftol": 0, "gtol": 0, "maxcor": 10}
        theirs = minimize(function, start, jac=True, method="L-BFGS-B", options=options)
        assert ours.value < 1.1 * theirs.fun + 1e-7, steps
        assert ours.evaluations < 1.2 * theirs.nfev + 5, steps


def test_rosenbrock_is_minimised() -> None:
    np.testing.assert_allclose(run(rosenbrock, np.tile([-1.2, 1.0], 5), 150).point, np.ones(10), atol=2e-3)


def test_it_is_as_low_as_torch_after_as_many_steps() -> None:
    start = np.tile([-1.2, 1.0], 5)
    ours = [run(rosenbrock, start, steps).value for steps in (10, 20, 40)]
    theirs = []
    for steps in (10, 20, 40):
        z = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        optimiser = torch.optim.LBFGS([z], max_iter=steps, max_eval=1000, line_search_fn="strong_wolfe")

        def closure(z: torch.Tensor = z, optimiser: torch.optim.LBFGS = optimiser) -> torch.Tensor:
            optimiser.zero_grad()
            value = (100 * (z[1:] - z[:-1] ** 2) ** 2 + (1 - z[:-1]) ** 2).sum()
            value.backward()
            return value

        optimiser.step(closure)
        theirs.append(float(closure().detach()))
    assert all(our < 3 * their + 1e-6 for our, their in zip(ours, theirs, strict=True)), (ours, theirs)


def test_more_iterations_are_never_worse_and_begin_alike() -> None:
    start = np.array([-1.2, 1.0, -1.2, 1.0])
    values = [run(rosenbrock, start, steps).value for steps in range(0, 40, 3)]
    assert values == sorted(values, reverse=True) and values[-1] < values[1] < values[0]
    assert [run(rosenbrock, start, steps).iterations for steps in (0, 5, 17)] == [0, 5, 17]


@pytest.mark.parametrize("first", [1e-4, 0.1, 1.0, 30.0])
def test_a_step_meets_both_strong_wolfe_conditions(first: float) -> None:
    start = np.array([-1.2, 1.0])
    value, gradient = rosenbrock(start)
    direction = -gradient / np.linalg.norm(gradient)
    begin = Trial(0.0, start, value, gradient, float(gradient @ direction))
    step = driven(strong_wolfe(begin, direction, first), rosenbrock)
    assert step.value <= begin.value + C1 * step.t * begin.slope
    assert abs(step.slope) <= C2 * abs(begin.slope)


LINES: dict[str, Function] = {
    "More and Thuente 1": lambda x: (float(-x[0] / (x[0] ** 2 + 2)), (x**2 - 2) / (x**2 + 2) ** 2),
    "More and Thuente 2": lambda x: (
        float((x[0] + 0.004) ** 5 - 2 * (x[0] + 0.004) ** 4),
        5 * (x + 0.004) ** 4 - 8 * (x + 0.004) ** 3,
    ),
    "waves": lambda x: (float(np.sin(3 * x[0]) / 3 + (x[0] - 4) ** 2 / 9), np.cos(3 * x) + 2 * (x - 4) / 9),
}


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0, 1000.0])
def test_a_bracket_closes_on_a_place_that_is_nearly_flat(name: str, first: float, monkeypatch) -> None:
    monkeypatch.setattr(lbfgs, "C2", 0.01)
    start = np.array([0.0 if "1" in name else 0.5])
    value, gradient = LINES[name](start)
    direction = -np.sign(gradient)
    begin = Trial(0.0, start, value, gradient, float(gradient @ direction))
    step = driven(strong_wolfe(begin, direction, first), LINES[name])
    assert abs(step.slope) <= 0.01 * abs(begin.slope) and step.value <= value + C1 * step.t * begin.slope
    assert step.asked < 20


def test_the_units_of_the_value_make_no_difference() -> None:
    small = run(lambda x: tuple(1e-6 * part for part in rosenbrock(x)), np.array([-1.2, 1.0]), 30)
    large = run(rosenbrock, np.array([-1.2, 1.0]), 30)
    np.testing.assert_allclose(small.point, large.point, atol=1e-3)


def test_a_cliff_is_stepped_back_from() -> None:
    """Values that are not finite, or not a number, count as infinitely high."""
    for beyond in (np.inf, np.nan):

        def cliff(x: np.ndarray, beyond: float = beyond) -> tuple[float, np.ndarray]:
            if x[0] > 0.5:
                return beyond, np.full(1, np.nan)
            return float((x[0] - 0.4) ** 2), 2 * (x - 0.4)

        assert abs(run(cliff, np.array([-3.0]), 30).point[0] - 0.4) < 1e-3
    assert not np.isfinite(run(lambda x: (np.nan, x), np.ones(3), 5).value)

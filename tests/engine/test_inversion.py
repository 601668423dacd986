"""Points of a known generator are found again, each image for itself; giving up and failing leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_cellsynth.engine.draws import latents
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.engine.inversion import Found, check_wish, embedding, invert, starting_points
from napari_cellsynth.errors import BadInput, RunFailed

SIZE, SIDE = 6, 8


@pytest.fixture(scope="module")
def decode() -> Any:
    """A small generator of two layers; images in [-1, 1]."""
    draws = torch.Generator().manual_seed(1)
    first, second = (torch.randn(shape, generator=draws) / shape[1] ** 0.5 for shape in ((24, SIZE), (SIDE * SIDE, 24)))

    def layer(values: Tensor, weights: Tensor) -> Tensor:
        # Row by row alike, as convolutions are: a matrix product of a few rows rounds by where they stand in it.
        return (values[:, None] * weights).sum(-1)

    def images(points: Tensor) -> Tensor:
        hidden = torch.nn.functional.leaky_relu(layer(points, first), 0.2)
        return torch.tanh(layer(hidden, second)).reshape(-1, SIDE, SIDE)

    return images


def found(news: Iterator[Progress | Found]) -> Found:
    *progress, last = news
    assert all(isinstance(one, Progress) for one in progress)
    assert isinstance(last, Found)
    return last


def search(decode: Any, targets: Tensor, at_once: int = 4, iterations: int = 50, starts: int = 3) -> Found:
    points = starting_points(starts, SIZE, 0)
    return found(invert(decode, targets, points, iterations=iterations, at_once=at_once))


def test_what_it_made_itself_is_found_again(decode) -> None:
    true = latents(10, SIZE, seed=3)
    targets = decode(true)
    made = search(decode, targets)
    again = decode(torch.from_numpy(made.latents))
    np.testing.assert_allclose(made.errors, (again - targets).square().mean((1, 2)).sqrt().numpy(), atol=1e-6)
    wrong = (decode(latents(10, SIZE, seed=4)) - targets).square().mean((1, 2)).sqrt().numpy()
    assert np.median(made.errors) < 1e-3 < 0.1 < np.median(wrong)
    assert np.abs(made.latents - true.numpy())[made.errors < 1e-4].max() < 0.05


def test_an_image_is_found_alike_alone_among_others_and_in_another_order(decode) -> None:
    noise = latents(8, SIDE * SIDE, seed=6).reshape(8, SIDE, SIDE)
    targets = (decode(latents(8, SIZE, seed=5)) + 0.1 * noise).clamp(-1, 1)
    together = search(decode, targets)
    backwards = search(decode, targets.flip(0))
    alone = [search(decode, targets[i : i + 1]) for i in range(8)]
    for name in ("latents", "errors", "of_starts"):
        np.testing.assert_allclose(getattr(backwards, name)[::-1], getattr(together, name), atol=1e-4)
        apart = np.concatenate([getattr(one, name) for one in alone])
        np.testing.assert_allclose(apart, getattr(together, name), atol=1e-4)


def test_starts_depend_on_seed_and_number_alone_and_begin_no_sample(decode) -> None:
    np.testing.assert_array_equal(starting_points(5, SIZE, 7)[:3], starting_points(3, SIZE, 7))
    assert (starting_points(3, SIZE, 7) != starting_points(3, SIZE, 8)).any()
    assert (starting_points(3, SIZE, 7) != latents(3, SIZE, 7)).all()
    targets = decode(latents(5, SIZE, seed=5))
    three, five = search(decode, targets), search(decode, targets, starts=5)
    np.testing.assert_allclose(five.of_starts[:, :3], three.of_starts, atol=1e-6)
    assert (five.errors <= three.errors + 1e-6).all()
    np.testing.assert_array_equal(three.errors, three.of_starts.min(1))
    np.testing.assert_array_equal(three.starts, three.of_starts.argmin(1))


def test_more_iterations_are_never_worse(decode) -> None:
    targets = decode(latents(4, SIZE, seed=6)) * 0.7
    few, some, many = (search(decode, targets, iterations=count) for count in (2, 10, 40))
    assert (some.of_starts <= few.of_starts).all() and (many.of_starts <= some.of_starts).all()
    assert many.errors.mean() < few.errors.mean()
    assert (few.iterations <= 2).all()


def test_the_network_always_sees_as_many_and_progress_counts_images(decode) -> None:
    counts = []

    def counting(points: Tensor) -> Tensor:
        counts.append(len(points))
        return decode(points)

    *progress, last = invert(
        counting, decode(latents(3, SIZE, 1)), starting_points(2, SIZE, 0), iterations=4, at_once=5
    )
    assert set(counts) == {5} and len(last.latents) == 3
    assert [one.total for one in progress] == [3] * (len(counts) + 1)
    done = [one.done for one in progress]
    assert done[0] == 0 and done == sorted(done) and done[-2:] == [done[-2], 3] and done[-2] < 3


def test_giving_up_asks_nothing_more_and_what_fails_comes_out(decode) -> None:
    calls = []

    def failing(points: Tensor) -> Tensor:
        calls.append(1)
        if len(calls) == 3:
            raise ValueError("no more")
        return decode(points)

    targets = decode(latents(3, SIZE, 1))
    with pytest.raises(ValueError, match="no more"):
        list(invert(failing, targets, starting_points(2, SIZE, 0), iterations=9, at_once=4))
    news = invert(failing, targets, starting_points(2, SIZE, 0), iterations=9, at_once=4)
    next(news), next(news)
    before = len(calls)
    news.close()  # type: ignore[attr-defined]
    assert len(calls) == before
    nowhere = invert(lambda z: decode(z) * np.nan, targets, starting_points(1, SIZE, 0), iterations=9, at_once=4)
    with pytest.raises(RunFailed, match="not finite"):
        list(nowhere)


def test_likelihood_and_length_are_those_of_the_prior() -> None:
    from scipy.stats import norm

    points = latents(500, 20, seed=2).numpy()
    nothing = Found(points, np.zeros(500), np.zeros(500, int), np.zeros(500, int), np.zeros((500, 3)))
    images = np.zeros((500, 2, 2), np.uint8)
    made = embedding(nothing, images, images + np.uint8(3))
    np.testing.assert_allclose(made.nll, -norm.logpdf(points.astype(float)).sum(1))
    assert abs(made.lengths.mean() - 20) < 1 and 30 < made.lengths.var() < 50, "chi-squared: mean d, variance 2 d"
    np.testing.assert_allclose(made.errors_in_units, 3)


@pytest.mark.parametrize(
    ("images", "wish", "said"),
    [
        (np.zeros((2, 9, 9)), {}, r"--size 8"),
        (np.zeros((8, 8)), {}, r"\(N, 8, 8\)"),
        (np.zeros((0, 8, 8)), {}, r"\(0, 8, 8\) given"),
        (np.zeros((2, 8, 8)), {"starts": 0}, "0 starts"),
        (np.zeros((2, 8, 8)), {"iterations": 0}, "0 iterations"),
        (np.full((2, 8, 8), np.nan), {}, "not finite"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_one_line(images, wish, said) -> None:
    with pytest.raises(BadInput, match=said) as refusal:
        check_wish(images, (8, 8), **{"starts": 3, "iterations": 50} | wish)
    assert "\n" not in str(refusal.value)

"""Random numbers that depend on where they are drawn alone."""

import numpy as np
import pytest
import torch

from napari_cellsynth.engine.draws import EpochSampler, GlobalDraws, generator, latents, seed_of


def test_seeds_stay_what_they_are():
    # Were these to change, the runs of earlier releases could not be repeated.
    assert seed_of(0) == 6711488920161924273
    assert seed_of(3, "turn", 17, "generator", 0) == 8663029723384550214


def test_parts_do_not_run_into_each_other():
    seeds = [seed_of(1, 2), seed_of(12), seed_of("1", 2), seed_of(1, "2"), seed_of(2, 1)]
    assert len(set(seeds)) == len(seeds)


def test_sample_7_is_the_same_in_8_and_in_100():
    many = latents(100, 20, seed=5)
    assert torch.equal(latents(8, 20, seed=5), many[:8])
    assert torch.equal(latents(1, 20, seed=5, start=7), many[7:8])
    assert not torch.equal(latents(8, 20, seed=6), many[:8])


def test_latents_are_standard_normal():
    draws = latents(2000, 50, seed=0)
    assert abs(float(draws.mean())) < 0.01
    assert abs(float(draws.std()) - 1) < 0.01
    assert abs(float(torch.corrcoef(draws[:2])[0, 1])) < 0.5


def test_draws_ignore_the_global_generator():
    torch.manual_seed(1)
    first = latents(3, 4, seed=0), torch.randn(2, generator=generator(0, "a"))
    torch.manual_seed(2)
    second = latents(3, 4, seed=0), torch.randn(2, generator=generator(0, "a"))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


@pytest.mark.parametrize(("count", "size"), [(10, 3), (10, 10), (3, 10), (1, 4), (7, 5)])
def test_every_epoch_holds_every_example_once(count, size):
    sampler = EpochSampler(count, size, seed=2)
    drawn = np.concatenate([sampler.indices(step) for step in range(4 * count)])
    epochs = drawn[: len(drawn) // count * count].reshape(-1, count)
    assert (np.sort(epochs) == np.arange(count)).all()
    if count > 3:
        assert len({tuple(epoch) for epoch in epochs}) > 1


def test_a_batch_does_not_depend_on_those_before():
    one, other = EpochSampler(20, 8, seed=1), EpochSampler(20, 8, seed=1)
    in_order = [one.indices(step) for step in range(12)]
    for step in (11, 0, 5, 11):
        assert (other.indices(step) == in_order[step]).all()


def test_global_draws_are_ours_inside_and_the_users_outside():
    ours = GlobalDraws(torch.device("cpu"))
    torch.manual_seed(9)
    expected = torch.rand(3)
    torch.manual_seed(9)
    with ours.scope(1, "a"):
        inside = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    torch.manual_seed(77)
    with ours.scope(1, "a"):
        assert torch.equal(torch.rand(3), inside)
        ours.seed(1, "a")
        assert torch.equal(torch.rand(3), inside)

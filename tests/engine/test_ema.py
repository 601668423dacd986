"""Running averages."""

import torch
from torch import nn

from napari_cellsynth.engine.ema import Averages


def test_average_follows_the_formula():
    network = nn.Linear(1, 1, bias=False)
    network.weight.data.fill_(0.0)
    averages = Averages({"a": network}, ["a"], decay=0.5)
    expected = 0.0
    for updates in range(20):
        network.weight.data.fill_(float(updates + 1))
        averages.update(updates)
        decay = min(0.5, (1 + updates) / (10 + updates))
        expected = decay * expected + (1 - decay) * (updates + 1)
    assert abs(averages.networks["a"].weight.item() - expected) < 1e-5


def test_batch_statistics_are_averaged_and_counts_copied():
    network = nn.BatchNorm1d(2)
    averages = Averages({"a": network}, ["a"], decay=0.9)
    network.running_mean.fill_(1.0)
    network.num_batches_tracked.fill_(7)
    averages.update(0)
    assert torch.allclose(averages.networks["a"].running_mean, torch.full((2,), 0.9))
    assert averages.networks["a"].num_batches_tracked == 7


def test_averages_need_no_gradient_and_leave_the_network_alone():
    network = nn.Linear(2, 2)
    before = network.weight.clone()
    averages = Averages({"a": network, "b": nn.Linear(1, 1)}, ["a"], decay=0.9)
    averages.update(3)
    assert list(averages.networks) == ["a"]
    assert torch.equal(network.weight, before)
    assert network.weight.requires_grad
    assert not any(p.requires_grad for p in averages.networks["a"].parameters())

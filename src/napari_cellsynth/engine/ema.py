"""Running averages of weights (Polyak averaging), which make steadier images than the last weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn


class Averages:
    """Averages of some networks: ``average += (1 - d) (weights - average)``.

    Like torch's AveragedModel, but the count of updates is a number of the
    host: AveragedModel reads its count from the device, which waits for the
    device in every step.  The decay d grows with the updates n as
    min(decay, (1 + n) / (10 + n)), so that the untrained weights are soon
    forgotten.  Averages of batch statistics are averaged too, counts copied.
    """

    def __init__(self, networks: Mapping[str, nn.Module], names: Sequence[str], decay: float) -> None:
        self.decay = decay
        self.networks = {name: copy.deepcopy(networks[name]).requires_grad_(False).eval() for name in names}
        self._averaged: list[Tensor] = []
        self._followed: list[Tensor] = []
        self._counts: list[tuple[Tensor, Tensor]] = []
        for name in names:
            self._pair(self.networks[name], networks[name])

    def _pair(self, average: nn.Module, network: nn.Module) -> None:
        mine_all = [*average.parameters(), *average.buffers()]
        theirs_all = [*network.parameters(), *network.buffers()]
        for mine, theirs in zip(mine_all, theirs_all, strict=True):
            if mine.is_floating_point():
                self._averaged.append(mine.detach())
                self._followed.append(theirs.detach())
            else:
                self._counts.append((mine, theirs))

    @torch.no_grad()
    def update(self, updates: int) -> None:
        """Take in the weights as they are now, after ``updates`` earlier ones."""
        if not self._averaged:
            return
        decay = min(self.decay, (1 + updates) / (10 + updates))
        torch._foreach_lerp_(self._averaged, self._followed, 1 - decay)
        for mine, theirs in self._counts:
            mine.copy_(theirs)

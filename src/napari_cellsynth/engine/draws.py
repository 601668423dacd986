"""Random numbers that depend on where they are drawn, never on what was drawn before.

A run that was stopped, killed or split among machines draws what it would
have drawn otherwise, and sample 7 is the same in 8 and in 100.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


def seed_of(*parts: int | str) -> int:
    """A seed in [0, 2**63) from any parts; the same on every machine, in every process and version of Python."""
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def generator(seed: int, *parts: int | str) -> torch.Generator:
    """A generator on the CPU whose numbers follow from ``seed`` and ``parts`` alone."""
    return torch.Generator().manual_seed(seed_of(seed, *parts))


def latents(count: int, size: int, seed: int, start: int = 0) -> Float[Tensor, "n d"]:
    """Standard normal draws from ``start`` on, (count, size) float32; row i depends on (seed, start + i) alone."""
    rows = torch.empty(count, size)
    for index in range(count):
        torch.randn(size, generator=generator(seed, "latent", start + index), out=rows[index])
    return rows


class EpochSampler:
    """Examples without replacement, epoch after epoch, each shuffled anew; a batch may reach into the next epoch."""

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        if count < 1 or batch_size < 1:
            raise ValueError(f"cannot draw batches of {batch_size} from {count} examples")
        self.count, self.batch_size, self.seed = count, batch_size, seed
        self._epochs: dict[int, np.ndarray] = {}

    def indices(self, step: int) -> np.ndarray:
        """Indices (batch_size,) int64 in [0, count) of a step, counted from 0."""
        places = np.arange(step * self.batch_size, (step + 1) * self.batch_size)
        epochs, offsets = places // self.count, places % self.count
        return np.array([self._order(int(e))[o] for e, o in zip(epochs, offsets, strict=True)], dtype=np.int64)

    def _order(self, epoch: int) -> np.ndarray:
        if epoch not in self._epochs:
            # A batch reaches back by no more than the epochs it holds.
            old = epoch - 2 - self.batch_size // self.count
            self._epochs = {key: order for key, order in self._epochs.items() if key > old}
            draws = generator(self.seed, "epoch", epoch)
            self._epochs[epoch] = torch.randperm(self.count, generator=draws).numpy()
        return self._epochs[epoch]


class GlobalDraws:
    """torch's global generators, seeded for a turn and given back as they were found.

    Dropout and other layers draw from the global generator of their device
    and take no other.  Costs about 20 microseconds a turn and does not wait
    for the device.
    """

    def __init__(self, device: torch.device) -> None:
        self._generators: list[torch.Generator] = [torch.default_generator]
        if device.type == "cuda":
            torch.cuda.init()
            self._generators.append(torch.cuda.default_generators[device.index or 0])
        elif device.type == "mps":
            self._generators.append(torch.mps._get_default_mps_generator())

    def seed(self, *parts: int | str) -> None:
        """Seed them all; within :meth:`scope` only."""
        value = seed_of("global", *parts)
        for each in self._generators:
            each.manual_seed(value)

    @contextmanager
    def scope(self, *parts: Any) -> Iterator[None]:
        """Inside, the global generators are ours; afterwards they are as before."""
        before = [each.get_state() for each in self._generators]
        try:
            self.seed(*parts)
            yield
        finally:
            for each, state in zip(self._generators, before, strict=True):
                each.set_state(state)

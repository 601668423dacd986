"""Losses wait on the device and are fetched together: one wait for the device in up to twenty steps."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_cellsynth.errors import RunFailed


class LossNotFinite(RunFailed):
    """A loss became infinite or not a number."""


@dataclass(frozen=True)
class Entry:
    step: int
    """Counted from 1: the step that was done with it."""
    name: str
    weight: float
    """Share of the step's mean: parts of a batch and repeats together make 1."""
    value: Tensor


class LossLog:
    """Losses since the last fetch."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def __len__(self) -> int:
        return len(self._entries)

    def cut_back(self, count: int) -> None:
        """Forget all but the first ``count`` since the last fetch."""
        del self._entries[count:]

    def add(self, step: int, name: str, value: Tensor, weight: float = 1.0) -> None:
        """Keep a scalar; nothing waits for it."""
        self._entries.append(Entry(step, name, weight, value.detach()))

    def fetch(self, add: Callable[[Sequence[float]], Sequence[float]] | None = None) -> dict[str, float]:
        """Means over the steps since the last fetch; raises :class:`LossNotFinite` with the step at which it began.

        ``add`` adds those of other processes, which have logged other parts of the same steps.
        """
        entries, self._entries = self._entries, []
        if not entries:
            return {}
        values = torch.stack([entry.value.reshape(()).float() for entry in entries]).tolist()
        sums: defaultdict[tuple[int, str], float] = defaultdict(float)
        for entry, value in zip(entries, values, strict=True):
            sums[entry.step, entry.name] += entry.weight * value
        added = list(sums.values()) if add is None else add(list(sums.values()))
        totals: defaultdict[str, float] = defaultdict(float)
        steps: defaultdict[str, set[int]] = defaultdict(set)
        for (step, name), value in zip(sums, added, strict=True):
            if not math.isfinite(value):
                raise LossNotFinite(f"{name} became {_word(value)} in step {step}")
            totals[name] += value
            steps[name].add(step)
        return {name: total / len(steps[name]) for name, total in totals.items()}


def _word(value: float) -> str:
    return "not a number" if math.isnan(value) else "infinite"

"""What a family tells the engine: its networks, its phases, its losses, its previews.

The engine owns device, precision, optimiser steps, EMA, checkpoints and
stopping; it never learns a family's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from napari_cellsynth.engine.settings import Settings


@dataclass(frozen=True)
class Phase:
    """One optimiser's turn in a step."""

    name: str
    networks: tuple[str, ...]
    """Whose weights this turn updates; all others are frozen (requires_grad False) meanwhile."""
    optimizer: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
    """Makes the optimiser of the weights given; a partial."""
    interval: int = 1
    """Taken in steps divisible by this, counted from 0."""
    repeats: int = 1
    """Turns within a step, each with a batch and draws of its own (critic steps)."""
    rate: Callable[[int], float] | None = None
    """What the optimiser's learning rates are multiplied by in a step, counted from 0; None: they stay.  Of the step
    alone, so that a training that was stopped goes on as it would have."""


@runtime_checkable
class Batch(Protocol):
    """A small frozen dataclass of tensors with the same first dimension."""

    def to(self, device: torch.device) -> Batch: ...

    def split(self, size: int) -> Sequence[Batch]:
        """Parts of at most ``size`` examples, for micro-batches."""
        ...

    def __len__(self) -> int: ...


@runtime_checkable
class Recipe(Protocol):
    """Built as ``Recipe(settings, data_path)`` on the CPU; its weights follow from ``settings.seed`` alone."""

    networks: Mapping[str, nn.Module]
    phases: Sequence[Phase]
    ema: Sequence[str]
    """Networks of which a running average is kept when ``settings.ema`` is above 0."""

    def __init__(self, settings: Settings, data: Path) -> None: ...

    def batch(self, step: int, phase: str, repeat: int) -> Batch:
        """Examples for a turn: a function of (seed, step, phase, repeat) alone."""
        ...

    def losses(
        self, phase: str, networks: Mapping[str, nn.Module], batch: Batch, draws: torch.Generator
    ) -> dict[str, Tensor]:
        """Scalars, ``loss`` the one to minimise (a mean over the batch), others for the log.

        Every random number comes from ``draws`` (a generator on the CPU,
        seeded from seed, step, phase, repeat and micro-batch) or from layers
        such as dropout, whose global generator the engine seeds likewise.
        Nothing here waits for the device: no ``.item()``, no printing.
        """
        ...

    def preview(self, networks: Mapping[str, nn.Module]) -> np.ndarray:
        """A fixed set of examples, (N, C, Y, X) or (N, T, C, Y, X), in the data's dtype; leaves modes as found."""
        ...

    def validate(self, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        """Numbers on held-out data; empty where there are none. Called with each preview."""
        ...

    def describe(self) -> dict[str, Any]:
        """What run.json keeps under ``model``, JSON-safe, so that the weights can be used without the data.

        Scaling, pixel size, dtype, channels and the like.
        """
        ...

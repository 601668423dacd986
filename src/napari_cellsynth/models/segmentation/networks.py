"""The network of some settings, and the optimiser that trains it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from napari_cellsynth.models.segmentation.config import SegmentationSettings
from napari_cellsynth.models.segmentation.densenet import FCDenseNet
from napari_cellsynth.models.segmentation.unet import ResidualUNet


def outputs(settings: SegmentationSettings, classes: Sequence[int]) -> int:
    """Maps that a network makes: of a cell or not; where wished for the distance to the border; one for each class."""
    return 1 + int(settings.part == "distance") + len(classes)


def build_network(settings: SegmentationSettings, classes: Sequence[int]) -> nn.Module:
    """With weights that depend on the seed alone."""
    count = outputs(settings, classes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        if settings.network == "densenet":
            return FCDenseNet(1, count, settings.densenet, settings.width, settings.dropout)
        # In this order of numbers convolutions of few channels take a quarter less time on a CPU.
        return ResidualUNet(1, count, settings.width, settings.levels).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def make_optimizer(settings: SegmentationSettings) -> Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]:
    """Of whichever weights it is given."""
    kind: Any = FadingRMSprop if settings.optimizer == "rmsprop" else FadingAdamW
    factor = settings.decay ** (1 / max(1, settings.steps - 1))
    return partial(kind, fading=factor, lr=settings.learning_rate, weight_decay=settings.weight_decay)


class _Fading:
    """The learning rate is multiplied by ``fading`` after each step; it stands in the saved state."""

    fading: float
    param_groups: list[dict[str, Any]]

    def _fade(self) -> None:
        for group in self.param_groups:
            group["lr"] *= self.fading


class FadingRMSprop(_Fading, torch.optim.RMSprop):
    """RMSprop whose learning rate fades."""

    def __init__(self, weights: Iterable[nn.Parameter], fading: float, **how: Any) -> None:
        super().__init__(weights, **how)
        self.fading = fading

    def step(self, closure: Any = None) -> Any:
        done = super().step(closure)
        self._fade()
        return done


class FadingAdamW(_Fading, torch.optim.AdamW):
    """AdamW whose learning rate fades."""

    def __init__(self, weights: Iterable[nn.Parameter], fading: float, **how: Any) -> None:
        super().__init__(weights, **how)
        self.fading = fading

    def step(self, closure: Any = None) -> Any:
        done = super().step(closure)
        self._fade()
        return done

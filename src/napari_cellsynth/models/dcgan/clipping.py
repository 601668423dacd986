"""WGAN's critic: weights that are clipped after every step (Arjovsky et al. 2017, algorithm 1, line 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class ClippedRMSprop(torch.optim.RMSprop):
    """RMSprop after which no weight is larger than ``clip``; its state is that of RMSprop."""

    def __init__(self, weights: Any, lr: float, clip: float) -> None:
        super().__init__(weights, lr=lr)
        self.clip = clip
        self._clip()

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        loss = super().step(closure)
        self._clip()
        return loss

    @torch.no_grad()
    def _clip(self) -> None:
        for group in self.param_groups:
            torch._foreach_clamp_min_(group["params"], -self.clip)
            torch._foreach_clamp_max_(group["params"], self.clip)

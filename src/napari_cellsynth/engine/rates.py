"""How learning rates change during a training."""

from __future__ import annotations

from collections.abc import Callable


def falling(steps: int, share: float) -> Callable[[int], float]:
    """1 until the last ``share`` of the steps, then in a straight line to 0 behind the last one.

    Where a rate stays large to the end, weights are as the last few batches
    have them, and a running average of them blurs what is random in images.
    """
    begin = steps * (1 - share)

    def rate(step: int) -> float:
        return 1.0 if step <= begin else max(0.0, (steps - step) / (steps - begin))

    return rate

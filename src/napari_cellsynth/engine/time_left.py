"""How much longer a run takes: the one way in which all who say so work it out.  Loads no torch."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

STRETCHES = 10
"""Step events of which the pace is taken; one slow step in between does not count."""


def seconds_left(stretches: Sequence[float], todo: int, beside: float = 1.0) -> float | None:
    """Seconds that ``todo`` steps will take; None until some have been timed.

    ``stretches`` are the seconds a step took in the newest :data:`STRETCHES`
    Step events since the run was last taken up, and ``beside`` is by how much
    previews and saving make it longer (see :func:`longer`).
    """
    timed = stretches[-STRETCHES:]
    return max(0, todo) * statistics.median(timed) * beside if timed else None


def longer(seconds: object, seconds_per_step: object, steps: int) -> float:
    """How much longer than its steps a whole run takes, by its estimate; 1 where that is not known."""
    if not isinstance(seconds, int | float) or not isinstance(seconds_per_step, int | float):
        return 1.0
    stepping = steps * seconds_per_step
    return max(1.0, seconds / stepping) if stepping > 0 else 1.0

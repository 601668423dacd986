"""New images of a model, a few at a time, so that whoever waits can give up."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from napari_cellsynth.engine.events import Progress

AT_ONCE = 16
"""Images made between two looks whether they are still wanted."""


def making(verbs: Any, count: int, *, seed: int, first: int = 0, things: str) -> Generator[Progress, None, np.ndarray]:
    """Progress; returns the samples (N, Y, X) of a seed from number ``first`` on, at least one.

    ``things`` is what they are, for the message.
    """
    import numpy as np

    from napari_cellsynth.engine.events import Progress

    parts = []
    for start in range(0, count, AT_ONCE):
        yield Progress(done=start, total=count, message=f"making {things}")
        parts.append(verbs.sample(min(AT_ONCE, count - start), seed=seed, start=first + start).images)
    return np.concatenate(parts)

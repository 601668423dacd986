"""What shows a newcomer within a minute what a family can do; the panels play it, and know no family's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Journey:
    """A task in words, and a training on an example movie that is small enough to be watched.

    The panels open the example, make a training set of the family's kind,
    train, and use the verb, each as the user would.
    """

    task: str
    """What is done, as one would say it: ``Make new cells``."""
    about: str
    """A sentence about what comes of it."""
    verb: str
    """Which of the family's verbs is shown last."""
    honest: str
    """A sentence about what to think of the result of so short a training."""
    example: str = "neutrophils_normal"
    """Key of an example movie, as napari's menu has them."""
    preset: str = "tiny"
    quick: Mapping[str, Any] = field(default_factory=dict)
    """Settings beside those of the preset: about twenty seconds of training on two cores."""

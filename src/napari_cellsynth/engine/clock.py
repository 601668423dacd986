"""How long a run has trained, through all its interruptions; loads no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Clock:
    """Kept in every checkpoint, so that work which a crash has cost is not counted twice."""

    seconds: float = 0.0
    """Of training, previews and saving; not of pauses."""
    stepping: float = 0.0
    """Of steps alone."""
    steps: int = 0
    """Steps that took so long."""

    @classmethod
    def from_json(cls, record: Any) -> Clock:
        """As a checkpoint has it; from zero where it has none."""
        try:
            return cls(float(record["seconds"]), float(record["stepping"]), int(record["steps"]))
        except (TypeError, KeyError, ValueError):
            return cls()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def stretch(self, steps: int, seconds: float) -> None:
        """So many steps took ``seconds`` each."""
        self.steps += steps
        self.stepping += steps * seconds

    def took(self, memory: int, disk: int) -> dict[str, Any]:
        """What run.json keeps when a run ends; bytes."""
        per_step = self.stepping / self.steps if self.steps else None
        return {
            "steps": self.steps,
            "seconds_per_step": per_step,
            "seconds": max(self.seconds, self.stepping),
            "memory": memory,
            "disk": disk,
        }

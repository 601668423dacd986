"""What a job says while it runs: one JSON line an event, the same for shell, tests and napari."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Literal

KINDS: dict[str, type[Event]] = {}


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base; ``kind`` is the name in events.jsonl."""

    kind: ClassVar[str] = ""
    time: float = 0.0
    """Seconds since 1970, set by the run folder when it is written."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        KINDS[cls.kind] = cls

    def to_json(self) -> dict[str, Any]:
        return {"event": self.kind, **asdict(self)}

    @staticmethod
    def from_json(record: dict[str, Any]) -> Event | None:
        """The event of a line; None for a kind that this version does not know."""
        kind = KINDS.get(record.get("event", ""))
        if kind is None:
            return None
        known = {f.name for f in fields(kind)}
        # JSON has no tuples.
        found: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in record.items() if key in known
        }
        return kind(**found)


@dataclass(frozen=True, kw_only=True)
class Started(Event):
    """Training begins or goes on at ``step`` (0 for a new run); ``notes`` says what could not be restored."""

    kind: ClassVar[str] = "started"
    step: int
    steps: int
    device: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Estimate(Event):
    """From three real steps (the first, which warms up, not counted)."""

    kind: ClassVar[str] = "estimate"
    seconds_per_step: float
    seconds: float
    """For the whole run, previews and checkpoints included."""
    memory: int
    """Peak bytes: on the GPU for cuda, of the process else."""
    disk: int
    """Bytes the run folder will take."""
    micro_batch: int | None = None
    """Examples at once, where the whole batch does not fit into the memory."""
    look: float = 0.0
    """Seconds of one preview with its look at held-out data."""
    state: int = 0
    """Bytes of a saved state."""
    preview: int = 0
    """Bytes of a preview."""
    busy: bool = False
    """Whether it was measured while the computer had much else to do, so that it takes less when that is quiet."""


@dataclass(frozen=True, kw_only=True)
class Step(Event):
    """Mean losses of the steps since the last Step event (at most 20), up to and with ``step``."""

    kind: ClassVar[str] = "step"
    step: int
    losses: dict[str, float]
    """``phase/name`` to value."""
    learning_rate: dict[str, float]
    """phase to value."""
    seconds: float
    """Per step, in this stretch."""


@dataclass(frozen=True, kw_only=True)
class Validation(Event):
    kind: ClassVar[str] = "validation"
    step: int
    values: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Health(Event):
    """What is thought of the training from ``step`` on, until the next one; written when it changes."""

    kind: ClassVar[str] = "health"
    step: int
    state: Literal["good", "warning", "bad"]
    code: str
    """Name of the finding, one of those in :mod:`.health`; stays the same when the words are improved."""
    words: str
    """For the person who trains: what is seen, what it means, what to do."""


@dataclass(frozen=True, kw_only=True)
class PreviewMade(Event):
    """``path`` is relative to the run folder: an OME-TIFF, axes QCYX or QTCYX, in the data's dtype."""

    kind: ClassVar[str] = "preview"
    step: int
    path: str


@dataclass(frozen=True, kw_only=True)
class CheckpointSaved(Event):
    kind: ClassVar[str] = "checkpoint"
    step: int
    path: str


@dataclass(frozen=True, kw_only=True)
class DamagedRemoved(Event):
    """Saved states that were damaged are gone, since a whole one of their step or a later one is there."""

    kind: ClassVar[str] = "removed"
    step: int
    names: tuple[str, ...]
    words: str


@dataclass(frozen=True, kw_only=True)
class Paused(Event):
    kind: ClassVar[str] = "paused"
    step: int
    n: int | None = None


@dataclass(frozen=True, kw_only=True)
class Resumed(Event):
    kind: ClassVar[str] = "resumed"
    step: int
    n: int | None = None


@dataclass(frozen=True, kw_only=True)
class Waiting(Event):
    """The run waits for what it needs; it goes on with a :class:`Started` or a :class:`Resumed`."""

    kind: ClassVar[str] = "waiting"
    because: str
    """For what, in words: ``the GPU is in use by …``."""
    step: int = 0


@dataclass(frozen=True, kw_only=True)
class MemoryMet(Event):
    """Out of memory, met with fewer examples on the device at once; ``micro_batch`` holds from here on."""

    kind: ClassVar[str] = "memory"
    micro_batch: int
    words: str
    step: int = 0


@dataclass(frozen=True, kw_only=True)
class Finished(Event):
    kind: ClassVar[str] = "finished"
    step: int


@dataclass(frozen=True, kw_only=True)
class Stopped(Event):
    """The user asked to stop; the weights are kept."""

    kind: ClassVar[str] = "stopped"
    step: int
    n: int | None = None


@dataclass(frozen=True, kw_only=True)
class CancelledByUser(Event):
    kind: ClassVar[str] = "cancelled"
    step: int
    n: int | None = None


@dataclass(frozen=True, kw_only=True)
class Failed(Event):
    kind: ClassVar[str] = "failed"
    step: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Progress(Event):
    """Progress of a short job that has no run folder (preparing, exporting)."""

    kind: ClassVar[str] = "progress"
    done: int
    total: int
    message: str = ""
    details: dict[str, Any] = field(default_factory=dict)

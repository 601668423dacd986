"""What was found out about a recording: whether clips, cells and motion can be taken from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.steady.drift import Drift

Severity = Literal["ok", "warning", "bad"]
Kind = Literal["readable", "content", "light", "sharp", "saturated", "doubled", "stage", "drift", "jumps"]
JITTER = 0.7
"""Pixels per frame from which shifts by whole pixels help: they leave about 0.5, what rounding makes."""
DRIFT = 2.0
"""Pixels that slow motion goes before it is worth a sentence."""
KEPT = ("jitter", "error", "told", "drifts", "ceiling", "share", "channel", "z")
FRAME_LISTS = ("jumps", "dark", "bright", "saturated", "blurred", "doubled", "unreadable")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for, in a sentence."""

    kind: Kind
    frames: tuple[int, ...]
    """Frames it is about, counted from 0; empty where it is about all of them, or nothing was found."""
    severity: Severity
    words: str


@dataclass(frozen=True, eq=False)
class Fitness:
    """One recording, judged.  Frames are counted from 0."""

    frames: int
    steps: NDArray[np.float64]
    """(T, 2) dy, dx in pixels by which the stage moved what is seen, against the frame before; 0 in the first frame,
    NaN where it cannot be measured."""
    offsets: NDArray[np.float64]
    """(T, 2) the path: dy, dx against the first frame of the scene."""
    jitter: float = 0.0
    """Usual sudden step of the stage in pixels per frame; 0 where it is steady, or cannot be told."""
    error: float = 0.0
    """Usual error of a step in pixels."""
    told: bool = True
    """Whether it can be told if the stage moves; where cells fill the frame and move by themselves, it cannot."""
    drifts: bool = False
    """Whether slow motion is the stage's beyond doubt, and part of the path; else only sudden steps are."""
    jumps: tuple[int, ...] = ()
    """Frames that do not follow the one before: a sudden shift, or another scene."""
    scenes: tuple[int, ...] = ()
    """Those of them at which another scene begins."""
    dark: tuple[int, ...] = ()
    bright: tuple[int, ...] = ()
    saturated: tuple[int, ...] = ()
    """Frames in which a thousandth of the pixels or more is at the ceiling."""
    ceiling: float | None = None
    """Highest value of the recording, where frames are saturated."""
    share: float = 0.0
    """Largest share of a frame's pixels at the ceiling."""
    blurred: tuple[int, ...] = ()
    doubled: tuple[int, ...] = ()
    """Frames that are the one before once more."""
    unreadable: tuple[int, ...] = ()
    constant: bool = False
    """Whether every frame is one value."""
    noise: bool = False
    """Whether nothing larger than a pixel is seen in any frame."""
    channel: int = 0
    z: int = 0

    @property
    def cuts(self) -> frozenset[int]:
        """Frames t that do not follow t - 1."""
        return frozenset(self.jumps)

    @property
    def unfit(self) -> frozenset[int]:
        """Frames that no clip may hold: unreadable, dark, bright, blurred, doubled."""
        return frozenset(self.unreadable + self.dark + self.bright + self.blurred + self.doubled)

    @property
    def drift(self) -> Drift:
        """What takes the stage's motion out, by whole pixels."""
        return Drift(self.offsets)

    @property
    def usual_step(self) -> float:
        """Median length of the stage's steps in pixels per frame; 0 where none can be measured."""
        far = np.hypot(*self.steps[1:].T)
        far = far[np.isfinite(far)]
        return float(np.median(far)) if len(far) else 0.0

    @property
    def drifted(self) -> float:
        """Pixels that slow motion of the stage goes over the recording: its path without jumps and jitter.

        0 where that is no more than what jitter makes of it.
        """
        from scipy.ndimage import median_filter

        if not self.drifts:
            return 0.0
        rest = self.offsets.copy()
        for t in self.jumps:
            rest[t:] -= self.offsets[t] - self.offsets[t - 1]
        # The middle one of nine: steps that come and go leave it where it is.
        slow = median_filter(rest, size=(9, 1), mode="nearest")
        far = float(np.hypot(*np.ptp(slow, axis=0)))
        return far if far >= max(DRIFT, 2 * self.jitter) else 0.0

    @property
    def moves(self) -> bool:
        """Whether stabilising helps: the stage jitters, drifts or jumps by more than shifts by whole pixels leave."""
        shifted = set(self.jumps) - set(self.scenes)
        return self.jitter >= JITTER or self.drifted > 0 or bool(shifted)

    def findings(self) -> list[Finding]:
        """What was looked for and found, a sentence each, for people."""
        from napari_cellsynth.stack.fitness.findings import findings_of

        return findings_of(self)

    def to_json(self) -> dict[str, Any]:
        """Everything; steps that cannot be measured are null."""
        steps = [[round(v, 4) for v in step] if np.isfinite(step).all() else None for step in self.steps.tolist()]
        lists = {name: list(getattr(self, name)) for name in (*FRAME_LISTS, "scenes")}
        return {
            "frames": self.frames, "channel": self.channel, "z": self.z, "steps": steps,
            "offsets": self.offsets.round(4).tolist(), "jitter": round(self.jitter, 4), "error": round(self.error, 4),
            "told": self.told, "drifts": self.drifts, "ceiling": self.ceiling, "share": self.share,
            "constant": self.constant, "noise": self.noise, **lists,
        }  # fmt: skip

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Fitness:
        """From what ``to_json`` gave; BadInput for anything else."""
        try:
            steps = [[np.nan, np.nan] if step is None else step for step in record["steps"]]
            kept: dict[str, Any] = {name: record[name] for name in KEPT}
            kept |= {name: tuple(int(t) for t in record[name]) for name in (*FRAME_LISTS, "scenes")}
            kept |= {name: bool(record.get(name, False)) for name in ("constant", "noise")}
            offsets = np.asarray(record["offsets"], np.float64).reshape(-1, 2)
            return cls(int(record["frames"]), np.asarray(steps, np.float64).reshape(-1, 2), offsets, **kept)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"no record of a recording's fitness: {error}") from error

"""Which frames of a recording are learned from, tuned on and tested on; never shuffled frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from napari_cellsynth.errors import BadInput

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class FrameSplit:
    """The part that each frame of one recording belongs to."""

    parts: Mapping[int, Split]
    """By frame, counted from 0; a frame that is passed over, or lies in a gap, is not in it."""
    gap: frozenset[int] = frozenset()
    """Frames left out between two parts."""
    by: str = "time"
    """How it was decided: ``given`` (by the user), ``session``, ``position``, ``recording``, ``time`` or ``training``
    (nothing is held out)."""

    def frames(self, part: Split) -> tuple[int, ...]:
        """Frames of a part, ascending."""
        return tuple(t for t in sorted(self.parts) if self.parts[t] == part)


def whole(frames: int, part: Split) -> FrameSplit:
    """All of ``frames`` frames for one part."""
    return FrameSplit(dict.fromkeys(range(frames), part), by="recording")


def by_time(frames: int, *, validation: float, test: float, gap: int, name: str, least: int = 1) -> FrameSplit:
    """Training first, then a gap, validation, a gap, test: time runs forward.

    ``validation`` and ``test`` are shares of the frames, at least ``least``
    each (a clip); ``gap`` frames lie between two parts.  Raises BadInput, naming the recording, where it is too
    short for that.
    """
    sizes = {part: max(least, size) for part, size in shares(frames, validation=validation, test=test).items()}
    needed = least + sum(size + gap for size in sizes.values())
    if frames < needed:
        clip, shorter = (f"parts of a clip ({least} frames) and ", "shorter clips or ") if least > 1 else ("", "")
        raise BadInput(
            f"{name} gives {frames} frame{'' if frames == 1 else 's'}; holding out by time with {clip}a gap of {gap}"
            f" needs {needed}: choose {shorter}a smaller gap, hold out whole recordings, or set both fractions to 0"
        )
    parts: dict[int, Split] = {}
    between: set[int] = set()
    end = frames
    for part, size in reversed(sizes.items()):
        parts.update(dict.fromkeys(range(end - size, end), part))
        between.update(range(end - size - gap, end - size))
        end -= size + gap
    parts.update(dict.fromkeys(range(end), "train"))
    return FrameSplit(parts, frozenset(between))


def shares(count: int, *, validation: float, test: float) -> dict[Split, int]:
    """Frames or recordings for each part held out, in the order of time; at least one of a share above 0."""
    wanted: dict[Split, float] = {"validation": validation, "test": test}
    return {part: max(1, round(share * count)) for part, share in wanted.items() if share > 0}

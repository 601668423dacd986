"""The words of the panels, where they are not the words of the code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

MODALITIES: dict[str | None, str] = {
    None: "microscopy?",
    "dic": "DIC",
    "phase-contrast": "phase contrast",
    "brightfield": "brightfield",
    "fluorescence": "fluorescence",
}
"""What training sets record, and what the movie line shows."""
AXES = {"T": "time", "Z": "z (focus)", "C": "channel"}
"""What an axis in front of Y and X can be."""
Z: dict[str, Any] = {
    "z: sharpest": "sharpest",
    "z: brightest": "max",
    "z: average": "mean",
    "z: all planes": "all",
}
"""How the planes of a z stack are joined, or not; single planes come after these."""
KINDS = {"crops": "single cells", "clips": "clips", "traps": "traps", "pairs": "pairs"}
"""Kinds of training sets."""
MISSING = {"axes": "axes", "pixel_size": "pixel size", "frame_interval": "interval"}
NAMED = re.compile(r"\w+[._]\w")
"""How a sentence begins that begins with a name, and not with a word."""
PENCIL = "\u270e"
OPENED = (
    "Opened means: a model was compared with it. What was chosen by the test can no longer be tested by it, so each"
    " time is counted."
)


def how_many(count: int, thing: str) -> str:
    """``1 frame``, ``20 frames``, ``1,024 outlines``."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def capital(text: str) -> str:
    """With its first letter large; what begins with the name of a file or a layer (``one_frame.tif``) stays."""
    if NAMED.match(text):
        return text
    return f"{text[:1].upper()}{text[1:]}"


def times_opened(times: int) -> str:
    """How often a test part was opened: ``not opened yet``, ``opened 2×``."""
    return f"opened {times}\u00d7" if times else "not opened yet"


def listed(things: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(things[:-1]), things[-1]] if len(things) > 1 else things)


def ranges(frames: Sequence[int]) -> str:
    """Frames as the slider counts them, from 0: ``0\u201315, 17``."""
    runs: list[list[int]] = []
    for frame in sorted(frames):
        if runs and frame == runs[-1][-1] + 1:
            runs[-1].append(frame)
        else:
            runs.append([frame])
    return ", ".join(f"{run[0]}" if len(run) == 1 else f"{run[0]}\u2013{run[-1]}" for run in runs)


def cells_counted(outlines: int, cells: int, tracked: bool) -> str:
    """The line under the outlines; ``tracked`` labels are counted, others estimated."""
    return f"{how_many(outlines, 'outline')}, {'' if tracked else 'about '}{how_many(cells, 'different cell')}"

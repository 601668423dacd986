"""``cellsynth motion simulate FIT.json OUT.csv --cells N --frames T``."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from napari_cellsynth.cli.options import check_seed, parse
from napari_cellsynth.errors import BadInput

MOST = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class MotionSimulateCommand:
    """Tracks of cells that move as a fit says: any number of them, for any time."""

    fit: Annotated[Positional[Path], arg(metavar="FIT.json")]
    """From 'cellsynth motion fit'."""
    out: Annotated[Positional[Path], arg(metavar="OUT.csv")]
    """Table to write: id,t,y,x,parent, frames counted from 0, positions in pixels; x.tracks.json beside it."""
    cells: Annotated[int, arg(metavar="N")]
    """How many cells."""
    frames: Annotated[int, arg(metavar="T")]
    """How many frames."""
    seed: Annotated[int, arg(metavar="N")] = 0
    """Cell i depends on it and on i alone."""
    size: Annotated[str | None, arg(metavar="512|512x256", help_behavior_hint="")] = None
    """Height and width of the field in pixels (left out: those of the recordings that were fitted)."""
    edges: Literal["reflect", "leave"] = "reflect"
    """What happens at the edge of the field: cells are turned back, or their track ends where they leave."""
    quiet: bool = False
    """Do not name the files written."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api
    from napari_cellsynth.motion.autoregressive.model import MotionFit
    from napari_cellsynth.motion.tracks.files import write_csv
    from napari_cellsynth.quality.motion_words import doubt
    from napari_cellsynth.quality.shared_words import simulated_without

    options = parse(MotionSimulateCommand, "motion simulate", words)
    check_seed(options.seed)
    for name in ("cells", "frames"):
        if not 1 <= getattr(options, name) <= MOST:
            raise BadInput(f"--{name} {getattr(options, name)} given; at least 1 is needed")
    out = api.motions.simulated_place(options.out)
    fit = MotionFit.from_json(options.fit)
    tracks = api.simulate_motion(
        fit,
        options.cells,
        options.frames,
        seed=options.seed,
        field=field_of(options.size),
        edges=options.edges,
    )
    written = write_csv(out, tracks)
    if not options.quiet:
        for words in filter(None, (simulated_without(fit), doubt(fit))):
            print(f"note: {words}", file=sys.stderr)
        print("\n".join(map(str, written)))
    return 0


def field_of(text: str | None) -> tuple[int, int] | None:
    """Height and width of ``512`` or ``512x256``."""
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d+)\s*(?:[x,]\s*(\d+)\s*)?", text)
    sides = (int(found.group(1)), int(found.group(2) or found.group(1))) if found else (0, 0)
    if min(sides) < 1:
        raise BadInput(f"--size {text!r} given; write it such as 512, or 512x256 for height and width")
    return sides

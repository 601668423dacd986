"""``cellsynth stabilise STACK OUT``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from tyro.conf import OmitArgPrefixes, Positional, arg

from napari_cellsynth.cli.options import StackOptions, parse
from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.steady.stabilise import Border

if TYPE_CHECKING:
    from napari_cellsynth.stack.stack import Stack
    from napari_cellsynth.stack.steady.drift import Drift


@dataclass(frozen=True, kw_only=True)
class Stabilise:
    """A recording without the motion of its stage; what was taken out lies beside it, to lead results back."""

    stack: Annotated[Positional[Path], arg(metavar="STACK")]
    """The recording, or outlines of it: a file, or a folder of numbered frames."""
    out: Annotated[Positional[Path], arg(metavar="OUT")]
    """OME-TIFF or OME-Zarr to write, ending with .ome.tif or .ome.zarr; OUT.drift.json is written beside it."""
    drift: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Take out what FILE says (a .drift.json, a steady recording, or what info --fit --json printed), as for another
    channel or for outlines of the same recording, in place of looking how the stage moves."""
    channel: Annotated[int, arg(metavar="N")] = 0
    """Channel in which the stage is followed, counted from 0."""
    z: Annotated[int, arg(metavar="N")] = 0
    """Plane in which it is followed, counted from 0."""
    border: Annotated[Border, arg(metavar="edge|zero|crop")] = "edge"
    """What becomes of pixels that a frame does not show: repeated from its edge, 0, or cut off all frames."""
    subpixel: bool = False
    """Move by fractions of a pixel, which interpolates; else by whole pixels, and no value changes."""
    labels: bool = False
    """STACK holds outlines: numbers stay numbers."""
    outlines: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Outlines of STACK, moved as it is and written as OUT.labels.tif (--labels FILE after OUT means the same)."""
    recording: OmitArgPrefixes[StackOptions] = field(default_factory=StackOptions)
    quiet: bool = False
    """No progress."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth.cli.progress import ProgressLine
    from napari_cellsynth.stack.files.outputs import beside, image_path, refuse_others
    from napari_cellsynth.stack.files.write import write_stack
    from napari_cellsynth.stack.steady.stabilise import stabilise, stabilise_labels
    from napari_cellsynth.stack.steady.steadied import Steadied

    options = parse(Stabilise, "stabilise", _with_outlines(words))
    if options.drift is not None and (options.channel or options.z):
        raise BadInput("--channel and --z say where the stage is followed; leave them out with --drift")
    out = image_path(options.out)
    record = beside(out, "drift.json")
    side = beside(out, "labels.tif")
    refuse_others(out, [record] if options.outlines is None else [record, side])
    stack = options.recording.read(options.stack)
    outlines = _outlines(options, stack)
    drift = _drift(options, stack)
    move = stabilise_labels if options.labels else stabilise
    steady = move(stack, drift, border=options.border)
    with ProgressLine(out.name, quiet=options.quiet) as line:
        write_stack(out, steady, progress=line.at, kind="labels" if options.labels else "image")
        if outlines is not None:
            moved = stabilise_labels(outlines, drift, border="crop" if options.border == "crop" else "zero")
            write_stack(side, moved, progress=line.at, kind="labels")
    how = Steadied.of(steady)
    assert how is not None
    how.write(record)
    print(_in_words(drift))
    print("\n".join(map(str, (out, record) if outlines is None else (out, record, side))))
    return 0


def _with_outlines(words: Sequence[str]) -> list[str]:
    """``STACK OUT --labels FILE`` and ``--labels=FILE`` as ``--outlines FILE``: the flag alone takes no file."""
    given = [word.replace("--labels=", "--outlines=", 1) if word.startswith("--labels=") else word for word in words]
    named = len(given) > 1 and not any(word.startswith("-") for word in given[:2])
    if named and "--labels" in given[:-1] and not given[(at := given.index("--labels")) + 1].startswith("-"):
        given[at] = "--outlines"
    return given


def _outlines(options: Stabilise, stack: Stack) -> Stack | None:
    from napari_cellsynth.stack.labels import read_labels

    if options.outlines is None:
        return None
    if options.labels:
        raise BadInput("--labels says that STACK holds outlines, --outlines that FILE does; give one of them")
    return read_labels(options.outlines, stack)


def _drift(options: Stabilise, stack: Stack) -> Drift:
    """Where the stage was, as a file says, or by a look at every frame."""
    from dataclasses import replace

    from napari_cellsynth.cli.info import judged
    from napari_cellsynth.stack.steady.steadied import Steadied

    if options.drift is not None:
        drift = Steadied.read(options.drift).drift
    else:
        drift = judged(stack, channel=options.channel, z=options.z, quiet=options.quiet).drift
    return replace(drift, subpixel=options.subpixel or drift.subpixel)


def _in_words(drift: Drift) -> str:
    if drift.still:
        return "nothing is moved: the stage was found steady, or whether it moves cannot be told (cellsynth info --fit)"
    by = "fractions of a pixel" if drift.subpixel else "whole pixels"
    far = float(np.hypot(*drift.applied.T).max())
    return f"moved by {by}, up to {far:.4g} px; cellsynth restore leads back what is made of it"

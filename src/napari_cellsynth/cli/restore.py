"""``cellsynth restore RESULT OUT``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from napari_cellsynth.cli.options import StackOptions, parse
from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.stack.stack import Stack
    from napari_cellsynth.stack.steady.steadied import Steadied

OME = (".ome.tif", ".ome.tiff", ".zarr")
What = Literal["auto", "image", "labels", "flow", "points"]


@dataclass(frozen=True, kw_only=True)
class Restore:
    """What was made of a steady recording (images, outlines, tracks, flow), back in the recording's own coordinates."""

    result: Annotated[Positional[Path], arg(metavar="RESULT")]
    """Images, outlines or flow (TIFF, OME-Zarr), or a table (.csv) of points or tracks with columns t, y, x."""
    out: Annotated[Positional[Path], arg(metavar="OUT")]
    """File to write: .csv for tables, .tif for flow; .ome.tif or .ome.zarr else, for outlines also .tif."""
    drift: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """What was taken out: the .drift.json beside the steady recording, or the steady recording, or what info --fit
    --json printed (default: as RESULT itself says)."""
    what: Annotated[What, arg(metavar="auto|image|labels|flow|points")] = "auto"
    """What RESULT is; auto: as its name (.csv, .flow.tif, .labels.tif) or its description says, else images."""
    first: Annotated[int, arg(metavar="T")] = 0
    """Frame of the recording, counted from 0, that the first of RESULT belongs to (frame 0 of a table)."""
    recording: OmitArgPrefixes[StackOptions] = field(default_factory=StackOptions)
    quiet: bool = False
    """No progress."""


def main(words: Sequence[str]) -> int:
    options = parse(Restore, "restore", words)
    if options.first < 0:
        raise BadInput(f"--first {options.first} given; frames count from 0")
    if options.what == "points" or (options.what == "auto" and options.result.suffix.lower() == ".csv"):
        made = _points(options)
    else:
        stack = options.recording.read(options.result)
        what = _kind(options.result, stack) if options.what == "auto" else options.what
        made = (_flow if what == "flow" else _planes)(options, stack, what)
    print(made)
    return 0


def _kind(result: Path, stack: Stack) -> What:
    """What a file, or its name, says that it holds."""
    said = stack.provenance or {}
    if said.get("kind") == "flow" or result.name.lower().endswith(".flow.tif"):
        return "flow"
    labels = said.get("kind") == "labels" or said.get("made_by") == "segment"
    return "labels" if labels or ".labels." in result.name.lower() else "image"


def _how(options: Restore, stack: Stack | None = None) -> Steadied:
    from napari_cellsynth.stack.steady.steadied import Steadied

    how = Steadied.read(options.drift) if options.drift is not None else None if stack is None else Steadied.of(stack)
    if how is None:
        raise BadInput(f"{options.result} does not say how the stage moved; give --drift FILE (x.drift.json)")
    return how


def _points(options: Restore) -> Path:
    from napari_cellsynth.stack.steady.steadied import restore_table

    if options.out.suffix.lower() != ".csv":
        raise BadInput(f"{options.out} given; tables are written as CSV: end the name with .csv")
    if options.out.exists():
        raise BadInput(f"{options.out} exists; give another name or delete it first")
    restore_table(options.result, options.out, _how(options), first=options.first)
    return options.out


def _flow(options: Restore, flow: Stack, what: What) -> Path:
    from napari_cellsynth.stack.files.outputs import refuse_others
    from napari_cellsynth.stack.files.write import write_plain_tiff
    from napari_cellsynth.stack.steady.steadied import RestoredFlow

    if options.out.name.lower().endswith(OME):
        raise BadInput(f"{options.out} given; flow is written as plain TIFF: end the name with .tif")
    refuse_others(options.out)
    restored = RestoredFlow(flow, _how(options, flow), first=options.first)
    return write_plain_tiff(options.out, restored, _about(flow, what))


def _planes(options: Restore, stack: Stack, what: What) -> Path:
    from napari_cellsynth.cli.progress import ProgressLine
    from napari_cellsynth.stack.files.outputs import image_path, refuse_others
    from napari_cellsynth.stack.files.write import write_plain_tiff, write_stack
    from napari_cellsynth.stack.steady.stabilise import restore, restore_labels

    how = _how(options, stack)
    out = image_path(options.out)
    refuse_others(out)
    back = restore_labels if what == "labels" else restore
    made = back(stack, how.drift, shape=how.shape, first=options.first)
    if what == "labels" and not out.name.lower().endswith(OME):
        return write_plain_tiff(out, made.data, _about(made, what))
    with ProgressLine(out.name, quiet=options.quiet) as line:
        return write_stack(out, made, progress=line.at, kind="labels" if what == "labels" else "image")


def _about(stack: Stack, what: What) -> dict[str, object]:
    """What a plain TIFF says of itself."""
    scale = {"pixel_size": stack.pixel_size, "frame_interval": stack.frame_interval, "z_step": stack.z_step}
    return {**(stack.provenance or {}), "kind": what, "axes": stack.axes, **scale}

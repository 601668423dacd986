"""Where results of a model go."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cellsynth.stack.files.outputs import beside, image_path, refuse_others, refuse_stale

if TYPE_CHECKING:
    from napari_cellsynth.api import Model
    from napari_cellsynth.stack.stack import Stack


def place_for(out: Path) -> Path:
    """The file that images go to; BadInput where that, or the masks beside it, would cost another's file."""
    path = image_path(out)
    refuse_others(path, [beside(path, "labels.tif")])
    if path.name != out.name and out.suffix:
        print(f"note: {out.suffix} is no format that is written; the file is {path}", file=sys.stderr)
    return path


def write_made(path: Path, images: Stack, labels: Stack | None, *, quiet: bool) -> None:
    """Write generated images and, beside them, their masks; name the files."""
    from napari_cellsynth.stack.files.write import write_stack

    side = beside(path, "labels.tif")
    if labels is None:
        refuse_stale([side])
    if path.exists():
        print(f"note: replaces {path}, of an earlier output", file=sys.stderr)
    written = [write_stack(path, images)]
    if labels is not None:
        written.append(write_stack(side, labels, kind="labels"))
    if not quiet:
        print("\n".join(str(one) for one in written))


def opened(run: Path, device: str) -> Model:
    """What a run has learned; what is odd about it is said on stderr."""
    from napari_cellsynth import api

    model = api.open_model(run, device=device)
    for note in model.notes:
        print(f"note: {note}", file=sys.stderr)
    return model

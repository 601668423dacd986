"""A phantom on disk: the recording as OME-TIFF or OME-Zarr and its ground truth beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from napari_cellsynth.motion.tracks.csv_files import write_table
from napari_cellsynth.phantoms.phantom import Phantom, Progress
from napari_cellsynth.stack.files.outputs import beside, image_path, refuse_stale
from napari_cellsynth.stack.files.replacing import replacing
from napari_cellsynth.stack.files.write import write_plain_tiff, write_stack

AXES = {"labels": "TYX", "classes": "TYX", "flow": "TCYX", "clean": "TYX"}
"""Arrays beside the recording; flow has dx and dy as channels.  Clean frames have the recording's axes."""


def sides_of(recording: Path) -> list[Path]:
    """All files that may be written beside a recording ``x.ome.tif`` or ``x.ome.zarr``."""
    return [beside(recording, ending) for ending in (*(f"{kind}.tif" for kind in AXES), "tracks.csv", "json")]


def write_phantom(phantom: Phantom, out: Path | str, *, progress: Progress | None = None) -> list[Path]:
    """Write a phantom's recording and ground truth.

    ``x.ome.tif`` holds the recording; beside it ``x.labels.tif`` (T, Y, X),
    ``x.flow.tif`` (T - 1, 2, Y, X; none for a single frame), ``x.clean.tif`` (axes of the
    recording), ``x.classes.tif`` where the phantom has classes, ``x.tracks.csv`` (id, t, y, x,
    parent) and ``x.json`` (parameters).

    Args:
        out: the recording's path; without an ending for TIFF it is the stem, and ``.ome.tif`` is added.
        progress: called with the number of files written and of all.

    Returns:
        The paths written, the recording first.

    Raises:
        BadInput: the folder does not exist, the ending is of another format, or a file of an earlier phantom
            would stay beside this one, which has none such.
    """
    recording = image_path(Path(out))
    arrays = {kind: array for kind in AXES if (array := getattr(phantom, kind)) is not None and array.size}
    refuse_stale(beside(recording, f"{kind}.tif") for kind in AXES if kind not in arrays)
    shape = [phantom.stack.size(axis) for axis in "YX"]
    about = {"made_by": "napari-cellsynth phantom", "synthetic": True, "shape": shape, **phantom.parameters}
    jobs: list[Callable[[], Path]] = [
        partial(write_stack, recording, phantom.stack, provenance=phantom.stack.provenance),
        *(
            partial(write_plain_tiff, beside(recording, f"{kind}.tif"), array, _description(kind, phantom))
            for kind, array in arrays.items()
        ),
        partial(write_table, beside(recording, "tracks.csv"), phantom.tracks),
        partial(_write_text, beside(recording, "json"), json.dumps(about, indent=2) + "\n"),
    ]
    written = []
    for done, job in enumerate(jobs, start=1):
        written.append(job())
        if progress is not None:
            progress(done, len(jobs))
    return written


def _description(kind: str, phantom: Phantom) -> dict[str, Any]:
    """What a side file says of itself: axes, scale and origin, so that it opens with units on its own."""
    stack = phantom.stack
    scale: dict[str, Any] = {"pixel_size": stack.pixel_size, "frame_interval": stack.frame_interval}
    axes = stack.axes if kind == "clean" else AXES[kind]
    if "Z" in axes:
        scale["z_step"] = stack.z_step
    return {**(stack.provenance or {}), "kind": kind, "axes": axes, **scale}


def _write_text(path: Path, text: str) -> Path:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path

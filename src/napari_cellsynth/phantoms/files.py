"""A phantom on disk: the recording as OME-TIFF and its ground truth beside it."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from napari_cellsynth.errors import BadInput
from napari_cellsynth.phantoms.phantom import Phantom, Progress, TrackPoint

ENDINGS = (".ome.tif", ".ome.tiff", ".tif", ".tiff")


def write_phantom(phantom: Phantom, out: Path | str, *, progress: Progress | None = None) -> list[Path]:
    """Write a phantom's recording and ground truth.

    ``x.ome.tif`` holds the recording; beside it ``x.labels.tif`` (T, Y, X),
    ``x.flow.tif`` (T - 1, 2, Y, X; none for a single frame), ``x.clean.tif`` (T, Y, X), ``x.classes.tif`` where
    the phantom has classes, ``x.tracks.csv`` (id, t, y, x, parent) and ``x.json`` (parameters).

    Args:
        out: the recording's path; without an ending for TIFF it is the stem, and ``.ome.tif`` is added.
        progress: called with the number of files written and of all.

    Returns:
        The paths written, the recording first.

    Raises:
        BadInput: the folder does not exist, or the ending is of another format.
    """
    from napari_cellsynth.stack.write import write_ome_tiff, write_plain_tiff

    recording, stem = _paths(Path(out))
    arrays = {"labels": phantom.labels, "classes": phantom.classes, "flow": phantom.flow, "clean": phantom.clean}
    about = {"made_by": "napari-cellsynth phantom", "synthetic": True, **phantom.parameters}
    beside = partial(_beside, stem)
    jobs: list[Callable[[], Path]] = [
        partial(write_ome_tiff, recording, phantom.stack, provenance=phantom.stack.provenance),
        *(
            partial(write_plain_tiff, beside(f"{kind}.tif"), array, {"kind": kind, **about})
            for kind, array in arrays.items()
            if array is not None and array.size
        ),
        partial(_write_tracks, beside("tracks.csv"), phantom.tracks),
        partial(_write_text, beside("json"), json.dumps(about, indent=2) + "\n"),
    ]
    written = []
    for done, job in enumerate(jobs, start=1):
        written.append(job())
        if progress is not None:
            progress(done, len(jobs))
    return written


def _paths(out: Path) -> tuple[Path, Path]:
    """The recording's path and the stem of the files beside it."""
    if not out.parent.is_dir():
        raise BadInput(f"{out} given; the folder {out.parent} does not exist: create it first")
    for ending in ENDINGS:
        if out.name.lower().endswith(ending) and len(out.name) > len(ending):
            return out, out.with_name(out.name[: -len(ending)])
    if out.name.lower().endswith((".zarr", ".csv", ".json", ".png", ".czi", ".nd2")):
        raise BadInput(f"{out} given; a phantom is written as OME-TIFF: end the name with .ome.tif")
    return out.with_name(f"{out.name}.ome.tif"), out


def _beside(stem: Path, ending: str) -> Path:
    return stem.with_name(f"{stem.name}.{ending}")


def _write_tracks(path: Path, tracks: tuple[TrackPoint, ...]) -> Path:
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(TrackPoint._fields)
        writer.writerows((p.id, p.t, f"{p.y:.3f}", f"{p.x:.3f}", p.parent) for p in tracks)
    os.replace(temporary, path)
    return path


def _write_text(path: Path, text: str) -> Path:
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
    return path

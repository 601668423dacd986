"""Previews of a training as small OME-TIFFs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth.engine.patience import is_there, must_be_there
from napari_cellsynth.engine.settings import Settings
from napari_cellsynth.errors import CellsynthError
from napari_cellsynth.stack.files.write import write_ome_tiff
from napari_cellsynth.stack.provenance import provenance_block
from napari_cellsynth.stack.stack import Stack


def write_preview(run: Path, images: np.ndarray, step: int, seed: int, described: dict[str, Any]) -> str:
    """Write images (N, C, Y, X) or (N, T, C, Y, X); the path relative to the run.

    ``described`` is the recipe's own description: its ``pixel_size`` (one
    number or (y, x), micrometres) and ``frame_interval`` (seconds) are
    written along where it has them.
    """
    axes = {4: "QCYX", 5: "QTCYX"}.get(images.ndim)
    if axes is None:
        raise CellsynthError(f"a preview of shape {images.shape} was made; expected (N, C, Y, X) or (N, T, C, Y, X)")
    size = described.get("pixel_size")
    stack = Stack(
        data=images,
        axes=axes,
        pixel_size=(float(size), float(size)) if isinstance(size, int | float) else tuple(size) if size else None,
        frame_interval=described.get("frame_interval"),
        name=f"step {step}",
        provenance=provenance_block(made_by="training", synthetic=True, run=run.name, seed=seed),
    )
    relative = f"previews/step-{step:08d}.ome.tif"
    (run / "previews").mkdir(exist_ok=True)
    write_ome_tiff(run / relative, stack)
    return relative


def keep_preview(run: Path, images: np.ndarray, step: int, settings: Settings, described: dict[str, Any]) -> str | None:
    """Write a preview and thin out the old ones; None where the run's folder is away, which is no reason to stop."""
    try:
        must_be_there(run)
        path = write_preview(run, images, step, settings.seed, described)
        thin_out(run, settings.keep_previews)
    except (OSError, CellsynthError):
        if is_there(run):
            raise
        return None
    return path


def thin_out(run: Path, count: int) -> None:
    """Remove every second of the older half of a run's previews where there are more than ``count``.

    What is left still tells the whole story, ever more sparsely the longer it is ago.
    """
    found = sorted((run / "previews").glob("step-*.ome.tif"))
    while len(found) > count:
        older = found[: len(found) // 2]
        gone = older[1::2] or older
        for path in gone:
            path.unlink(missing_ok=True)
        found = [path for path in found if path not in gone]

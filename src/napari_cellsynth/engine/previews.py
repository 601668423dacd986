"""Previews of a training as small OME-TIFFs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

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

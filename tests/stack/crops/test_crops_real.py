"""Cells of real recordings, cut out by the outlines that came with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile

from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.stack import Stack

from .discs import run


def test_real_yeast(tmp_path: Path, real_data: Callable[[str], Path]) -> None:
    folder = real_data("yeast_pos13_phase")
    stack, labels = (read_stack(folder / name, axes="TYX") for name in ("yeast_phase.tif", "yeast_masks.tif"))
    data, report = run([(stack, labels)], tmp_path / "d")
    assert report.outlines == 937
    assert report.made > 600
    assert not report.cells_exact
    # 33 cells at the start and about 60 at the end, some of them in one frame only.
    assert 50 <= report.cells <= 90
    assert data.images([0]).dtype == np.uint16
    # Every mask is whole, in the middle, and of the size that the labels say (the box is 64 px: not resampled).
    masks = data.masks(range(report.made))
    middle = [np.add(np.flatnonzero(m.any(1))[[0, -1]].sum(), np.flatnonzero(m.any(0))[[0, -1]].sum()) for m in masks]
    assert np.abs(np.array(middle) / 4 - 31.5).max() <= 1
    for i in range(0, report.made, 50):
        row = data.table[i]
        assert masks[i].sum() == (labels.frame(int(row["t"])) == int(row["label"])).sum()


def test_real_nuclei_with_tracked_labels(tmp_path: Path, real_data: Callable[[str], Path]) -> None:
    folder = real_data("ctc_gowt1")
    stack = read_stack(folder / "02", axes="TYX", pixel_size=0.24, frame_interval=300.0)
    labels = Stack(np.stack([tifffile.imread(f) for f in sorted((folder / "02_GT" / "TRA").glob("*.tif"))[:6]]), "TYX")
    stack = stack.with_(data=stack.data[:6])
    data, report = run([(stack, labels)], tmp_path / "d", box_um=24)
    assert report.cells_exact
    assert data.pixel_size == (0.375, 0.375)
    # Nuclei are brighter than what is around them.
    images, masks = data.images(range(report.made)).astype(float), data.masks(range(report.made)) == 1
    assert images[masks].mean() > 2 * images[~masks].mean()

"""A recording with a damaged frame: its other frames give their crops, and the report says what was left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile

from napari_cellsynth.stack.files.read import read_stack

from .discs import disc_movie, run


def test_a_damaged_frame_costs_no_other_its_crops(tmp_path: Path) -> None:
    stack, labels = disc_movie()
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, np.asarray(stack.data), compression="zlib", metadata={"axes": stack.axes})
    whole, _ = run([(read_stack(path), labels)], tmp_path / "whole", size=24, box_px=24)
    with tifffile.TiffFile(path) as tif:
        offset = tif.pages[2].dataoffsets[0]
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * 100)
    damaged, report = run([(read_stack(path), labels)], tmp_path / "damaged", size=24, box_px=24)
    lost = [row for row in whole.table if row["t"] == "2"]
    assert lost and report.refused["in a frame that cannot be read"] == len(lost)
    kept = [i for i, row in enumerate(whole.table) if row["t"] != "2"]
    np.testing.assert_array_equal(damaged.images(range(len(damaged.table))), whole.images(kept))
    assert damaged.record["sources"][0]["hash"] != whole.record["sources"][0]["hash"]

"""Open a recording that does not say its pixel size, change its pixels, save it with units.

You will see what the file says of itself, what it says once told, and that
the saved file remembers: axes, pixel size, interval and where it came from.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tifffile

from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.files.write import write_ome_tiff
from napari_cellsynth.stack.info import info_text
from napari_cellsynth.stack.provenance import provenance_block


def main(out: Path) -> None:
    silent = out / "silent.tif"
    frames = np.random.default_rng(0).poisson(200, (12, 64, 80)).astype(np.uint16)
    tifffile.imwrite(silent, frames, imagej=True, metadata={"axes": "TYX"})
    print(info_text(read_stack(silent)), end="\n\n")

    movie = read_stack(silent, pixel_size=0.19, frame_interval=600)
    print(info_text(movie), end="\n\n")

    # Lazily: a dask array, one frame a chunk; nothing is loaded before it is written.
    brighter = movie.with_(
        data=movie.data + np.uint16(50),
        provenance=provenance_block(made_by="examples/keep_the_units.py", synthetic=False, settings={"added": 50}),
    )
    saved = write_ome_tiff(out / "brighter.ome.tif", brighter)
    print(info_text(read_stack(saved)))


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "keep_the_units")
    folder.mkdir(parents=True, exist_ok=True)
    main(folder)
